"""The durable journal: everything one decision changes, in one fsynced transaction."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from bot.core.codec import to_json
from bot.core.event import EquityMarked, Event, MarketEvent
from bot.core.instrument import Instrument
from bot.core.intent import Intent
from bot.core.profile import VenueProfile
from bot.errors import Fatal
from bot.ports import Checkpoint, Commit, Recovered, Resolution
from bot.store import statements as sql
from bot.store.alerts import AlertBook
from bot.store.backup import copy_database
from bot.store.chain import head_of, link_of
from bot.store.faults import failure, is_want_of_space
from bot.store.intents import intent_of, intent_row, order_row
from bot.store.projection import instrument_row, project
from bot.store.reader import Reader, reader_on
from bot.store.reserve import Reserve
from bot.store.types import exact_text, json_text, json_value

# While the reserve is in use the log is emptied early, so that it is written over instead of growing.
_SHORT_LOG_PAGES: Final = 128
STATUSES: Final = frozenset({"done", "refused", "unknown", "superseded"})


class Run(NamedTuple):
    """What is kept of a start of the program. `config` is JSON text without secrets."""

    started_ms: int
    mode: str
    seed: int | None
    config_hash: str
    config: str
    version: str
    strategy: str
    policy: str
    feed: str


class SqliteJournal:
    """`ports.Journal` on a database opened by `database.open_database`; the only writer."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._run_id: int | None = None
        self._link: str | None = None  # of the last row; None: to be read
        self.reserve: Reserve | None = None  # given to a bot that trades, for a full disk

    def commit(self, commit: Commit) -> None:
        """Write all of `commit` durably before returning, or nothing.

        Without space the reserve is given up and the commit written again. UserError: the disk is full,
        or the file may not grow. Fatal: the disk failed, or the commit contradicts the journal (a repeated
        intent seq, a resolution of an intent that is not open, a close of a position that is not open).
        """
        try:
            try:
                self._write_whole(commit)
            except sqlite3.Error as error:
                if not self._gave_up_reserve(error):
                    raise
                self._write_whole(commit)
        except sqlite3.Error as error:
            raise failure("The journal could not be written to", self._path, error) from error
        except (TypeError, ValueError) as error:
            raise Fatal(f"The journal refused a value it cannot store exactly: {error}.") from error

    def recover(self) -> Recovered | None:
        """Return the last checkpoint and the unresolved intents in order, or None for a new database.

        An intent whose outcome is "unknown" is unresolved too. Fatal: intents without any checkpoint.
        """
        pending = tuple(intent_of(row) for row in self._connection.execute(sql.SELECT_UNRESOLVED))
        row = self._connection.execute(sql.SELECT_CHECKPOINT).fetchone()
        if row is not None:
            return Recovered(Checkpoint(*map(json_value, row)), pending)
        if pending:
            raise Fatal(
                f"{self._path} holds {len(pending)} unresolved intents but no checkpoint to continue from. "
                "Restore a backup, or start with another file after checking the positions on the venue."
            )
        return None

    def start_run(self, run: Run) -> int:
        """Store the start of the program and return its run id; later commits belong to it."""
        self._run_id = self._change(sql.START_RUN, run._asdict()).lastrowid
        if self._run_id is None:
            raise Fatal(f"{self._path} gave no run id.")
        return self._run_id

    def end_run(self, ended_ms: int) -> None:
        """Store that the current run ended cleanly."""
        self._change(sql.END_RUN, {"id": self._run_id, "ended_ms": ended_ms})

    def first_start_ms(self) -> int | None:
        """Return when this database was first traded with, or None when it never was."""
        return self._connection.execute(sql.SELECT_FIRST_START).fetchone()[0]

    def set_deposit(self, amount: float | Decimal) -> None:
        """Store the wallet this database started with; a deposit stored before stays as it is."""
        self._change(sql.SET_DEPOSIT, {"deposit_quote": exact_text(amount)})

    def put_instruments(self, instruments: Iterable[Instrument], profile: VenueProfile) -> None:
        """Store what is known of the markets traded, replacing what was known before."""
        for instrument in instruments:
            self._change(sql.PUT_INSTRUMENT, instrument_row(instrument, profile))

    def read(self) -> AbstractContextManager[Reader]:
        """Return a view for `queries` and `books` over what is committed so far."""
        return reader_on(self._connection)

    def alert_book(self) -> AlertBook:
        """Return the alerts of this database: beside the journal, never part of a commit."""
        return AlertBook(self._connection, self._path)

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy to the new file `path`. UserError: it exists or cannot be written."""
        copy_database(self._connection, path)

    def close(self) -> None:
        """Close the database; a second call does nothing."""
        self._connection.close()

    def _change(self, statement: str, row: Mapping[str, Any]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, row)
        except sqlite3.Error as error:
            raise failure("The journal could not be written to", self._path, error) from error

    def _write_whole(self, commit: Commit) -> None:
        self._link = None  # what a commit that failed had written is not there
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._write(commit)

    def _gave_up_reserve(self, error: sqlite3.Error) -> bool:
        if self.reserve is None or not is_want_of_space(error) or not self.reserve.release():
            return False
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {_SHORT_LOG_PAGES}")
        return True

    def _write(self, commit: Commit) -> None:
        for intent in commit.intents:
            self._insert_intent(intent)
        for event in commit.events:
            self._append(event)
        for event in reversed(commit.events):
            free_quote = getattr(event, "free_quote", None)
            if free_quote is not None and not isinstance(event, EquityMarked):
                self._put_equity(event.ts_ms, free_quote)
                break
        for note in commit.notes:
            self._append(note)
        for resolution in commit.resolutions:
            self._resolve(commit.ts_ms, resolution)
        if commit.checkpoint is not None:
            row = {name: json_text(part) for name, part in commit.checkpoint._asdict().items()}
            self._connection.execute(sql.PUT_CHECKPOINT, {"ts_ms": commit.ts_ms, **row})

    def _append(self, event: Event) -> None:
        if isinstance(event, MarketEvent):
            return
        row = {
            "run_id": self._run_id,
            "ts_ms": event.ts_ms,
            "kind": type(event).__name__,
            "symbol": event.symbol,
            "body": json_text(to_json(event)),
        }
        before = head_of(self._connection).link if self._link is None else self._link
        self._link = link_of(before, **row)
        self._connection.execute(sql.APPEND_EVENT, {**row, "chain": self._link})
        project(self._connection, event)

    def _put_equity(self, ts_ms: int, free_quote: float) -> None:
        wallets = self._connection.execute(sql.SELECT_COMMITTED).fetchall()
        free = exact_text(free_quote)
        committed = sum((Decimal(wallet) for (wallet,) in wallets), Decimal(0))
        row = {
            "ts_ms": ts_ms,
            "free_quote": free,
            "committed_quote": str(committed),
            "wallet_quote": str(Decimal(free) + committed),
            "unrealised_pnl_quote": None,
        }
        self._connection.execute(sql.PUT_EQUITY, row)
        self._connection.execute(sql.SET_FREE, row)

    def _insert_intent(self, intent: Intent) -> None:
        self._connection.execute(sql.INSERT_INTENT, {"run_id": self._run_id, **intent_row(intent)})
        order = order_row(intent)
        if order is not None:
            self._connection.execute(sql.INSERT_ORDER, order)

    def _resolve(self, ts_ms: int, resolution: Resolution) -> None:
        if resolution.status not in STATUSES:
            raise Fatal(f"Intent {resolution.seq} cannot end as {resolution.status!r}.")
        row = {"ts_ms": ts_ms, **resolution._asdict()}
        if self._connection.execute(sql.RESOLVE_INTENT, row).rowcount == 0:
            self._refuse_second_end(resolution)
        elif resolution.status in {"refused", "superseded"}:
            self._connection.execute(sql.END_PENDING_ORDER, row)

    def _refuse_second_end(self, resolution: Resolution) -> None:
        stored = self._connection.execute(sql.STATUS_OF_INTENT, {"seq": resolution.seq}).fetchone()
        if stored is None or stored[0] != resolution.status:
            was = "not in the journal" if stored is None else f"already {stored[0]}"
            raise Fatal(
                f"Intent {resolution.seq} ends as {resolution.status} but is {was}. "
                "This is a defect of the program; nothing was written."
            )
