"""`ringfence calc`: what a position would mean, from flags alone; nothing is read and nothing written."""

from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from bot.cli.options import Json
from bot.cli.output import cell, show_facts
from bot.cli.screen.figures import money
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.core.position import Position
    from bot.core.profile import MarginRules

app = typer.Typer(help="Calculators that need no database.", rich_markup_mode=None, no_args_is_help=True)


_FRACTIONS: Final = (
    "maintenance_margin_rate",
    "margin_ratio",
    "liquidation_distance",
    "liquidation_probability_1h",
    "liquidation_probability_24h",
)
_AMOUNTS: Final = (
    "isolated_wallet",
    "notional",
    "required_margin",
    "unrealised_pnl",
    "equity",
    "maintenance_margin",
    "removable_margin",
    "loss_if_liquidated",
)


class Size(NamedTuple):
    """What the flags say of a position; exactly one of `quantity` and `margin` is given."""

    side: str
    entry_price: float
    leverage: float
    quantity: float | None
    margin: float | None
    wallet: float | None


class Market(NamedTuple):
    """Whose rules apply: the tiers of `symbol`, or one tier of `maintenance_rate`."""

    symbol: str
    venue: str
    close_fee_rate: float
    maintenance_rate: float | None
    maintenance_amount: float
    is_inverse: bool


@app.callback()
def _root() -> None:
    pass


@app.command("position")
def position(
    *,
    side: Annotated[str, typer.Option(metavar="long|short")],
    entry: Annotated[float, typer.Option(help="Entry price, quote per base.")],
    leverage: Annotated[float, typer.Option(help="The venue's leverage setting.")],
    quantity: Annotated[float | None, typer.Option(help="Base units (inverse: USD).")] = None,
    margin: Annotated[float | None, typer.Option(help="Initial margin, instead of --quantity.")] = None,
    wallet: Annotated[
        float | None, typer.Option(help="Isolated wallet now; default: the initial margin.")
    ] = None,
    mark: Annotated[float | None, typer.Option(help="Mark price; default: the entry price.")] = None,
    symbol: Annotated[str, typer.Option(help="Whose leverage tiers apply.")] = "BTC/USDT:USDT",
    maintenance_rate: Annotated[
        float | None, typer.Option(help="One maintenance rate (a fraction) instead of the tiers.")
    ] = None,
    maintenance_amount: Annotated[float, typer.Option(help="With it: the maintenance amount, quote.")] = 0.0,
    venue: Annotated[str, typer.Option(help="ccxt id of the venue whose rules apply.")] = "binanceusdm",
    close_fee_rate: Annotated[float, typer.Option(help="Fee of closing, where the venue counts it.")] = 0.0,
    inverse: Annotated[bool, typer.Option("--inverse", help="Settled in the base coin.")] = False,
    sigma_day: Annotated[
        float | None, typer.Option(help="Volatility per day, a fraction: adds liquidation probabilities.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show required margin, liquidation price, margin ratio and what could be removed."""
    from bot.calc.position import position_report

    size = Size(side, entry, leverage, quantity, margin, wallet)
    market = Market(symbol, venue, close_fee_rate, maintenance_rate, maintenance_amount, inverse)
    try:
        rules = _rules(market)
        opened = _opened(size, market, rules)
        report = position_report(opened, entry if mark is None else mark, rules, sigma_day)
    except ValueError as error:
        raise UserError(
            f"These numbers make no position: {error}. Correct the flag and try again."
        ) from error
    facts = {
        "side": side,
        "tiers": _tiers_words(market),
        "quantity": opened.quantity,
        "isolated_wallet": opened.isolated_wallet,
        **report._asdict(),
    }
    show_facts(facts if as_json else _for_people(facts, market.is_inverse), as_json)


def _rules(market: Market) -> "MarginRules":
    from bot.core.instrument import margin_rules
    from bot.core.profile import MarginRules, venue_profile
    from bot.core.tiers import LeverageTier, tiers_from_rows
    from bot.sim.embedded import instrument_for

    profile = venue_profile(market.venue, market.close_fee_rate)
    rate = market.maintenance_rate
    if rate is None and market.is_inverse:
        raise ValueError("an inverse contract needs a maintenance_rate; the known tiers are linear")
    if rate is None:
        return margin_rules(instrument_for(market.symbol), profile)
    if not 0.0 < rate < 1.0:
        raise ValueError(f"maintenance_rate is {rate}; it must be above 0 and below 1")
    tier = LeverageTier(0.0, float("inf"), rate, market.maintenance_amount, 1.0 / rate)
    return MarginRules(tiers_from_rows([tier]), profile, market.is_inverse, 0.0)


def _tiers_words(market: Market) -> str:
    if market.maintenance_rate is not None:
        return f"one of {_percent(market.maintenance_rate)}, as given"
    return f"{market.symbol} of the embedded Binance USD-M table"


def _for_people(facts: dict[str, Any], is_inverse: bool) -> dict[str, str]:
    """Quote amounts in cents, fractions in percent; amounts of an inverse contract are coins."""
    known = {name: value for name, value in facts.items() if value is not None}
    return {
        name.replace("_pnl", "_PnL"): _fact_text(name, value, is_inverse) for name, value in known.items()
    }


def _fact_text(name: str, value: Any, is_inverse: bool) -> str:
    if name in _FRACTIONS:
        return _percent(value)
    if name == "effective_leverage":
        return f"{value:.2f}x"
    if name == "liquidation_price" and not 0.0 < value < float("inf"):
        return "none: no price liquidates it"
    return money(value) if name in _AMOUNTS and not is_inverse else cell(value)


def _percent(fraction: float) -> str:
    return f"{100.0 * fraction:.2f} %"


def _opened(size: Size, market: Market, rules: "MarginRules") -> "Position":
    from bot.calc.position import new_position
    from bot.core.position import LONG, SHORT

    sides = {"long": LONG, "short": SHORT}
    if size.side not in sides:
        raise ValueError(f'side is "{size.side}"; it must be "long" or "short"')
    opened = new_position(
        market.symbol,
        sides[size.side],
        quantity=_quantity(size, market.is_inverse),
        entry_price=size.entry_price,
        leverage=size.leverage,
        rules=rules,
    )
    if size.wallet is None:
        return opened
    if not 0.0 < size.wallet < float("inf"):
        raise ValueError(f"wallet is {size.wallet}; it must be finite and above 0")
    return opened._replace(isolated_wallet=size.wallet)


def _quantity(size: Size, is_inverse: bool) -> float:
    from bot.calc.position import quantity_for_margin

    if size.quantity is not None and size.margin is None:
        return size.quantity
    if size.margin is not None and size.quantity is None:
        return quantity_for_margin(size.margin, size.leverage, size.entry_price, is_inverse)
    raise ValueError("it has one size; give either quantity or margin")
