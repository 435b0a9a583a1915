"""Laws of sessions in which one budget moves margin, on random markets of two symbols."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.event import BookRebalanced, InvariantBroken, MarginMoved
from bot.core.intent import AddMargin, ReleaseMargin
from bot.engine.state import restore
from bot.risk.limits import AllocationLimits, CapLimits, MarginLimits
from tests.property.engine.test_session_laws import market_of, play
from tests.unit.engine.desk_builder import Bench
from tests.unit.engine.session_builder import Coin

_LIMITS = MarginLimits(
    add_cooldown_ms=60_000,
    release_cooldown_ms=180_000,
    min_step_quote=1.0,
    min_step_fraction=0.001,
    stop_failure_probability=1.0,
    max_adds=1_000,
)
_ALLOCATION = AllocationLimits(budget_fraction=0.06, interval_ms=180_000, annual_hurdle=0.001)
seeds = st.integers(0, 2**32 - 1)


def bench_of(depth: float = 1e9) -> Bench:
    bench = Bench(
        policy="static",
        margin=_LIMITS,
        depth=depth,
        latency_ms=50,
        allocation=_ALLOCATION,
        caps=CapLimits(cut_above=1.0, cut_cooldown_ms=60_000),
    )
    bench.strategy.answer = Coin().signals
    return bench


def margin_intents(bench: Bench) -> list[Any]:
    return [i for i in bench.sent if isinstance(i.action, AddMargin | ReleaseMargin)]


def test_the_random_markets_below_cause_splits_for_every_reason_and_moves_both_ways() -> None:
    causes, kinds = set(), set()
    for seed in range(8):
        bench = bench_of()
        play(bench, market_of(seed, 40))
        causes |= {note.cause for note in bench.told(BookRebalanced)}
        kinds |= {type(intent.action).__name__ for intent in margin_intents(bench)}
    assert causes >= {"interval", "new_position", "risk_doubled"}
    assert kinds == {"AddMargin", "ReleaseMargin"}


@settings(max_examples=40)
@given(seeds, st.sampled_from([1e9, 1_500.0]))
def test_random_sessions_keep_the_budget_the_caps_and_every_invariant(seed: int, depth: float) -> None:
    bench = bench_of(depth)
    play(bench, market_of(seed, 40))
    assert bench.told(InvariantBroken) == []
    assert bench.venue.conservation_error() < 1e-12
    assert {intent.reason for intent in margin_intents(bench)} <= {"allocation"}
    for note in bench.told(BookRebalanced):
        assert note.target_quote <= max(note.budget_quote, note.wallets_quote) + 1e-6
    held = {position.symbol: position for position in bench.engine.state.positions()}
    assert held == bench.venue._state.positions


@settings(max_examples=40)
@given(seeds)
def test_nothing_is_released_soon_after_an_add_nor_added_soon_after_one(seed: int) -> None:
    bench = bench_of()
    play(bench, market_of(seed, 40))
    last: dict[int, MarginMoved] = {}
    for move in bench.told(MarginMoved):
        before = last.get(move.position_id)
        if before is not None and move.amount_quote < 0.0:
            assert move.ts_ms - before.ts_ms >= _LIMITS.release_cooldown_ms
        if before is not None and move.amount_quote > 0.0:
            assert before.amount_quote < 0.0 or move.ts_ms - before.ts_ms >= _LIMITS.add_cooldown_ms
        last[move.position_id] = move


@settings(max_examples=40)
@given(seeds, st.data())
def test_an_engine_restored_at_any_moment_of_a_plan_goes_on_as_if_never_stopped(
    seed: int, data: st.DataObject
) -> None:
    events = market_of(seed, 25)
    moment = data.draw(st.integers(0, len(events)))
    whole, first, second = (bench_of(3_000.0) for _ in range(3))
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
