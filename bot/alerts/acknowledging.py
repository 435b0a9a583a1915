"""A person's acknowledgement: to the bot that runs, or into the database of one that does not."""

from collections.abc import Sequence
from pathlib import Path

from bot.alerts.state import acknowledged, from_json, to_json
from bot.clock import WallClock
from bot.errors import UserError
from bot.liveness import is_locked
from bot.store.acknowledgements import AcknowledgementFiles
from bot.store.alerts import AlertBook, Page
from bot.store.database import open_database
from bot.store.journal import SqliteJournal
from bot.store.location import existing_file
from bot.store.lock import DatabaseLock


def acknowledge(path: Path, ids: Sequence[str]) -> bool:
    """Acknowledge alerts of the database; return whether it is written, else the running bot is about to.

    UserError: no database, or it cannot be written.
    """
    full = existing_file(path)
    if not is_locked(full):
        try:
            with DatabaseLock(full):
                _enter(full, ids)
        except UserError:
            if not is_locked(full):
                raise
        else:
            return True
    files = AcknowledgementFiles(full)
    for alert_id in ids:
        files.leave(alert_id)
    return not ids


def _enter(path: Path, ids: Sequence[str]) -> None:
    journal = SqliteJournal(open_database(path), path)
    try:
        _write(journal.alert_book(), ids, WallClock().now_ms())
    finally:
        journal.close()


def _write(book: AlertBook, ids: Sequence[str], now_ms: int) -> None:
    known = book.recall()
    keys = tuple(key for alert_id in ids if (key := book.key_of(alert_id)) is not None)
    if known is None or not keys:
        return
    state = from_json(known.memory["router"])
    for key in keys:
        state = acknowledged(state, key)
    memory = {**known.memory, "router": to_json(state)}
    book.write(Page(now_ms, (), (), (), (), keys, memory, has_read=False))
