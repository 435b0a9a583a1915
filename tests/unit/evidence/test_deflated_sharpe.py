"""The deflated Sharpe ratio against the numbers of its paper, and against luck itself."""

import math

import numpy as np
import pytest

from bot.evidence.deflated_sharpe import deflated_sharpe, expected_best, probability_above

YEAR = 250


def test_the_example_of_the_paper() -> None:
    """Bailey and Lopez de Prado 2014, "A numerical example": five years of days, annual ratio 2.5."""
    spread = math.sqrt(0.5 / YEAR)
    best = expected_best(spread, 100)
    assert best == pytest.approx(0.1132, abs=5e-5)
    sharpe = 2.5 / math.sqrt(YEAR)
    assert probability_above(sharpe, best, 1250, -3.0, 10.0) == pytest.approx(0.9004, abs=5e-5)
    fewer = expected_best(spread, 46)
    assert probability_above(sharpe, fewer, 1250, -3.0, 10.0) == pytest.approx(0.9505, abs=5e-5)


def test_one_try_needs_no_deflation() -> None:
    assert expected_best(0.1, 1) == 0.0
    assert expected_best(0.0, 100) == 0.0


def test_the_best_of_many_without_skill_is_seldom_believed() -> None:
    random = np.random.default_rng(7)
    believed = 0
    for _ in range(40):
        tries = random.normal(0.0, 0.01, (200, 250))
        sharpes = tries.mean(axis=1) / tries.std(axis=1, ddof=1)
        found = deflated_sharpe(tries[sharpes.argmax()], sharpes.tolist())
        assert found.tries == 200
        believed += found.probability > 0.95
    assert believed <= 2


def test_skill_is_believed_among_many() -> None:
    random = np.random.default_rng(8)
    tries = random.normal(0.0, 0.01, (200, 1_000))
    tries[17] += 0.003
    sharpes = tries.mean(axis=1) / tries.std(axis=1, ddof=1)
    assert deflated_sharpe(tries[17], sharpes.tolist()).probability > 0.99


def test_what_cannot_be_judged_is_not() -> None:
    assert math.isnan(deflated_sharpe([0.01, 0.02], [0.1, 0.2]).probability)
    assert math.isnan(deflated_sharpe([0.0] * 10, [math.nan] * 3).probability)
    known = deflated_sharpe([0.01, -0.02, 0.03, 0.01], [0.1, math.nan, 0.3])
    assert known.tries == 3
    assert known.expected_best > 0.0
    assert math.isnan(probability_above(2.0, 0.0, 100, 3.0, 1.0))
