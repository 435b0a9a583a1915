"""A person's orders to a running session: taken within a second, committed, then forgotten."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.core.event import MarkPrice, VenueEvent
from bot.core.intent import Intent, OpenPosition
from bot.engine import halts, run
from bot.engine.reconcile import begin
from bot.ports import Command
from tests.unit.engine.desk_builder import START_MS, A
from tests.unit.engine.session_builder import Process, market_history, new_memory

HISTORY = market_history(seed=2, bars=60)
FLATTEN = Command("2", "flatten", "FLATTEN", "")
HALT = Command("1", "halt", "NO_ENTRY", "rain")
RESUME = Command("3", "resume", "", "")


class Drawer:
    """Orders that wait; what was done is removed, but for those that `is_stuck` keeps."""

    def __init__(self, *commands: Command, is_stuck: bool = False) -> None:
        self.commands, self.is_stuck = list(commands), is_stuck

    def waiting(self) -> tuple[Command, ...]:
        return tuple(self.commands)

    def done(self, command_id: str) -> None:
        if not self.is_stuck:
            self.commands = [each for each in self.commands if each.command_id != command_id]


def process_with(drawer: Drawer, memory: Any = None) -> Process:
    process = Process(memory or new_memory(), HISTORY)
    process.session._commands = drawer
    return process


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_HEAR_SECONDS", 0.0)


class Silence:
    """A feed that gives one mark and then nothing."""

    def __init__(self) -> None:
        self.is_over = asyncio.Event()

    async def events(self) -> AsyncIterator[Any]:
        yield MarkPrice(START_MS, A, 100.0, 100.0)
        await self.is_over.wait()

    def cursor(self) -> dict[str, Any]:
        return {}


def orders_of(process: Process) -> list[Intent]:
    return [intent for commit in process.commits for intent in commit.intents]


async def test_a_halt_is_taken_while_nothing_comes_from_the_feed() -> None:
    drawer = Drawer(HALT)
    process = process_with(drawer)
    silence: Any = Silence()
    begin(process.engine, await process.venue.account(), START_MS)
    process.session._feed = silence
    following = asyncio.create_task(process.session.run())
    while drawer.commands:
        await asyncio.sleep(0)
    assert process.engine.state.halt_level() == "NO_ENTRY"
    recovered = process.journal.recover()
    assert recovered is not None
    assert recovered.checkpoint.engine["halts"]["person"][0] == "NO_ENTRY"
    silence.is_over.set()
    await following


def test_a_session_that_is_halted_enters_nothing_more_and_keeps_protecting() -> None:
    drawer = Drawer()
    process = process_with(drawer)
    entered: list[int] = []

    def observe(commit: Any) -> None:
        process.commits.append(commit)
        entered.extend(i.seq for i in commit.intents if isinstance(i.action, OpenPosition))
        state = process.engine.state
        if len(entered) >= 3 and state.positions() and not drawer.commands and not state.commands:
            drawer.commands.append(HALT)
            process.session.hear()

    process.session._observe = observe
    assert process.live()
    assert len(entered) == 3
    late = [type(intent.action).__name__ for intent in orders_of(process) if intent.seq > entered[-1]]
    assert {"PlaceStop", "ReducePosition"} <= set(late)


def test_an_order_is_forgotten_only_after_its_commit() -> None:
    drawer = Drawer(HALT)
    process = process_with(drawer)
    process.session.hear()
    assert drawer.commands == [HALT]
    asyncio.run(process.recover())
    assert drawer.commands == []


def test_the_same_order_heard_again_changes_nothing() -> None:
    drawer = Drawer(HALT, is_stuck=True)
    process = process_with(drawer)
    process.session.hear()
    halts.obey(process.engine.desk, RESUME)
    process.session.hear()
    assert process.engine.state.halts == {}


def test_an_order_of_no_known_kind_changes_nothing() -> None:
    process = process_with(Drawer(Command("1", "dance", "HIGHER", "")))
    process.session.hear()
    assert process.engine.state.halts == {}


def test_a_latch_outlives_the_process_and_its_successors_enter_nothing() -> None:
    memory = new_memory()
    first = process_with(Drawer(HALT), memory)
    first.session.hear()
    asyncio.run(first.recover())
    second = process_with(Drawer(), memory)
    assert second.live()
    assert second.engine.state.halt_level() == "NO_ENTRY"
    assert orders_of(second) == []


@pytest.mark.parametrize(("level", "is_sent"), [("", True), ("NO_ENTRY", False), ("DISCONNECTED", False)])
async def test_an_entry_that_was_committed_before_the_halt_is_refused_instead_of_sent(
    level: Any, is_sent: bool
) -> None:
    process = process_with(Drawer())
    begin(process.engine, await process.venue.account(), START_MS)
    asked: list[Intent] = []

    async def execute(intent: Intent) -> tuple[VenueEvent, ...]:
        asked.append(intent)
        return ()

    process.venue.execute = execute  # pyright: ignore[reportAttributeAccessIssue]
    desk = process.engine.desk
    entry = desk.outbox.intend(OpenPosition(A, 1, 1.0), "test")
    decision = desk.outbox.take()
    if level:
        halts.latch(desk, level, "test", "a test wants it")
    await process.session.settle((), decision)
    assert asked == ([entry] if is_sent else [])
    endings = [each.status for commit in process.commits for each in commit.resolutions]
    assert endings == (["done"] if is_sent else ["refused"])


def test_flatten_closes_everything_through_the_loop_and_stays() -> None:
    drawer = Drawer()
    process = process_with(drawer)

    def observe(commit: Any) -> None:
        process.commits.append(commit)
        if len(process.engine.state.positions()) == 2 and not process.engine.state.commands:
            drawer.commands.append(FLATTEN)

    process.session._observe = observe
    assert process.live()
    assert process.engine.state.commands == ["2"]
    assert process.engine.state.positions() == ()
    assert process.venue._state.positions == {}
    assert process.engine.state.halt_level() == "FLATTEN"
