"""`ringfence calc leverage`: the highest leverage whose liquidation still lies beyond the stop."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer

from bot.cli.calculators import flags
from bot.cli.calculators.answers import amount, column, percents, price, show_chart, show_notes, show_table
from bot.cli.calculators.book import Subject, asked_book, linear_only, market_of
from bot.cli.calculators.trade_words import buffer_of, entry_limits, max_leverage_of, trade_words
from bot.cli.options import Config, Database, Json
from bot.cli.output import cell, show_facts, show_json
from bot.errors import UserError
from bot.view.figures import pair, quantity_text

if TYPE_CHECKING:
    from bot.core.profile import MarginRules

_COLUMNS: Final = (
    column("symbol", "symbol", pair, is_number=False),
    column("side", "side", cell, is_number=False),
    column("entry_price", "entry", price),
    column("stop_price", "stop", price),
    column("leverage_setting", "set now", lambda value: f"{value:g}x"),
    column("leverage", "highest", lambda value: "-" if value is None else f"{value:g}x"),
    column("required_margin", "margin then", amount),
    column("liquidation_price", "liquidation then", price),
    column("stop_gap", "beyond the stop", percents),
)
_LIMITS: Final = {
    "stop": "the stop and its buffer",
    "venue": "the venue's tier",
    "asked": "--max-leverage",
}


class _Trade(NamedTuple):
    """What the leverage is asked for; one of `quantity` and `margin` is None."""

    symbol: str
    side: int
    entry: float
    stop: float
    quantity: float | None
    margin: float | None
    buffer: float
    max_leverage: float
    rules: "MarginRules"


def leverage(
    context: typer.Context,
    *,
    side: flags.Side = None,
    entry: flags.Entry = None,
    stop: flags.Stop = None,
    quantity: flags.Quantity = None,
    margin: flags.Margin = None,
    symbol: flags.Symbol = None,
    sigma_day: flags.SigmaDay = None,
    buffer: flags.Buffer = None,
    max_leverage: flags.MaxLeverage = None,
    maintenance_rate: flags.MaintenanceRate = None,
    maintenance_amount: flags.MaintenanceAmount = None,
    venue: flags.Venue = None,
    close_fee_rate: flags.CloseFeeRate = None,
    inverse: flags.Inverse = False,
    file: flags.File = None,
    db: Database = None,
    live: flags.Live = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show the highest whole leverage that liquidates beyond the stop, by a buffer.

    Of positions from --file, --db or --live: with the stops and quantities they have.
    """
    params = context.params
    if file or db or live:
        of_trade = ("buffer", "max_leverage", "sigma_day")
        book = asked_book({name: value for name, value in params.items() if name not in of_trade})
        rows = [_row_of_subject(subject, params) for subject in book.subjects]
        if as_json:
            show_json({"positions": rows, "source": book.source})
        else:
            show_table(rows, _COLUMNS)
            show_notes(_without_stop(rows))
        return
    trade = _trade(params)
    row = _row(trade)
    if as_json:
        show_json(row)
    else:
        _tell(trade, row)


def _trade(params: dict[str, Any]) -> _Trade:
    words = trade_words(params, "leverage")
    if (words.quantity is None) == (words.margin is None):
        raise UserError(
            "The trade has one size: its quantity, or the margin it may take. Give either --quantity "
            "or --margin."
        )
    instrument, rules = market_of(words)
    limits = entry_limits(params)
    return _Trade(
        words.symbol if instrument is None else instrument.symbol,
        words.side,
        words.entry,
        words.stop or 0.0,
        words.quantity,
        words.margin,
        buffer_of(params, words.sigma_day, limits),
        max_leverage_of(params, limits),
        rules,
    )


