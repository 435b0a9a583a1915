"""Each limit halts when it is exceeded, not before, and says why with its numbers."""

from typing import Any

import pytest

from bot.core.event import EntriesHalted, FeedGap, InvariantBroken, Liquidated, MarkPrice, VenueDiffers
from bot.core.intent import Intent, OpenPosition, PlaceStop, ReducePosition, SetLeverage
from bot.engine import halts, tripwires
from bot.engine.gate import Gate
from bot.engine.outage import Outage
from bot.engine.state import restore
from bot.risk.limits import HaltLimits
from tests.unit.engine.desk_builder import A, B, Bench
from tests.unit.engine.test_feed_outage import StillClock

OFF = HaltLimits(*(0 for _ in HaltLimits._fields))


def bench_with(**limits: Any) -> Bench:
    bench = Bench()
    bench.engine.desk.limits = OFF._replace(**limits)
    return bench


def latched(bench: Bench) -> dict[str, str]:
    return {cause: halt.level for cause, halt in bench.engine.state.halts.items() if halt.is_latched}


def lose(bench: Bench, amount: float) -> None:
    """The venue takes `amount` from the free balance, and a candle closes."""
    bench.engine.state.free_quote -= amount
    bench.candle()


def test_the_days_loss_halts_above_its_limit_and_not_at_it() -> None:
    bench = bench_with(daily_loss_fraction=0.10)
    bench.candle()
    lose(bench, 1_000.0)
    assert latched(bench) == {}
    lose(bench, 1.0)
    assert latched(bench) == {tripwires.DAILY_LOSS: "NO_ENTRY"}
    assert "10.0%" in bench.told(EntriesHalted)[-1].message


def test_the_days_loss_is_counted_from_midnight() -> None:
    bench = bench_with(daily_loss_fraction=0.10)
    bench.candle()
    lose(bench, 900.0)
    bench.ts_ms += 24 * 3_600_000
    lose(bench, 0.0)
    lose(bench, 800.0)
    assert latched(bench) == {}


def test_unrealised_losses_count_at_once_when_a_candle_closes() -> None:
    bench = bench_with(daily_loss_fraction=0.005)
    bench.candle()
    bench.enter()
    assert latched(bench) == {}
    bench.candle(98.5)
    assert latched(bench) == {tripwires.DAILY_LOSS: "NO_ENTRY"}
    assert bench.holding().stop is not None


def test_the_drawdown_is_counted_from_the_highest_equity() -> None:
    bench = bench_with(drawdown_fraction=0.20)
    bench.candle()
    lose(bench, -5_000.0)
    lose(bench, 2_900.0)
    assert latched(bench) == {}
    lose(bench, 200.0)
    assert latched(bench) == {tripwires.DRAWDOWN: "NO_ENTRY"}


def test_after_a_resume_losses_are_counted_anew() -> None:
    bench = bench_with(daily_loss_fraction=0.10, drawdown_fraction=0.10)
    bench.candle()
    lose(bench, 1_100.0)
    assert set(latched(bench)) == {tripwires.DAILY_LOSS, tripwires.DRAWDOWN}
    halts.lift(bench.engine.desk, "")
    bench.perform(bench.engine.obey())
    lose(bench, 800.0)
    assert latched(bench) == {}
    lose(bench, 200.0)
    assert set(latched(bench)) == {tripwires.DAILY_LOSS, tripwires.DRAWDOWN}


def test_what_losses_are_counted_from_outlives_a_restart() -> None:
    bench, twin = bench_with(drawdown_fraction=0.20), bench_with(drawdown_fraction=0.20)
    bench.candle()
    lose(bench, 1_900.0)
    restore(twin.engine.state, bench.engine.snapshot())
    twin.ts_ms = bench.ts_ms
    lose(twin, 200.0)
    assert latched(twin) == {tripwires.DRAWDOWN: "NO_ENTRY"}


def test_a_loss_that_a_fill_makes_real_is_looked_at_without_waiting_for_a_candle() -> None:
    bench = bench_with(daily_loss_fraction=0.005)
    bench.candle()
    bench.enter()
    assert latched(bench) == {}
    bench.tick(97.0)
    assert bench.engine.state.positions() == ()
    assert latched(bench) == {tripwires.DAILY_LOSS: "NO_ENTRY"}


