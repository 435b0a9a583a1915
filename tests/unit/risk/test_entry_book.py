"""Entries against the whole book, the claimed hit rate and entries in flight."""

import math
from typing import Any

import pytest

from bot.core.margin import liquidation_price
from bot.core.probability import liquidation_probability, log_distance
from bot.core.signal import Signal
from bot.risk.entry_facts import Market
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.odds import entry_odds
from bot.risk.pretrade import evaluate_entry
from bot.risk.sizing import EntryOrder, margin_without_stop
from bot.risk.stress import Exposure
from bot.risk.view import EntryPlan, EntryRefusal, Portfolio
from tests.property.risk.worlds import INSTRUMENT, RULES, SYMBOL, portfolio_of, position_of

ETH = position_of(quantity=2.0, entry=3_000.0, wallet=600.0)._replace(symbol="ETH")


def ask(
    portfolio: Portfolio, stop: float = 0.03, strength: float = 1.0, **limits: Any
) -> EntryPlan | EntryRefusal:
    market = Market(INSTRUMENT, RULES, 60_000.0, 0.03, 0.0001)
    signal = Signal(SYMBOL, 0, True, False, 1, strength, stop)
    return evaluate_entry(signal, market, portfolio, EntryLimits(**limits), BracketLimits(), MarginLimits())


def approved(portfolio: Portfolio, **limits: Any) -> EntryPlan:
    answer = ask(portfolio, **limits)
    assert isinstance(answer, EntryPlan), answer
    return answer


def refused(portfolio: Portfolio, **limits: Any) -> EntryRefusal:
    answer = ask(portfolio, **limits)
    assert isinstance(answer, EntryRefusal), answer
    return answer


def test_entries_in_flight_count_as_positions() -> None:
    world = portfolio_of(positions=(ETH,))._replace(in_flight_count=2)
    assert isinstance(ask(world, max_positions=4), EntryPlan)
    (check,) = refused(world, max_positions=3).checks
    assert check == "1 positions are open and 2 entries are in flight (at most 3)"


def test_an_entry_within_the_caps_keeps_its_size() -> None:
    plan = approved(portfolio_of())
    assert (plan.facts["size_fraction"], plan.facts["size_limited_by"]) == (1.0, "")


def test_an_entry_beyond_the_correlated_risk_is_made_smaller() -> None:
    held = portfolio_of(positions=(ETH,))
    whole = approved(portfolio_of())
    plan = approved(held, risk_cap_fraction=0.10)
    assert plan.facts["size_limited_by"] == "correlated_risk"
    assert 0.0 < plan.quantity < whole.quantity
    assert plan.loss_at_stop_quote < whole.loss_at_stop_quote
    value = plan.quantity * plan.entry_price + 6_000.0
    assert 0.99 * 1_000.0 < 4.19 * 0.03 * value <= 1_000.0
    assert sum(rung.quantity for rung in plan.take_profits) == pytest.approx(plan.quantity)


def test_an_entry_beyond_the_cascade_is_made_smaller() -> None:
    plan = approved(portfolio_of(positions=(ETH,)), cascade_cap_fraction=0.07)
    assert plan.facts["size_limited_by"] == "cascade"
    assert 600.0 + plan.required_margin_quote <= 700.0 * (1.0 + 1e-9)


def test_a_book_at_its_cap_takes_nothing_and_says_which() -> None:
    answer = refused(portfolio_of(positions=(ETH,)), cascade_cap_fraction=0.06)
    assert any(
        "the cascade of the book, 600.00 already (at most 600.00), leaves 0.0% of the size" in text
        for text in answer.checks
    )


