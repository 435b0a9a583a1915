"""Leverage, size, top-up, funding and tiers: by hand, and by asking the core about the answer."""

import math
from typing import Any

import pytest

from bot.calc.funding import funding_cost
from bot.calc.inputs import check_side
from bot.calc.leverage import highest_leverage
from bot.calc.position import new_position, quantity_for_margin
from bot.calc.size import margin_adjusted_for_volatility, trade_size
from bot.calc.tiers import tier_standing, tier_table
from bot.calc.topup import top_up
from bot.core.margin import liquidation_price
from bot.core.profile import BINANCE_COINM, BINANCE_USDM, MarginRules
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.risk.sizing import EntryOrder, SizingRules

TIERS = tiers_from_rows(
    [LeverageTier(0.0, 50_000.0, 0.004, 0.0, 125.0), LeverageTier(50_000.0, 1e6, 0.005, 50.0, 100.0)]
)
RULES = MarginRules(TIERS, BINANCE_USDM, False, 0.0)
COIN = MarginRules(TIERS, BINANCE_COINM, True, 0.0)
QUANTITY = quantity_for_margin(500.0, 10.0, 60_000.0, is_inverse=False)
LONG = new_position("BTC", 1, quantity=QUANTITY, entry_price=60_000.0, leverage=10.0, rules=RULES)
SHORT = new_position("BTC", -1, quantity=QUANTITY, entry_price=60_000.0, leverage=10.0, rules=RULES)

ASKED: dict[str, Any] = {
    "side": 1, "quantity": 0.1, "entry_price": 60_000.0, "stop_price": 58_200.0, "buffer": 0.01,
    "max_leverage": 50.0, "rules": RULES,
}  # fmt: skip


def leverage(**changed: Any) -> Any:
    return highest_leverage(**{**ASKED, **changed})


@pytest.mark.parametrize("side", [1, -1])
def test_one_more_leverage_would_liquidate_within_stop_and_buffer(side: int) -> None:
    stop = 60_000.0 - side * 1_800.0
    answer = leverage(side=side, stop_price=stop)
    wanted = stop * (1.0 - side * 0.01)
    assert answer.wanted_liquidation_price == wanted
    assert side * (wanted - answer.liquidation_price) >= 0.0
    assert answer.required_margin == pytest.approx(6_000.0 / answer.leverage)
    assert answer.stop_gap >= 0.01
    assert (answer.is_beyond_stop, answer.limit) == (True, "stop")
    more = answer.leverage + 1
    nearer = new_position("", side, quantity=0.1, entry_price=60_000.0, leverage=more, rules=RULES)
    assert side * (wanted - liquidation_price(nearer, RULES)) < 0.0


def test_a_near_stop_allows_what_is_asked_or_what_the_venue_does() -> None:
    near = {"stop_price": 59_990.0, "buffer": 0.0}
    assert (leverage(**near).leverage, leverage(**near).limit) == (50, "asked")
    big = leverage(**near, quantity=1.0, max_leverage=math.inf)
    assert (big.leverage, big.limit) == (100, "venue")


