"""Who listens to what. Messages are made when something happens and sent after it is written."""

from typing import Any

import orjson

from bot.core.event import CandleClosed, FundingDue, MarkPrice
from bot.sim.server.changes import Change
from bot.sim.server.faults import Faults
from bot.sim.server.hyperliquid import market, stream_rows
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.stream_rows import Topic
from bot.sim.server.streams import Connection

Made = tuple[str, bytes]


class Hub:
    """Subscriptions by name, and what is waiting for the next flush."""

    def __init__(self, desk: Desk, faults: Faults) -> None:
        self._desk, self._faults = desk, faults
        self._listeners: dict[str, set[Connection]] = {}
        self._topics: dict[str, Topic] = {}
        self._made: list[Made] = []
        desk.exchange.listeners.append(self._hear)
        desk.exchange.flushers.append(self.flush)

    # --- connections ------------------------------------------------------------------------------

    def subscribe(self, connection: Connection, topic: Topic) -> bool:
        """Add a connection to a topic; it gets what the topic begins with. False: it listens already."""
        name = _name(topic)
        if name in connection.names:
            return False
        connection.names.add(name)
        self._listeners.setdefault(name, set()).add(connection)
        self._topics[name] = topic
        first = stream_rows.snapshot(self._desk, topic)
        if first is not None:
            connection.put(orjson.dumps(first).decode())
        return True

    def unsubscribe(self, connection: Connection, topic: Topic) -> None:
        """Remove a connection from a topic."""
        self._drop(connection, _name(topic))

    def leave(self, connection: Connection) -> None:
        """Remove a connection from everything."""
        for name in tuple(connection.names):
            self._drop(connection, name)

    def connections(self) -> set[Connection]:
        """Return everyone who listens to anything."""
        return {each for listeners in self._listeners.values() for each in listeners}

    def of_users(self) -> set[Connection]:
        """Return everyone who listens to the account."""
        names = [name for name, topic in self._topics.items() if topic.is_user]
        return {each for name in names for each in self._listeners[name]}

    def most_waiting(self) -> int:
        """Return the longest queue."""
        return max((each.waiting for each in self.connections()), default=0)

    # --- messages ---------------------------------------------------------------------------------

    def repeat(self) -> None:
        """Say the newest prices again, for streams that would otherwise be silent."""
        for name, topic in self._topics.items():
            if not topic.is_user:
                self._put(name, stream_rows.message(self._desk, topic))
        self.flush()

    def flush(self) -> None:
        """Hand what was made to the connections."""
        if not self._made and not self._faults.is_releasing:
            return
        made, self._made = self._made, []
        for name, data in self._faults.disturb_messages(made, self._is_user):
            text = data.decode()
            for connection in self._listeners.get(name, ()):
                connection.put(text)

    def _hear(self, change: Change) -> None:
        if isinstance(change, MarkPrice):
            for name, topic in self._topics.items():
                if topic.symbol == change.symbol:
                    self._put(name, stream_rows.message(self._desk, topic))
        elif isinstance(change, CandleClosed):
            self._hear_close(change)
        elif not isinstance(change, FundingDue):
            for name, data in stream_rows.told(self._desk, change):
                if name in self._listeners:
                    self._put(name, data)

    def _hear_close(self, close: CandleClosed) -> None:
        """Say the candle in its last state."""
        for name, topic in self._topics.items():
            length_ms = market.INTERVALS.get(topic.interval, 0)
            if topic.symbol == close.symbol and length_ms and close.ts_ms % length_ms == 0:
                bar = self._desk.exchange.prices.last_closed(close.symbol, length_ms)
                if bar:
                    data = market.candle(self._desk, close.symbol, topic.interval, bar)
                    self._put(name, {"channel": "candle", "data": data})

    def _drop(self, connection: Connection, name: str) -> None:
        connection.names.discard(name)
        listeners = self._listeners.get(name, set())
        listeners.discard(connection)
        if not listeners:
            self._listeners.pop(name, None)
            self._topics.pop(name, None)

    def _put(self, name: str, value: dict[str, Any] | None) -> None:
        if value is not None:
            self._made.append((name, orjson.dumps(value)))

    def _is_user(self, name: str) -> bool:
        return name in self._topics and self._topics[name].is_user


def _name(topic: Topic) -> str:
    return topic.kind if topic.is_user else ":".join(topic)