def test_an_entry_that_a_cap_makes_tiny_is_refused_with_both_sizes() -> None:
    held = portfolio_of(positions=(ETH,))
    whole = approved(portfolio_of())
    plan = approved(held, cascade_cap_fraction=0.07, min_share_of_wanted=0.0)
    share = plan.quantity / whole.quantity
    assert plan.facts["wanted_quantity"] == whole.quantity
    assert plan.facts["share_of_wanted"] == share
    assert approved(held, cascade_cap_fraction=0.07, min_share_of_wanted=share).quantity == plan.quantity
    answer = refused(held, cascade_cap_fraction=0.07, min_share_of_wanted=share + 0.01)
    (check,) = answer.checks
    assert check == (
        "the cascade of the book, 600.00 already (at most 700.00), leaves "
        f"{plan.quantity:.8g} of the {whole.quantity:.8g} that the risk would buy: {share:.1%}, "
        f"below the minimum {share + 0.01:.1%} (entry.min_share_of_wanted)"
    )
    assert answer.facts["share_of_wanted"] == share


def test_an_entry_that_no_cap_makes_smaller_is_its_whole_size() -> None:
    plan = approved(portfolio_of(), min_share_of_wanted=1.0)
    assert (plan.facts["share_of_wanted"], plan.facts["size_fraction"]) == (1.0, 1.0)


@pytest.mark.parametrize("sigma", [0.0, math.nan, -1.0, math.inf])
def test_a_leg_whose_volatility_is_not_known_is_not_counted_as_riskless(sigma: float) -> None:
    unknown = Exposure("ETH", 1, 6_000.0, 600.0, sigma)
    answer = refused(portfolio_of(positions=(ETH,))._replace(exposures=(unknown,)))
    (check,) = answer.checks
    assert "the daily volatility of ETH, which is held, is" in check


@pytest.mark.parametrize("field", ["notional_quote", "margin_quote"])
def test_a_leg_whose_size_is_not_known_refuses(field: str) -> None:
    unknown = Exposure("ETH", 1, 6_000.0, 600.0, 0.03)._replace(**{field: math.nan})
    answer = refused(portfolio_of(positions=(ETH,))._replace(exposures=(unknown,)))
    assert any("ETH, which is held, has the notional" in check for check in answer.checks)


@pytest.mark.parametrize(
    ("strength", "words"),
    [
        (0.69, "the signal's strength 0.690 is below the minimum 0.7 (entry.min_strength)"),
        (0.0, "the strategy gives this signal no strength; entry.min_strength asks for at least 0.7"),
        (math.nan, "the strategy gives this signal no strength; entry.min_strength asks for at least 0.7"),
    ],
)
def test_a_signal_that_is_too_weak_or_names_no_strength_is_refused(strength: float, words: str) -> None:
    assert refused(portfolio_of(), strength=strength, min_strength=0.7).checks == (words,)
    assert approved(portfolio_of(), strength=strength).quantity > 0.0


def test_a_signal_as_strong_as_asked_is_taken_and_its_strength_is_kept() -> None:
    assert approved(portfolio_of(), strength=0.7, min_strength=0.7).facts["strength"] == 0.7


def test_a_weak_signal_is_named_also_where_nothing_can_be_sized() -> None:
    answer = refused(portfolio_of(1.0, 1.0), strength=0.1, min_strength=0.7)
    assert len(answer.checks) == 2
    assert "strength 0.100 is below" in answer.checks[1]
    assert answer.facts["equity"] == 1.0
    assert answer.facts["strength"] == 0.1


def test_the_facts_hold_all_that_the_study_reports_of_an_entry() -> None:
    plan = approved(portfolio_of(positions=(ETH,)))
    facts: dict[str, Any] = dict(plan.facts)
    gap = (plan.stop_price - plan.liquidation_price) / plan.stop_price
    assert facts["liquidation_gap"] == pytest.approx(gap)
    assert facts["liquidation_gap_sigmas"] == pytest.approx(gap / 0.03)
    value = plan.quantity * 60_000.0
    assert facts["next_funding"] == pytest.approx(0.0001 * value)
    assert facts["funding_share"] == pytest.approx(0.0001 * value / plan.loss_at_stop_quote)
    assert facts["book_margin"] == pytest.approx(600.0 + plan.required_margin_quote)
    assert facts["correlated_risk"] == pytest.approx(4.19 * 0.03 * (6_000.0 + value))
    assert facts["cascade"] == pytest.approx(600.0 + plan.required_margin_quote)
    limits = [facts[f"{name}_limit"] for name in ("book_margin", "correlated_risk", "cascade")]
    assert limits == [6_000.0, 2_500.0, 5_000.0]
    assert 0.0 < facts["target_first"] < facts["breakeven_hit_rate"] < facts["stop_first"] < 1.0
    reported = {"required_margin", "maintenance_margin", "tier", "liquidation_price", "loss_at_stop"}
    assert reported | {"worst_case_loss", "liquidation_probability_24h", "r_multiple"} <= set(facts)


