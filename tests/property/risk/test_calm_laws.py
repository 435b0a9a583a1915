"""Where margin is said to be left alone over a range of marks, no rung lies and nothing is decided."""

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.core.margin import liquidation_price
from bot.risk.calm import STEEPEST, _room, holds_between
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.risk.triggers import at_mark
from bot.risk.view import MarginView
from tests.property.risk.worlds import books, number, views

_NAMES = st.sampled_from(sorted(POLICIES))
_LIMITS = MarginLimits()
_REACH = number(1e-5, 0.01)


def manager_of(name: str) -> RiskManager:
    """Return the manager of a policy at its defaults."""
    return RiskManager(name, POLICIES[name].default, _LIMITS, EntryLimits(), BracketLimits())


@given(st.data(), views(), _NAMES, _REACH, _REACH)
def test_where_it_holds_the_ladder_sleeps_and_the_decision_is_to_hold(
    data: st.DataObject, view: MarginView, name: str, down: float, up: float
) -> None:
    risk = manager_of(name)
    low, high = view.mark * (1.0 - down), view.mark * (1.0 + up)
    liquidation = float(liquidation_price(view.position, view.rules))
    wall = risk.release_wall(view.position, view.rules)
    if not risk.holds_between(view, liquidation, wall, low, high):
        return
    plan = risk.ladder(view, (), view.mark, 0.0)
    assert plan.sleep_low < low
    assert high < plan.sleep_high
    decision = risk.decide_margin(view, data.draw(books(view)))
    assert (decision.action, decision.cut_fraction, decision.wants_derisk) == ("hold", 0.0, False)


@given(views(), _NAMES, number(1e-5, 0.02), st.booleans(), st.booleans())
def test_the_room_in_the_band_shrinks_no_faster_than_it_is_said_to(
    view: MarginView, name: str, share: float, is_up: bool, is_walled: bool
) -> None:
    policy = POLICIES[name]
    liquidation = float(liquidation_price(view.position, view.rules))
    assume(0.0 < liquidation < math.inf)
    mark = view.mark * (1.0 + share if is_up else 1.0 - share)
    here, there = (
        _room(each, policy.band, policy.default, _LIMITS.funding_payments_ahead, liquidation, is_walled)
        for each in (view, at_mark(view, mark))
    )
    if math.isfinite(here) and math.isfinite(there) and min(here, there) > 0.0:
        assert abs(here - there) <= STEEPEST * abs(mark - view.mark) + 1e-9 * view.mark


@given(views(), _NAMES)
def test_a_range_that_reaches_liquidation_is_never_calm(view: MarginView, name: str) -> None:
    policy = POLICIES[name]
    liquidation = float(liquidation_price(view.position, view.rules))
    assume(0.0 < liquidation < math.inf)
    low, high = sorted((view.mark, liquidation))
    allowed = policy.permissions(view, policy.default)
    assert not holds_between(
        view, policy.band, policy.default, allowed, _LIMITS, liquidation, 0.0, 0.999 * low, 1.001 * high
    )
