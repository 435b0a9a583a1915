"""Entry evaluation: sizes, refusals by name, brackets."""

import math
from typing import Any

import pytest

from bot.core.profile import BINANCE_USDM
from bot.core.signal import Signal
from bot.risk.brackets import take_profit_ladder
from bot.risk.checks import Candidate, venue_checks
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.risk.pretrade import pretrade_numbers
from bot.risk.sizing import EntryOrder, SizingRules, size_entry
from bot.risk.view import EntryPlan, EntryRefusal
from tests.property.risk.worlds import (
    INSTRUMENT,
    RULES,
    SYMBOL,
    portfolio_of,
    position_of,
    rules_of,
)


def manager(**entry: Any) -> RiskManager:
    policy = POLICIES["stop_anchor"]
    limits = EntryLimits(**entry)
    return RiskManager(policy.name, policy.default, MarginLimits(), limits, BracketLimits())


def signal(direction: int = 1, stop_distance: float = 0.03) -> Signal:
    return Signal(SYMBOL, 0, True, False, direction, 1.0, stop_distance)


def ask(risk: RiskManager | None = None, **changed: Any) -> EntryPlan | EntryRefusal:
    world: dict[str, Any] = {
        "signal": signal(),
        "instrument": INSTRUMENT,
        "rules": RULES,
        "mark": 60_000.0,
        "sigma_day": 0.03,
        "funding_rate": 0.0001,
        "portfolio": portfolio_of(),
    }
    return (risk or manager()).evaluate_entry(**{**world, **changed})


def refusal(risk: RiskManager | None = None, **changed: Any) -> EntryRefusal:
    answer = ask(risk, **changed)
    assert isinstance(answer, EntryRefusal)
    return answer


def plan(risk: RiskManager | None = None, **changed: Any) -> EntryPlan:
    answer = ask(risk, **changed)
    assert isinstance(answer, EntryPlan)
    return answer


def test_the_studys_worked_entry_is_reproduced() -> None:
    # Margin-science 3.10 with 2,000 USDT, 1 % risk, BTC 60,000, stop 58,200, target 63,600.
    numbers = pretrade_numbers(
        {
            "wallet": 2_000.0,
            "risk_fraction": 0.01,
            "side": "long",
            "entry": 60_000.0,
            "stop": 58_200.0,
            "take_profit": 63_600.0,
            "taker_fee": 0.0005,
            "stop_slippage": 0.0005,
            "sigma_per_sqrt_day": 0.03,
            "buffer_min": 0.01,
            "buffer_sigmas": 1.0,
            "buffer_horizon_days": 1.0 / 24.0,
            "max_leverage": 50,
        },
        rules_of(BINANCE_USDM, tick_size=0.0),
    )
    assert numbers["notional"] == pytest.approx(635.52589768)
    assert numbers["leverage"] == 22
    assert numbers["required_margin"] == pytest.approx(28.8875408037)
    assert numbers["liquidation_price"] == pytest.approx(57_502.7382256)
    assert numbers["loss_at_stop"] == pytest.approx(20.0)
    assert numbers["worst_case_loss"] == pytest.approx(29.2053037525)
    assert numbers["r_multiple"] == pytest.approx(1.87384810931)
    assert numbers["liquidation_beyond_stop"] is True


@pytest.mark.parametrize("side", [1, -1])
def test_a_plan_loses_the_agreed_fraction_at_its_stop(side: int) -> None:
    answer = plan(signal=signal(side))
    assert answer.side == side
    assert answer.stop_price == pytest.approx(60_000.0 * (1.0 - side * 0.03))
    assert answer.loss_at_stop_quote == pytest.approx(100.0, rel=0.02)
    assert answer.loss_at_stop_quote <= 100.0
    fees = 2.0 * 0.0005 * answer.quantity * 60_000.0
    assert answer.agreed_loss_quote == pytest.approx(3.0 * answer.required_margin_quote + fees)


def test_without_a_stop_of_its_own_the_signal_gets_one_of_volatility() -> None:
    answer = plan(signal=signal(stop_distance=math.nan))
    assert answer.stop_price == pytest.approx(60_000.0 * 0.97)
    wild = ask(signal=signal(stop_distance=math.nan), sigma_day=0.9, mark=100.0)
    assert wild.facts["stop_distance"] == pytest.approx(0.30, abs=1e-3)


def test_the_plan_targets_are_half_at_one_and_a_half_r_and_half_at_three() -> None:
    answer = plan()
    assert [rung.price for rung in answer.take_profits] == [62_700.0, 65_400.0]
    assert sum(rung.quantity for rung in answer.take_profits) == answer.quantity