def test_named_exposures_replace_the_position_at_entry() -> None:
    calm = Exposure("ETH", 1, 6_000.0, 600.0, 0.001)
    world = portfolio_of(positions=(ETH,))._replace(exposures=(calm,))
    assert approved(world, risk_cap_fraction=0.10).quantity > 0.0
    assert approved(world, cascade_cap_fraction=0.06).facts["size_limited_by"] == ""


@pytest.mark.parametrize(("claimed", "is_refused"), [(0.0, False), (0.30, True), (0.60, False)])
def test_only_a_claim_below_break_even_refuses(claimed: float, is_refused: bool) -> None:
    answer = ask(portfolio_of(), claimed_hit_rate=claimed)
    assert isinstance(answer, EntryRefusal) == is_refused
    needed = answer.facts["breakeven_hit_rate"]
    assert isinstance(needed, float)
    assert 0.31 < needed < 0.36
    if isinstance(answer, EntryRefusal):
        (check,) = answer.checks
        assert f"the trade breaks even at a hit rate of {needed:.1%}, above the claimed 30.0%" in check


ORDER = EntryOrder(1, 100.0, 97.0, 106.0, 0.0005, 0.0005)


def test_a_walk_that_has_time_decides_by_distance_alone() -> None:
    odds = entry_odds(ORDER, 0.03, 10_000.0)
    adverse, favourable = log_distance(100.0, 97.0), log_distance(100.0, 106.0)
    assert odds.stop_first == pytest.approx(favourable / (adverse + favourable))
    assert odds.stop_first + odds.target_first == pytest.approx(1.0)
    loss, gain = 0.03 + 0.0005 * 0.97 + 0.0005 * 1.97, 0.06 - 0.0005 * 2.06
    assert odds.breakeven_hit_rate == pytest.approx(loss / (loss + gain))


def test_trades_that_time_out_must_be_paid_by_the_others() -> None:
    patient, hasty = entry_odds(ORDER, 0.03, 10_000.0), entry_odds(ORDER, 0.03, 0.25)
    assert hasty.stop_first + hasty.target_first < 1.0
    assert hasty.breakeven_hit_rate > patient.breakeven_hit_rate


@pytest.mark.parametrize(("order", "sigma"), [(ORDER, 1e-6), (ORDER._replace(target_price=90.0), 0.03)])
def test_no_hit_rate_is_enough_when_nothing_is_reached_or_nothing_is_gained(
    order: EntryOrder, sigma: float
) -> None:
    assert entry_odds(order, sigma, 1.0).breakeven_hit_rate == 1.0


@pytest.mark.parametrize("side", [1, -1])
def test_a_position_without_a_stop_holds_what_its_volatility_asks(side: int) -> None:
    held = position_of(side, leverage=100.0)
    margin = margin_without_stop(held, 60_000.0, 0.03, 0.01, 1.0, RULES)
    liquidation = liquidation_price(held._replace(isolated_wallet=margin), RULES)
    assert liquidation_probability(60_000.0, liquidation, 0.03, 1.0) == pytest.approx(0.01)
    assert margin_without_stop(held._replace(leverage=1.0), 60_000.0, 0.03, 0.01, 1.0, RULES) == 6_000.0
    assert not math.isnan(margin)
