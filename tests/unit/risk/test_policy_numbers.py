"""Each policy against the numbers and the rules of the study, by hand."""

import math
from typing import Any

import pytest

from bot.calc.autoadd import added_by_exchange
from bot.core.margin import liquidation_price, margin_ratio, wallet_for_distance
from bot.core.profile import BINANCE_USDM, MarginRules, bybit, bybit_entry_valued, okx
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.risk.adjust import decide_margin
from bot.risk.autoadd import one_step
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.permissions import UNRESTRICTED, Permissions
from bot.risk.policies import POLICIES
from bot.risk.policies.distance_band import DistanceBandParams
from bot.risk.policies.exchange_auto_add import EXCHANGE_LIMITS
from bot.risk.policies.hurdle import HurdleParams, hurdle_distance
from bot.risk.policies.liquidation_probability import LiquidationProbabilityParams
from bot.risk.policies.margin_ratio_band import MarginRatioBandParams
from bot.risk.policies.trend_regime import TrendRegimeParams
from bot.risk.policies.volatility import PARKINSON, YANG_ZHANG, VolatilityParams
from bot.risk.regime import ADVERSE, CALM_FAVOURABLE, NEUTRAL, VOLATILE
from bot.risk.view import MarginDecision, MarginView
from tests.property.risk.worlds import RULES, book_of, position_of, rules_of, view_of

HALF_PERCENT = MarginRules(
    tiers_from_rows([LeverageTier(0.0, 1e9, 0.005, 0.0, 125.0)]), BINANCE_USDM, False, 0.0
)
HOURS_12_MS = 43_200_000


def target(policy: str, view: MarginView, params: Any = None) -> float:
    return POLICIES[policy].band(view, params or POLICIES[policy].default).target


@pytest.mark.parametrize(("cost", "distance"), [(0.003, 0.138), (0.005, 0.155), (0.01, 0.181), (0.02, 0.210)])
def test_the_hurdle_holds_what_the_study_says(cost: float, distance: float) -> None:
    assert hurdle_distance(0.03, 0.20, cost, 1.0) == pytest.approx(distance, abs=5e-4)


def test_at_the_hurdle_one_more_dollar_saves_what_it_costs() -> None:
    sigma, cost, hurdle = 0.03, 0.01, 0.20
    away = hurdle_distance(sigma, hurdle, cost, 1.0)
    value = 1.10 * away / sigma
    density = 0.375 * (1.0 + value * value / 4.0) ** -2.5
    assert cost * 2.0 * 1.10 * density / sigma == pytest.approx(hurdle / 365.0, rel=1e-9)


def test_the_hurdle_counts_forfeited_maintenance_clearance_and_slippage() -> None:
    view = view_of(rules=HALF_PERCENT)
    params = HurdleParams(forfeited_share=0.5, clearance_fee=0.004, slippage=0.001)
    assert target("hurdle", view, params) == hurdle_distance(0.03, 0.20, 0.0075, 1.0)


def test_the_hurdle_never_falls_where_its_formula_turns() -> None:
    far = [hurdle_distance(sigma, 0.20, 0.01, 1.0) for sigma in (5.0, 8.0, 9.0, 20.0, 1e3)]
    assert far == sorted(far)
    assert math.isnan(hurdle_distance(math.nan, 0.20, 0.01, 1.0))
    assert hurdle_distance(0.0, 0.20, 0.01, 1.0) == 0.0


@pytest.mark.parametrize(("alpha", "sigmas"), [(0.2, 1.39), (0.1, 1.94), (0.01, 4.19), (0.002, 6.52)])
def test_a_probability_is_held_on_both_sides(alpha: float, sigmas: float) -> None:
    params = LiquidationProbabilityParams(alpha=alpha)
    long, short = (target("liquidation_probability", view_of(position_of(side=s)), params) for s in (1, -1))
    assert long == pytest.approx(1.0 - math.exp(-sigmas * 0.03), abs=3e-4)
    assert short == pytest.approx(math.exp(sigmas * 0.03) - 1.0, abs=3e-4)


