"""The de-risk ladder: the study's example, what forbids an add, when cutting is over, the venue's minimum."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.margin import wallet_for_distance
from bot.risk.derisk import (
    CLOSE,
    HOLD,
    DeriskCase,
    DeriskLimits,
    GapRisk,
    derisk,
    derisk_costs,
    judge_derisk,
)
from bot.risk.view import MarginView
from tests.property.risk.worlds import INSTRUMENT, RULES, number, position_of, view_of

MARK = 60_000.0
QUANTITY = 5_000.0 / MARK
LIMITS = DeriskLimits()
CASE = DeriskCase(376.0, 0.01, 0.0007, 0.0, 0.0, 3, True, 0, QUANTITY)
FINE = INSTRUMENT._replace(quantity_step=1e-6, min_quantity=1e-6)


def at_distance(away: float, side: int = 1, sigma: float = 0.03) -> MarginView:
    """A position of 5,000 whose liquidation lies `away` from its mark."""
    empty = position_of(side, QUANTITY, MARK, 0.0, 10.0)
    held = empty._replace(isolated_wallet=wallet_for_distance(empty, MARK, away, RULES))
    return view_of(held, MARK, sigma=sigma)


VIEW = at_distance(0.05)


def test_the_example_of_the_study() -> None:
    decision = derisk(VIEW, CASE, FINE, LIMITS)
    costs = {name: cost for name, cost in decision.facts.items() if name.startswith("cost_")}
    assert costs == pytest.approx(
        {
            "cost_hold": 7.0,
            "cost_add": 2.0,
            "cost_cut_quarter": 3.4,
            "cost_cut_half": 2.2,
            "cost_cut_three_quarters": 2.6,
            "cost_close": 3.5,
        },
        abs=0.05,
    )
    assert (decision.move, decision.reason, decision.add_refusal) == ("add", "cheapest", "admissible")
    assert (decision.add_quote, decision.reduce_quantity) == (376.0, 0.0)
    assert decision.target_wallet_quote == VIEW.position.isolated_wallet + 376.0


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"does_reenter": False}, "reentry_test_failed"),
        ({"trend": -0.651}, "adverse_trend"),
        ({"trend": math.nan}, "adverse_trend"),
        ({"adds_left": 0}, "adds_used_up"),
        ({"add_quote": 0.0}, "nothing_to_add"),
    ],
)
def test_without_an_admissible_add_the_example_cuts_half(changed: dict[str, Any], why: str) -> None:
    decision = derisk(VIEW, CASE._replace(**changed), FINE, LIMITS)
    assert (decision.move, decision.add_refusal) == ("cut", why)
    assert decision.facts["cost_add"] == math.inf
    assert decision.reduce_quantity == pytest.approx(QUANTITY / 2, abs=1e-6)
    assert decision.reduce_quantity <= QUANTITY / 2
    assert decision.add_quote == 0.0
    fee = 0.0007 * 5_000.0 * decision.reduce_quantity / QUANTITY
    assert decision.target_wallet_quote == pytest.approx(VIEW.position.isolated_wallet - fee)


def test_a_trend_at_the_threshold_still_admits_an_add() -> None:
    assert derisk(VIEW, CASE._replace(trend=-0.65), FINE, LIMITS).move == "add"


def test_a_distant_liquidation_is_held() -> None:
    decision = derisk(at_distance(0.5), CASE, FINE, LIMITS)
    assert (decision.move, decision.reduce_quantity, decision.add_quote) == ("hold", 0.0, 0.0)


def test_a_nearly_lost_position_without_an_add_is_closed_when_leaving_is_cheap() -> None:
    case = CASE._replace(add_quote=0.0, exit_rate=0.0)
    decision = derisk(at_distance(0.001), case, FINE, LIMITS)
    assert (decision.move, decision.reduce_quantity) == ("close", QUANTITY)
    assert decision.target_wallet_quote == 0.0


@pytest.mark.parametrize(
    ("away", "exit_rate", "share"), [(0.065, 0.0012, 0.25), (0.05, 0.0007, 0.5), (0.05, 0.0003, 0.75)]
)
def test_every_cut_can_be_the_cheapest(away: float, exit_rate: float, share: float) -> None:
    """The cheaper the exit, the more is cut."""
    decision = derisk(at_distance(away), CASE._replace(add_quote=0.0, exit_rate=exit_rate), FINE, LIMITS)
    assert decision.facts["share"] == pytest.approx(share, abs=1e-4)


def test_a_tie_goes_to_the_smaller_exposure() -> None:
    """Nothing costs anything: holding and closing are worth the same."""
    case = CASE._replace(add_quote=0.0, exit_rate=0.0, liquidation_cost_rate=0.0)
    verdict = judge_derisk(VIEW, case, LIMITS)
    assert verdict.costs.hold == verdict.costs.close == 0.0
    assert verdict.move == CLOSE


def test_after_two_cuts_only_the_close_is_left() -> None:
    decision = derisk(VIEW, CASE._replace(cuts_made=2), FINE, LIMITS)
    assert (decision.move, decision.reason, decision.reduce_quantity) == ("close", "cuts_used_up", QUANTITY)


@pytest.mark.parametrize(("share", "move"), [(0.299, "close"), (0.301, "add")])
def test_below_thirty_percent_of_the_original_size_the_rest_is_closed(share: float, move: str) -> None:
    decision = derisk(VIEW, CASE._replace(original_quantity=QUANTITY / share), FINE, LIMITS)
    assert decision.move == move
    assert (decision.reason == "below_share_of_original") == (move == "close")
    assert decision.facts["share_of_original"] == pytest.approx(share)


@pytest.mark.parametrize(
    "instrument",
    [
        FINE._replace(min_notional_quote=2_600.0),
        FINE._replace(min_quantity=0.05),
        FINE._replace(quantity_step=0.08),
    ],
)
def test_a_cut_the_venue_would_refuse_closes_instead(instrument: Any) -> None:
    decision = derisk(VIEW, CASE._replace(does_reenter=False), instrument, LIMITS)
    assert (decision.move, decision.reason) == ("close", "below_venue_minimum")
    assert decision.reduce_quantity == QUANTITY


def test_the_minimum_of_an_inverse_contract_is_one_of_its_coin() -> None:
    rules = RULES._replace(is_inverse=True)
    empty = position_of(1, 5_000.0, MARK, 0.0, 10.0)
    held = empty._replace(isolated_wallet=wallet_for_distance(empty, MARK, 0.05, rules))
    view = view_of(held, MARK, sigma=0.03)._replace(rules=rules)
    case = CASE._replace(does_reenter=False, original_quantity=5_000.0, add_quote=0.0)
    moves = [
        derisk(view, case, FINE._replace(is_inverse=True, min_notional_quote=least), LIMITS).move
        for least in (0.04, 0.05)  # half of it is worth 0.0417 of the coin
    ]
    assert moves == ["cut", "close"]


def test_an_edge_makes_leaving_dearer() -> None:
    case = CASE._replace(does_reenter=False)
    plain, hopeful = (
        derisk_costs(VIEW, held, LIMITS, False) for held in (case, case._replace(edge_day=0.001))
    )
    assert hopeful.close == pytest.approx(plain.close + 5.0)
    assert hopeful.cut_quarter == pytest.approx(plain.cut_quarter + 1.25)
    assert hopeful.hold == plain.hold


def test_frequent_gaps_make_an_add_dearer_and_are_at_most_certain() -> None:
    often = LIMITS._replace(gap=GapRisk(1e9, 0.012, 0.024))
    costs = derisk_costs(VIEW, CASE, often, True)
    assert 376.0 < costs.add < 378.0


@pytest.mark.parametrize(
    ("view", "case", "words"),
    [
        (VIEW._replace(mark=math.nan), CASE, "mark is nan"),
        (VIEW._replace(sigma_day=0.0), CASE, "sigma_day is 0.0"),
        (VIEW, CASE._replace(original_quantity=0.0), "original_quantity is 0.0"),
        (VIEW, CASE._replace(add_quote=math.nan), "add_quote is nan"),
        (VIEW, CASE._replace(edge_day=-0.1), "edge_day is -0.1"),
        (VIEW._replace(mark=50_000.0), CASE, "past its liquidation price"),
    ],
)
def test_numbers_that_cannot_be_weighed_are_named(view: Any, case: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        derisk(view, case, FINE, LIMITS)


@given(
    st.sampled_from([1, -1]), number(0.001, 0.5), number(0.005, 0.2), number(0.0, 0.05), number(0.0, 0.01),
    st.booleans(), st.integers(0, 2), number(-1.0, 1.0),
)  # fmt: skip
def test_the_choice_is_never_dearer_than_an_alternative(
    side: int, away: float, sigma: float, cost: float, fee: float, again: bool, cuts: int, trend: float
) -> None:
    view = at_distance(away, side, sigma)
    case = CASE._replace(
        liquidation_cost_rate=cost, exit_rate=fee, does_reenter=again, cuts_made=cuts, trend=trend
    )
    decision = derisk(view, case, FINE, LIMITS)
    verdict = judge_derisk(view, case, LIMITS)
    assert 0.0 <= decision.reduce_quantity <= view.position.quantity
    assert (decision.add_quote > 0.0) == (decision.move == "add")
    if decision.move == "add":
        assert again
        assert trend >= -0.65
    if decision.reason == "cheapest":
        taken = {"hold": "hold", "add": "add", "close": "close"}.get(decision.move)
        chosen = decision.facts[f"cost_{taken}"] if taken else min(verdict.costs[2:5])
        assert isinstance(chosen, float)
        assert chosen <= min(verdict.costs) * (1.0 + 1e-8) + 1e-15
    assert verdict.move >= HOLD
