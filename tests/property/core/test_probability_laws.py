"""First-passage probabilities: inverses, orders and limits; volatility estimators against their recursion."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bot.core.probability import (
    distance_for_probability,
    first_passage_gbm,
    first_passage_student,
    log_distance,
    sigmas_for_probability,
    student4_cdf,
    student4_quantile,
    two_barrier,
)
from bot.core.volatility import (
    ewma_sigma_bar,
    ewma_sigma_day,
    parkinson_sigma_bar,
    parkinson_sigma_day,
    yang_zhang_sigma_bar,
)

sigmas = st.floats(1e-4, 0.5)
distances = st.floats(1e-4, 1.0)
columns = arrays(np.float64, st.integers(2, 60), elements=st.floats(-0.05, 0.05)).map(
    lambda steps: 100.0 * np.exp(np.cumsum(steps))
)


@given(st.floats(1e-9, 1.0 - 1e-9))
def test_the_quantile_inverts_the_student_cdf(probability: float) -> None:
    assert student4_cdf(student4_quantile(probability)) == pytest.approx(probability, rel=1e-12)


@given(st.floats(-50.0, 50.0))
def test_the_student_cdf_is_symmetric(value: float) -> None:
    assert student4_cdf(value) + student4_cdf(-value) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize(
    ("probability", "sigmas_away"),
    [(0.2, 1.39), (0.1, 1.94), (0.05, 2.52), (0.02, 3.41), (0.01, 4.19), (0.005, 5.09), (0.001, 7.83)],
)
def test_sigmas_for_probability_meet_the_published_table(probability: float, sigmas_away: float) -> None:
    assert sigmas_for_probability(probability) == pytest.approx(sigmas_away, abs=0.005)


@given(st.floats(1e-6, 1.0), sigmas)
def test_distance_for_probability_inverts_first_passage(probability: float, sigma: float) -> None:
    away = distance_for_probability(probability, sigma)
    assert first_passage_student(away, sigma) == pytest.approx(probability, rel=1e-9)


@given(distances, sigmas, st.floats(1.01, 3.0))
def test_a_farther_barrier_is_never_likelier(away: float, sigma: float, factor: float) -> None:
    near, far = first_passage_student(away, sigma), first_passage_student(away * factor, sigma)
    assert 0.0 <= far <= near <= 1.0
    assert first_passage_gbm(away * factor, sigma, 0.0) <= first_passage_gbm(away, sigma, 0.0) <= 1.0


def test_barriers_already_reached_or_never_reachable() -> None:
    assert first_passage_student(0.0, 0.03) == first_passage_gbm(0.0, 0.03, 0.0) == 1.0
    assert first_passage_student(0.1, 0.0) == first_passage_student(math.inf, 0.03) == 0.0
    assert log_distance(100.0, 0.0) == log_distance(100.0, math.inf) == math.inf


@given(distances, sigmas, st.floats(0.0, 0.2))
def test_drift_away_from_the_barrier_makes_it_less_likely(away: float, sigma: float, drift: float) -> None:
    toward, none, off = (first_passage_gbm(away, sigma, m) for m in (-drift, 0.0, drift))
    assert off <= none * (1.0 + 1e-9)
    assert none <= toward * (1.0 + 1e-9)


@given(distances, distances, sigmas)
def test_two_barriers_share_the_first_passages(adverse: float, favourable: float, sigma: float) -> None:
    lost, won = two_barrier(adverse, favourable, sigma), two_barrier(favourable, adverse, sigma)
    assert -1e-15 <= lost <= first_passage_gbm(adverse, sigma, 0.0) + 1e-12
    assert lost + won <= 1.0 + 1e-12


@given(distances, distances)
def test_with_ample_time_the_nearer_barrier_wins_in_proportion(adverse: float, favourable: float) -> None:
    wanted = favourable / (adverse + favourable)
    for widths in (3.0, 4.999, 5.001, 100.0):
        lost = two_barrier(adverse, favourable, widths * (adverse + favourable))
        assert lost == pytest.approx(wanted, abs=1e-12)


@given(columns, st.floats(1.0, 40.0))
def test_ewma_equals_its_recursion(close: np.ndarray, half_life: float) -> None:
    returns, decay = np.diff(np.log(close)), 0.5 ** (1.0 / half_life)
    variance = float(returns[0]) ** 2
    for value in returns[1:]:
        variance = decay * variance + (1.0 - decay) * float(value) ** 2
    assert ewma_sigma_bar(close, half_life) == pytest.approx(math.sqrt(variance), rel=1e-9, abs=1e-15)


@given(columns, st.floats(0.1, 10.0))
def test_estimators_ignore_the_scale_of_prices(close: np.ndarray, factor: float) -> None:
    high, low = close * 1.01, close * 0.99
    assert parkinson_sigma_bar(high * factor, low * factor) == pytest.approx(parkinson_sigma_bar(high, low))
    assert ewma_sigma_bar(close * factor, 5.0) == pytest.approx(ewma_sigma_bar(close, 5.0), abs=1e-12)


def test_per_day_counts_the_bars_of_a_day() -> None:
    close = np.array([100.0, 101.0, 100.0, 102.0])
    hour_ms = 3_600_000
    assert ewma_sigma_day(close, 2.0 * hour_ms, hour_ms) == pytest.approx(
        ewma_sigma_bar(close, 2.0) * 24**0.5
    )
    high, low = close * 1.01, close * 0.99
    assert parkinson_sigma_day(high, low, hour_ms) == pytest.approx(parkinson_sigma_bar(high, low) * 24**0.5)


def test_windows_that_are_too_short_give_nan() -> None:
    one, two = np.array([100.0]), np.array([100.0, 101.0])
    assert math.isnan(ewma_sigma_bar(one, 5.0))
    assert math.isnan(parkinson_sigma_bar(one[:0], one[:0]))
    assert math.isnan(yang_zhang_sigma_bar(two, two, two, two))
