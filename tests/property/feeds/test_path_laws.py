"""Laws of the price path inside a candle."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.sim.path import Bar, walk, waypoints

PRICES = st.floats(0.0001, 1_000_000.0)
SIDES = st.sampled_from((1, -1, 0))


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    low = draw(PRICES)
    high = low * (1.0 + draw(st.floats(0.0, 3.0)))
    inside = st.floats(low, high)
    return Bar(draw(inside), high, low, draw(inside))


@given(bars(), SIDES)
def test_the_extreme_that_hurts_the_side_held_comes_first(bar, side):
    points = waypoints(bar, side)
    adverse = {1: bar.low, -1: bar.high, 0: bar.low if bar.close >= bar.open else bar.high}[side]
    assert points[1] == adverse
    assert sorted(points) == sorted(bar)
    assert (points[0], points[3]) == (bar.open, bar.close)


@given(bars(), bars(), SIDES, st.floats(0.0005, 0.05))
def test_no_step_is_larger_than_allowed_and_nothing_leaves_the_bar(mark_bar, last_bar, side, max_step):
    prices = walk(waypoints(mark_bar, side), waypoints(last_bar, side), max_step)
    for bar, walked in zip((mark_bar, last_bar), zip(*prices, strict=True), strict=True):
        assert (walked[0], walked[-1]) == (bar.open, bar.close)
        assert (min(walked), max(walked)) == (bar.low, bar.high)
        steps = [abs(after - before) / min(after, before) for before, after in pairwise(walked)]
        assert max(steps) <= max_step * (1.0 + 1e-9)


@given(bars(), SIDES)
def test_a_step_larger_than_the_bar_leaves_only_the_waypoints(bar, side):
    points = waypoints(bar, side)
    assert walk(points, points, 10.0) == [(price, price) for price in points]
