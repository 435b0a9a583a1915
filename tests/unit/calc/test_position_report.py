"""The numbers of one position agree with each other and with paper."""

import math

import pytest

from bot.calc.position import new_position, position_report, quantity_for_margin
from bot.calc.scenario import shocked_position
from bot.core.probability import first_passage_student, log_distance
from bot.core.profile import BINANCE_COINM, BINANCE_USDM, MarginRules, bybit_entry_valued
from bot.core.tiers import LeverageTier, tiers_from_rows

TIERS = tiers_from_rows(
    [LeverageTier(0.0, 50_000.0, 0.004, 0.0, 125.0), LeverageTier(50_000.0, 1e6, 0.005, 50.0, 100.0)]
)
RULES = MarginRules(TIERS, BINANCE_USDM, False, 0.1)
QUANTITY = quantity_for_margin(500.0, 10.0, 60_000.0, is_inverse=False)
POSITION = new_position("BTC", 1, quantity=QUANTITY, entry_price=60_000.0, leverage=10.0, rules=RULES)


def test_the_articles_first_scenario() -> None:
    report = position_report(POSITION, 57_000.0, RULES)
    assert report.required_margin == pytest.approx(500.0)
    assert report.notional == pytest.approx(4_750.0)
    assert report.unrealised_pnl == pytest.approx(-250.0)
    assert report.equity == pytest.approx(250.0)
    assert report.maintenance_margin == pytest.approx(19.0)
    assert (report.tier, report.maintenance_margin_rate) == (1, 0.004)
    assert report.margin_ratio == pytest.approx(0.076)
    assert report.liquidation_price == pytest.approx(54_216.8674699)
    assert report.bankruptcy_price == pytest.approx(54_000.0)
    assert report.liquidation_distance == pytest.approx(0.0488, abs=5e-5)
    assert report.effective_leverage == pytest.approx(19.0)
    assert report.removable_margin == 0.0
    assert report.loss_if_liquidated == pytest.approx(500.0)
    assert report.liquidation_probability_1h is None
    assert report.liquidation_probability_24h is None


def test_probabilities_are_the_first_passages_of_their_horizons() -> None:
    report = position_report(POSITION, 60_000.0, RULES, sigma_day=0.03)
    away = log_distance(60_000.0, report.liquidation_price)
    assert report.liquidation_probability_24h == first_passage_student(away, 0.03)
    assert report.liquidation_probability_1h == first_passage_student(away, 0.03 * math.sqrt(1.0 / 24.0))


def test_a_mark_beyond_liquidation_is_certain_and_one_that_never_comes_is_impossible() -> None:
    assert position_report(POSITION, 54_000.0, RULES, 0.03).liquidation_probability_1h == 1.0
    paid = new_position("BTC", 1, quantity=0.1, entry_price=60_000.0, leverage=1.0, rules=RULES)
    assert position_report(paid, 50_000.0, RULES, 0.03).liquidation_probability_24h == 0.0


def test_the_tier_is_of_the_entry_where_the_venue_values_at_entry() -> None:
    rules = MarginRules(TIERS, bybit_entry_valued(0.0), False, 0.1)
    position = new_position("BTC", -1, quantity=1.0, entry_price=49_000.0, leverage=10.0, rules=rules)
    assert position_report(position, 51_000.0, rules).tier == 1
    assert position_report(position, 51_000.0, RULES).tier == 2


def test_an_inverse_margin_buys_dollars_of_contracts() -> None:
    assert quantity_for_margin(0.1, 10.0, 60_000.0, is_inverse=True) == pytest.approx(60_000.0)
    rules = MarginRules(TIERS, BINANCE_COINM, True, 0.1)
    position = new_position("BTC", 1, quantity=60_000.0, entry_price=60_000.0, leverage=10.0, rules=rules)
    assert position.isolated_wallet == pytest.approx(0.1)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_impossible_numbers_are_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match="quantity is"):
        new_position("X", 1, quantity=value, entry_price=1.0, leverage=1.0, rules=RULES)
    with pytest.raises(ValueError, match="entry_price is"):
        new_position("X", 1, quantity=1.0, entry_price=value, leverage=1.0, rules=RULES)
    with pytest.raises(ValueError, match="leverage is"):
        new_position("X", 1, quantity=1.0, entry_price=1.0, leverage=value, rules=RULES)
    with pytest.raises(ValueError, match="margin is"):
        quantity_for_margin(value, 1.0, 1.0, is_inverse=False)
    with pytest.raises(ValueError, match="mark is"):
        position_report(POSITION, value, RULES)
    with pytest.raises(ValueError, match="sigma_day is"):
        position_report(POSITION, 60_000.0, RULES, value)


def test_a_side_is_one_or_minus_one() -> None:
    with pytest.raises(ValueError, match="side is 0"):
        new_position("X", 0, quantity=1.0, entry_price=1.0, leverage=1.0, rules=RULES)


@pytest.mark.parametrize(("mark", "pnl"), [(57_000.0, -250.0), (54_216.0, -500.0), (40_000.0, -500.0)])
def test_a_shock_costs_the_move_but_never_more_than_the_wallet(mark: float, pnl: float) -> None:
    shocked = shocked_position(POSITION, mark, RULES)
    assert shocked.pnl == pytest.approx(pnl)
    assert shocked.is_liquidated == (mark <= shocked.liquidation_price)
