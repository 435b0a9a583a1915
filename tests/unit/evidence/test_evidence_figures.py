"""Calibration, rescues, the tail and the dead-weight ledger on cases worked by hand."""

import math

import numpy as np
import pytest

from bot.core.probability import first_passage_student
from bot.evidence.calibration import calibration, first_passage, fitted_scale, wilson_interval
from bot.evidence.ledger import Move, dead_weight
from bot.evidence.rescues import Ending, rescues
from bot.evidence.tail import worst_mean, worst_mean_difference


def test_wilson_interval_is_that_of_the_textbooks() -> None:
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_first_passage_of_columns_equals_the_core_formula() -> None:
    sigmas = np.linspace(0.0, 12.0, 50)
    wanted = [first_passage_student(float(value), 1.0) for value in sigmas]
    assert first_passage(sigmas) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("scale", [0.7, 1.1, 1.8])
def test_fitted_scale_finds_the_law_that_made_the_touches(scale: float) -> None:
    random = np.random.default_rng(11)
    sigmas = random.uniform(0.3, 4.0, 12_000)
    touched = random.random(sigmas.size) < first_passage(sigmas, scale)
    assert fitted_scale(first_passage(sigmas), touched) == pytest.approx(scale, rel=0.05)


def test_fitted_scale_is_unknown_when_nothing_or_everything_was_touched() -> None:
    assert math.isnan(fitted_scale([0.1, 0.2], [False, False]))
    assert math.isnan(fitted_scale([0.1, 0.2], [True, True]))


def test_reliability_bins_hold_equal_shares_and_lose_nothing() -> None:
    random = np.random.default_rng(6)
    forecasts = random.random(1_000)
    found = calibration(forecasts, random.random(1_000) < forecasts)
    assert [one.forecasts for one in found.bins] == [100] * 10
    assert sum(one.touched for one in found.bins) == found.touched
    assert all(one.low <= one.realised <= one.high for one in found.bins)
    assert sum(one.low <= one.forecast <= one.high for one in found.bins) >= 8
    assert not found.is_alarming


def test_equal_forecasts_share_one_bin() -> None:
    found = calibration([0.0] * 95 + [0.5] * 5, [False] * 97 + [True] * 3)
    assert [(one.forecasts, one.touched) for one in found.bins] == [(95, 0), (5, 3)]


def test_brier_score_of_a_case_by_hand() -> None:
    assert calibration([0.2, 0.9], [False, True]).brier == pytest.approx((0.04 + 0.01) / 2.0)


@pytest.mark.parametrize(
    ("count", "hits", "is_alarming"), [(200, 41, True), (200, 40, False), (199, 90, False)]
)
def test_alarm_needs_twice_the_touches_over_200_forecasts(count: int, hits: int, is_alarming: bool) -> None:
    found = calibration([0.1] * count, [True] * hits + [False] * (count - hits))
    assert found.is_alarming is is_alarming


def test_touches_that_were_held_impossible_are_infinitely_many_too_many() -> None:
    assert calibration([0.0] * 300, [True] + [False] * 299).ratio == math.inf


def test_no_forecasts_make_no_claims() -> None:
    found = calibration([], [])
    assert (found.forecasts, found.bins, found.is_alarming) == (0, (), False)
    assert math.isnan(found.brier)


def test_bad_forecasts_are_named() -> None:
    with pytest.raises(ValueError, match=r"probabilities\[1\] is .*1\.5"):
        calibration([0.5, 1.5], [True, False])
    with pytest.raises(ValueError, match="one per forecast, 2"):
        calibration([0.5, 0.6], [True])


def test_every_liquidation_is_in_one_group() -> None:
    found = rescues(
        [
            Ending(False, True, 100.0, -500.0),
            Ending(False, True, -800.0, -500.0),
            Ending(False, True, -500.0, -500.0),
            Ending(True, True, -1_500.0, -500.0),
            Ending(True, False, -300.0, 40.0),
            Ending(False, False, 10.0, 9.0),
        ]
    )
    assert (found.static_liquidations, found.liquidations) == (4, 2)
    assert found.rescued_better == (1, 600.0)
    assert found.rescued_worse == (2, -300.0)
    assert found.still_liquidated == (1, -1_000.0)
    assert found.only_ours == (1, -340.0)


def test_worst_mean_takes_at_least_one_and_exactly_its_share() -> None:
    values = np.arange(100.0)
    assert worst_mean(values) == 0.0
    assert worst_mean(values, 0.07) == pytest.approx(3.0)
    assert worst_mean(values, 1.0) == pytest.approx(49.5)
    assert worst_mean([5.0, -2.0]) == -2.0
    assert math.isnan(worst_mean([]))
    with pytest.raises(ValueError, match="share is 0"):
        worst_mean(values, 0.0)


def test_dead_weight_ledger_of_a_case_by_hand() -> None:
    moves = [Move(50.0, 0.10, 0.02, 1.0), Move(50.0, 0.01, 0.02, 1.0), Move(50.0, 0.5, 0.4, 0.0)]
    found = dead_weight(moves, extra_margin_quote_hours=876_000.0, annual_hurdle=0.20, fees_quote=1.0)
    assert found == pytest.approx((3.5, 20.0, 1.0, -17.5))


def test_freed_margin_counts_in_favour() -> None:
    assert dead_weight([], -8_760.0, 0.10).net_quote == pytest.approx(0.1)


def test_worst_mean_difference_of_equal_trades_is_nothing() -> None:
    values, weeks = np.random.default_rng(2).normal(size=400), np.repeat(np.arange(10), 40)
    assert worst_mean_difference(values, values, weeks) == (0.0, 0.0, 0.0, False)


def test_worst_mean_difference_draws_whole_weeks() -> None:
    """Against the plain definition: draw weeks, put their trades together, take the worst of each."""
    random = np.random.default_rng(3)
    weeks = np.repeat(np.arange(12), 30)
    ours, theirs = random.normal(0.0, 1.0, 360), random.normal(-0.5, 2.0, 360)
    found = worst_mean_difference(ours, theirs, weeks, 0.05)
    drawn = []
    for _ in range(2_000):
        rows = np.concatenate([np.flatnonzero(weeks == week) for week in random.integers(0, 12, 12)])
        drawn.append(worst_mean(ours[rows], 0.05) - worst_mean(theirs[rows], 0.05))
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, (0.025, 0.975)).tolist(), abs=0.1)
    assert found.mean == pytest.approx(worst_mean(ours, 0.05) - worst_mean(theirs, 0.05))
    assert found.is_distinguishable


def test_worst_mean_difference_is_never_distinguishable_over_few_weeks() -> None:
    ours, weeks = np.zeros(70), np.repeat(np.arange(7), 10)
    found = worst_mean_difference(ours, ours - 5.0, weeks)
    assert (found.low, found.high, found.is_distinguishable) == (5.0, 5.0, False)
    alone = worst_mean_difference(ours, ours - 5.0, np.zeros(70, np.int64))
    assert (alone.mean, math.isnan(alone.low), alone.is_distinguishable) == (5.0, True, False)
