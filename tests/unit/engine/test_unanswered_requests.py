"""A venue that does not answer: nothing is doubled, unprotected or forgotten."""

import asyncio
import random
from typing import Any

import pytest

from bot.core.event import Reconciled, Refused
from bot.core.intent import Intent, OpenPosition, SetLeverage
from bot.errors import OutcomeUnknown, RingfenceError, Transient
from tests.unit.engine.session_builder import Memory, Process, market_history, new_memory, tables
from tests.unit.engine.test_recovery import assert_agrees, duplicates

HISTORY = market_history(seed=2, bars=90)


class SilentExchange:
    """Passes requests on; loses some on the way there, some answers on the way back, and some questions."""

    def __init__(self, process: Process, seed: int) -> None:
        self._venue, self._random = process.venue, random.Random(seed)
        self.losses = 0
        self.executed: list[str] = []

    async def account(self) -> Any:
        return await self._venue.account()

    async def outcome_of(self, intent: Intent) -> Any:
        self._lose(0.3, Transient("no answer to a question"))
        return await self._venue.outcome_of(intent)

    async def execute(self, intent: Intent) -> Any:
        self._lose(0.1, OutcomeUnknown("timeout on the way there"))
        outcome = await self._venue.execute(intent)
        self.executed.append(intent.client_id)
        self._lose(0.1, OutcomeUnknown("timeout on the way back"))
        return outcome

    def _lose(self, share: float, error: RingfenceError) -> None:
        if self._random.random() < share:
            self.losses += 1
            raise error


def lived(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Process, SilentExchange, Memory]:
    monkeypatch.setattr("bot.engine.run._ASK_AGAIN_SECONDS", -1.0)
    memory = new_memory()
    process = Process(memory, HISTORY)
    exchange = SilentExchange(process, seed)
    process.session._exchange = exchange  # pyright: ignore[reportAttributeAccessIssue]
    assert process.live()
    for _ in range(50):
        asyncio.run(process.session._ask_again())
    return process, exchange, memory


@pytest.mark.parametrize("seed", range(12))
def test_lost_requests_and_answers_double_nothing_and_leave_both_sides_agreed(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, exchange, memory = lived(seed, monkeypatch)
    assert exchange.losses >= 3
    assert process.engine.state.tally.trades > 0
    assert duplicates(process) == set()
    assert len(set(exchange.executed)) == len(exchange.executed)
    assert_agrees(process)
    assert process.engine.state.tally.invariant_violations == 0
    assert_all_resolved(memory)


def assert_all_resolved(memory: Memory) -> None:
    statuses = {row[0] for row in memory.connection.execute("SELECT DISTINCT status FROM intent")}
    assert statuses <= {"done", "refused"}
    assert "order" in tables(memory)


def test_an_entry_that_was_lost_on_the_way_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    process, exchange, _ = lived(3, monkeypatch)
    lost = [
        event.client_id
        for commit in process.commits
        for event in commit.events
        if isinstance(event, Refused) and event.code == "lost"
    ]
    assert lost
    sent = {i.client_id: i for commit in process.commits for i in commit.intents}
    assert all(isinstance(sent[client_id].action, OpenPosition | SetLeverage) for client_id in lost)
    assert not set(lost) & set(exchange.executed)


def test_a_lost_reply_whose_fate_was_found_out_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    process, _, _ = lived(3, monkeypatch)
    doubted = {
        resolution.seq
        for commit in process.commits
        for resolution in commit.resolutions
        if resolution.status == "unknown"
    }
    name = {intent.seq: intent.client_id for commit in process.commits for intent in commit.intents}
    fates = [
        note.facts
        for commit in process.commits
        for note in commit.notes
        if isinstance(note, Reconciled) and note.what == "lost_reply"
    ]
    assert sorted(str(facts["client_id"]) for facts in fates) == sorted(name[seq] for seq in doubted)
    assert {facts["found"] for facts in fates} == {"it had arrived", "it never arrived"}
