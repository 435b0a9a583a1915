"""Giving a person's order to a bot: to the one that runs, or into the database of one that does not."""

import os
from pathlib import Path
from typing import Final, NamedTuple

from bot.clock import WallClock
from bot.engine import by_hand, halts
from bot.engine.outbox import Outbox
from bot.engine.state import State, restore, snapshot
from bot.errors import UserError
from bot.liveness import is_locked
from bot.ports import Command, Commit, Json
from bot.store.commands import CommandFiles
from bot.store.database import open_database
from bot.store.header import check_header
from bot.store.journal import SqliteJournal
from bot.store.location import existing_file
from bot.store.lock import DatabaseLock

_BOUNDS: Final = ("sleep_low", "sleep_high", "quiet_low", "quiet_high")


class _Ledger(NamedTuple):
    """What a halt needs when no bot runs: the state of the last commit, and what is said of it."""

    state: State
    outbox: Outbox


def give(path: Path, verb: str, level: str, message: str) -> tuple[Command, bool]:
    """Return the order, and whether it is in the database already: no bot runs then, and the next obeys it.

    Else it waits for the running bot. UserError: no database, no session in it, or it cannot be written.
    """
    command = Command(f"{WallClock().now_ms():015d}-{os.getpid()}", verb, level, message)
    return command, hand_over(path, command)


def hand_over(path: Path, command: Command) -> bool:
    """Give an order that has its id already, and return whether it is in the database."""
    full = existing_file(path)
    check_header(full)
    if is_locked(full):
        CommandFiles(full).send(command)
        return False
    try:
        with DatabaseLock(full):
            _enter(full, command)
    except UserError:
        if not is_locked(full):
            raise
        CommandFiles(full).send(command)  # a bot has just started
        return False
    return True


def _enter(path: Path, command: Command) -> None:
    """Commit the order, after those that a bot left untaken."""
    files = CommandFiles(path)
    journal = SqliteJournal(open_database(path), path)
    try:
        recovered = journal.recover()
        if recovered is None:
            raise UserError(
                f"The database {path} holds no session yet, so there is nothing to halt or resume. "
                "Start one with `ringfence trade`."
            )
        cut = recovered.checkpoint
        # What is about a position is left for a bot, which finds it late and says so.
        waiting = tuple(each for each in files.waiting() if not by_hand.is_one(each.verb))
        ledger = _ledger(cut.engine)
        for each in (*waiting, command):
            halts.obey(ledger, each)
        engine = {**snapshot(ledger.state), "markets": _woken(cut.engine["markets"])}
        notes = ledger.outbox.take().notes
        journal.commit(Commit(ledger.state.now_ms, notes=notes, checkpoint=cut._replace(engine=engine)))
    finally:
        journal.close()
    for each in waiting:
        files.done(each.command_id)


def _ledger(engine: Json) -> _Ledger:
    state = State({})
    restore(state, {**engine, "markets": {}})
    return _Ledger(state, Outbox(state, ""))


def _woken(markets: Json) -> Json:
    """Return the markets with every position awake: what may be done about it has changed."""
    for market in markets.values():
        if market["holding"] is not None:
            market["holding"].update(dict.fromkeys(_BOUNDS, 0.0))
    return markets
