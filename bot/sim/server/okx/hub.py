"""Who listens to which channel. Messages are made when something happens and sent after it is written."""

from typing import Any, Final, NamedTuple

import orjson

from bot.core.event import CandleClosed, MarkPrice
from bot.errors import RingfenceError
from bot.sim.server.changes import AccountChanged, Change, ConditionalChanged, OrderChanged
from bot.sim.server.faults import Faults
from bot.sim.server.okx import stream_rows as rows
from bot.sim.server.okx.account import position_row
from bot.sim.server.okx.desk import Desk
from bot.sim.server.okx.market import bar_ms, candle_row, funding_row, mark_row, ticker_row
from bot.sim.server.okx.order_rows import algo_row
from bot.sim.server.streams import Connection

PRIVATE: Final = ("orders", "positions", "account")
ALGO: Final = "orders-algo"
_MARKET: Final = ("mark-price", "funding-rate", "tickers")
Arg = dict[str, Any]


class Stream(NamedTuple):
    """A subscription. `symbol` "" for all; `length_ms` of candles."""

    channel: str
    symbol: str
    length_ms: int
    arg: Arg

    @property
    def is_users(self) -> bool:
        return self.channel in PRIVATE or self.channel == ALGO


class Hub:
    """Subscriptions by their text, and what is waiting for the next flush."""

    def __init__(self, desk: Desk, faults: Faults) -> None:
        self._desk, self._faults = desk, faults
        self._listeners: dict[str, set[Connection]] = {}
        self._streams: dict[str, Stream] = {}
        self._made: list[tuple[str, bytes]] = []
        self._funding: dict[str, tuple[str, str]] = {}
        desk.exchange.listeners.append(self._hear)
        desk.exchange.flushers.append(self.flush)

    # --- connections ------------------------------------------------------------------------------

    def stream(self, arg: Arg) -> Stream | None:
        """Return what a subscription asks for; None: no such channel or instrument."""
        channel, name = str(arg.get("channel", "")), str(arg.get("instId", ""))
        symbol = self._desk.symbols.get(name, "")
        if channel in PRIVATE or channel == ALGO:
            return None if name and not symbol else Stream(channel, symbol, 0, arg)
        if not symbol:
            return None
        if channel in _MARKET:
            return Stream(channel, symbol, 0, arg)
        try:
            length_ms = bar_ms(channel.removeprefix("candle"))
        except RingfenceError:
            return None
        return Stream(channel, symbol, length_ms, arg) if channel.startswith("candle") else None

    def subscribe(self, connection: Connection, stream: Stream) -> None:
        """Add a connection to a stream and tell it how things stand."""
        name = _name(stream.arg)
        connection.names.add(name)
        self._listeners.setdefault(name, set()).add(connection)
        self._streams[name] = stream
        for row in self._first_rows(stream):
            connection.put(_message(stream.arg, row).decode())

    def unsubscribe(self, connection: Connection, arg: Arg) -> None:
        """Remove a connection from a stream."""
        self._remove(connection, _name(arg))

    def leave(self, connection: Connection) -> None:
        """Remove a connection from everything."""
        for name in tuple(connection.names):
            self._remove(connection, name)

    def connections(self) -> set[Connection]:
        """Return everyone who listens to anything."""
        return {each for listeners in self._listeners.values() for each in listeners}

    def users(self) -> set[Connection]:
        """Return everyone who listens to the account."""
        names = [name for name, stream in self._streams.items() if stream.is_users]
        return {each for name in names for each in self._listeners.get(name, ())}

    def most_waiting(self) -> int:
        """Return the longest queue."""
        return max((each.waiting for each in self.connections()), default=0)

    # --- messages ---------------------------------------------------------------------------------

    def repeat(self) -> None:
        """Make the newest prices a message again, for streams that would otherwise be silent."""
        for name, stream in self._streams.items():
            if not stream.is_users:
                self._make(name, stream, self._first_rows(stream))
        self.flush()

    def flush(self) -> None:
        """Hand what was made to the connections."""
        if not self._made and not self._faults.is_releasing:
            return
        made, self._made = self._made, []
        for name, data in self._faults.disturb_messages(made, self._is_users):
            text = data.decode()
            for connection in self._listeners.get(name, ()):
                connection.put(text)

    def _is_users(self, name: str) -> bool:
        stream = self._streams.get(name)
        return stream is not None and stream.is_users

    def _remove(self, connection: Connection, name: str) -> None:
        connection.names.discard(name)
        listeners = self._listeners.get(name, set())
        listeners.discard(connection)
        if not listeners:
            self._listeners.pop(name, None)
            self._streams.pop(name, None)

    def _hear(self, change: Change) -> None:
        if isinstance(change, MarkPrice):
            self._hear_tick(change.symbol)
        elif isinstance(change, CandleClosed):
            self._hear_close(change)
        elif isinstance(change, AccountChanged):
            self._tell("positions", change.symbol, rows.position_message(self._desk, change))
            self._tell("account", "", rows.account_message(self._desk))
        elif isinstance(change, OrderChanged):
            self._tell("orders", change.order.symbol, rows.order_message(self._desk, change))
        elif isinstance(change, ConditionalChanged) and change.order.order_type != "trailing":
            self._tell(ALGO, change.order.symbol, algo_row(self._desk, change.order))

    def _hear_tick(self, symbol: str) -> None:
        is_funding_new = self._is_funding_new(symbol)
        for name, stream in self._streams.items():
            if stream.symbol != symbol or stream.is_users:
                continue
            if stream.channel != "funding-rate" or is_funding_new:
                self._make(name, stream, self._first_rows(stream))

    def _is_funding_new(self, symbol: str) -> bool:
        row = funding_row(self._desk, symbol)
        newest = (row["fundingTime"], row["fundingRate"])
        is_new = self._funding.get(symbol) != newest
        self._funding[symbol] = newest
        return is_new

    def _hear_close(self, close: CandleClosed) -> None:
        for name, stream in self._streams.items():
            is_wanted = stream.length_ms and stream.symbol == close.symbol
            if is_wanted and close.ts_ms % stream.length_ms == 0:
                bar = self._desk.exchange.prices.last_closed(close.symbol, stream.length_ms)
                if bar:
                    self._make(name, stream, [candle_row(self._desk, close.symbol, bar)])

    def _tell(self, channel: str, symbol: str, row: Any) -> None:
        for name, stream in self._streams.items():
            if stream.channel == channel and stream.symbol in ("", symbol):
                self._make(name, stream, [row])

    def _make(self, name: str, stream: Stream, found: list[Any]) -> None:
        self._made += [(name, _message(stream.arg, row)) for row in found]

    def _first_rows(self, stream: Stream) -> list[Any]:
        """Return what the channel says now, before anything happens."""
        desk, symbol, channel = self._desk, stream.symbol, stream.channel
        if channel == "account":
            return [rows.account_message(desk)]
        if channel == "positions":
            held = desk.exchange.state.positions.values()
            return [position_row(desk, each) for each in held if symbol in ("", each.symbol)]
        if stream.is_users:
            return []
        if channel in _ROWS:
            return [_ROWS[channel](desk, symbol)]
        bar = desk.exchange.prices.forming(symbol, stream.length_ms)
        return [candle_row(desk, symbol, bar)] if bar else []


_ROWS: Final = {"mark-price": mark_row, "funding-rate": funding_row, "tickers": ticker_row}


def _name(arg: Arg) -> str:
    return orjson.dumps(arg, option=orjson.OPT_SORT_KEYS).decode()


def _message(arg: Arg, row: Any) -> bytes:
    return orjson.dumps({"arg": arg, "data": [row]})
