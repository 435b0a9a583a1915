"""Who listens to which topic. Messages are made when something happens and sent after it is written.

A ticker begins with a snapshot; after it come deltas, which hold only what has changed.
"""

from typing import Any

import orjson

from bot.core.event import CandleClosed, FundingDue, MarkPrice
from bot.sim.server.bybit import market, topics
from bot.sim.server.bybit.desk import Desk
from bot.sim.server.bybit.topics import Topic
from bot.sim.server.changes import Change
from bot.sim.server.faults import Faults
from bot.sim.server.streams import Connection

Made = tuple[str, bytes]


class Hub:
    """Subscriptions by name, and what is waiting for the next flush."""

    def __init__(self, desk: Desk, faults: Faults) -> None:
        self._desk, self._faults = desk, faults
        self._listeners: dict[str, set[Connection]] = {}
        self._topics: dict[str, Topic] = {}
        self._said: dict[str, dict[str, Any]] = {}
        self._made: list[Made] = []
        self._count = 0
        self.private: set[Connection] = set()
        desk.exchange.listeners.append(self._hear)
        desk.exchange.flushers.append(self.flush)

    # --- connections ------------------------------------------------------------------------------

    def is_known(self, connection: Connection, name: str) -> bool:
        """Return whether this connection may listen to a topic of this name."""
        if connection in self.private:
            return topics.private_kind(name) is not None
        return topics.parsed(self._desk, name) is not None

    def subscribe(self, connection: Connection, name: str) -> None:
        """Add a connection to a known topic; it gets the state of now, as a snapshot."""
        connection.names.add(name)
        self._listeners.setdefault(name, set()).add(connection)
        topic = topics.parsed(self._desk, name)
        if topic is not None:
            self._topics[name] = topic
            first = self._first_message(name, topic)
            if first is not None:
                connection.put(orjson.dumps(first).decode())

    def unsubscribe(self, connection: Connection, name: str) -> None:
        """Remove a connection from a topic."""
        connection.names.discard(name)
        listeners = self._listeners.get(name, set())
        listeners.discard(connection)
        if not listeners:
            for table in (self._listeners, self._topics, self._said):
                table.pop(name, None)

    def leave(self, connection: Connection) -> None:
        """Remove a connection from everything."""
        for name in tuple(connection.names):
            self.unsubscribe(connection, name)
        self.private.discard(connection)

    def connections(self) -> set[Connection]:
        """Return everyone who listens to anything."""
        found = {each for listeners in self._listeners.values() for each in listeners}
        return found | self.private

    def most_waiting(self) -> int:
        """Return the longest queue."""
        return max((each.waiting for each in self.connections()), default=0)

    def end_private(self) -> None:
        """Cut every stream that is logged in."""
        for connection in tuple(self.private):
            connection.end()

    # --- messages ---------------------------------------------------------------------------------

    def repeat(self) -> None:
        """Say the newest prices again, for streams that would otherwise be silent."""
        for name, topic in self._topics.items():
            self._said.pop(name, None)
            self._make_market(name, topic)
        self.flush()

    def flush(self) -> None:
        """Hand what was made to the connections."""
        if not self._made and not self._faults.is_releasing:
            return
        made, self._made = self._made, []
        for name, data in self._faults.disturb_messages(made, _is_user):
            text = data.decode()
            for connection in self._listeners.get(name, ()):
                connection.put(text)

    def _hear(self, change: Change) -> None:
        if isinstance(change, MarkPrice):
            for name, topic in self._topics.items():
                if topic.symbol == change.symbol:
                    self._make_market(name, topic)
        elif isinstance(change, CandleClosed):
            self._hear_close(change)
        elif not isinstance(change, FundingDue):
            self._hear_account(change)

    def _hear_close(self, close: CandleClosed) -> None:
        for name, topic in self._topics.items():
            is_wanted = topic.kind == "kline" and topic.symbol == close.symbol
            if is_wanted and close.ts_ms % topic.length_ms == 0:
                bar = self._desk.exchange.prices.last_closed(close.symbol, topic.length_ms)
                if bar:
                    data = topics.kline(topic.length_ms, bar, close.ts_ms)
                    self._put(name, topics.message(name, "snapshot", close.ts_ms, data))

    def _hear_account(self, change: Any) -> None:
        if not self.private:
            return
        for kind, data in topics.told(self._desk, change):
            for name in (kind, f"{kind}.linear"):
                if name in self._listeners:
                    self._count += 1
                    head = {"id": f"m{self._count}", "topic": name, "creationTime": change.ts_ms}
                    self._put(name, {**head, "data": data})

    def _make_market(self, name: str, topic: Topic) -> None:
        made = (
            self._ticker_delta(name, topic) if topic.kind == "tickers" else self._first_message(name, topic)
        )
        if made is not None:
            self._put(name, made)

    def _ticker_delta(self, name: str, topic: Topic) -> dict[str, Any] | None:
        row, before = market.ticker_row(self._desk, topic.symbol), self._said.get(name, {})
        changed = {field: value for field, value in row.items() if before.get(field) != value}
        self._said[name] = row
        if not changed:
            return None
        data = {"symbol": row["symbol"], **changed}
        return topics.message(name, "delta", self._ts_ms(topic), data)

    def _first_message(self, name: str, topic: Topic) -> dict[str, Any] | None:
        desk, ts_ms = self._desk, self._ts_ms(topic)
        if topic.kind == "tickers":
            return topics.message(name, "snapshot", ts_ms, market.ticker_row(desk, topic.symbol))
        if topic.kind == "kline":
            bar = desk.exchange.prices.forming(topic.symbol, topic.length_ms)
            data: Any = topics.kline(topic.length_ms, bar, ts_ms) if bar else None
        elif topic.kind == "orderbook":
            data = market.book_row(desk, topic.symbol)
        else:
            data = topics.trade(desk, topic.symbol)
        return topics.message(name, "snapshot", ts_ms, data) if data else None

    def _ts_ms(self, topic: Topic) -> int:
        return self._desk.exchange.prices.of(topic.symbol).ts_ms

    def _put(self, name: str, value: dict[str, Any]) -> None:
        self._made.append((name, orjson.dumps(value)))


def _is_user(name: str) -> bool:
    return topics.private_kind(name) is not None