def test_a_liquidation_is_looked_at_without_waiting_for_a_candle() -> None:
    bench = bench_with(daily_loss_fraction=0.10)
    bench.candle()
    bench.hear(Liquidated(bench.ts_ms, A, 1, 1, 1.0, 90.0, 90.0, 89.0, 2_000.0, 1.0, 1.0, 8_000.0))
    assert latched(bench) == {tripwires.DAILY_LOSS: "NO_ENTRY"}


def refuse(bench: Bench, code: str, count: int, after_ms: int = 1_000) -> None:
    from bot.core.event import Refused

    for number in range(count):
        bench.ts_ms += after_ms
        bench.hear(Refused(bench.ts_ms, A, f"X{number}", code, "by script"))


def test_more_refusals_than_allowed_within_ten_minutes_halt() -> None:
    bench = bench_with(max_refusals=5)
    refuse(bench, "insufficient_balance", 5)
    assert latched(bench) == {}
    refuse(bench, "precision", 1)
    assert latched(bench) == {tripwires.REPEATED_REJECTION: "NO_ENTRY"}
    assert "precision" in bench.told(EntriesHalted)[-1].message


def test_refusals_far_apart_and_lost_races_do_not_halt() -> None:
    bench = bench_with(max_refusals=5)
    refuse(bench, "insufficient_balance", 20, after_ms=130_000)
    refuse(bench, "unknown_order", 50)
    refuse(bench, "halted", 50)
    assert latched(bench) == {}


def intend(bench: Bench, action: Any, count: int) -> Intent:
    intents = [bench.engine.desk.outbox.intend(action, "test") for _ in range(count)]
    bench.engine.desk.outbox.take()
    return intents[-1]


def test_too_many_orders_within_a_minute_halt_entries_and_the_gate_refuses_the_next() -> None:
    bench = bench_with(orders_per_minute=10)
    gate = Gate(bench.engine.desk)
    assert gate.refusal(intend(bench, OpenPosition(A, 1, 1.0), 10)) is None
    refused = gate.refusal(intend(bench, OpenPosition(A, 1, 1.0), 1))
    assert refused is not None
    assert latched(bench) == {tripwires.ORDER_RATE: "NO_ENTRY"}
    assert gate.refusal(intend(bench, PlaceStop(A, 1, 90.0), 1)) is None


def test_too_many_requests_within_a_minute_leave_only_what_reduces() -> None:
    bench = bench_with(messages_per_minute=10)
    gate = Gate(bench.engine.desk)
    gate.refusal(intend(bench, SetLeverage(A, 20), 11))
    assert latched(bench) == {tripwires.MESSAGE_RATE: "REDUCE_ONLY"}
    assert gate.refusal(intend(bench, ReducePosition(A, 1, 0.0), 1)) is None


def test_requests_of_the_minute_before_do_not_count() -> None:
    bench = bench_with(orders_per_minute=10)
    gate = Gate(bench.engine.desk)
    for _ in range(5):
        gate.refusal(intend(bench, PlaceStop(A, 1, 90.0), 10))
        bench.engine.state.now_ms += 60_000
    assert latched(bench) == {}


@pytest.mark.parametrize(
    ("action", "is_far"),
    [
        (OpenPosition(A, 1, 1.0), False),
        (OpenPosition(A, 1, 1.0, "limit", 104.0), False),
        (OpenPosition(A, 1, 1.0, "limit", 106.0), True),
        (OpenPosition(A, -1, 1.0, "limit", 94.0), True),
        (OpenPosition(A, 1, 1.0, "limit", float("nan")), True),
        (ReducePosition(A, 1, 1.0), False),
    ],
)
def test_the_collar_halts_an_entry_far_from_the_mark_and_it_is_not_sent(action: Any, is_far: bool) -> None:
    bench = bench_with(price_collar_fraction=0.05)
    refused = Gate(bench.engine.desk).refusal(intend(bench, action, 1))
    assert (refused is not None) == is_far
    assert latched(bench) == ({tripwires.PRICE_COLLAR: "NO_ENTRY"} if is_far else {})


def test_the_collar_halts_a_market_entry_where_the_last_price_left_the_mark() -> None:
    bench = bench_with(price_collar_fraction=0.05)
    bench.ts_ms += 1_000
    bench.hear(MarkPrice(bench.ts_ms, A, 100.0, 106.0))
    assert Gate(bench.engine.desk).refusal(intend(bench, OpenPosition(A, 1, 1.0), 1)) is not None


