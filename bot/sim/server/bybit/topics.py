"""Stream topics of Bybit's dialect: their names and their rows."""

import re
from typing import Any, Final, NamedTuple

from bot.errors import RingfenceError
from bot.sim.server.bybit import account, market, positions
from bot.sim.server.bybit.desk import Desk
from bot.sim.server.bybit.history import funding_execution
from bot.sim.server.bybit.order_rows import execution_row, row_of, waiting_row
from bot.sim.server.changes import (
    AccountChanged,
    ConditionalChanged,
    LeverageChanged,
    OrderChanged,
)
from bot.sim.server.decimals import decimal_text
from bot.sim.server.prices import Bar

Row = dict[str, Any]
Told = tuple[str, list[Row]]
PRIVATE: Final = frozenset({"order", "execution", "position", "wallet"})
_NAME: Final = re.compile(r"(tickers|publicTrade|orderbook|kline)(?:\.(\w+))?\.([A-Z0-9]+)")


class Topic(NamedTuple):
    """A parsed public topic. `length_ms` of klines."""

    kind: str
    symbol: str
    length_ms: int


def parsed(desk: Desk, name: str) -> Topic | None:
    """Return a public topic, None for a name nobody knows."""
    match = _NAME.fullmatch(name)
    symbol = desk.symbols.get(match[3]) if match else None
    if match is None or symbol is None:
        return None
    if match[1] != "kline":
        return Topic(match[1], symbol, 0)
    try:
        return Topic("kline", symbol, market.interval_ms(match[2] or ""))
    except RingfenceError:
        return None


def private_kind(name: str) -> str | None:
    """Return "order" for "order" and "order.linear"; None for a topic of another kind."""
    kind, _, category = name.partition(".")
    return kind if kind in PRIVATE and category in ("", "linear") else None


def message(name: str, kind: str, ts_ms: int, data: Any) -> Row:
    """Return a public message."""
    return {"topic": name, "type": kind, "ts": ts_ms, "cs": ts_ms, "data": data}


def kline(length_ms: int, bar: Bar, now_ms: int) -> list[Row]:
    """Return a candle; confirm says that it is closed."""
    minutes = str(length_ms // 60_000)
    prices = {name: decimal_text(getattr(bar, name)) for name in ("open", "high", "low", "close", "volume")}
    return [
        {
            "start": bar.open_ms,
            "end": bar.open_ms + length_ms - 1,
            "interval": "D" if length_ms == market.INTERVALS["D"] else minutes,
            **prices,
            "turnover": decimal_text(bar.volume * bar.close),
            "confirm": bar.is_closed,
            "timestamp": now_ms,
        }
    ]


def trade(desk: Desk, symbol: str) -> list[Row]:
    """Return the newest price as a trade."""
    quote, name = desk.exchange.prices.of(symbol), desk.ids[symbol]
    quantity = decimal_text(desk.exchange.state.instruments[symbol].quantity_step)
    last = decimal_text(quote.last)
    return [{"T": quote.ts_ms, "s": name, "S": "Buy", "v": quantity, "p": last, "i": f"m{quote.ts_ms}"}]


def told(desk: Desk, change: Any) -> list[Told]:
    """Return what the user's topics say of a change, in the venue's order."""
    return _TELLERS[type(change)](desk, change)


def _order(desk: Desk, change: OrderChanged) -> list[Told]:
    order, books = change.order, desk.exchange.books
    name = desk.ids[order.symbol]
    said: list[Told] = []
    if change.trade is not None:
        row = execution_row(books, change.trade, name, change.trade.price)
        row["execPnl"] = decimal_text(change.trade.realised_pnl_quote)
        said.append(("execution", [{"category": "linear", **row}]))
    said.append(("order", [{"category": "linear", **row_of(books, order, name)}]))
    return said


def _conditional(desk: Desk, change: ConditionalChanged) -> list[Told]:
    if change.order.status == "finished":
        return []
    row = waiting_row(change.order, desk.ids[change.order.symbol])
    return [("order", [{"category": "linear", **row}])]


def _account(desk: Desk, change: AccountChanged) -> list[Told]:
    said: list[Told] = []
    if change.cause == "FUNDING_FEE":
        row = funding_execution(desk, desk.exchange.books.incomes[-1])
        said.append(("execution", [{"category": "linear", **row}]))
    if change.symbol:
        row = positions.row_of(desk, change.symbol)
        said.append(("position", [{"category": "linear", **row}]))
    return [*said, ("wallet", [account.wallet_row(desk)])]


def _leverage(desk: Desk, change: LeverageChanged) -> list[Told]:
    return [("position", [{"category": "linear", **positions.row_of(desk, change.symbol)}])]


_TELLERS: Final[dict[type, Any]] = {
    OrderChanged: _order,
    ConditionalChanged: _conditional,
    AccountChanged: _account,
    LeverageChanged: _leverage,
}