def test_beyond_two_days_the_tail_is_taken_as_fatter() -> None:
    near, far = (
        target("liquidation_probability", view_of(), LiquidationProbabilityParams(horizon_days=days))
        for days in (2.0, 2.0 + 1e-9)
    )
    assert math.log(1.0 - far) == pytest.approx(1.10 * math.log(1.0 - near), rel=1e-6)


def test_the_probability_can_be_floored_by_the_distance_at_entry() -> None:
    calm = view_of(sigma=0.005)
    params = LiquidationProbabilityParams(entry_share=1.0)
    assert target("liquidation_probability", calm, params) == calm.entry_distance
    assert target("liquidation_probability", view_of(sigma=0.05), params) > calm.entry_distance
    unknown = calm._replace(entry_distance=math.nan)
    assert math.isnan(target("liquidation_probability", unknown, params))
    assert target("liquidation_probability", unknown) == pytest.approx(
        1.0 - math.exp(-4.1855 * 0.005), rel=1e-4
    )
    assert math.isnan(target("liquidation_probability", calm._replace(sigma_day=math.nan)))


@pytest.mark.parametrize("ratio", [0.033, 0.05, 0.08])
def test_margin_ratios_are_the_studys_distances(ratio: float) -> None:
    view = view_of(rules=HALF_PERCENT)
    away = 0.005 * (1.0 / ratio - 1.0) / 0.995
    assert target("margin_ratio_band", view, MarginRatioBandParams(target_ratio=ratio)) == pytest.approx(away)


@pytest.mark.parametrize(
    "rules", [rules_of(), rules_of(bybit(5e-4)), rules_of(okx(5e-4)), rules_of(bybit_entry_valued(5e-4))]
)
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("quantity", [0.1, 0.83, 0.84, 4.5])
def test_the_wallet_of_a_ratio_band_has_that_ratio(rules: MarginRules, side: int, quantity: float) -> None:
    held = position_of(side, quantity, wallet=6_000.0 * quantity)
    view = view_of(held, mark=60_200.0, rules=rules)
    wallet = wallet_for_distance(held, view.mark, target("margin_ratio_band", view), rules)
    ratio = margin_ratio(held._replace(isolated_wallet=wallet), view.mark, rules)
    assert ratio == pytest.approx(0.05, abs=1e-4)


def test_the_ratio_band_of_an_inverse_contract_has_that_ratio() -> None:
    rules = rules_of(tick_size=0.0)._replace(is_inverse=True)
    held = position_of(quantity=6_000.0, wallet=0.012)
    away = target("margin_ratio_band", view_of(held, rules=rules))
    liquidation = 60_000.0 * (1.0 - away)
    wallet = wallet_for_distance(held, 60_000.0, away, rules)
    moved = held._replace(isolated_wallet=wallet)
    assert liquidation_price(moved, rules) == pytest.approx(liquidation)
    assert margin_ratio(moved, 60_000.0, rules) == pytest.approx(0.05, rel=1e-6)


def test_the_distance_band_speaks_percent_atrs_and_entry_distances() -> None:
    view = view_of(mark=50_000.0)._replace(atr=500.0)
    assert target("distance_band", view) == view.entry_distance
    assert target("distance_band", view, DistanceBandParams(target_atrs=9.0)) == pytest.approx(0.09)
    assert target("distance_band", view, DistanceBandParams(target_distance=0.07)) == 0.07
    unknown = view_of()
    assert math.isnan(target("distance_band", unknown, DistanceBandParams(target_atrs=9.0)))


def test_the_volatility_band_asks_the_estimator_it_is_told_to() -> None:
    view = view_of(sigma=0.02)._replace(sigma_parkinson=0.03, sigma_yang_zhang=0.04)
    assert target("volatility", view) == pytest.approx(4.2 * 0.02)
    assert target("volatility", view, VolatilityParams(estimator=PARKINSON)) == pytest.approx(4.2 * 0.03)
    assert target("volatility", view, VolatilityParams(estimator=YANG_ZHANG)) == pytest.approx(4.2 * 0.04)
    assert math.isnan(target("volatility", view_of(), VolatilityParams(estimator=PARKINSON)))


