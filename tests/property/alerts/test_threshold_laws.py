"""Laws of thresholds with hysteresis."""

import math

from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.thresholds import depth, distance_thresholds, loss_thresholds

LEVELS = st.lists(st.floats(0.001, 0.5), min_size=1, max_size=4, unique=True)
HYSTERESIS = st.floats(0.0, 0.9)
VALUES = st.lists(st.floats(-0.5, 1.5), max_size=30)


@given(LEVELS, HYSTERESIS, VALUES)
def test_a_value_beyond_a_level_always_stands_crossed(levels, hysteresis, values) -> None:
    thresholds, now = distance_thresholds(levels, hysteresis), 0
    for value in values:
        now = depth(thresholds, value, now)
        assert now >= sum(value <= level for level in levels)
        assert now <= sum(value <= level * (1.0 + hysteresis) for level in levels)


@given(LEVELS, st.floats(0.05, 0.9), st.lists(st.floats(0.0, 1.0), max_size=30))
def test_a_value_that_trembles_at_a_level_is_told_once(levels, hysteresis, shares) -> None:
    """Between a level and its hysteresis no second crossing of that level is ever found."""
    thresholds, level = distance_thresholds([levels[0]], hysteresis), levels[0]
    now, crossings = 0, 0
    for share in shares:
        before, now = now, depth(thresholds, level * (0.99 + share * hysteresis), now)
        crossings += now > before
    assert crossings <= 1


@given(LEVELS, HYSTERESIS, st.floats(-0.5, 1.5), st.integers(0, 4))
def test_the_same_value_again_changes_nothing(levels, hysteresis, value, was) -> None:
    thresholds = distance_thresholds(levels, hysteresis)
    once = depth(thresholds, value, min(was, len(levels)))
    assert depth(thresholds, value, once) == once


@given(LEVELS, HYSTERESIS, st.integers(0, 4))
def test_what_is_not_known_changes_nothing(levels, hysteresis, was) -> None:
    was = min(was, len(levels))
    assert depth(distance_thresholds(levels, hysteresis), math.nan, was) == was


@given(LEVELS, HYSTERESIS, st.floats(0.0, 1.0))
def test_a_loss_is_crossed_from_its_level_on(levels, hysteresis, loss) -> None:
    found = depth(loss_thresholds(levels, hysteresis), 1.0 - loss, 0)
    assert found == sum(1.0 - loss <= 1.0 - level for level in levels)
