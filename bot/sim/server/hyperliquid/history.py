"""What happened to the account: fills and funding payments, oldest first, from a time that must be said."""

from typing import Any, Final

from bot.sim.server.books import IncomeRow
from bot.sim.server.decimals import decimal_text
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.order_rows import ZERO_HASH, fills_of
from bot.sim.server.hyperliquid.wire import Body, whole, whole_or

Row = dict[str, Any]
_MOST_FILLS: Final = 2_000
_MOST_PAYMENTS: Final = 500


def fills(desk: Desk, body: Body) -> list[Row]:
    """userFillsByTime: at most 2000."""
    rows = fills_of(desk) if desk.is_ours(body) else []
    return _within(body, rows)[:_MOST_FILLS]


def payments(desk: Desk, body: Body) -> list[Row]:
    """userFunding: at most 500."""
    paid = desk.exchange.books.incomes if desk.is_ours(body) else []
    rows = [payment_row(desk, each) for each in paid if each.kind == "funding"]
    return _within(body, rows)[:_MOST_PAYMENTS]


def payment_row(desk: Desk, paid: IncomeRow) -> Row:
    """Return a funding payment, received > 0."""
    delta = {"type": "funding", **payment_of(desk, paid), "nSamples": None}
    return {"time": paid.ts_ms, "hash": ZERO_HASH, "delta": delta}


def payment_of(desk: Desk, paid: IncomeRow) -> Row:
    """Return what was paid; the signed size follows from amount, rate and mark."""
    settled = (
        each
        for each in reversed(desk.exchange.books.settlements)
        if each.symbol == paid.symbol and each.ts_ms == paid.ts_ms
    )
    found = next(settled, None)
    rate, mark = (found.rate, found.mark) if found else (0.0, 0.0)
    size = round(-paid.amount_quote / (rate * mark), 8) if rate and mark else 0.0
    return {
        "coin": desk.coins[paid.symbol],
        "usdc": decimal_text(paid.amount_quote),
        "szi": decimal_text(size),
        "fundingRate": decimal_text(rate),
    }


def _within(body: Body, rows: list[Row]) -> list[Row]:
    begin_ms, end_ms = whole(body, "startTime"), whole_or(body, "endTime", 1 << 62)
    return [row for row in rows if begin_ms <= row["time"] <= end_ms]
