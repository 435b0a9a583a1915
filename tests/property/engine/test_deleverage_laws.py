"""Laws of the de-risk ladder at work, over random markets in which every stop is expected to fail."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.event import InvariantBroken, MarginMoved
from bot.core.intent import AddMargin, Intent, ReducePosition
from bot.engine.state import restore
from bot.risk.limits import MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from tests.property.engine.test_session_laws import market_of
from tests.unit.engine.desk_builder import A, B, Bench
from tests.unit.engine.session_builder import Coin

INTERVAL_MS = 60_000
MAX_CUTS = 2
_LIMITS = MarginLimits(
    max_adds=1,
    max_added_fraction=1.0,
    min_step_quote=1.0,
    min_step_fraction=0.001,
    max_derisk_cuts=MAX_CUTS,
    derisk_interval_ms=INTERVAL_MS,
    stop_failure_probability=1.0,
    volatile_cut_fraction=0.25,
)
_LADDER = ("derisk_cut", "derisk_close", "derisk_add")
seeds = st.integers(0, 2**32 - 1)
depths = st.sampled_from([1e9, 1_500.0])


class Watched(Bench):
    """A bench that keeps, for every reduction sent, the quantity held at that moment."""

    def __init__(self, depth: float) -> None:
        self.held_when_sent: list[tuple[Intent, float]] = []
        self.position_of: dict[int, int] = {}
        params = DistanceBandParams(target_distance=0.30, low=0.9, high=1.1)
        super().__init__(policy="distance_band", params=params, margin=_LIMITS, depth=depth, latency_ms=50)
        self.strategy.answer = Coin().signals

    def _outcome(self, intent: Intent) -> tuple[Any, ...]:
        holding = self.market(intent.action.symbol).holding
        if holding is not None:
            self.position_of[intent.seq] = holding.position_id
            if isinstance(intent.action, ReducePosition):
                self.held_when_sent.append((intent, holding.position.quantity))
        return super()._outcome(intent)


def played(seed: int, depth: float, minutes: int = 40) -> Watched:
    bench = Watched(depth)
    for event in market_of(seed, minutes):
        bench.ts_ms = event.ts_ms
        bench.feed(event)
    return bench


def test_the_random_markets_below_cause_cuts_adds_and_margin_brought_back() -> None:
    reasons = {intent.reason for seed in range(8) for intent in played(seed, 1e9).sent}
    assert reasons >= {"derisk_cut", "derisk_restore", "below_band"}


@settings(max_examples=40)
@given(seeds, depths)
def test_a_reduction_is_never_larger_than_the_position_and_nothing_enlarges_it(
    seed: int, depth: float
) -> None:
    bench = played(seed, depth)
    for intent, held in bench.held_when_sent:
        action = intent.action
        assert isinstance(action, ReducePosition)
        if intent.reason == "derisk_cut":
            assert 0.0 < action.quantity < held
        else:
            assert action.quantity <= held
    assert bench.told(InvariantBroken) == []
    assert bench.venue.conservation_error() < 1e-12


@settings(max_examples=40)
@given(seeds)
def test_a_cut_leaves_and_closes_at_least_the_venue_s_minimum(seed: int) -> None:
    bench = played(seed, 1e9)
    for intent, held in bench.held_when_sent:
        if intent.reason != "derisk_cut":
            continue
        assert isinstance(intent.action, ReducePosition)
        instrument = bench.market(intent.action.symbol).instrument
        smaller = min(intent.action.quantity, held - intent.action.quantity)
        mark = intent.facts["mark"]
        assert isinstance(mark, float)
        assert smaller >= instrument.min_quantity * (1.0 - 1e-9)
        assert smaller * mark >= instrument.min_notional_quote * (1.0 - 1e-9)


@settings(max_examples=40)
@given(seeds, depths)
def test_a_position_is_cut_at_most_twice_and_never_twice_within_the_interval(seed: int, depth: float) -> None:
    bench = played(seed, depth)
    acted: dict[int, list[Intent]] = {}
    for intent in bench.sent:
        if intent.reason in _LADDER and intent.seq in bench.position_of:
            acted.setdefault(bench.position_of[intent.seq], []).append(intent)
    for intents in acted.values():
        assert sum(intent.reason == "derisk_cut" for intent in intents) <= MAX_CUTS
        times = [intent.ts_ms for intent in intents]
        assert all(after - before >= INTERVAL_MS for before, after in pairwise(times))


@settings(max_examples=40)
@given(seeds)
def test_what_is_brought_back_is_never_more_than_was_paid_out(seed: int) -> None:
    bench = played(seed, 1e9)
    for intent in bench.sent:
        if intent.reason == "derisk_restore":
            assert isinstance(intent.action, AddMargin)
            wanted = intent.facts["derisk_wallet_quote"]
            assert isinstance(wanted, float)
            assert intent.action.target_wallet <= wanted + 1e-6
    moved = sum(note.amount_quote for note in bench.told(MarginMoved) if note.amount_quote > 0.0)
    assert moved == pytest.approx(bench.engine.state.tally.margin_added)


@settings(max_examples=30)
@given(seeds, depths, st.data())
def test_an_engine_restored_at_any_moment_cuts_as_if_never_stopped(
    seed: int, depth: float, data: st.DataObject
) -> None:
    events = market_of(seed, 25)
    moment = data.draw(st.integers(0, len(events)))
    whole, first, second = Watched(depth), Watched(depth), Watched(depth)
    _play(whole, events)
    _play(first, events[:moment])
    restore(second.engine.state, first.engine.snapshot())
    second.venue.restore(first.venue.snapshot())
    for symbol in (A, B):
        second.market(symbol).window.load(first.market(symbol).window.view())
    _play(second, events[moment:])
    assert [*first.sent, *second.sent] == whole.sent
    assert [*first.notes, *second.notes] == whole.notes
    assert repr(second.engine.snapshot()) == repr(whole.engine.snapshot())


def _play(bench: Bench, events: list[Any]) -> None:
    for event in events:
        bench.ts_ms = event.ts_ms
        bench.feed(event)


def test_the_same_market_is_answered_the_same_twice() -> None:
    first, second = played(3, 1_500.0), played(3, 1_500.0)
    assert first.sent == second.sent
    assert first.notes == second.notes
