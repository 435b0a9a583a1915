"""Laws of every margin policy."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.risk.contradictions import contradictions
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.policies import POLICIES
from bot.risk.policies.liquidation_probability import distance_of_probability
from bot.risk.view import MarginView
from tests.property.risk.worlds import number, views

_NAMES = st.sampled_from(sorted(POLICIES))
_ALMOST = 1.0 - 1e-12
_LIMITS = (MarginLimits(), EntryLimits(), BracketLimits())


@st.composite
def params_of(draw: st.DrawFn, name: str) -> Any:
    """Params anywhere within the bounds that do not contradict each other."""
    policy = POLICIES[name]
    drawn = [
        draw(
            st.integers(int(bound.low), int(bound.high))
            if isinstance(getattr(policy.default, key), int)
            else number(bound.low, bound.high)
        )
        for key, bound in policy.bounds.items()
    ]
    params = policy.params_type(*drawn)
    assume(contradictions(policy, params, *_LIMITS) == ())
    return params


@given(views(), _NAMES)
def test_band_is_positive_and_ordered(view: MarginView, name: str) -> None:
    policy = POLICIES[name]
    band = policy.band(view, policy.default)
    assert 0.0 < band.low <= band.target <= band.high


@given(views(), _NAMES, number(1.0, 5.0))
def test_more_volatility_never_lowers_the_target(view: MarginView, name: str, factor: float) -> None:
    policy = POLICIES[name]
    calm = policy.band(view, policy.default)
    wild = policy.band(more_volatile(view, factor), policy.default)
    assert wild.target >= calm.target * _ALMOST
    assert wild.low >= calm.low * _ALMOST


@given(views(), _NAMES, number(1.0, 500.0), st.data())
def test_more_volatility_never_lowers_the_target_anywhere_within_the_bounds(
    view: MarginView, name: str, factor: float, data: st.DataObject
) -> None:
    params = data.draw(params_of(name))
    calm = POLICIES[name].band(view, params)
    wild = POLICIES[name].band(more_volatile(view, factor), params)
    assert wild.target >= calm.target * _ALMOST


def more_volatile(view: MarginView, factor: float) -> MarginView:
    """The same market with every measure of volatility times `factor`."""
    return view._replace(
        sigma_day=view.sigma_day * factor,
        sigma_parkinson=view.sigma_parkinson * factor,
        sigma_yang_zhang=view.sigma_yang_zhang * factor,
        atr=view.atr * factor,
    )


@given(_NAMES, st.data())
def test_band_stays_ordered_anywhere_within_the_bounds(name: str, data: st.DataObject) -> None:
    params = data.draw(params_of(name))
    band = POLICIES[name].band(data.draw(views()), params)
    assert 0.0 < band.low <= band.target <= band.high


def test_a_chance_too_small_for_a_number_is_the_farthest_distance() -> None:
    for side in (1, -1):
        away = distance_of_probability(side, 1e-308, 0.25, 1.0)
        assert away == pytest.approx(1.0) if side > 0 else away > 1e300


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_every_param_has_a_bound_that_holds_its_default(name: str) -> None:
    policy = POLICIES[name]
    assert tuple(policy.bounds) == policy.params_type._fields
    for field, bound in policy.bounds.items():
        assert bound.low <= getattr(policy.default, field) <= bound.high
        assert bound.unit
        assert bound.doc.endswith(".")
