"""Laws of halts over random markets: under no halt an entry leaves, whatever was on its way."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.event import InvariantBroken, Refused, VenueEvent
from bot.core.halt import FLATTEN, LEVELS, NO_ENTRY
from bot.core.intent import Intent, OpenPosition, ReleaseMargin, SetLeverage
from bot.engine import halts
from bot.engine.gate import Gate
from bot.engine.state import restore
from bot.risk.policies.distance_band import DistanceBandParams
from tests.property.engine.test_session_laws import _LIMITS, market_of, play
from tests.unit.engine.desk_builder import Bench
from tests.unit.engine.session_builder import Coin

seeds = st.integers(0, 2**32 - 1)
levels = st.sampled_from(LEVELS)
_MINUTES = 25


class GatedBench(Bench):
    """A bench whose requests pass the gate, as in a session. `passed` is what reached the venue."""

    def __init__(self, depth: float) -> None:
        self.passed: list[Intent] = []
        params = DistanceBandParams(low=0.9, high=1.1)
        super().__init__(policy="distance_band", params=params, margin=_LIMITS, depth=depth, latency_ms=50)
        self.strategy.answer = Coin().signals

    def _outcome(self, intent: Intent) -> tuple[VenueEvent, ...]:
        refused: Refused | None = Gate(self.engine.desk).refusal(intent)
        if refused is not None:
            return (refused,)
        self.passed.append(intent)
        return super()._outcome(intent)


def sent_after(bench: GatedBench, mark: int) -> list[Any]:
    return [intent.action for intent in bench.passed[mark:]]


def halted_at(seed: int, depth: float, level: Any, moment: int) -> tuple[GatedBench, int, int]:
    """Return a bench that lived through a market, and how much was intended and sent before its halt."""
    bench, events = GatedBench(depth), market_of(seed, _MINUTES)
    play(bench, events[:moment])
    halts.latch(bench.engine.desk, level, "test", "a test wants it")
    intended, sent = len(bench.sent), len(bench.passed)
    bench.perform(bench.engine.obey())
    play(bench, events[moment:])
    return bench, intended, sent


@settings(max_examples=60)
@given(seeds, levels, st.sampled_from([1e9, 1_500.0]), st.integers(0, 330))
def test_no_entry_leaves_the_outbox_or_reaches_the_venue_under_any_halt(
    seed: int, level: str, depth: float, moment: int
) -> None:
    bench, intended, sent = halted_at(seed, depth, level, moment)
    late = [intent.action for intent in bench.sent[intended:]]
    assert not any(isinstance(action, OpenPosition | SetLeverage) for action in late)
    assert not any(isinstance(action, OpenPosition | SetLeverage) for action in sent_after(bench, sent))


@settings(max_examples=60)
@given(seeds, levels, st.sampled_from([1e9, 1_500.0]), st.integers(0, 330))
def test_margin_is_released_under_no_entry_only(seed: int, level: str, depth: float, moment: int) -> None:
    bench, _, sent = halted_at(seed, depth, level, moment)
    if level != NO_ENTRY:
        assert not any(isinstance(each, ReleaseMargin) for each in sent_after(bench, sent))


@settings(max_examples=60)
@given(seeds, levels, st.sampled_from([1e9, 1_500.0]), st.integers(0, 330))
def test_a_halt_leaves_no_position_without_a_stop_and_breaks_no_invariant(
    seed: int, level: str, depth: float, moment: int
) -> None:
    bench, _, _ = halted_at(seed, depth, level, moment)
    assert bench.told(InvariantBroken) == []
    assert bench.venue.conservation_error() < 1e-12


@settings(max_examples=60)
@given(seeds, st.sampled_from([1e9, 1_500.0]), st.integers(0, 280))
def test_flatten_ends_with_nothing_open_at_the_venue(seed: int, depth: float, moment: int) -> None:
    bench, _, _ = halted_at(seed, depth, FLATTEN, moment)
    assert bench.venue._state.positions == {}
    assert bench.engine.state.positions() == ()
    assert bench.engine.state.halt_level() == FLATTEN


@settings(max_examples=40)
@given(seeds, levels, st.integers(0, 330), st.integers(0, 330))
def test_no_sequence_of_restarts_lowers_a_halt(seed: int, level: Any, moment: int, later: int) -> None:
    bench, twin = GatedBench(1e9), GatedBench(1e9)
    events = market_of(seed, _MINUTES)
    play(bench, events[:moment])
    halts.latch(bench.engine.desk, level, "test", "a test wants it")
    play(bench, events[moment : moment + later])
    restore(twin.engine.state, bench.engine.snapshot())
    assert twin.engine.state.halt_level() == level
    assert twin.engine.state.halts == bench.engine.state.halts
