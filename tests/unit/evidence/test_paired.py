"""Paired differences: known values, honest intervals, and what is said when nothing is known."""

import math

import numpy as np
import pytest

from bot.evidence.paired import LEAST_CLUSTERS, paired_difference, week_of
from bot.evidence.student import student_central, student_quantile

DAY_MS = 86_400_000

# Printed tables of Student's t, two-sided 95 %.
TABLE = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 5: 2.5706, 10: 2.2281, 29: 2.0452, 120: 1.9799}


@pytest.mark.parametrize(("freedom", "value"), TABLE.items())
def test_student_quantile_is_that_of_the_printed_tables(freedom: int, value: float) -> None:
    assert student_quantile(0.975, freedom) == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize("freedom", [1, 2, 3, 8, 61, 400])
def test_student_quantile_is_the_inverse_of_its_probability(freedom: int) -> None:
    for probability in (0.5, 0.6, 0.9, 0.999):
        value = student_quantile(probability, freedom)
        assert student_central(value, freedom) == pytest.approx(2.0 * probability - 1.0, abs=1e-12)


def test_student_refuses_impossible_arguments() -> None:
    with pytest.raises(ValueError, match="probability is 1"):
        student_quantile(1.0, 5)
    with pytest.raises(ValueError, match="freedom is 0"):
        student_central(1.0, 0)


def test_single_trades_as_clusters_give_the_textbook_t_interval() -> None:
    found = paired_difference([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3])
    half = 3.1824 * math.sqrt(5.0 / 3.0) / 2.0
    assert found.mean == 2.5
    assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half), abs=1e-4)
    assert found.sd == pytest.approx(math.sqrt(5.0 / 3.0))
    assert found.needed == math.ceil((1.96 * found.sd / 2.5) ** 2)


def test_trades_that_repeat_their_week_add_no_certainty() -> None:
    weeks = np.arange(20)
    values = np.sin(weeks * 7.0)
    once = paired_difference(values, weeks)
    tenfold = paired_difference(np.repeat(values, 10), np.repeat(weeks, 10))
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high))
    assert once.needed is not None
    assert tenfold.needed == pytest.approx(10 * once.needed, abs=10)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    covered = 0
    for _ in range(1_000):
        weeks = np.repeat(np.arange(15), random.integers(1, 12, 15))
        values = random.standard_t(5, 15)[weeks] + random.standard_t(5, weeks.size) + 0.3
        found = paired_difference(values, weeks)
        covered += found.low <= 0.3 <= found.high
    assert 0.92 <= covered / 1_000 <= 0.97


def test_needed_trades_bring_the_interval_to_the_edge_of_zero() -> None:
    random = np.random.default_rng(3)
    values = random.normal(0.1, 1.0, 400)
    needed = paired_difference(values, np.arange(400)).needed
    assert needed is not None
    many = np.resize(values, needed)
    found = paired_difference(many, np.arange(needed))
    assert abs(found.low) < 0.1 * found.mean or abs(found.high) < 0.1 * abs(found.mean)


def test_few_weeks_are_never_distinguishable() -> None:
    few = paired_difference([5.0, 5.1] * (LEAST_CLUSTERS - 1), list(range(LEAST_CLUSTERS - 1)) * 2)
    enough = paired_difference([5.0, 5.1] * LEAST_CLUSTERS, list(range(LEAST_CLUSTERS)) * 2)
    assert few.low > 0.0
    assert not few.is_distinguishable
    assert enough.is_distinguishable


@pytest.mark.parametrize(("values", "clusters"), [([], []), ([3.0], [1]), ([3.0, 4.0], [1, 1])])
def test_too_little_to_tell_has_no_interval(values: list[float], clusters: list[int]) -> None:
    found = paired_difference(values, clusters)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.needed is None
    assert not found.is_distinguishable


def test_equal_trades_differ_by_nothing_and_no_number_of_them_is_needed() -> None:
    found = paired_difference([0.0] * 50, range(50))
    assert (found.mean, found.low, found.high, found.needed) == (0.0, 0.0, 0.0, None)
    assert not found.is_distinguishable


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="clusters has 1 entries"):
        paired_difference([1.0, 2.0], [1])
    with pytest.raises(ValueError, match=r"differences\[1\] is .*nan"):
        paired_difference([1.0, math.nan], [1, 2])


def test_weeks_begin_on_monday() -> None:
    monday_ms = 1_738_540_800_000  # 2025-02-03 00:00 UTC
    assert week_of(monday_ms) == week_of(monday_ms + 7 * DAY_MS - 1)
    assert week_of(monday_ms - 1) == week_of(monday_ms) - 1