def _row_of_subject(subject: Subject, params: dict[str, Any]) -> dict[str, Any]:
    linear_only(subject, "calc leverage")
    held, limits = subject.position, entry_limits(params)
    if held.side * (held.entry_price - subject.stop_price) <= 0.0 or not subject.stop_price:
        return _unanswered(subject)
    trade = _Trade(
        held.symbol,
        held.side,
        held.entry_price,
        subject.stop_price,
        held.quantity,
        None,
        buffer_of(params, _sigma(subject, params), limits),
        max_leverage_of(params, limits),
        subject.rules,
    )
    return {**_row(trade), "leverage_setting": held.leverage}


def _unanswered(subject: Subject) -> dict[str, Any]:
    """The row of a position without a stop on the losing side of its entry, which nothing follows from."""
    from bot.calc import LeverageAnswer
    from bot.core.position import side_name

    held = subject.position
    return {
        "symbol": held.symbol,
        "side": side_name(held.side),
        "entry_price": held.entry_price,
        "stop_price": subject.stop_price or None,
        "buffer": None,
        "quantity": held.quantity,
        **dict.fromkeys(LeverageAnswer._fields),
        "leverage_setting": held.leverage,
    }


def _without_stop(rows: list[dict[str, Any]]) -> list[str]:
    names = ", ".join(pair(row["symbol"]) for row in rows if row["leverage"] is None)
    if not names:
        return []
    return [f"{names}: no stop on the losing side of the entry, from which a leverage would follow."]


def _sigma(subject: Subject, params: dict[str, Any]) -> float | None:
    from bot.cli.calculators import given

    said = params["sigma_day"]
    return subject.sigma_day if said is None else given.fraction("--sigma-day", said)


def _row(trade: _Trade) -> dict[str, Any]:
    from bot.calc import highest_leverage, highest_leverage_for_margin
    from bot.core.position import side_name

    asked: dict[str, Any] = {
        "entry_price": trade.entry,
        "stop_price": trade.stop,
        "buffer": trade.buffer,
        "max_leverage": trade.max_leverage,
        "rules": trade.rules,
    }
    if trade.margin is not None:
        quantity, answer = highest_leverage_for_margin(trade.side, margin=trade.margin, **asked)
    else:
        quantity = trade.quantity or 0.0
        answer = highest_leverage(trade.side, quantity=quantity, **asked)
    return {
        "symbol": trade.symbol,
        "side": side_name(trade.side),
        "entry_price": trade.entry,
        "stop_price": trade.stop,
        "buffer": trade.buffer,
        "quantity": quantity,
        **answer._asdict(),
    }


def _tell(trade: _Trade, row: dict[str, Any]) -> None:
    facts = {
        "highest leverage": f"{row['leverage']}x, limited by {_LIMITS[row['limit']]}",
        "quantity": quantity_text(row["quantity"]),
        "notional": amount(row["quantity"] * row["entry_price"]),
        "required margin": amount(row["required_margin"]),
        "liquidation price": price(row["liquidation_price"]),
        "stop": price(row["stop_price"]),
        "liquidation beyond the stop": f"{percents(row['stop_gap'])} (wanted {percents(row['buffer'])})",
    }
    show_facts(facts, as_json=False)
    if not row["is_beyond_stop"]:
        show_notes(["Even at 1x liquidation comes before the stop and its buffer: the stop is too far away."])
    _draw(trade, row)


def _draw(trade: _Trade, row: dict[str, Any]) -> None:
    from bot.calc import leverage_points
    from bot.cli.screen.chart import Axes, Curve, Level

    points = leverage_points(
        trade.side,
        quantity=row["quantity"],
        entry_price=trade.entry,
        max_leverage=trade.max_leverage,
        rules=trade.rules,
    )
    prices = [
        (float(point.leverage), point.liquidation_price)
        for point in points
        if 0.0 < point.liquidation_price < float("inf")
    ]
    show_chart(
        [Curve("liquidation", "liquidation", prices)],
        [Level("entry", "mark", trade.entry), Level("stop", "stop", trade.stop)],
        Axes(price, lambda x: f"{x:g}x", "leverage"),
        "Liquidation price by leverage",
    )
