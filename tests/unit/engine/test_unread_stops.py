"""A stop that nobody could read for long: halted and told once, until a reading succeeds."""

import pytest

from bot.clock import VirtualClock
from bot.core.event import AlertRaised, EntriesHalted, EntriesResumed, Note
from bot.core.halt import REDUCE_ONLY
from bot.core.intent import Action, AddMargin, Intent, OpenPosition, ReleaseMargin
from bot.engine.gate import Gate
from bot.engine.outage import Outage
from bot.engine.proof import LONGEST_UNREAD_MS, STOP_UNREAD, Proof
from tests.unit.engine.desk_builder import A, Bench

BEGAN_MS = 1_800_000_000_000


class Watched:
    """A bench whose orders were last read at `read_ms`, looked at every second."""

    def __init__(self, *, is_held: bool = True) -> None:
        self.bench, self.clock, self.read_ms = Bench(), VirtualClock(BEGAN_MS), BEGAN_MS
        self.covered_ms: int | None = None
        if is_held:
            self.bench.enter()
        desk = self.bench.engine.desk
        desk.outbox.take()
        self.proof = Proof(
            desk,
            self.clock,
            lambda _: self.read_ms,
            lambda _: self.read_ms if self.covered_ms is None else self.covered_ms,
        )
        self.outage = Outage(desk, self.clock, 3_600_000, self.proof)
        self.outage.begin()
        self.look()

    def look(self, after_ms: int = 0) -> list[Note]:
        self.clock.advance(after_ms)
        self.outage.heard += 1
        self.outage.look()
        return list(self.bench.engine.desk.outbox.take().notes)


def test_a_stop_that_was_not_read_for_half_a_minute_halts_and_is_told_once() -> None:
    watched = Watched()
    assert watched.look(LONGEST_UNREAD_MS) == []
    halted, alert = watched.look(1)
    assert isinstance(halted, EntriesHalted)
    assert isinstance(alert, AlertRaised)
    assert (halted.cause, halted.level, halted.is_latched) == (STOP_UNREAD, REDUCE_ONLY, False)
    assert (alert.cause, alert.severity) == (STOP_UNREAD, "critical")
    assert watched.look(60_000) == []


def test_a_reading_that_succeeds_ends_it() -> None:
    watched = Watched()
    watched.look(LONGEST_UNREAD_MS + 1)
    watched.read_ms = watched.clock.now_ms()
    (resumed,) = watched.look()
    assert isinstance(resumed, EntriesResumed)
    assert STOP_UNREAD not in watched.bench.engine.state.halts


def test_stops_for_less_than_is_held_prove_nothing() -> None:
    watched = Watched()
    watched.covered_ms = BEGAN_MS
    told = []
    for _ in range(7):
        watched.read_ms = watched.clock.now_ms()
        told += watched.look(5_000)
    assert [type(each) for each in told] == [EntriesHalted, AlertRaised]


@pytest.mark.parametrize("is_held", [True, False], ids=["read every five seconds", "nothing is held"])
def test_it_is_silent_while_stops_are_read_and_while_none_is_needed(is_held: bool) -> None:
    watched = Watched(is_held=is_held)
    for _ in range(60):
        watched.read_ms = watched.clock.now_ms() if is_held else 0
        assert watched.look(5_000) == []


def test_what_was_not_read_before_it_was_held_does_not_count() -> None:
    watched = Watched(is_held=False)
    watched.look(LONGEST_UNREAD_MS * 2)
    watched.bench.enter()
    watched.bench.engine.desk.outbox.take()
    assert watched.look() == []
    assert len(watched.look(LONGEST_UNREAD_MS + 1)) == 2


@pytest.mark.parametrize(
    ("action", "oldest_ms"),
    [(ReleaseMargin(A, 50.0), 10_000), (OpenPosition(A, 1, 1.0), 45_000), (AddMargin(A, 900.0), None)],
    ids=["a release on an old position", "an entry on an old balance", "an add is always sent"],
)
def test_the_gate_keeps_back_what_enlarges_on_an_account_that_was_read_too_long_ago(
    action: Action, oldest_ms: int | None
) -> None:
    watched = Watched()
    desk = watched.bench.engine.desk
    gate, intent = Gate(desk, watched.proof), Intent(9, "T9X", 0, action, "planted", {})
    watched.clock.advance(oldest_ms or 3_600_000)
    assert gate.refusal(intent) is None
    watched.clock.advance(1)
    refused = gate.refusal(intent)
    assert (refused is not None) == (oldest_ms is not None)
    if refused is not None:
        assert (refused.code, "was not read for" in refused.message) == ("halted", True)
