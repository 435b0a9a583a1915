"""`ringfence calc scenario`: the case studies of the isolated-margin guide, in numbers."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bot.cli.calculators import given
from bot.cli.calculators.answers import (
    amount,
    column,
    percents,
    price,
    show_notes,
    show_table,
    signed,
)
from bot.cli.options import Json
from bot.cli.output import cell, show_facts, show_json
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.calc import Btc500, Comparison, PortfolioStudy

_NAMES: Final = ("btc-500", "portfolio")
_FEATURES: Final = (
    column("feature", "feature", cell, is_number=False),
    column("measure", "measured by", cell, is_number=False),
    column("isolated", "isolated", cell),
    column("cross", "cross", cell),
)
_WAYS: Final = (
    column("way", "held", lambda way: way.replace("_", " "), is_number=False),
    column("liquidations", "liquidated", cell),
    column("pnl", "result", signed),
    column("left", "account then", amount),
    column("most_to_lose", "most to lose", amount),
)
_LEGS: Final = (
    column("symbol", "position", cell, is_number=False),
    column("leverage", "leverage", lambda value: f"{value:g}x"),
    column("margin", "margin", amount),
    column("notional", "notional", amount),
    column("liquidation_price", "liquidation", price),
    column("distance", "distance", percents),
    column("shock", "moves by", lambda value: percents(value, 0)),
    column("mark", "to", price),
    column("outcome", "then", cell, is_number=False),
)
# What is left out first where the terminal is too narrow.
_SPARE: Final = ("notional", "shock", "distance")

# The one row of the guide's table that no number measures.
_BEST_FOR: Final = {
    "feature": "best for",
    "measure": "the guide's words",
    "isolated": "many positions",
    "cross": "whole view",
}


def scenario(
    name: Annotated[str, typer.Argument(metavar="btc-500|portfolio")],
    account: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="The whole account; default: 2000 and 1000.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a case study of the guide and its isolated-against-cross table with real numbers.

    btc-500: 500 USDT at 10x on BTC, which falls 5 %. portfolio: BTC, ETH and SOL, each with its own margin.
    """
    from bot.calc import Btc500, btc_500, portfolio

    if name not in _NAMES:
        from bot.plugins import did_you_mean

        raise UserError(f'There is no scenario "{name}", {did_you_mean(name, _NAMES)} Choose one of these.')
    asked = () if account is None else (given.positive("--account", account),)
    try:
        study = btc_500(*asked) if name == "btc-500" else portfolio(*asked)
    except ValueError as error:
        raise UserError(f"--account: {error}. Give a larger one.") from error
    if as_json:
        show_json(_plain(study))
    elif isinstance(study, Btc500):
        _tell_btc(study)
    else:
        _tell_portfolio(study)


def _tell_btc(study: "Btc500") -> None:
    before, after, restore = study.before, study.after, study.restore
    print("500 USDT of isolated margin at 10x on BTC at 60,000; BTC falls 5 % to 57,000.")
    print()
    rows = [
        _fact("notional", amount(before.notional), amount(after.notional)),
        _fact("unrealised PnL", signed(before.unrealised_pnl), signed(after.unrealised_pnl)),
        _fact("equity of the position", amount(before.equity), amount(after.equity)),
        _fact("maintenance margin", amount(before.maintenance_margin), amount(after.maintenance_margin)),
        _fact("margin ratio (100 % liquidates)", percents(before.margin_ratio), percents(after.margin_ratio)),
        _fact("liquidation price", price(before.liquidation_price), price(after.liquidation_price)),
        _fact(
            "distance to liquidation",
            percents(before.liquidation_distance),
            percents(after.liquidation_distance),
        ),
        _fact("effective leverage", f"{before.effective_leverage:.1f}x", f"{after.effective_leverage:.1f}x"),
    ]
    show_table(
        rows,
        (
            column("what", "", cell, is_number=False),
            column("before", "at 60,000", cell),
            column("after", "at 57,000", cell),
        ),
    )
    print()
    facts = {
        "account": amount(study.account_quote),
        "at risk in this position": amount(before.loss_if_liquidated),
        "out of its reach": amount(study.safe_quote),
        "to have 10 % distance again": f"add {amount(restore.amount)}, liquidation at "
        f"{price(restore.liquidation_price_after)}",
    }
    show_facts(facts, as_json=False)
    print()
    _tell_ways(study.ways, study.comparison)


def _tell_portfolio(study: "PortfolioStudy") -> None:
    names = ", ".join(
        f"{symbol} by {percents(shock, 0)}" for symbol, shock in zip(study.symbols, study.shocks, strict=True)
    )
    print(f"Three positions, each with its own isolated margin. Then {names}.")
    print()
    show_table([_leg(study, index) for index in range(len(study.symbols))], _LEGS, spare=_SPARE)
    print()
    cross = study.cross
    facts = {
        "account": amount(study.account_quote),
        "the same in cross margin": f"{cross.effective_leverage:.1f}x on the whole account, margin ratio "
        f"{percents(cross.margin_ratio)}",
        "cross ends at": _end(study.cross_end.scale, "times these moves"),
        "or when all prices move by": _end_percent(study.common_fall.scale),
    }
    show_facts(facts, as_json=False)
    print()
    _tell_ways(study.ways, study.comparison)


def _tell_ways(ways: Any, comparison: "tuple[Comparison, ...]") -> None:
    show_table([way._asdict() for way in ways], _WAYS)
    print()
    show_table([*map(_feature, comparison), _BEST_FOR], _FEATURES)
    print()
    show_notes(
        [
            "Tiers are illustrative, before fees and funding.",
            "A liquidated isolated position loses its margin and no more, a cross account everything.",
            "Exchange auto add puts free balance behind a position that is about to be liquidated.",
        ]
    )


def _fact(what: str, before: str, after: str) -> dict[str, str]:
    return {"what": what, "before": before, "after": after}


def _leg(study: "PortfolioStudy", index: int) -> dict[str, Any]:
    from bot.calc import portfolio_legs
    from bot.core.position import side_name

    held = portfolio_legs()[index].position
    report, outcome = study.reports[index], study.ways[0].legs[index]
    return {
        "symbol": f"{held.symbol} {side_name(held.side)}",
        "leverage": held.leverage,
        "margin": report.loss_if_liquidated,
        "notional": report.notional,
        "liquidation_price": report.liquidation_price,
        "distance": report.liquidation_distance,
        "shock": study.shocks[index],
        "mark": outcome.mark,
        "outcome": f"{'liquidated' if outcome.is_liquidated else 'open'}, {signed(outcome.pnl)}",
    }


def _feature(row: "Comparison") -> dict[str, str]:
    return {
        "feature": row.feature,
        "measure": row.measure,
        "isolated": _measured(row.isolated, row.unit),
        "cross": _measured(row.cross, row.unit),
    }


def _measured(value: float, unit: str) -> str:
    if abs(value) == float("inf"):
        return "never"
    if unit == "x":
        return f"{value:.2f}x"
    return f"{value:g}" if unit == "count" else amount(value)


def _end(scale: float | None, words: str) -> str:
    return "never in this direction" if scale is None else f"{scale:.2f} {words}"


def _end_percent(scale: float | None) -> str:
    return "never" if scale is None else percents(-scale)


def _plain(value: Any) -> Any:
    """The study as tables and lists, by the names of its fields."""
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