def test_a_stop_that_one_times_leverage_cannot_keep_is_said() -> None:
    answer = leverage(side=-1, stop_price=115_000.0, buffer=0.2)
    assert (answer.leverage, answer.is_beyond_stop, answer.limit) == (1, False, "stop")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"side": 0}, "side is 0"),
        ({"quantity": math.nan}, "quantity is nan"),
        ({"entry_price": 0.0}, "entry_price is 0.0"),
        ({"stop_price": -1.0}, "stop_price is -1.0"),
        ({"stop_price": 61_000.0}, "losing side"),
        ({"buffer": -0.1}, "buffer is -0.1"),
        ({"max_leverage": 0.5}, "max_leverage is 0.5"),
        ({"max_leverage": math.nan}, "max_leverage is nan"),
    ],
)
def test_leverage_names_what_makes_no_sense(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        leverage(**changed)


ORDER = EntryOrder(1, 60_000.0, 58_200.0, 63_600.0, 0.0005, 0.0005)
ACCOUNT = SizingRules(2_000.0, 0.01, 0.01, 50.0, 0.0)


def test_the_study_s_trade_is_sized_with_its_odds() -> None:
    answer = trade_size(ORDER, ACCOUNT, 0.03, 3.0, RULES)
    assert answer.sizing.loss_at_stop_quote == pytest.approx(20.0)
    assert answer.sizing.leverage == 22
    assert answer.sizing.liquidation_price == pytest.approx(57_502.7382256)
    assert answer.odds is not None
    assert answer.odds.stop_first > answer.odds.target_first > 0.0
    assert answer.liquidation_probability_24h is not None
    assert 0.0 < answer.liquidation_probability_24h < 1.0
    unknown = trade_size(ORDER, ACCOUNT, None, 3.0, RULES)
    assert (unknown.odds, unknown.liquidation_probability_24h) == (None, None)
    assert unknown.sizing == answer.sizing


@pytest.mark.parametrize(
    ("order", "account", "sigma", "days", "words"),
    [
        ({"side": 2}, {}, 0.03, 3.0, "side is 2"),
        ({"entry_price": math.nan}, {}, 0.03, 3.0, "entry_price is nan"),
        ({"stop_price": 61_000.0}, {}, 0.03, 3.0, "losing side"),
        ({"target_price": 59_000.0}, {}, 0.03, 3.0, "winning side"),
        ({"taker_fee_rate": -0.1}, {}, 0.03, 3.0, "taker_fee_rate is -0.1"),
        ({"stop_slippage": math.nan}, {}, 0.03, 3.0, "stop_slippage is nan"),
        ({}, {"equity_quote": 0.0}, 0.03, 3.0, "equity_quote is 0.0"),
        ({}, {"risk_fraction": 0.0}, 0.03, 3.0, "risk_fraction is 0.0"),
        ({}, {"buffer": -0.1}, 0.03, 3.0, "buffer is -0.1"),
        ({}, {"quantity_step": -0.1}, 0.03, 3.0, "quantity_step is -0.1"),
        ({}, {"max_leverage": 0.0}, 0.03, 3.0, "max_leverage is 0.0"),
        ({}, {"quantity_step": 1.0}, 0.03, 3.0, "it buys 0.0106, less than one quantity step"),
        ({}, {}, 0.0, 3.0, "sigma_day is 0.0"),
        ({}, {}, 0.03, math.inf, "horizon_days is inf"),
    ],
)
def test_size_names_what_makes_no_sense(
    order: dict[str, Any], account: dict[str, Any], sigma: float, days: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        trade_size(ORDER._replace(**order), ACCOUNT._replace(**account), sigma, days, RULES)


def test_volatility_asks_for_more_margin_than_leverage_only_when_it_is_high() -> None:
    calm = margin_adjusted_for_volatility(LONG, 60_000.0, 0.005, 0.01, 1.0, RULES)
    wild = margin_adjusted_for_volatility(LONG, 60_000.0, 0.06, 0.01, 1.0, RULES)
    assert calm.by_leverage == wild.by_leverage == pytest.approx(500.0)
    assert calm.by_volatility < calm.required_margin == calm.by_leverage
    assert wild.required_margin == wild.by_volatility > 500.0


@pytest.mark.parametrize(
    ("mark", "sigma", "probability", "words"),
    [
        (0.0, 0.03, 0.01, "mark is 0.0"),
        (60_000.0, math.nan, 0.01, "sigma_day is nan"),
        (60_000.0, 0.03, 0.0, "probability is 0.0"),
        (60_000.0, 0.03, 1.0, "probability is 1.0"),
    ],
)
def test_volatility_margin_names_what_makes_no_sense(
    mark: float, sigma: float, probability: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        margin_adjusted_for_volatility(LONG, mark, sigma, probability, 1.0, RULES)


def test_the_guide_s_top_up_costs_242_10() -> None:
    answer = top_up(LONG, 57_000.0, 0.10, RULES)
    assert answer.amount == pytest.approx(242.10)
    assert answer.target_wallet == pytest.approx(742.10)
    assert answer.liquidation_price_after == pytest.approx(51_300.0)
    assert answer.distance == pytest.approx(0.04882688649334159)
    assert answer.distance_after == pytest.approx(0.10)
    assert answer.margin_ratio == pytest.approx(0.076)
    assert answer.margin_ratio_after < answer.margin_ratio


def test_a_top_up_rounds_up_to_the_venue_s_step_and_a_surplus_too() -> None:
    assert top_up(LONG, 57_000.0, 0.10, RULES, 5.0).amount == 245.0
    surplus = top_up(LONG, 60_000.0, 0.05, RULES, 5.0)
    assert surplus.amount == -230.0
    assert surplus.distance_after >= 0.05
    assert surplus.removable == 0.0


@pytest.mark.parametrize(
    ("position", "mark", "wanted", "words"),
    [
        (LONG, 57_000.0, 0.0, "wanted_distance is 0.0"),
        (LONG, 57_000.0, 1.0, "below 1.0"),
        (SHORT, 60_000.0, math.nan, "wanted_distance is nan"),
        (LONG, 54_000.0, 0.1, "past its liquidation price 54216"),
        (LONG, math.nan, 0.1, "mark is nan"),
    ],
)
def test_a_top_up_names_what_makes_no_sense(position: Any, mark: float, wanted: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        top_up(position, mark, wanted, RULES)


def test_funding_by_hand() -> None:
    cost = funding_cost(LONG, 60_000.0, 0.0001, 8.0, RULES)
    assert cost.cost_per_payment == pytest.approx(0.5)
    assert cost.cost_per_day == pytest.approx(1.5)
    assert cost.cost_per_week == pytest.approx(10.5)
    assert cost.cost_per_day_of_margin == pytest.approx(0.003)
    assert cost.liquidation_price < cost.liquidation_price_after_day < cost.liquidation_price_after_week
    assert cost.days_to_liquidation == pytest.approx(480.0 / 1.5)
    later = LONG._replace(isolated_wallet=LONG.isolated_wallet - 10.5)
    assert cost.liquidation_price_after_week == liquidation_price(later, RULES)


def test_a_short_is_paid_what_a_long_pays() -> None:
    paid = funding_cost(SHORT, 60_000.0, 0.0001, 8.0, RULES)
    assert paid.cost_per_day == pytest.approx(-1.5)
    assert paid.liquidation_price_after_day > paid.liquidation_price
    assert paid.days_to_liquidation is None


@pytest.mark.parametrize(
    ("position", "rate", "hours", "words"),
    [
        (LONG, math.nan, 8.0, "funding_rate is nan"),
        (LONG, 0.0001, 0.0, "interval_hours is 0.0"),
        (LONG._replace(isolated_wallet=0.0), 0.0001, 8.0, "isolated_wallet is 0.0"),
        (LONG._replace(isolated_wallet=1.0), 0.0001, 8.0, "past its liquidation price"),
    ],
)
def test_funding_names_what_makes_no_sense(position: Any, rate: float, hours: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        funding_cost(position, 60_000.0, rate, hours, RULES)


def test_the_tier_table_holds_every_row() -> None:
    first, second = tier_table(TIERS)
    assert first == (1, 0.0, 50_000.0, 0.004, 0.0, 125.0, 200.0)
    assert (second.number, second.maintenance_margin_at_cap) == (2, 4_950.0)


def test_a_position_stands_in_the_tier_of_its_notional() -> None:
    big = new_position("BTC", 1, quantity=0.9, entry_price=60_000.0, leverage=10.0, rules=RULES)
    standing = tier_standing(big, 60_000.0, RULES)
    assert standing.tier.number == 2
    assert (standing.notional, standing.room) == (54_000.0, 946_000.0)
    assert standing.maintenance_margin == pytest.approx(54_000.0 * 0.005 - 50.0)
    assert standing.liquidation_tier == 1
    assert standing.is_leverage_allowed
    assert not tier_standing(big._replace(leverage=101.0), 60_000.0, RULES).is_leverage_allowed


def test_a_position_that_nothing_liquidates_stands_in_the_first_tier() -> None:
    rich = LONG._replace(isolated_wallet=1e6)
    assert tier_standing(rich, 60_000.0, RULES).liquidation_tier == 1
    coin = new_position("BTC", -1, quantity=6e3, entry_price=6e4, leverage=1.0, rules=COIN)
    assert tier_standing(coin, 60_000.0, COIN).liquidation_tier == 1
    with pytest.raises(ValueError, match=r"mark is 0\.0"):
        tier_standing(rich, 0.0, RULES)


def test_a_side_is_one_or_minus_one() -> None:
    check_side(1)
    check_side(-1)
    with pytest.raises(ValueError, match="side is 2"):
        check_side(2)
