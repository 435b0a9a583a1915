"""What is chosen on and what is judged on never touch."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backtest.sweep.splits import Split, purged_folds, undivided, walk_forward
from bot.core.timeframe import DAY_MS
from bot.core.timerange import TimeRange
from bot.errors import UserError

START_MS = 1_738_368_000_000
ranges = st.integers(20, 400).map(lambda days: TimeRange(START_MS, START_MS + days * DAY_MS))
purges = st.integers(0, 48).map(lambda hours: hours * 3_600_000)


def assert_apart(splits: tuple[Split, ...], timerange: TimeRange, purge_ms: int) -> None:
    judged = 0
    for train, test in splits:
        assert test is not None
        judged += test.end_ms - test.start_ms
        assert timerange.start_ms <= test.start_ms < test.end_ms <= timerange.end_ms
        assert train
        for part in train:
            assert part.end_ms - part.start_ms >= DAY_MS
            assert part.end_ms + purge_ms <= test.start_ms or test.end_ms + purge_ms <= part.start_ms
    tests = sorted(split.test for split in splits if split.test is not None)
    assert all(one.end_ms == next_.start_ms for one, next_ in pairwise(tests))


@given(timerange=ranges, count=st.integers(1, 4), purge_ms=purges)
def test_walking_forward_judges_on_what_comes_after(timerange: TimeRange, count: int, purge_ms: int) -> None:
    splits = walk_forward(timerange, count, purge_ms)
    assert len(splits) == count
    assert_apart(splits, timerange, purge_ms)
    for train, test in splits:
        assert test is not None
        assert train[0].start_ms == timerange.start_ms
        assert all(part.end_ms <= test.start_ms for part in train)
    assert all(split.looks_back for split in splits)
    assert splits[-1].test is not None
    assert splits[-1].test.end_ms == timerange.end_ms


@given(timerange=ranges, count=st.integers(2, 5), purge_ms=purges)
def test_folds_judge_on_everything_once(timerange: TimeRange, count: int, purge_ms: int) -> None:
    splits = purged_folds(timerange, count, purge_ms)
    assert_apart(splits, timerange, purge_ms)
    assert [split.looks_back for split in splits] == [False] * (count - 1) + [True]
    assert sum(test.end_ms - test.start_ms for _, test in splits if test is not None) == (
        timerange.end_ms - timerange.start_ms
    )


def test_a_range_that_is_too_short_is_refused() -> None:
    short = TimeRange(START_MS, START_MS + 4 * DAY_MS)
    for made in (lambda: walk_forward(short, 4, 0), lambda: purged_folds(short, 4, DAY_MS)):
        with pytest.raises(UserError, match="cannot be split into"):
            made()
    with pytest.raises(UserError, match="Give 2 or more"):
        purged_folds(short, 1, 0)
    assert undivided(short) == (Split((short,)),)