def allowed(view: MarginView, **params: Any) -> Permissions:
    return POLICIES["trend_regime"].permissions(view, TrendRegimeParams(**params))


def test_a_favourable_trend_strengthens_up_to_three_quarters() -> None:
    view = view_of()._replace(regime=CALM_FAVOURABLE, trend_score=1.25)
    base = view.entry_distance
    assert target("trend_regime", view) == pytest.approx(base * 1.375)
    assert target("trend_regime", view._replace(trend_score=9.0)) == pytest.approx(base * 1.75)
    assert target("trend_regime", view._replace(trend_score=-1.0)) == base
    assert target("trend_regime", view._replace(regime=NEUTRAL)) == base
    assert target("trend_regime", view, TrendRegimeParams(adds=0)) == base
    short = view_of(position_of(side=-1))._replace(regime=CALM_FAVOURABLE, trend_score=-1.25)
    assert target("trend_regime", short) == pytest.approx(short.entry_distance * 1.375)


def test_each_regime_allows_what_the_study_says() -> None:
    view = view_of()
    assert allowed(view._replace(regime=CALM_FAVOURABLE)) == Permissions(True, False)
    assert allowed(view) == Permissions(False, True)
    assert allowed(view._replace(regime=VOLATILE)) == Permissions(False, False, 0.5)
    adverse = allowed(view._replace(regime=ADVERSE))
    assert (adverse.allow_add, adverse.allow_release, adverse.cut_fraction) == (False, True, 0.0)
    assert adverse.derisk_below == pytest.approx(0.75 * (1.0 - math.exp(-4.1855 * 0.03)), rel=1e-4)


def test_adds_and_cut_are_switched_separately() -> None:
    calm, wild = (view_of()._replace(regime=regime) for regime in (CALM_FAVOURABLE, VOLATILE))
    assert allowed(calm, adds=0) == Permissions(False, True)
    assert allowed(wild, adds=0).cut_fraction == 0.5
    assert allowed(calm, cut_fraction=0.0).allow_add
    assert allowed(wild, cut_fraction=0.0).cut_fraction == 0.0


def test_a_cut_waits_twelve_hours_and_is_counted() -> None:
    wild = view_of()._replace(regime=VOLATILE, cuts=1)
    assert allowed(wild._replace(last_cut_ms=wild.ts_ms - HOURS_12_MS + 1)).cut_fraction == 0.0
    assert allowed(wild._replace(last_cut_ms=wild.ts_ms - HOURS_12_MS)).cut_fraction == 0.5
    assert allowed(wild._replace(cuts=2)).cut_fraction == 0.0


def decide(view: MarginView, permissions: Permissions = UNRESTRICTED, **limits: Any) -> MarginDecision:
    band = POLICIES["volatility"].band(view, POLICIES["volatility"].default)
    return decide_margin(view, band, book_of(), MarginLimits(**limits), permissions)


LOW = view_of(mark=58_000.0)
HIGH = view_of(position_of(wallet=1_500.0, leverage=50.0), mark=62_000.0)


def test_what_is_not_allowed_is_not_done_and_says_so() -> None:
    assert decide(LOW, Permissions(allow_add=False)).reason == "add_not_allowed"
    assert decide(HIGH).action == "release"
    assert decide(HIGH, Permissions(allow_release=False)).reason == "release_not_allowed"
    assert decide(HIGH, allow_release=0).reason == "release_not_allowed"
    assert decide(LOW, Permissions(allow_release=False)).action == "add"


def test_nothing_is_released_in_high_volatility() -> None:
    wild = HIGH._replace(is_high_volatility=True)
    assert (decide(wild).action, decide(wild).reason) == ("hold", "high_volatility")
    assert decide(LOW._replace(is_high_volatility=True)).action == "add"


def test_an_adverse_trend_near_liquidation_wants_the_derisk_ladder() -> None:
    near = decide(LOW, Permissions(derisk_below=0.09))
    assert (near.action, near.reason, near.wants_derisk) == ("hold", "adverse_trend", True)
    assert decide(LOW, Permissions(derisk_below=0.05)).action == "add"


