"""Laws of the trigger ladder: at a rung the distance is exactly the band's, between rungs nothing is due."""

import math

from hypothesis import given
from hypothesis import strategies as st

from bot.core.margin import distance, liquidation_price
from bot.risk.limits import BracketLimits, MarginLimits
from bot.risk.policies import POLICIES
from bot.risk.release import spare_at_venue
from bot.risk.trailing import trail_mark, trailed_stop
from bot.risk.triggers import at_mark, band_at, ladder, margin_rungs
from bot.risk.view import MarginView
from bot.risk.wallet import minimum_step
from tests.property.risk.worlds import number, views

_NAMES = st.sampled_from(sorted(POLICIES))
_PAYMENTS = 3
LIMITS = MarginLimits()


def is_let_out(view: MarginView, mark: float) -> bool:
    """Whether the venue lets clearly more than the smallest worthwhile release out at `mark`."""
    least = minimum_step(view.position.isolated_wallet, LIMITS)
    return spare_at_venue(at_mark(view, mark), LIMITS) > least * (1.0 + 1e-5) + 1e-5


@given(views(), _NAMES)
def test_distance_at_a_margin_rung_is_the_band_there(view: MarginView, name: str) -> None:
    policy = POLICIES[name]
    rungs = margin_rungs(view, policy.band, policy.default, _PAYMENTS)
    side = view.position.side
    for mark, field in ((rungs.add.mark, "low"), (rungs.release.mark, "high")):
        if mark > 0.0:
            band = band_at(view, mark, policy.band, policy.default, _PAYMENTS)
            wanted = getattr(band, field)
            # The rung is a price: 1e-9 of the price is 1e-9 of the distance's own unit.
            assert abs(distance(side, mark, rungs.liquidation) - wanted) <= 1e-9 * max(1.0, wanted)


@given(views(), _NAMES, number(1e-4, 3.0))
def test_nothing_is_due_between_the_sleep_bounds(view: MarginView, name: str, factor: float) -> None:
    policy = POLICIES[name]
    plan = ladder(view, policy.band, policy.default, _PAYMENTS, (), view.mark, 0.0, BracketLimits(), LIMITS)
    liquidation = liquidation_price(view.position, view.rules)
    mark = view.mark * factor
    away = distance(view.position.side, mark, liquidation)
    if not plan.sleep_low < mark < plan.sleep_high or away <= 2e-5:
        return
    band = band_at(view, mark, policy.band, policy.default, _PAYMENTS)
    assert away >= band.low * (1.0 - 1e-7)
    assert away <= band.high * (1.0 + 1e-7) or not is_let_out(view, mark)


@given(views(), _NAMES)
def test_a_due_mark_is_never_slept_through(view: MarginView, name: str) -> None:
    policy = POLICIES[name]
    plan = ladder(view, policy.band, policy.default, _PAYMENTS, (), view.mark, 0.0, BracketLimits(), LIMITS)
    band = band_at(view, view.mark, policy.band, policy.default, _PAYMENTS)
    away = distance(view.position.side, view.mark, liquidation_price(view.position, view.rules))
    is_wide = away > band.high * (1.0 + 1e-9) and is_let_out(view, view.mark)
    is_due = away < band.low * (1.0 - 1e-9) or is_wide
    assert not (is_due and plan.sleep_low < view.mark < plan.sleep_high)


@given(views(with_stop=True), _NAMES, number(1.0, 1.5))
def test_rungs_ascend_and_are_usable_prices(view: MarginView, name: str, best: float) -> None:
    policy = POLICIES[name]
    plan = ladder(
        view,
        policy.band,
        policy.default,
        _PAYMENTS,
        (),
        view.mark * best,
        view.stop_price,
        BracketLimits(),
        LIMITS,
    )
    prices = [rung.price for rung in plan.rungs]
    assert prices == sorted(prices)
    assert all(0.0 < price < math.inf for price in prices)
    assert at_mark(view, 5.0).mark == 5.0


@given(st.sampled_from([1, -1]), number(0.005, 0.2), number(-0.5, 5.0), number(0.0, 8.0), number(0.001, 50.0))
def test_a_trailed_stop_only_moves_toward_profit_and_stays_behind_the_best_mark(
    side: int, away: float, gained_r: float, best_r: float, tick: float
) -> None:
    entry = 1_000.0
    initial = entry * (1.0 - side * away)
    risk = entry * away
    current = initial + side * max(gained_r, 0.0) * risk
    best = entry + side * best_r * risk
    moved = trailed_stop(side, entry, initial, current, best, tick, BracketLimits())
    due = trail_mark(side, entry, initial, current, tick, BracketLimits())
    if moved == 0.0:
        return
    assert side * (moved - current) > 0.0
    assert side * (best - moved) > 0.0
    assert side * (best - due) >= -1e-9 * due
    assert best_r >= BracketLimits().trail_activate_r - 1e-9


@given(st.sampled_from([1, -1]), number(0.005, 0.2), number(0.0, 3.0))
def test_the_stop_moves_exactly_when_the_best_mark_reaches_its_rung(
    side: int, away: float, gained_r: float
) -> None:
    entry, tick = 1_000.0, 0.001
    initial = entry * (1.0 - side * away)
    current = initial + side * gained_r * entry * away
    due = trail_mark(side, entry, initial, current, tick, BracketLimits())
    assert trailed_stop(side, entry, initial, current, due, tick, BracketLimits()) > 0.0
    short_of_it = due * (1.0 - side * 1e-6)
    assert trailed_stop(side, entry, initial, current, short_of_it, tick, BracketLimits()) == 0.0
