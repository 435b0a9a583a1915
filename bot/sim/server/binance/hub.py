"""Who listens to which stream. Messages are made when something happens and sent after it is written."""

import re
from typing import Any, Final, NamedTuple

import orjson

from bot.core.event import CandleClosed, FundingDue, MarkPrice
from bot.errors import RingfenceError
from bot.sim.server.binance import stream_rows as rows
from bot.sim.server.binance.desk import Desk
from bot.sim.server.binance.listen_keys import ListenKeys
from bot.sim.server.binance.market import interval_ms
from bot.sim.server.changes import (
    AccountChanged,
    Change,
    ConditionalChanged,
    LeverageChanged,
    OrderChanged,
)
from bot.sim.server.faults import Faults
from bot.sim.server.streams import Connection

_OF_ALL: Final = {
    "!markPrice@arr": "markPrice",
    "!markPrice@arr@1s": "markPrice",
    "!miniTicker@arr": "miniTicker",
    "!ticker@arr": "ticker",
    "!bookTicker": "bookTicker",
}
_NAME: Final = re.compile(r"([a-z0-9]+)@([A-Za-z]+)(?:_(\w+))?(?:@\w+)?")


class Stream(NamedTuple):
    """A parsed stream name. `symbol` "" for all symbols; `length_ms` of klines."""

    symbol: str
    kind: str
    length_ms: int


class Hub:
    """Subscriptions by name, and what is waiting for the next flush."""

    def __init__(self, desk: Desk, keys: ListenKeys, faults: Faults) -> None:
        self._desk, self._keys, self._faults = desk, keys, faults
        self._listeners: dict[str, set[Connection]] = {}
        self._streams: dict[str, Stream] = {}
        self._made: list[tuple[str, bytes]] = []
        desk.exchange.listeners.append(self._hear)
        desk.exchange.flushers.append(self.flush)

    # --- connections ------------------------------------------------------------------------------

    def subscribe(self, connection: Connection, name: str) -> None:
        """Add a connection to a stream; names nobody knows are silent, as at the venue."""
        connection.names.add(name)
        self._listeners.setdefault(name, set()).add(connection)
        stream = self._parsed(name)
        if stream:
            self._streams[name] = stream

    def unsubscribe(self, connection: Connection, name: str) -> None:
        """Remove a connection from a stream."""
        connection.names.discard(name)
        listeners = self._listeners.get(name, set())
        listeners.discard(connection)
        if not listeners:
            self._listeners.pop(name, None)
            self._streams.pop(name, None)

    def leave(self, connection: Connection) -> None:
        """Remove a connection from everything."""
        for name in tuple(connection.names):
            self.unsubscribe(connection, name)

    def connections(self) -> set[Connection]:
        """Return everyone who listens to anything."""
        return {each for listeners in self._listeners.values() for each in listeners}

    def most_waiting(self) -> int:
        """Return the longest queue."""
        return max((each.waiting for each in self.connections()), default=0)

    # --- messages ---------------------------------------------------------------------------------

    def repeat(self) -> None:
        """Make the newest prices a message again, for streams that would otherwise be silent."""
        for name, stream in self._streams.items():
            for symbol in self._symbols(stream):
                self._make_market(name, stream, symbol)
        self.flush()

    def expire_key(self) -> None:
        """End the user's stream as the venue does when its key was not renewed."""
        key = self._keys.last()
        if key is None:
            return
        self._keys.close()
        self._made.append((key, orjson.dumps(rows.key_expired(key, self._desk.clock.now_ms()))))
        self._desk.exchange.commit()

    def check_key(self) -> None:
        """Expire the key when its hour is over."""
        if self._keys.last() is not None and self._keys.current() is None:
            self.expire_key()

    def flush(self) -> None:
        """Hand what was made to the connections."""
        if not self._made and not self._faults.is_releasing:
            return
        made, self._made = self._made, []
        key = self._keys.current()
        for name, data in self._faults.disturb_messages(made, lambda name: name == key):
            text = data.decode()
            for connection in self._listeners.get(name, ()):
                connection.put(_combined(name, text) if connection.is_combined else text)

    def _hear(self, change: Change) -> None:
        if isinstance(change, MarkPrice):
            self._hear_tick(change.symbol)
        elif isinstance(change, CandleClosed):
            self._hear_close(change)
        elif not isinstance(change, FundingDue):
            self._hear_account(change)

    def _hear_tick(self, symbol: str) -> None:
        for name, stream in self._streams.items():
            if stream.symbol in ("", symbol):
                self._make_market(name, stream, symbol)

    def _hear_close(self, close: CandleClosed) -> None:
        prices = self._desk.exchange.prices
        for name, stream in self._streams.items():
            is_wanted = stream.symbol == close.symbol and stream.kind == "kline"
            if is_wanted and close.ts_ms % stream.length_ms == 0:
                bar = prices.last_closed(close.symbol, stream.length_ms)
                if bar:
                    message = rows.kline(self._desk, close.symbol, stream.length_ms, bar)
                    self._made.append((name, orjson.dumps(message)))

    def _hear_account(self, change: Any) -> None:
        key = self._keys.current()
        if key is None or key not in self._listeners:
            return
        self._made.append((key, orjson.dumps(_USER_ROWS[type(change)](self._desk, change))))

    def _make_market(self, name: str, stream: Stream, symbol: str) -> None:
        message = self._market_message(stream, symbol)
        if message is not None:
            is_list = name.endswith(("@arr", "@arr@1s"))
            self._made.append((name, orjson.dumps([message] if is_list else message)))

    def _market_message(self, stream: Stream, symbol: str) -> dict[str, Any] | None:
        desk = self._desk
        if stream.kind == "markPrice":
            return rows.mark_price(desk, symbol)
        if stream.kind == "kline":
            bar = desk.exchange.prices.forming(symbol, stream.length_ms)
            return rows.kline(desk, symbol, stream.length_ms, bar) if bar else None
        if stream.kind in {"miniTicker", "ticker"}:
            return rows.ticker(desk, symbol, is_mini=stream.kind == "miniTicker")
        if stream.kind == "bookTicker":
            return rows.book_ticker(desk, symbol)
        if stream.kind in {"trade", "aggTrade"}:
            return rows.trade(desk, symbol, is_aggregated=stream.kind == "aggTrade")
        return None

    def _symbols(self, stream: Stream) -> list[str]:
        return [stream.symbol] if stream.symbol else list(self._desk.ids)

    def _parsed(self, name: str) -> Stream | None:
        if name in _OF_ALL:
            return Stream("", _OF_ALL[name], 0)
        match = _NAME.fullmatch(name)
        symbol = self._desk.symbols.get(match[1].upper()) if match else None
        if match is None or symbol is None:
            return None
        if match[2] != "kline":
            return Stream(symbol, match[2], 0)
        try:
            return Stream(symbol, "kline", interval_ms(match[3] or ""))
        except RingfenceError:
            return None


_USER_ROWS: Final[dict[type, Any]] = {
    OrderChanged: rows.order_update,
    ConditionalChanged: rows.algo_update,
    AccountChanged: rows.account_update,
    LeverageChanged: rows.leverage_update,
}


def _combined(name: str, text: str) -> str:
    return f'{{"stream":"{name}","data":{text}}}'