def test_the_stop_is_rounded_toward_the_mark() -> None:
    assert plan(signal=signal(1, 0.030001)).stop_price == 58_200.0
    assert plan(signal=signal(-1, 0.030001)).stop_price == 61_800.0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"portfolio": portfolio_of(positions=(position_of(wallet=1.0),))}, "already has an open position"),
        ({"portfolio": portfolio_of(day_pnl=-500.0)}, "loss 500.00 has reached its limit 500.00"),
        ({"portfolio": portfolio_of(free=2_100.0)}, "above the free balance"),
        ({"portfolio": portfolio_of(in_flight=7_900.0)}, "above the free balance"),
        (
            {"portfolio": portfolio_of(positions=(position_of(wallet=5_900.0)._replace(symbol="X"),))},
            "above 60% of equity (6000.00)",
        ),
        ({"signal": signal(stop_distance=0.001)}, "the stop is 0.100% from entry (at least 0.200%)"),
        ({"signal": signal(stop_distance=0.4)}, "the stop is 40.00% from entry (at most 30.00%)"),
        ({"signal": signal(stop_distance=0.002)}, "reward to risk"),
        ({"funding_rate": 0.01}, "over 5.0% of the risk"),
        ({"instrument": INSTRUMENT._replace(min_quantity=1.0)}, "below the venue's minimum 1"),
        ({"instrument": INSTRUMENT._replace(min_notional_quote=1e5)}, "below the venue's minimum 100000"),
        ({"portfolio": portfolio_of(1.0, 1.0)}, "less than one step (0.001)"),
        ({"funding_rate": math.nan}, "not a usable number"),
        ({"portfolio": portfolio_of(1e9, 1e9, day_start=1e9)}, "above the venue's last leverage tier"),
        ({"instrument": INSTRUMENT._replace(is_inverse=True)}, "settled in its base coin"),
        ({"mark": math.nan}, "not a usable price"),
        ({"sigma_day": math.nan}, "not a usable number"),
        ({"portfolio": portfolio_of(equity=0.0)}, "nothing can be risked"),
        ({"signal": signal(direction=0)}, "neither 1 (long) nor -1 (short)"),
        ({"signal": signal(stop_distance=1.5)}, "not between 0 % and 100 %"),
        ({"signal": signal(stop_distance=math.inf)}, "not between 0 % and 100 %"),
        ({"portfolio": portfolio_of(free=math.nan)}, "free balance is nan"),
        ({"portfolio": portfolio_of(day_pnl=math.nan)}, "profit of the day is nan"),
        ({"signal": signal(stop_distance=-0.1)}, "not between 0 % and 100 %"),
        ({"rules": rules_of(tick_size=50_000.0)}, "not on the losing side"),
        ({"sigma_day": 1.2, "signal": signal(-1, 0.29)}, "1x is not enough"),
    ],
)
def test_a_refusal_names_the_check_with_its_numbers(changed: dict[str, Any], words: str) -> None:
    assert any(words in check for check in refusal(**changed).checks)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_positions": 1}, "1 positions are open (at most 1)"),
        ({"max_notional_fraction": 0.1}, "is above 0.1 x equity (1000.00)"),
        ({"position_cap_fraction": 0.01}, "above 1% of equity (100.00)"),
    ],
)
def test_a_cap_of_the_account_is_named(limits: dict[str, Any], words: str) -> None:
    held = portfolio_of(positions=(position_of(wallet=10.0)._replace(symbol="ETH/USDT:USDT"),))
    assert any(words in check for check in refusal(manager(**limits), portfolio=held).checks)


def test_all_failed_checks_are_listed() -> None:
    busy = portfolio_of(free=10.0, positions=(position_of(wallet=9_000.0),), day_pnl=-600.0)
    answer = refusal(manager(max_leverage=10), portfolio=busy, funding_rate=0.01)
    assert len(answer.checks) == 5
    assert answer.facts["leverage"] == 10


def test_leverage_above_what_the_venue_allows_at_the_size_is_named() -> None:
    order = EntryOrder(1, 60_000.0, 59_400.0, 63_600.0, 0.0005, 0.0005)
    sizing = size_entry(order, SizingRules(10_000.0, 0.01, 0.01, 50.0, 0.001), RULES)
    instrument = INSTRUMENT._replace(max_leverage=3.0)
    candidate = Candidate(SYMBOL, 1, instrument, portfolio_of(), sizing, 0.0)
    assert any("above what the venue allows at this size (3x)" in text for text in venue_checks(candidate))


def test_leverage_steps_down_until_a_venue_that_rounds_early_still_leaves_the_buffer() -> None:
    order = EntryOrder(1, 60_000.0, 58_200.0, 63_600.0, 0.0005, 0.0005)
    terms = SizingRules(2_000.0, 0.01, 0.01, 50.0, 0.0)
    exact = size_entry(order, terms, rules_of(tick_size=0.0))
    early = rules_of(tick_size=500.0)
    early = early._replace(profile=early.profile._replace(rounding=1))
    rounded = size_entry(order, terms, early)
    assert rounded.leverage < exact.leverage
    assert rounded.is_liquidation_beyond_stop


def test_take_profits_too_small_to_split_become_one() -> None:
    instrument = INSTRUMENT._replace(min_notional_quote=100.0)
    assert len(take_profit_ladder(1, 60_000.0, 58_200.0, 0.003, instrument, BracketLimits())) == 1
    assert len(take_profit_ladder(1, 60_000.0, 58_200.0, 0.004, instrument, BracketLimits())) == 2


@pytest.mark.parametrize(("fraction", "price"), [(0.0, 65_400.0), (1.0, 62_700.0)])
def test_a_fraction_of_nothing_or_everything_leaves_one_target(fraction: float, price: float) -> None:
    bracket = BracketLimits(take_profit_fraction=fraction)
    (only,) = take_profit_ladder(1, 60_000.0, 58_200.0, 0.1, INSTRUMENT, bracket)
    assert (only.price, only.quantity) == (price, 0.1)


def test_a_quantity_off_the_step_keeps_its_remainder() -> None:
    first, second = take_profit_ladder(1, 60_000.0, 58_200.0, 0.10037, INSTRUMENT, BracketLimits())
    assert first.quantity == 0.05
    assert first.quantity + second.quantity == pytest.approx(0.10037, rel=1e-15)
