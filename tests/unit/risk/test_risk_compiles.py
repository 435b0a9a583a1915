"""Every registered risk function compiles with numba and agrees with plain Python."""

import importlib
import math
import pkgutil
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.extending import register_jitable

import bot.risk
from bot.core.compiled import REGISTRY
from bot.risk import (
    addition,
    adjust,
    anchor,
    autoadd,
    brackets,
    calm,
    derisk,
    derisk_case,
    estimators,
    odds,
    permissions,
    regime,
    release,
    room,
    sizing,
    trailing,
    triggers,
    verdict,
    wallet,
)
from bot.risk.band import Band
from bot.risk.estimates import UNKNOWN
from bot.risk.limits import BracketLimits, MarginLimits
from bot.risk.permissions import UNRESTRICTED, Permissions
from bot.risk.policies import (
    POLICIES,
    clip,
    distance_band,
    exchange_auto_add,
    hurdle,
    liquidation_probability,
    margin_ratio_band,
    stop_anchor,
    trend_regime,
    volatility,
)
from tests.property.risk.worlds import RULES, book_of, position_of, view_of
from tests.unit.risk.book_calls import BOOK_CALLS
from tests.unit.risk.entry_calls import ENTRY_CALLS

for _module in pkgutil.walk_packages(bot.risk.__path__, "bot.risk."):
    importlib.import_module(_module.name)

RISK = [function for function in REGISTRY if function.__module__.startswith("bot.risk.")]

LIMITS, BRACKET = MarginLimits(), BracketLimits()
CUTTING = MarginLimits(volatile_cut_fraction=0.25)
THIN = view_of(position_of(wallet=400.0), mark=59_000.0, funding=0.0004)
RICH = view_of(position_of(wallet=2_500.0), mark=66_000.0, stop=61_000.0)
SHORT = view_of(position_of(side=-1, wallet=900.0), mark=59_000.0, stop=62_000.0)
FREE = view_of(position_of(wallet=7_000.0))
WILD = THIN._replace(
    atr=300.0, sigma_parkinson=0.04, sigma_yang_zhang=0.05, is_high_volatility=True, regime=regime.VOLATILE
)
UP = SHORT._replace(trend_score=1.5, regime=regime.ADVERSE)
CALM = RICH._replace(trend_score=1.5, regime=regime.CALM_FAVOURABLE)
VIEWS = (THIN, RICH, SHORT, FREE, WILD, UP, CALM)
BOOK = book_of()
BAND = Band(0.10, 0.13, 0.19)
ORDER = sizing.EntryOrder(1, 60_000.0, 58_200.0, 63_600.0, 0.0005, 0.0005)
SIZING = sizing.SizingRules(10_000.0, 0.01, 0.01, 50.0, 0.001)
MEASURED = [adjust.measure(view, BAND, 3) for view in VIEWS]
POLICY = POLICIES["stop_anchor"]
LIQUIDATION = 55_000.0

CASE = derisk.DeriskCase(200.0, 0.01, 0.0007, 0.0, 0.1, 3, True, 0, 0.1)
CASES = (CASE, CASE._replace(trend=-0.7), CASE._replace(cuts_made=2), CASE._replace(add_quote=0.0))
DERISK = derisk.DeriskLimits()
COSTS = tuple(
    derisk.DeriskCosts(hold, add, 3.0, 3.0, 3.0, 3.0) for hold in (1.0, 4.0) for add in (2.0, math.inf)
)

COMPILED_BAND = njit(POLICY.band)
ALLOWED = (UNRESTRICTED, Permissions(False, False, 0.5, 0.2, True))
BAR = estimators.Bar(100.0, 100.5, 102.0, 99.0, 101.0)
ESTIMATES = UNKNOWN._replace(
    sigma_day=0.03, sigma_6h=0.06, sigma_10d=0.03, trend_score=0.5, is_high_volatility=True
)
ONE_BAR = estimators.yang_zhang_entered(estimators.YangZhangState(), BAR)
TWO_BARS = estimators.yang_zhang_entered(ONE_BAR, BAR._replace(close=100.0))
PARKINSON = estimators.parkinson_entered(estimators.ParkinsonState(), BAR)
ADVERSE = regime.RegimeState(1, regime.ADVERSE, 5)


def _per_view(*rest: Any) -> list[tuple[Any, ...]]:
    return [(view, *rest) for view in VIEWS]


SEARCH = (POLICY.band, POLICY.default, 3, LIQUIDATION)

