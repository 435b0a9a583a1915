"""Laws of entries: an approved plan keeps every promise; its bracket is on the grid."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.core.signal import Signal
from bot.core.steps import step_down
from bot.risk.brackets import take_profit_ladder
from bot.risk.entry_facts import Market
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.pretrade import evaluate_entry
from bot.risk.view import EntryPlan
from tests.property.risk.worlds import INSTRUMENT, SYMBOL, number, portfolio_of, rules_of

_ENTRY = EntryLimits()


@settings(max_examples=300)
@given(
    st.sampled_from([1, -1]),
    number(0.003, 0.25),
    number(0.005, 0.12),
    number(2_000.0, 2_000_000.0),
    number(0.0, 0.9),
    st.integers(0, 3),
)
def test_every_approved_plan_keeps_its_stop_inside_liquidation_and_its_caps(
    side: int, away: float, sigma: float, equity: float, used: float, rounding: int
) -> None:
    profile_rounding = min(rounding, 2)
    rules = rules_of()
    rules = rules._replace(profile=rules.profile._replace(rounding=profile_rounding))
    world = portfolio_of(free=equity * (1.0 - used), equity=equity, day_start=equity)
    signal = Signal(SYMBOL, 0, True, False, side, 1.0, away)
    market = Market(INSTRUMENT, rules, 60_000.0, sigma, 0.0001)
    plan = evaluate_entry(signal, market, world, _ENTRY, BracketLimits(), MarginLimits())
    if not isinstance(plan, EntryPlan):
        assert plan.checks
        return
    position = Position(
        SYMBOL, side, plan.quantity, plan.entry_price, plan.required_margin_quote, float(plan.leverage)
    )
    liquidation = liquidation_price(position, rules)
    buffer = max(_ENTRY.buffer_min, _ENTRY.buffer_sigmas * sigma)
    assert side * (plan.stop_price * (1.0 - side * buffer) - liquidation) >= 0.0
    assert plan.loss_at_stop_quote <= _ENTRY.risk_fraction * equity * (1.0 + 1e-9)
    assert plan.required_margin_quote <= _ENTRY.position_cap_fraction * equity
    left = world.free_quote - plan.required_margin_quote
    assert left >= _ENTRY.reserve_fraction * equity
    assert 1 <= plan.leverage <= _ENTRY.max_leverage
    assert plan.agreed_loss_quote >= plan.required_margin_quote
    assert plan.reward_to_risk >= _ENTRY.min_reward_to_risk
    assert math.isclose(plan.required_margin_quote * plan.leverage, plan.quantity * plan.entry_price)


@given(
    st.sampled_from([1, -1]), st.integers(1, 100_000), st.sampled_from([0.001, 0.01, 0.1, 1.0]), number(0, 1)
)
def test_take_profits_sum_to_the_position_in_whole_steps(
    side: int, steps: int, step: float, fraction: float
) -> None:
    quantity = step_down(steps * step, step)
    instrument = INSTRUMENT._replace(quantity_step=step, min_quantity=step)
    bracket = BracketLimits(take_profit_fraction=fraction)
    rungs = take_profit_ladder(side, 60_000.0, 60_000.0 - side * 1_200.0, quantity, instrument, bracket)
    assert sum(round(rung.quantity / step) for rung in rungs) == round(quantity / step)
    assert all(side * (rung.price - 60_000.0) > 0.0 for rung in rungs)
    assert all(rung.quantity >= step for rung in rungs)
