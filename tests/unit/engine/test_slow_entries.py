"""An entry lives for two minutes: what a thin book has not filled by then is taken back, the rest is held."""

import pytest

from bot.core.event import InvariantBroken, MarkPrice, PositionOpened
from bot.core.intent import CancelOrder, OpenPosition, PlaceTakeProfit
from bot.engine.state import restore
from tests.unit.engine.desk_builder import MINUTE_MS, A, B, Bench, actions, engine_for, kinds

LIFE_S = 120


def slow_bench(depth: float = 10.0, latency_ms: int = 0) -> Bench:
    """An entry into a book that gives a tenth of a coin at each tick."""
    bench = Bench(depth=depth, latency_ms=latency_ms)
    bench.enter()
    return bench


def test_what_has_not_filled_in_two_minutes_is_taken_back_and_the_rest_is_protected() -> None:
    bench = slow_bench()
    order = actions(bench.sent, OpenPosition)[0]
    for _ in range(LIFE_S):
        assert CancelOrder not in {type(intent.action) for intent in bench.tick(100.0)}
    sent = bench.tick(100.0)
    assert kinds(sent)[0] == "CancelOrder"
    assert sent[0].reason == "entry_late"
    held = bench.holding()
    assert 0.1 * LIFE_S < held.position.quantity < order.quantity
    assert bench.market().entry is None
    assert held.is_filled
    assert held.stop is not None
    assert actions(sent, PlaceTakeProfit)
    assert bench.engine.state.in_flight == {}
    assert bench.engine.state.free_quote == pytest.approx(bench.venue.balances()["free"])
    quantity = held.position.quantity
    for _ in range(20):
        bench.tick(100.0, after_ms=MINUTE_MS)
    assert bench.holding().position.quantity == quantity
    assert bench.told(InvariantBroken) == []


def test_an_entry_of_which_nothing_filled_leaves_nothing_behind() -> None:
    bench = slow_bench(latency_ms=10 * MINUTE_MS)
    sent = [intent for _ in range(LIFE_S + 1) for intent in bench.tick(100.0)]
    assert len(actions(sent, CancelOrder)) == 1
    assert bench.market().entry is None
    assert bench.told(PositionOpened) == []
    assert bench.engine.state.free_quote == bench.venue.balances()["free"] == 10_000.0
    assert "OpenPosition" in kinds(bench.enter())


def test_ticks_that_are_twenty_minutes_apart_break_nothing() -> None:
    bench = slow_bench()
    sent = bench.tick(100.0, after_ms=20 * MINUTE_MS)
    assert len(actions(sent, CancelOrder)) == 1
    assert bench.market().entry is None
    assert bench.told(InvariantBroken) == []


@pytest.mark.parametrize("depth", [10.0, 1e9])
def test_what_happens_elsewhere_ends_it_too_while_its_own_prices_are_missing(depth: float) -> None:
    """With a deep book the order arrives late; the other market goes on."""
    bench = slow_bench(depth, 0 if depth == 10.0 else 10 * MINUTE_MS)
    sent = [intent for _ in range(3) for intent in bench.candle(100.0, B)]
    assert len(actions(sent, CancelOrder)) == 1
    assert bench.market().entry is None
    assert bench.told(InvariantBroken) == []


def test_a_cancellation_that_is_refused_is_asked_for_again_a_minute_later() -> None:
    bench = slow_bench()
    bench.answers[CancelOrder] = "unknown_order"
    sent = [intent for _ in range(LIFE_S + 59) for intent in bench.tick(100.0)]
    assert len(actions(sent, CancelOrder)) == 1
    again = bench.engine.snapshot()["markets"][A]["entry"]["cancel_again_ms"]
    assert again == bench.ts_ms + 2_000
    heir = engine_for(bench.strategy)
    restore(heir.state, bench.engine.snapshot())
    assert heir.snapshot() == bench.engine.snapshot()
    sent = [intent for _ in range(2) for intent in bench.tick(100.0)]
    assert len(actions(sent, CancelOrder)) == 1
    assert bench.told(InvariantBroken) == []


def test_an_entry_that_cannot_be_taken_back_is_told_after_ten_minutes() -> None:
    bench = slow_bench(latency_ms=20 * MINUTE_MS)
    bench.answers[CancelOrder] = "unknown_order"
    for _ in range(11):
        bench.candle(100.0)
    assert [note.invariant for note in bench.told(InvariantBroken)] == ["I20"]


def test_a_market_that_runs_sixty_times_as_fast_gives_sixty_times_as_long() -> None:
    bench = slow_bench()
    bench.engine.desk.pace = 60.0
    start_ms = bench.ts_ms
    life_ms = 60 * LIFE_S * 1_000
    assert actions(bench.tick(100.0, after_ms=life_ms), CancelOrder) == []
    late = bench.feed(MarkPrice(start_ms + life_ms + 1, A, 100.0, 100.0))
    assert len(actions(late, CancelOrder)) == 1