# One row per function: the arguments it is called with.
CALLS: dict[Callable[..., Any], list[tuple[Any, ...]]] = {
    adjust.funding_reserve: _per_view(3),
    adjust.reserved_band: _per_view(BAND, 3),
    adjust.measure: _per_view(BAND, 3),
    adjust.measure_sound: _per_view(BAND, 3, LIQUIDATION),
    adjust.judge: [
        (view, seen, BOOK, LIMITS, allowed)
        for view, seen in zip(VIEWS, MEASURED, strict=True)
        for allowed in ALLOWED
    ],
    adjust.cut_fraction: [
        (view, verdict.hold(reason, 5.0), CUTTING, allowed)
        for view in VIEWS
        for reason in (0, 4)
        for allowed in ALLOWED
    ],
    verdict.to_ladder: [(7, 10.0)],
    verdict.hold: [(4, 10.0)],
    adjust.is_measurable: _per_view(),
    adjust._is_usable: [(view, seen, BOOK) for view, seen in zip(VIEWS, MEASURED, strict=True)],
    addition.judge_add: [
        (view, seen, BOOK, LIMITS, short)
        for view, seen in zip(VIEWS, MEASURED, strict=True)
        for short in (False, True)
    ],
    release.judge_release: [
        (view, seen, BOOK, LIMITS, below)
        for view, seen in zip(VIEWS, MEASURED, strict=True)
        for below in (0.0, 0.2)
    ],
    addition.account_ceiling: [(600.0, BOOK, LIMITS), (600.0, BOOK._replace(free_quote=100.0), LIMITS)],
    addition.add_ceiling: [(600.0, BOOK, LIMITS), (600.0, BOOK._replace(free_quote=100.0), LIMITS)],
    release.release_floor: [(view, 0.13, LIMITS) for view in VIEWS],
    wallet.target_wallet: _per_view(0.13),
    wallet.minimum_step: [(600.0, LIMITS)],
    addition.amount_to_add: [(600.0, 700.005, 1_000.0, 0.01), (600.0, 1_700.0, 1_000.005, 0.01)],
    wallet.with_wallet: [(position_of(), 5.0)],
    wallet.distance_with: _per_view(800.0),
    release.spare_at_venue: _per_view(LIMITS),
    release.anchor_floor: [(RICH, LIMITS), (SHORT, LIMITS)],
    anchor.anchor_buffer: [(0.03, 0.01, 1.0), (2.0, 0.01, 1.0)],
    anchor.anchor_price: [(1, 100.0, 0.02)],
    brackets.stop_price_for: [(1, 60_000.0, 0.0301, 0.1), (-1, 60_000.0, 0.0301, 0.1)],
    brackets.target_price_for: [(1, 60_000.0, 58_200.0, 1.5, 0.1)],
    sizing.entry_buffer: [(0.03, 0.01, 1.0, 1.0)],
    sizing.loss_fraction: [(ORDER,)],
    sizing.gain_fraction: [(ORDER,)],
    sizing.quantity_for: [(ORDER, SIZING)],
    sizing.size_entry: [(ORDER, SIZING, RULES)],
    sizing._opened: [(ORDER, 0.1, 10)],
    sizing.leverage_for: [(ORDER, 0.1, 57_600.0, 50.0, RULES)],
    sizing.margin_without_stop: [(position_of(), 60_000.0, 0.03, 0.01, 1.0, RULES)],
    odds.entry_odds: [(ORDER, 0.03, 3.0), (ORDER, 1e-9, 3.0)],
    derisk.judge_derisk: [(view, case, DERISK) for view in VIEWS for case in CASES],
    derisk.settle_derisk: [(view, case, DERISK, 0.001, 0.001, 5.0) for view in VIEWS for case in CASES]
    + [(view, CASE, DERISK, 0.001, 9.0, 5.0) for view in VIEWS],
    derisk._is_tradable: _per_view(0.5, 0.1, 5.0),
    derisk.add_refusal: [(case, DERISK) for case in CASES],
    derisk.derisk_costs: [(view, CASE, DERISK, is_add) for view in VIEWS for is_add in (True, False)],
    derisk._uncut: [(view, derisk.CUTS_USED, 0, costs) for view in VIEWS for costs in COSTS],
    derisk.cheapest_whole: [(costs,) for costs in COSTS],
    derisk.is_stop_first: _per_view(57_000.0) + _per_view(70_000.0),
    derisk._jump_probability: _per_view(57_000.0, DERISK),
    derisk_case.case_of: _per_view(BAND, BOOK, LIMITS, True, derisk_case.Thesis(True, 1, 0.5), 0.0125, 0.001),
    derisk_case.addable: _per_view(BAND, BOOK, LIMITS, True) + _per_view(BAND, BOOK, LIMITS, False),
    derisk_case.liquidation_cost_rate: _per_view(0.0125),
    derisk_case.restored_wallet: _per_view(BAND, BOOK, LIMITS, 0.0, 900.0)
    + _per_view(BAND, BOOK, LIMITS, 0.2, 700.0),
    derisk.gap_probability: _per_view(DERISK),
    derisk._cut_cost: _per_view(CASE, DERISK, 0.5) + _per_view(CASE, DERISK, 1.0),
    derisk._probability: [(view, view.position, DERISK) for view in VIEWS],
    derisk._safe_distance: _per_view(57_000.0),
    derisk._after_cut: _per_view(0.5, 0.0007),
    derisk._resized: [(position_of(), 0.05, 300.0)],
    room.wallet_room: [
        (view, seen.liquidation, BAND, book, LIMITS, allowed)
        for view, seen in zip(VIEWS, MEASURED, strict=True)
        for book in (BOOK, BOOK._replace(adds=6), BOOK._replace(last_add_ms=view.ts_ms))
        for allowed in ALLOWED
    ],
    room._ceiling: [
        (view, seen.liquidation, book, LIMITS, allowed)
        for view, seen in zip(VIEWS, MEASURED, strict=True)
        for book in (BOOK, BOOK._replace(adds=6))
        for allowed in ALLOWED
    ],
    room._cap: [(600.0, BOOK, LIMITS)],
    room._floor: [
        (view, BAND, book, LIMITS, allowed._replace(derisk_below=0.02))
        for view in VIEWS
        for book in (BOOK, BOOK._replace(adds=6))
        for allowed in ALLOWED
    ],
    room._may_add: [
        (view, seen.liquidation, BOOK._replace(last_add_ms=view.ts_ms), LIMITS)
        for view, seen in zip(VIEWS, MEASURED, strict=True)
    ],
    room._may_release: [
        (view, seen.liquidation, BOOK, LIMITS) for view, seen in zip(VIEWS, MEASURED, strict=True)
    ],
    trailing.on_tick_toward_mark: [(1, 100.03, 0.1), (-1, 100.03, 0.1), (1, 100.03, 0.0)],
    trailing.trail_mark: [(1, 100.0, 98.0, 98.0, 0.1, BRACKET)],
    trailing.trailed_stop: [(1, 100.0, 98.0, 98.0, 104.0, 0.1, BRACKET)],
    triggers.at_mark: _per_view(5.0),
    triggers.band_at: _per_view(58_000.0, POLICY.band, POLICY.default, 3),
    triggers.margin_rungs: _per_view(POLICY.band, POLICY.default, 3),
    triggers.release_wall: [(view.position, view.rules, LIMITS) for view in VIEWS],
    calm.holds_between: [
        (
            view,
            POLICY.band,
            POLICY.default,
            permissions.UNRESTRICTED,
            LIMITS,
            price,
            0.0,
            low,
            view.mark * 1.001,
        )
        for view in VIEWS
        for price in (0.5 * view.mark, 1.5 * view.mark, math.nan)
        for low in (0.999 * view.mark, 0.9 * view.mark)
    ],
    calm._room: [
        (view, POLICY.band, POLICY.default, 3, 0.9 * view.mark, is_walled)
        for view in VIEWS
        for is_walled in (True, False)
    ],
    calm._is_usable: [
        (view, permissions.UNRESTRICTED, LIMITS, price) for view in VIEWS for price in (0.9 * view.mark, -1.0)
    ],
    triggers.release_when_removable: [
        (view, triggers.margin_rungs(view, POLICY.band, POLICY.default, 3).release, LIMITS) for view in VIEWS
    ],
    triggers._without_liquidation: _per_view(POLICY.band, POLICY.default, 3, 0.0),
    triggers._excess: _per_view(57_000.0, *SEARCH, -1),
    triggers._due: _per_view(*SEARCH, 1),
    triggers._secant: _per_view(*SEARCH, -1, 5.0),
    triggers._bisected: _per_view(*SEARCH, -1),
    clip.clipped_band: [(0.03, 0.8, 1.5), (math.nan, 0.8, 1.5), (7.0, 0.8, 1.5)],
    distance_band._distance: [
        (WILD, distance_band.DistanceBandParams(distance, atrs))
        for distance in (0.0, 0.1)
        for atrs in (0.0, 9.0)
    ],
    margin_ratio_band._distance_at: _per_view(24.0, 0.05),
    margin_ratio_band._distance_in_tier: _per_view(500.0),
    volatility._sigma_day: [(WILD, code) for code in range(3)],
    liquidation_probability.distance_of_probability: [(1, 0.01, 0.03, 1.0), (-1, 0.01, 0.03, 3.0)],
    hurdle.hurdle_distance: [(sigma, 0.2, 0.01, 1.0) for sigma in (0.03, 9.0, 0.0, math.nan)],
    hurdle.liquidation_cost: _per_view(1.0, 0.003, 0.002),
    stop_anchor._without_stop: _per_view(POLICY.default),
    trend_regime.permissions: _per_view(trend_regime.TrendRegimeParams()),
    trend_regime._derisk_distance: _per_view(),
    autoadd.one_step: [
        (position_of(wallet=wallet), number, RULES)
        for wallet in (600.0, 5_700.0, 7_000.0)
        for number in (1.0, 0.5)
    ],
    exchange_auto_add.permissions: _per_view(exchange_auto_add.ExchangeAutoAddParams()),
    permissions.unrestricted: _per_view(POLICY.default),
    permissions.cut_due: [
        (view, 0.5, 2, 1_000)
        for view in (THIN, THIN._replace(cuts=2), THIN._replace(cuts=1, last_cut_ms=THIN.ts_ms - 5))
    ],
    regime.next_regime: [
        (state, seen, now_ms)
        for state in (regime.RegimeState(1), ADVERSE, regime.RegimeState(1, regime.VOLATILE, 5))
        for seen in (ESTIMATES, ESTIMATES._replace(is_high_volatility=False), UNKNOWN)
        for now_ms in (10, 10_000_000)
    ],
    regime._is_volatile: [(code, ESTIMATES) for code in range(4)],
    regime._of_trend: [(code, score) for code in range(4) for score in (0.3, 0.5, -0.6, -0.8)],
    estimators.ewma_after: [
        (estimators.EwmaState(0.9), 0.01),
        (estimators.EwmaState(0.9, 0.02, 3), 0.01),
    ],
    estimators.ewma_sigma: [(estimators.EwmaState(0.9),), (estimators.EwmaState(0.9, 0.02, 3),)],
    estimators.mean_after: [(estimators.MeanState(0.9), 5.0)],
    estimators.mean_of: [(estimators.MeanState(0.9),), (estimators.MeanState(0.9, 0.5, 0.1),)],
    estimators.range_after: [(estimators.RangeState(14), BAR), (estimators.RangeState(14, 2.0, 20), BAR)],
    estimators.average_true_range_of: [
        (estimators.RangeState(14),),
        (estimators.RangeState(14, 2.0, 20),),
    ],
    estimators.parkinson_entered: [(PARKINSON, BAR)],
    estimators.parkinson_left: [(PARKINSON, BAR)],
    estimators.parkinson_sigma: [(PARKINSON,), (estimators.ParkinsonState(),)],
    estimators.yang_zhang_entered: [(ONE_BAR, BAR)],
    estimators.yang_zhang_left: [(TWO_BARS, BAR)],
    estimators.yang_zhang_sigma: [(ONE_BAR,), (TWO_BARS,)],
    estimators._parkinson_moved: [(PARKINSON, BAR, 1)],
    estimators._yang_zhang_moved: [(TWO_BARS, BAR, -1)],
    estimators._sample_variance: [(estimators.Sum(2.0, 0.0), estimators.Sum(5.0, 1e-20), 3)],
    estimators._plus: [(estimators.Sum(1.0, 0.0), 1e-20), (estimators.Sum(1e-20, 0.0), 1.0)],
    estimators._value: [(estimators.Sum(1.0, 1e-20),)],
    **ENTRY_CALLS,
    **BOOK_CALLS,
    **{policy.band: _per_view(policy.default) for policy in POLICIES.values()},
}


