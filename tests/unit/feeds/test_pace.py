"""Market time keeps to the clock, and never in bursts."""

import asyncio
import math

import pytest

from bot.clock import VirtualClock, WallClock
from bot.sim.pace import Pace


async def kept_at(pace: Pace, clock: VirtualClock, times) -> list[int]:
    moments = []
    for ts_ms in times:
        await pace.keep(ts_ms)
        moments.append(clock.now_ms())
    return moments


@pytest.mark.parametrize(
    ("speed", "tick_ms", "wall_ms"), [(1.0, 1000, 1000), (60.0, 60_000, 1000), (1000.0, 1000, 1)]
)
async def test_market_time_runs_the_chosen_factor_faster_than_the_clock(speed, tick_ms, wall_ms):
    clock = VirtualClock(5_000)
    moments = await kept_at(Pace(clock, speed), clock, range(0, 100 * tick_ms, tick_ms))
    due = [5_000 + wall_ms * number for number in range(100)]
    assert all(abs(moment - at) <= 2 for moment, at in zip(moments, due, strict=True))


async def test_symbols_at_the_same_instant_wait_once():
    clock = VirtualClock()
    assert await kept_at(Pace(clock, 1.0), clock, [0, 0, 0, 1000, 1000, 1000]) == [0, 0, 0, 1000, 1000, 1000]


async def test_a_short_delay_is_made_up():
    clock = VirtualClock()
    pace = Pace(clock, 1.0)
    await kept_at(pace, clock, [0, 1000])
    clock.advance(3_000)
    assert await kept_at(pace, clock, [2000, 3000, 4000, 5000, 6000]) == [4000, 4000, 4000, 5000, 6000]


async def test_after_a_long_pause_of_the_host_nothing_is_played_in_a_burst():
    clock = VirtualClock()
    pace = Pace(clock, 1.0)
    await kept_at(pace, clock, [0, 1000])
    clock.advance(3_600_000)
    assert await kept_at(pace, clock, [2000, 3000, 4000]) == [3_602_000, 3_603_000, 3_604_000]


async def test_a_clock_set_back_does_not_stop_the_session():
    clock = VirtualClock(10_000_000)
    pace = Pace(clock, 1.0)
    await kept_at(pace, clock, [0, 1000])
    clock._now_ns -= 3_600_000 * 1_000_000
    start = clock.now_ms()
    assert await kept_at(pace, clock, [2000, 3000]) == [start + 1000, start + 2000]


async def test_a_long_silence_of_the_market_is_waited_out():
    clock = VirtualClock()
    assert await kept_at(Pace(clock, 1.0), clock, [0, 60_000]) == [0, 60_000]


async def test_the_highest_speed_never_waits_but_lets_others_run():
    clock, others = VirtualClock(), []

    async def other() -> None:
        for _ in range(3):
            others.append(len(others))
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    moments = await kept_at(Pace(clock, math.inf), clock, range(0, 2_000_000, 1000))
    assert moments[-1] == 0
    assert others == [0, 1, 2]
    await task


async def test_a_virtual_clock_advances_by_sleeping():
    clock = VirtualClock(1_000)
    await clock.sleep(0.25)
    clock.advance(50)
    assert clock.now_ms() == 1_300
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-1)


async def test_the_wall_clock_is_utc_milliseconds():
    clock = WallClock()
    before = clock.now_ms()
    await clock.sleep(0)
    assert clock.now_ms() >= before > 1_700_000_000_000