def test_a_long_outage_becomes_a_latch_and_data_does_not_lift_it() -> None:
    bench = bench_with(disconnected_ms=90_000)
    clock = StillClock()
    outage = Outage(bench.engine.desk, clock, 30_000)
    outage.begin()
    clock.advance(30_000)
    assert outage.look()
    assert latched(bench) == {}
    clock.advance(60_000)
    assert outage.look()
    assert not outage.look()
    outage.heard += 1
    outage.look()
    assert latched(bench) == {"disconnected": "DISCONNECTED"}
    assert list(bench.engine.state.halts) == ["disconnected"]


def minutes_without(bench: Bench, count: int, symbol: str = A) -> None:
    """Let minutes pass in which only `symbol` is heard."""
    for _ in range(count):
        bench.candle(symbol=symbol)


def test_a_held_symbol_that_stays_silent_while_others_do_not_halts() -> None:
    bench = bench_with(stale_data_ms=300_000)
    bench.enter(symbol=B)
    minutes_without(bench, 5)
    assert latched(bench) == {}
    minutes_without(bench, 1)
    assert latched(bench) == {tripwires.STALE_DATA: "NO_ENTRY"}
    assert B in bench.told(EntriesHalted)[-1].message
    bench.tick(100.0, B)
    bench.candle(symbol=B)
    assert latched(bench) == {tripwires.STALE_DATA: "NO_ENTRY"}


def test_silence_that_ends_in_time_is_counted_anew() -> None:
    bench = bench_with(stale_data_ms=300_000)
    bench.enter(symbol=B)
    for _ in range(3):
        minutes_without(bench, 5)
        bench.candle(symbol=B)
    assert latched(bench) == {}


def test_a_pause_of_the_whole_feed_is_not_the_silence_of_one_symbol() -> None:
    bench = bench_with(stale_data_ms=300_000)
    bench.enter(symbol=B)
    bench.ts_ms += 3_600_000
    minutes_without(bench, 1)
    assert latched(bench) == {}


def test_silence_without_a_position_or_in_an_announced_gap_does_not_halt() -> None:
    flat, announced = bench_with(stale_data_ms=300_000), bench_with(stale_data_ms=300_000)
    announced.enter(symbol=B)
    announced.hear(FeedGap(announced.ts_ms, B, announced.ts_ms + 3_600_000))
    minutes_without(flat, 20)
    minutes_without(announced, 20)
    assert latched(flat) == latched(announced) == {}


def test_a_broken_invariant_halts_and_names_it() -> None:
    bench = bench_with()
    bench.enter()
    bench.holding().stop = None
    bench.engine.state.in_flight.clear()
    bench.candle(symbol=B)
    assert [note.invariant for note in bench.told(InvariantBroken)] == ["I1"]
    assert latched(bench) == {"invariant_I1": "NO_ENTRY"}


def test_switched_off_no_limit_halts() -> None:
    bench = bench_with()
    bench.candle()
    lose(bench, 9_000.0)
    refuse(bench, "precision", 100)
    Gate(bench.engine.desk).refusal(intend(bench, OpenPosition(A, 1, 1.0, "limit", 1.0), 500))
    assert latched(bench) == {}


@pytest.mark.parametrize(("skew_ms", "is_halted"), [(5_000, False), (-5_001, True), (5_001, True)])
def test_a_clock_too_far_from_the_venues_halts(skew_ms: int, is_halted: bool) -> None:
    bench = bench_with(clock_skew_ms=5_000)
    bench.hear(VenueDiffers(bench.ts_ms, A, "clock", 1e12 + skew_ms, 1e12))
    assert latched(bench) == ({tripwires.CLOCK_SKEW: "NO_ENTRY"} if is_halted else {})


@pytest.mark.parametrize(("venue", "is_halted"), [(94.9, False), (96.1, True), (93.9, True)])
def test_a_liquidation_price_too_far_from_the_venues_halts_and_names_both(
    venue: float, is_halted: bool
) -> None:
    bench = bench_with(liquidation_tolerance=0.01)
    bench.enter()
    bench.hear(VenueDiffers(bench.ts_ms, A, "liquidation_price", 95.0, venue))
    assert latched(bench) == ({tripwires.LIQUIDATION_PRICE: "NO_ENTRY"} if is_halted else {})
    if is_halted:
        assert f"{venue}, we reckon 95" in bench.told(EntriesHalted)[-1].message