@pytest.fixture(scope="module", autouse=True)
def _overloads() -> None:
    for function in REGISTRY:
        if function.__module__.startswith(("bot.risk.", "bot.core.")):
            register_jitable(function)


def test_every_registered_risk_function_is_called_here() -> None:
    assert set(CALLS) == set(RISK)


@pytest.mark.parametrize("function", RISK, ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_compiled_result_equals_plain_python(function: Callable[..., Any]) -> None:
    fast = njit(function)
    for arguments in CALLS[function]:
        swapped = [COMPILED_BAND if value is POLICY.band else value for value in arguments]
        if (
            function in BOOK_CALLS
        ):  # what is split is split to the last digit, also what is written into columns
            swapped, plain = deepcopy(swapped), deepcopy(arguments)
            assert repr(_flat((fast(*swapped), *swapped))) == repr(_flat((function(*plain), *plain)))
        else:
            ours, theirs = _flat(fast(*swapped)), _flat(function(*arguments))
            assert ours == pytest.approx(theirs, rel=1e-12, nan_ok=True)


def _flat(value: Any) -> list[float]:
    """The numbers of a scalar, or of nested NamedTuples and their columns; names are not results."""
    if isinstance(value, tuple):
        return [number for part in value for number in _flat(part)]
    if isinstance(value, np.ndarray):
        return [float(number) for number in value]
    return [float(value)] if isinstance(value, int | float) else []
