"""The doctor's clock line: what a round trip allows to be said, and nothing finer."""

from typing import Any

import pytest

from bot.clock import VirtualClock
from bot.exchange.examination import Examination, Line, Proof
from bot.exchange.hosts import Access
from bot.exchange.link import Link
from bot.exchange.venues import VENUES

START_MS = 1_700_000_000_000


class Times:
    """An exchange whose clock is `ahead_ms` before ours, `there` and `back` away, in ms, on each request."""

    def __init__(self, clock: VirtualClock, ahead_ms: int, ways: list[tuple[int, int]]) -> None:
        self._clock, self._ahead_ms, self._ways = clock, ahead_ms, ways

    async def fetch_time(self) -> int:
        there, back = self._ways.pop(0)
        await self._clock.sleep(there / 1_000)
        told_ms = self._clock.now_ms() + self._ahead_ms
        await self._clock.sleep(back / 1_000)
        return told_ms

    async def load_time_difference(self) -> None:
        return None


async def clock_line(ahead_ms: int, ways: list[tuple[int, int]]) -> Line:
    clock = VirtualClock(START_MS)
    link: Any = Link(Times(clock, ahead_ms, ways), "binanceusdm", clock)
    dialect: Any = None
    lines = Examination(link, VENUES["binanceusdm"], dialect, Access("live"), (), Proof(False, "")).lines()
    return [await anext(lines), await anext(lines)][1]


@pytest.mark.parametrize("way", [(45, 0), (0, 45), (22, 23)])
async def test_the_same_clock_is_never_behind_or_ahead(way: tuple[int, int]) -> None:
    line = await clock_line(0, [way] * 3)
    assert (line.verdict, line.fact) == ("ok", "this clock and the exchange's agree to within 24 ms")


async def test_the_quickest_reading_counts_because_the_first_opens_the_connection() -> None:
    line = await clock_line(0, [(300, 10), (10, 10), (40, 10)])
    assert line.fact == "this clock and the exchange's agree to within 11 ms"


async def test_a_skew_beyond_the_round_trip_is_told_with_its_uncertainty() -> None:
    line = await clock_line(3_000, [(10, 10)] * 3)
    assert (line.verdict, line.fact) == (
        "note",
        "this clock is 3000 ms behind the exchange's, give or take 11 ms",
    )
    line = await clock_line(-500, [(10, 10)] * 3)
    assert (line.verdict, line.fact) == (
        "ok",
        "this clock is 500 ms ahead of the exchange's, give or take 11 ms",
    )
