"""What guides promise, measured: which way counts as holding, and what a stop changes."""

import numpy as np
import pytest

from bot.backtest.claims import MARGIN_HOURS, RESULT, WORST, Claim, claim_result
from bot.backtest.compare import STUDY_LIMITS, compare
from bot.backtest.trade_walk import Walked
from bot.backtest.ways import BRACKETED, CLAIMS, CROSS, STATIC, TWICE, UNBRACKETED, Plan, claim_ways
from bot.risk.policies import DEFAULT_POLICY, POLICIES
from tests.unit.backtest.recorded_markets import HOUR_MS, history

DEFAULT = {DEFAULT_POLICY: POLICIES[DEFAULT_POLICY].default}
WEEKS = np.repeat(np.arange(20), 50)
HOURS = np.full(1_000, 0.25)


def _walked(pnl: np.ndarray, margin_bars: float = 1_000.0) -> np.ndarray:
    rows = np.zeros((1_000, len(Walked._fields)))
    rows[:, Walked._fields.index("pnl")] = pnl
    rows[:, Walked._fields.index("margin_bars")] = margin_bars
    return rows


NOISE = np.random.default_rng(7).normal(0.0, 100.0, 1_000)
WALKED = {
    "plain": _walked(NOISE),
    "dearer": _walked(NOISE - 5.0, 4_000.0),
    "shuffled": _walked(np.random.default_rng(8).permutation(NOISE)),
    "bounded": _walked(np.maximum(NOISE, -120.0)),
}


@pytest.mark.parametrize(
    ("measure", "sign", "ours", "against", "difference", "holds"),
    [
        (RESULT, 1, "plain", "dearer", 5.0, True),
        (RESULT, -1, "plain", "dearer", 5.0, False),
        (MARGIN_HOURS, -1, "plain", "dearer", -750.0, True),
        (MARGIN_HOURS, 1, "plain", "dearer", -750.0, False),
    ],
)
def test_a_claim_holds_where_the_difference_has_the_promised_sign(
    measure: str, sign: int, ours: str, against: str, difference: float, holds: bool
) -> None:
    found = claim_result(Claim("told", measure, sign, ours, against), WALKED, WEEKS, HOURS)
    assert found.difference.mean == pytest.approx(difference)
    assert found.difference.is_distinguishable
    assert found.holds is holds


def test_the_worst_trades_are_told_apart_and_chance_is_not() -> None:
    bounded = claim_result(Claim("told", WORST, 1, "bounded", "plain"), WALKED, WEEKS, HOURS)
    assert bounded.holds
    assert bounded.value == -120.0
    shuffled = claim_result(Claim("told", WORST, 1, "shuffled", "plain"), WALKED, WEEKS, HOURS)
    assert not shuffled.holds
    assert not shuffled.difference.is_distinguishable


def test_every_claim_is_measured_on_ways_that_are_walked() -> None:
    market = history(days=8, wildness=3.0)
    plan = Plan(stop_fraction=0.0, target_fraction=0.0, horizon_ms=48 * HOUR_MS)
    found = compare([market], plan, DEFAULT, STUDY_LIMITS, lambda _: None)
    assert [claim.text for claim in found.claims] == [claim.text for claim in CLAIMS]
    by_ways = {(claim.ours, claim.against): claim for claim in found.claims}
    assert (
        by_ways[STATIC, CROSS].against_value > by_ways[STATIC, CROSS].value
    )  # margin-hours, the last of them


def test_claims_need_the_policies_they_are_about() -> None:
    plan = Plan(stop_fraction=0.0, target_fraction=0.0, horizon_ms=48 * HOUR_MS)
    found = compare([history(days=8)], plan, {}, STUDY_LIMITS, lambda _: None)
    assert DEFAULT_POLICY not in {claim.ours for claim in found.claims}


@pytest.mark.parametrize(("stop", "bracketed"), [(0.0, (0.03, 0.06)), (0.02, (0.02, 0.04))])
def test_a_stop_is_measured_against_none_whichever_the_plan_has(
    stop: float, bracketed: tuple[float, float]
) -> None:
    ways = {way.name: way.terms for way in claim_ways(Plan(stop_fraction=stop, target_fraction=2.0 * stop))}
    assert (ways[BRACKETED].stop_fraction, ways[BRACKETED].target_fraction) == bracketed
    assert (ways[UNBRACKETED].stop_fraction, ways[UNBRACKETED].target_fraction) == (0.0, 0.0)


def test_twice_the_leverage_is_half_the_margin_for_the_same_notional() -> None:
    plan = Plan(leverage=20.0)
    twice = {way.name: way.terms for way in claim_ways(plan)}[TWICE]
    assert (twice.margin_quote, twice.notional_quote, twice.leverage) == (125.0, 5_000.0, 40.0)
