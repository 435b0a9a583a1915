"""Laws of the engine over random markets: interruption, sleep, ids, invariants, money."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.event import CandleClosed, FundingDue, InvariantBroken, MarginHeld, MarkPrice
from bot.core.intent import AddMargin, PlaceStop, ReleaseMargin
from bot.engine.state import NEVER_MS, restore
from bot.risk.limits import MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from tests.unit.engine.desk_builder import MINUTE_MS, A, B, Bench
from tests.unit.engine.session_builder import Coin

_LIMITS = MarginLimits(
    add_cooldown_ms=60_000, release_cooldown_ms=180_000, min_step_quote=1.0, min_step_fraction=0.001
)
seeds = st.integers(0, 2**32 - 1)


def bench_of(policy: str, depth: float) -> Bench:
    params = DistanceBandParams(low=0.9, high=1.1) if policy == "distance_band" else None
    bench = Bench(policy=policy, params=params, margin=_LIMITS, depth=depth, latency_ms=50)
    bench.strategy.answer = Coin().signals
    return bench


def test_the_random_markets_below_cause_entries_stops_trails_margin_moves_and_dozing() -> None:
    bench, kinds = bench_of("distance_band", 1e9), set()
    for seed in range(6):
        bench = bench_of("distance_band", 1e9)
        play(bench, market_of(seed, 40))
        kinds |= {f"{type(intent.action).__name__} {intent.reason}" for intent in bench.sent}
        kinds |= {note.reason for note in bench.told(MarginHeld)}
    assert kinds >= {
        "OpenPosition entry",
        "PlaceStop trailing",
        "AddMargin below_band",
        "ReleaseMargin above_band",
        "ReducePosition exit",
        "release_cooldown",
    }


def market_of(seed: int, minutes: int) -> list[Any]:
    """Return ticks, candles and funding of two symbols: fat tails, a few jumps."""
    random = np.random.default_rng(seed)
    prices, events = {A: 100.0, B: 100.0}, []
    start_ms = Bench().ts_ms
    for minute in range(minutes):
        opens = dict(prices)
        for second in range(0, 60, 10):
            for symbol in (A, B):
                jump = 0.03 * random.standard_normal() if random.random() < 0.004 else 0.0
                prices[symbol] *= float(np.exp(0.0012 * random.standard_t(3) + jump))
                ts_ms = start_ms + minute * MINUTE_MS + 1_000 * second + 9_999
                events.append(MarkPrice(ts_ms, symbol, prices[symbol], prices[symbol]))
        close_ms = start_ms + (minute + 1) * MINUTE_MS
        for symbol in (A, B):
            if minute % 20 == 19:
                events.append(FundingDue(close_ms, symbol, float(0.002 * random.standard_normal())))
            low, high = sorted((opens[symbol], prices[symbol]))
            close = prices[symbol]
            events.append(
                CandleClosed(close_ms, symbol, MINUTE_MS, opens[symbol], high, low, close, 1.0, 0.0)
            )
    return events


def play(bench: Bench, events: list[Any]) -> None:
    for event in events:
        bench.ts_ms = event.ts_ms
        bench.feed(event)


@settings(max_examples=60)
@given(seeds, st.sampled_from(["distance_band", "stop_anchor"]), st.sampled_from([1e9, 1_500.0]))
def test_random_sessions_break_no_invariant_use_every_id_once_and_keep_the_books(
    seed: int, policy: str, depth: float
) -> None:
    bench = bench_of(policy, depth)
    play(bench, market_of(seed, 40))
    ids = [intent.client_id for intent in bench.sent]
    assert len(ids) == len(set(ids))
    assert [intent.seq for intent in bench.sent] == list(range(1, len(ids) + 1))
    assert all(len(client_id) <= 32 and client_id.isalnum() for client_id in ids)
    assert bench.told(InvariantBroken) == []
    state = bench.engine.state
    held = {position.symbol: position for position in state.positions()}
    assert held == bench.venue._state.positions
    assert bench.venue.conservation_error() < 1e-12
    assert state.tally.marks_processed == 2 + 40 * 12


@settings(max_examples=60)
@given(seeds, st.data())
def test_an_engine_restored_at_any_moment_goes_on_as_if_never_stopped(seed: int, data: st.DataObject) -> None:
    events = market_of(seed, 25)
    moment = data.draw(st.integers(0, len(events)))
    whole, first, second = (bench_of("distance_band", 3_000.0) for _ in range(3))
    play(whole, events)
    play(first, events[:moment])
    restore(second.engine.state, first.engine.snapshot())
    second.venue.restore(first.venue.snapshot())
    for symbol, market in first.engine.state.markets.items():
        second.engine.state.markets[symbol].window.load(market.window.view())
    play(second, events[moment:])
    assert [*first.sent, *second.sent] == whole.sent
    assert [*first.notes, *second.notes] == whole.notes
    assert repr(second.engine.snapshot()) == repr(whole.engine.snapshot())


@settings(max_examples=60)
@given(seeds, st.sampled_from(["distance_band", "stop_anchor"]))
def test_a_mark_that_is_slept_through_would_have_moved_no_stop_and_no_margin_without_a_hold(
    seed: int, policy: str
) -> None:
    """At every mark the engine sleeps through, a twin that is woken is asked what it would have done.

    Asleep for good (`recheck_at_ms` never): nothing at all. Dozing beside a rung that is held by a
    cooldown, a cap or a refusal: at most a margin move, until the second look.
    """
    bench, twin = bench_of(policy, 1e9), bench_of(policy, 1e9)
    for event in market_of(seed, 25):
        bench.ts_ms = event.ts_ms
        holding = bench.market(event.symbol).holding
        is_mark = isinstance(event, MarkPrice) and bench.venue.is_quiet(event)
        is_asleep = (
            is_mark
            and holding is not None
            and holding.sleep_low < event.mark < holding.sleep_high
            and event.ts_ms < holding.recheck_at_ms
        )
        if not is_asleep or holding is None:
            bench.feed(event)
            continue
        restore(twin.engine.state, bench.engine.snapshot())
        twin.holding(event.symbol).wake()
        would = [type(intent.action) for intent in twin.engine.step(event).intents]
        assert PlaceStop not in would
        if holding.recheck_at_ms == NEVER_MS:
            assert would == []
        assert set(would) <= {AddMargin, ReleaseMargin}
        assert holding.recheck_at_ms == NEVER_MS or holding.recheck_at_ms - event.ts_ms <= 180_000
        bench.feed(event)