@pytest.mark.parametrize(
    ("limits", "reason", "wants"),
    [
        ({"max_adds": 0}, "max_adds", True),
        ({"max_added_fraction": 0.0}, "max_added", True),
        ({"max_added_fraction": 0.2}, "cannot_reach_band", True),
        ({"position_cap_fraction": 0.01}, "position_cap", True),
        ({"reserve_fraction": 0.95}, "reserve", True),
        ({"min_step_quote": 1e5}, "below_minimum_step", False),
    ],
)
def test_the_derisk_ladder_is_wanted_where_margin_is_short(
    limits: dict[str, Any], reason: str, wants: bool
) -> None:
    decision = decide(LOW, **limits)
    assert (decision.reason, decision.wants_derisk) == (reason, wants)
    assert decision.facts["wants_derisk"] is wants


def test_the_volatility_cut_of_the_limits_works_with_any_policy() -> None:
    wild = LOW._replace(is_high_volatility=True)
    assert decide(wild).cut_fraction == 0.0
    cut = decide(wild, volatile_cut_fraction=0.5)
    assert (cut.action, cut.cut_fraction, cut.facts["cut_fraction"]) == ("add", 0.5, 0.5)
    assert decide(LOW, volatile_cut_fraction=0.5).cut_fraction == 0.0
    once = wild._replace(cuts=1, last_cut_ms=5)
    assert decide(once, volatile_cut_fraction=0.5).cut_fraction == 0.0
    assert decide(once, volatile_cut_fraction=0.5, max_volatile_cuts=2).cut_fraction == 0.5
    assert decide(wild, Permissions(cut_fraction=0.7), volatile_cut_fraction=0.5).cut_fraction == 0.7
    assert decide(wild._replace(mark_age_ms=10**6), volatile_cut_fraction=0.5).cut_fraction == 0.0


def exchange(view: MarginView, free: float) -> MarginDecision:
    risk = RiskManager(
        "exchange_auto_add",
        POLICIES["exchange_auto_add"].default,
        EXCHANGE_LIMITS,
        EntryLimits(),
        BracketLimits(),
    )
    return risk.decide_margin(view, book_of(free=free, agreed=1e9, equity=free + 600.0))


def test_the_exchanges_switch_adds_one_initial_margin_near_liquidation_and_never_releases() -> None:
    assert exchange(view_of(mark=56_000.0), 5_000.0).reason == "in_band"
    near = exchange(view_of(mark=55_000.0), 5_000.0)
    assert near.action == "add"
    assert near.amount_quote == pytest.approx(600.0, abs=0.01)
    assert exchange(view_of(position_of(wallet=5_000.0, leverage=50.0)), 5_000.0).reason == "in_band"


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("wallet", [250.0, 600.0, 5_700.0, 6_500.0])
def test_the_policy_and_the_switch_take_the_same_step(side: int, wallet: float) -> None:
    position = position_of(side, wallet=wallet)
    step = one_step(position, 1.0, RULES)
    assert step == max(min(600.0, 6_000.0 - wallet), 0.0)
    touch = liquidation_price(position, RULES)
    at_venue = added_by_exchange(position, touch, 1e9, RULES) if 0.0 < touch < 1e6 else step
    near = exchange(view_of(position, mark=max(touch, 1.0) * (1.0 + 0.001 * side)), 1e6)
    moved = near.amount_quote if near.action == "add" else 0.0
    assert moved == pytest.approx(step, rel=2e-3, abs=0.02)  # no long is held nearer to price 0 than 0.1 %
    assert at_venue == pytest.approx(step)


def test_the_exchanges_switch_spends_the_last_money_though_it_cannot_reach_its_band() -> None:
    near = view_of(mark=54_300.0)
    decision = exchange(near, 20.0)
    assert (decision.action, decision.amount_quote) == ("add", 20.0)
    assert exchange(near, 0.0).wants_derisk


def test_the_exchanges_switch_stops_at_one_times_leverage() -> None:
    spread = view_of(position_of(wallet=3_000.0, leverage=1.0), mark=31_000.0)
    assert target("exchange_auto_add", spread) == 1.0
