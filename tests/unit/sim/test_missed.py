"""The way of the price that nobody saw: adverse first, and nothing that lies before what was seen."""

from collections.abc import Sequence

import numpy as np

from bot.core.candles import Candles
from bot.core.event import MarkPrice
from bot.sim.missed import Extremes, Lived, MissedBar, first_seen, missed_bars, ticks
from bot.sim.path import Bar

BTC = "BTC/USDT:USDT"
MINUTE_MS = 60_000
START_MS = 1_738_000_020_000 // MINUTE_MS * MINUTE_MS


def candles(*rows: Sequence[float]) -> Candles:
    """Return candles from (minute, open, high, low, close)."""
    open_ms = np.array([START_MS + int(row[0]) * MINUTE_MS for row in rows], dtype=np.int64)
    open_, high, low, close = (np.array([row[each] for row in rows], np.float64) for each in range(1, 5))
    nothing = np.zeros(len(rows))
    return Candles(open_ms, open_, high, low, close, nothing, nothing)


def tick(at_ms: int, mark: float, last: float | None = None) -> MarkPrice:
    return MarkPrice(START_MS + at_ms, BTC, mark, mark if last is None else last)


def lived(*marks: tuple[int, float]) -> Lived:
    seen = first_seen(tick(*marks[0]))
    for each in marks[1:]:
        seen = seen.after(tick(*each))
    return seen


def bars(seen: Lived, marks: Candles, until_ms: int, lasts: Candles | None = None) -> list[MissedBar]:
    return list(missed_bars(seen, marks, marks if lasts is None else lasts, START_MS + until_ms))


def test_extremes_are_those_of_the_minute_that_is_under_way() -> None:
    seen = lived((1_000, 100.0), (2_000, 90.0), (3_000, 95.0))
    assert seen.mark == Extremes(90.0, 100.0)
    assert seen.after(tick(MINUTE_MS, 96.0)).mark == Extremes(96.0, 96.0)


def test_a_low_before_the_last_price_seen_is_not_met_again() -> None:
    seen = lived((1_000, 90.0), (30_000, 100.0))
    (bar,) = bars(seen, candles((0, 90.0, 100.0, 90.0, 99.0)), MINUTE_MS)
    assert bar.mark == Bar(100.0, 100.0, 99.0, 99.0)
    assert (bar.begin_ms, bar.end_ms) == (START_MS + 30_001, START_MS + MINUTE_MS - 1)


def test_a_low_deeper_than_what_was_seen_came_afterwards() -> None:
    seen = lived((1_000, 90.0), (30_000, 100.0))
    (bar,) = bars(seen, candles((0, 90.0, 100.0, 80.0, 99.0)), MINUTE_MS)
    assert bar.mark.low == 80.0


def test_later_minutes_are_whole_and_the_forming_one_ends_now() -> None:
    seen = lived((1_000, 100.0))
    rows = candles(
        (0, 100.0, 100.0, 100.0, 100.0), (1, 101.0, 105.0, 99.0, 102.0), (2, 102.0, 103.0, 101.0, 101.0)
    )
    found = bars(seen, rows, 2 * MINUTE_MS + 20_000)
    assert found[1].mark == Bar(101.0, 105.0, 99.0, 102.0)
    assert (found[2].begin_ms, found[2].end_ms) == (
        START_MS + 2 * MINUTE_MS,
        START_MS + 2 * MINUTE_MS + 19_999,
    )


def test_where_nothing_was_traded_the_mark_stands_in_for_the_last_price() -> None:
    seen = lived((1_000, 100.0))
    rows = candles((1, 101.0, 105.0, 99.0, 102.0))
    (bar,) = bars(seen, rows, 2 * MINUTE_MS, candles())
    assert bar.last == bar.mark


def test_the_extreme_against_the_side_held_comes_first() -> None:
    row = MissedBar(
        START_MS, START_MS + MINUTE_MS - 1, Bar(100.0, 100.2, 99.9, 100.1), Bar(1.0, 1.0, 1.0, 1.0)
    )
    for side, second in ((1, 99.9), (-1, 100.2)):
        path = list(ticks(BTC, iter([row]), lambda _, held=side: held))
        assert [path[0].mark, path[1].mark, path[-1].mark] == [100.0, second, 100.1]
        assert [path[0].ts_ms, path[-1].ts_ms] == [row.begin_ms, row.end_ms]


def test_the_side_is_asked_for_again_at_every_minute() -> None:
    sides = iter((1, 0))
    asked: list[str] = []

    def side_of(symbol: str) -> int:
        asked.append(symbol)
        return next(sides)

    row = Bar(100.0, 100.1, 99.9, 99.95)
    two = [MissedBar(START_MS + at, START_MS + at + 59_999, row, row) for at in (0, MINUTE_MS)]
    path = [each.mark for each in ticks(BTC, iter(two), side_of)]
    assert path == [100.0, 99.9, 100.1, 99.95, 100.0, 100.1, 99.9, 99.95]
    assert asked == [BTC, BTC]
