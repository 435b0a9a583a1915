"""Alerts in the database: written by the one process that trades, once a second at most; read by anybody."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select

from bot.core.alert import Alert, Delivery, Outcome
from bot.core.codec import from_json
from bot.core.event import Event
from bot.store import statements as sql
from bot.store.faults import failure
from bot.store.reader import Reader
from bot.store.tables import TABLES
from bot.store.types import json_text, json_value

_KEPT: Final = 20_000


class Waiting(NamedTuple):
    """A message that was not delivered yet, and how often it was tried."""

    delivery: Delivery
    attempts: int


class Remembered(NamedTuple):
    """What an earlier process knew. `event_id`: the last row of the journal that was looked at."""

    event_id: int
    memory: dict[str, Any]


class Page(NamedTuple):
    """What one second of alerts changes, in one transaction. Keys that are over or acknowledged; "": all.

    `has_read`: whether whoever writes it has looked through all of the journal so far.
    """

    now_ms: int
    alerts: tuple[Alert, ...]
    deliveries: tuple[Delivery, ...]
    outcomes: tuple[Outcome, ...]
    over: tuple[str, ...]
    acknowledged: tuple[str, ...]
    memory: dict[str, Any]
    has_read: bool = True


class ToldAlert(NamedTuple):
    """An alert as `ringfence alerts` shows it; `told`: route, form, status and detail of each message."""

    alert_id: str
    ts_ms: int
    kind: str
    cause: str
    symbol: str
    position_id: int
    grade: str
    title: str
    body: str
    raised_ms: int
    over_ms: int | None
    acknowledged_ms: int | None
    told: tuple[dict[str, Any], ...]

    @property
    def is_open(self) -> bool:
        """Return whether it is a warning or worse that is neither over nor acknowledged."""
        return self.grade != "info" and self.over_ms is None and self.acknowledged_ms is None


class AlertBook:
    """The alerts of one database, over the connection of its journal; no transaction may be open in it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    def recall(self) -> Remembered | None:
        """Return what an earlier process remembered; None: no alert was ever looked for here."""
        row = self._connection.execute(sql.SELECT_ALERT_ROUTER).fetchone()
        return None if row is None else Remembered(row[0], json_value(row[1]))

    def events_after(self, event_id: int, kinds: Iterable[type]) -> Iterator[Event]:
        """Yield the journal's events of these kinds behind a row, in order."""
        names = ", ".join(f"'{kind.__name__}'" for kind in kinds)
        query = f"SELECT body FROM event WHERE id > ? AND kind IN ({names}) ORDER BY id"
        for (body,) in self._connection.execute(query, (event_id,)).fetchall():
            yield from_json(json_value(body))

    def waiting(self) -> tuple[Waiting, ...]:
        """Return the messages that were not delivered yet, the oldest first."""
        rows = self._connection.execute(sql.SELECT_WAITING_DELIVERIES).fetchall()
        return tuple(Waiting(Delivery(*row[:-1]), row[-1]) for row in rows)

    def key_of(self, alert_id: str) -> str | None:
        """Return the key of an alert; None: there is none with this id."""
        row = self._connection.execute(sql.SELECT_ALERT_KEY, {"alert_id": alert_id}).fetchone()
        return None if row is None else row[0]

    def write(self, page: Page) -> None:
        """Write all of a page durably, or nothing. RingfenceError: it cannot be written."""
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._write(page)
        except sqlite3.Error as error:
            raise failure("Alerts could not be written to", self._path, error) from error

    def forget_oldest(self) -> None:
        """Remove the oldest beyond the newest 20,000, and their messages. RingfenceError: not possible."""
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                for statement in sql.FORGET_ALERTS:
                    self._connection.execute(statement, {"kept": _KEPT})
        except sqlite3.Error as error:
            raise failure("Alerts could not be written to", self._path, error) from error

    def _write(self, page: Page) -> None:
        execute, now = self._connection.execute, {"now_ms": page.now_ms}
        for alert in page.alerts:
            execute(sql.PUT_ALERT, {**alert._asdict(), "raised_ms": page.now_ms})
        for delivery in page.deliveries:
            execute(sql.PUT_DELIVERY, delivery._asdict())
        for outcome in page.outcomes:
            execute(sql.END_DELIVERY, outcome._asdict())
        for key in page.over:
            execute(sql.END_ALERT, {"key": key, **now})
        for key in page.acknowledged:
            execute(sql.ACKNOWLEDGE_ALERT, {"key": key, **now})
        statement = sql.PUT_ALERT_ROUTER if page.has_read else sql.SET_ALERT_MEMORY
        execute(statement, {"memory": json_text(page.memory)})


def told_alerts(reader: Reader, *, limit: int = 50, only_open: bool = False) -> list[ToldAlert]:
    """Return the newest alerts with what became of their messages, the newest first."""
    table = TABLES["alert"].c
    query = select(*(table[name] for name in ToldAlert._fields[:-1]))
    if only_open:
        query = query.where(table.grade != "info", table.over_ms.is_(None), table.acknowledged_ms.is_(None))
    ordered = query.order_by(table.raised_ms.desc(), table.alert_id).limit(limit)
    return [
        ToldAlert(**row, told=tuple(_messages(reader, row["alert_id"])))
        for row in reader.execute(ordered).mappings().all()
    ]


def open_count(reader: Reader) -> int:
    """Return how many warnings or worse are neither over nor acknowledged."""
    table = TABLES["alert"].c
    is_open = (table.grade != "info", table.over_ms.is_(None), table.acknowledged_ms.is_(None))
    return reader.execute(select(func.count()).where(*is_open)).scalar_one()


def _messages(reader: Reader, alert_id: str) -> Iterator[dict[str, Any]]:
    table = TABLES["alert_delivery"].c
    shown = (table.route, table.form, table.status, table.attempts, table.ended_ms, table.detail)
    query = select(*shown).where(table.alert_id == alert_id).order_by(table.created_ms, table.delivery_id)
    return (dict(row) for row in reader.execute(query).mappings().all())
