"""`ringfence db`: copy, upgrade and check a database."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from bot.errors import UserError
from bot.store.backup import Continue, GivenUp, copy_database
from bot.store.books import books_error
from bot.store.chain import Head, breaks, head_of
from bot.store.database import bring_up_to_date, check_pages
from bot.store.faults import paragraph
from bot.store.header import check_header
from bot.store.location import existing_file, writable_directory
from bot.store.lock import DatabaseLock
from bot.store.queries import intents, margin_history, runs, status, trades
from bot.store.reader import Reader, connect_read_only, connect_shared, driver_of, open_reader

TOLERANCE: Final = 1e-9
_STEPS_BETWEEN_QUESTIONS: Final = 100_000  # of SQLite's machine: some milliseconds
_EVERY_ROW: Final = -1  # SQLite's LIMIT -1
_ZERO: Final = Decimal(0)


class Finding(NamedTuple):
    """Something wrong: `subject` is integrity, keys, events, intents, margin or books."""

    subject: str
    message: str


def backup(path: Path, to: Path) -> None:
    """Write a consistent copy to the new file `to`, also while the bot trades.

    UserError: it cannot, or what it would write is damaged; nothing is left of it then.
    """
    full, copy = existing_file(path), to.expanduser().resolve()
    check_header(full)
    copy_in_use(full, copy)
    findings = damage(copy)
    if findings:
        copy.unlink()
        raise UserError(
            f"The database {full} is damaged ({findings[0].message}), and so would the copy be: none was "
            "kept. Put an older copy in its place with `ringfence db restore COPY`."
        )


def copy_in_use(path: Path, to: Path, go_on: Continue = lambda: True) -> None:
    """Write a consistent copy of a database of ours, also in the process that trades with it.

    There nothing but SQLite may open the file: when any descriptor of it is closed, the system drops
    every lock that the process has on it. UserError: it cannot. GivenUp: `go_on` became false.
    """
    try:
        with closing(connect_shared(path)) as connection:
            copy_database(connection, to, go_on)
    except sqlite3.Error as error:
        raise UserError(paragraph("Cannot copy the database", path, error)) from error


def upgrade(path: Path) -> Path | None:
    """Bring the tables up to date; return the backup made before, or None when nothing was due.

    UserError: in use, not ours, damaged, or newer than this program.
    """
    full = existing_file(writable_directory(path))
    check_header(full)
    with DatabaseLock(full):
        try:
            with closing(sqlite3.connect(full, isolation_level=None)) as connection:
                check_pages(connection, full)
                return bring_up_to_date(connection, full)
        except sqlite3.Error as error:
            raise UserError(paragraph("Cannot upgrade the database", full, error)) from error


def head(path: Path) -> Head:
    """Return the head of a database's journal, for a later check. UserError: it cannot be read."""
    with open_reader(path) as reader:
        return head_of(driver_of(reader))


def check(path: Path, kept: Head | None = None) -> list[Finding]:
    """Return everything wrong with the database; empty when nothing is. UserError: it cannot be read.

    `kept`: the head of its journal at an earlier time, of a copy for example, which must stand in it still.
    """
    full = existing_file(path)
    check_header(full)
    found = damage(full)
    if found:
        return found  # whatever else a damaged file says is hearsay
    with open_reader(full) as reader:
        return [
            *_keys(reader),
            *_events(reader, kept),
            *_intents(reader),
            *_margin(reader),
            *_books(reader),
        ]


def damage(path: Path, go_on: Continue = lambda: True) -> list[Finding]:
    """Return what is wrong with the pages and indexes of the file, also while a bot trades with it.

    GivenUp: `go_on` became false.
    """
    try:
        with closing(connect_read_only(path)) as connection:
            connection.set_progress_handler(lambda: not go_on(), _STEPS_BETWEEN_QUESTIONS)
            rows = connection.execute("PRAGMA integrity_check").fetchall()
    except sqlite3.DatabaseError as error:
        if not go_on():
            raise GivenUp from error
        return [Finding("integrity", str(error))]
    return [Finding("integrity", row[0]) for row in rows if row[0] != "ok"]


def _keys(reader: Reader) -> Iterator[Finding]:
    for table, row_id, parent, _ in reader.exec_driver_sql("PRAGMA foreign_key_check"):
        yield Finding("keys", f"row {row_id} of {table} names a row of {parent} that does not exist")


def _events(reader: Reader, kept: Head | None) -> Iterator[Finding]:
    for words in breaks(driver_of(reader), kept):
        yield Finding("events", words)


def _intents(reader: Reader) -> Iterator[Finding]:
    newest = runs(reader, limit=1)
    if newest and newest[0].ended_ms is not None:
        for entry in intents(reader, is_unresolved=True, limit=_EVERY_ROW):
            yield Finding(
                "intents", f"intent {entry.seq} ({entry.kind}) is {entry.status} though the run ended"
            )


def _margin(reader: Reader) -> Iterator[Finding]:
    moved: dict[int | None, list[Decimal]] = {}
    for move in margin_history(reader, limit=_EVERY_ROW):
        moved.setdefault(move.position_id, []).append(move.amount_quote)
        if move.reason is None:
            yield Finding("margin", f"margin adjustment {move.id} of {move.symbol} has no reason")
    for trade in trades(reader, limit=_EVERY_ROW):
        amounts = moved.get(trade.id, [])
        added = sum((amount for amount in amounts if amount > 0), _ZERO)
        released = -sum((amount for amount in amounts if amount < 0), _ZERO)
        if not _agree(added, trade.margin_added_quote) or not _agree(released, trade.margin_released_quote):
            yield Finding(
                "margin",
                f"position {trade.id} says +{trade.margin_added_quote} -{trade.margin_released_quote}, "
                f"its margin adjustments +{added} -{released}",
            )


def _agree(left: Decimal, right: Decimal) -> bool:
    return abs(left - right) <= Decimal(TOLERANCE) * max(abs(left), abs(right))


def _books(reader: Reader) -> Iterator[Finding]:
    account = status(reader)
    if not account.deposit_quote or account.wallet_quote is None:
        return
    error = books_error(reader, account.deposit_quote, account.wallet_quote)
    if error > TOLERANCE:
        yield Finding(
            "books",
            f"the wallet {account.wallet_quote} is off deposit, PnL, fees and funding by {error:.3g} of it",
        )
