"""The journal's rows, chained by hashes: each holds the SHA-256 of the one before and of its own content.

An edited, removed, inserted or reordered row breaks the chain where it stands. Removed last rows do not: they
are missed by SQLite's own count of rows ever given, and by a head that was kept elsewhere (a copy, a log). No
key goes in: whoever writes to the file and computes every later link anew is found by such a head only.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from typing import Final, NamedTuple

from bot.store import statements as sql

START: Final = ""
_SHOWN: Final = 10


class Head(NamedTuple):
    """The number of the last row, 0 without one, and its link: what every row before it hashes to."""

    last_id: int
    link: str


def link_of(before: str, run_id: int | None, ts_ms: int, kind: str, symbol: str, body: str) -> str:
    """Return the link of a row after one whose link is `before`, as 64 hexadecimal digits.

    Hashed is "before,run_id,ts_ms,kind,symbol,body" in UTF-8, kind and symbol each led by its length and a
    colon, so that no two rows give one text.
    """
    text = f"{before},{run_id},{ts_ms},{len(kind)}:{kind},{len(symbol)}:{symbol},{body}"
    return hashlib.sha256(text.encode()).hexdigest()


def head_of(connection: sqlite3.Connection) -> Head:
    """Return the head of the journal as it is now. sqlite3.Error passes."""
    row = connection.execute(sql.SELECT_HEAD).fetchone()
    return Head(0, START) if row is None else Head(row[0], row[1] or "")


def breaks(connection: sqlite3.Connection, kept: Head | None = None) -> Iterator[str]:
    """Yield what is wrong with the chain in words, at most ten rows; nothing when it is whole.

    `kept`: a head of this journal, of any time, that must still stand in it. sqlite3.Error passes.
    """
    found = 0
    head = Head(0, START)
    is_met = kept is None or kept.last_id == 0
    for row_id, stored, *content in connection.execute(sql.SELECT_LINKS):
        words = _wrong(head, row_id, stored, link_of(head.link, *content))
        head = Head(row_id, stored or "")
        is_met = is_met or head == kept
        if words:
            found += 1
            yield words
        if found == _SHOWN:
            yield "more may be wrong behind; only the first are told"
            return
    yield from _cut_off(connection, head)
    if kept is not None and not is_met:
        yield (
            f"row {kept.last_id} is not the one that was kept elsewhere ({kept.link[:16]}): rows were "
            "changed and chained anew or cut off, or an older copy was restored since"
        )


def _wrong(before: Head, row_id: int, stored: str | None, right: str) -> str:
    missing = row_id - before.last_id - 1
    if missing:
        return f"{missing} rows are missing before row {row_id}"
    return "" if stored == right else f"row {row_id} was changed, put in or moved: its link does not fit"


def _cut_off(connection: sqlite3.Connection, head: Head) -> Iterator[str]:
    given = connection.execute(sql.SELECT_ROWS_GIVEN).fetchone()
    count = given[0] if given else 0
    if count != head.last_id:
        yield f"{count} rows were written and the last is number {head.last_id}: the end was cut off"
