"""What a whole book costs: 500 positions looked at and split, a thousand legs split, caps held against it."""

from typing import Any

import numpy as np
import pytest

from bot.core.event import MarkPrice
from bot.core.instrument import margin_rules
from bot.core.position import Position
from bot.core.profile import BINANCE_USDM
from bot.engine import allocation
from bot.engine.desk import Desk
from bot.engine.engine import Engine
from bot.engine.outbox import Outbox
from bot.engine.state import Holding, Market, RestingStop, State
from bot.engine.window import CandleWindow
from bot.risk.allocator import AllocationLegs, allocate
from bot.risk.limits import AllocationLimits, BracketLimits, CapLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.risk.stress import Exposure, StressCaps, cap_cuts
from bot.sim.embedded import instrument_for
from tests.bench.conftest import Measure
from tests.unit.engine.desk_builder import Scripted

pytestmark = pytest.mark.bench

POSITIONS, LEGS = 500, 1_000
_NOW_MS = 1_738_549_245_000
_ENTRY = 60_000.0


def test_bench_evaluation_of_five_hundred_positions(benchmark: Any, measured: Measure) -> None:
    """Every position's view, book and decision, then the split of the budget with its moves."""
    desk = _desk()
    moves = benchmark.pedantic(_evaluate, (desk,), setup=lambda: _forget(desk), rounds=25, warmup_rounds=2)
    assert moves > 0
    value = 1e3 * benchmark.stats.stats.median
    measured("book: 500 positions decided, budget split", value, "ms", at_most=25.0)


@pytest.mark.parametrize("share", [0.02, 0.10, 0.40])
def test_bench_a_thousand_legs(benchmark: Any, measured: Measure, share: float) -> None:
    legs = _legs()
    budget = float(np.sum(legs.min_extra)) + share * float(np.sum(legs.notional))
    split = benchmark(allocate, legs, budget, 0.0005)
    assert split.total_extra <= budget
    value = 1e3 * benchmark.stats.stats.median
    measured(f"allocator: 1,000 legs, budget {share:.0%} of notional", value, "ms", at_most=5.0)


def test_bench_caps_of_five_hundred_positions(benchmark: Any, measured: Measure) -> None:
    chance = np.random.default_rng(3)
    book = [
        Exposure(f"S{row}", int(chance.choice([1, -1])), *_draws(chance), float(chance.uniform(0.02, 0.08)))
        for row in range(POSITIONS)
    ]
    cuts = benchmark(cap_cuts, book, 4e5, StressCaps(), 1.25)
    assert len(cuts) > 0
    measured("caps: 500 positions, breached and cut", 1e3 * benchmark.stats.stats.median, "ms", at_most=25.0)


def _draws(chance: np.random.Generator) -> tuple[float, float]:
    return float(chance.uniform(100.0, 9_000.0)), float(chance.uniform(10.0, 900.0))


def _forget(desk: Desk) -> None:
    """Nothing is in flight, and no split was made: the next one begins from the same book."""
    desk.outbox.take()
    desk.state.in_flight.clear()
    desk.state.rebalance.waiting.clear()
    desk.state.rebalance.adds = ()


def _evaluate(desk: Desk) -> int:
    state = desk.state
    equity = state.equity_quote()
    for market in state.markets.values():
        if market.holding is not None:
            view = desk.view(market, market.holding)
            liquidation = market.liquidation_price(market.holding.position)
            desk.risk.decide_margin(view, state.book_of(market, market.holding, equity), liquidation)
    allocation.split(desk, "interval")
    return len(desk.outbox.take().intents) + len(state.rebalance.adds)


def _legs() -> AllocationLegs:
    chance = np.random.default_rng(7)
    value = chance.uniform(500.0, 50_000.0, LEGS)
    low = value * chance.uniform(0.0, 0.02, LEGS)
    return AllocationLegs(
        chance.choice([-1.0, 1.0], LEGS),
        value,
        chance.uniform(0.004, 0.02, LEGS),
        chance.uniform(0.01, 0.08, LEGS),
        value * chance.uniform(0.005, 0.02, LEGS),
        value * chance.uniform(0.0, 0.02, LEGS),
        low,
        low + value * chance.uniform(0.02, 0.6, LEGS),
    )


def _desk() -> Desk:
    """500 positions of alternating sides with all of BTC's tiers, stops resting, under one budget."""
    chance = np.random.default_rng(11)
    markets = {f"S{row}": _market(f"S{row}", row % 2 * 2 - 1, chance) for row in range(POSITIONS)}
    state = State(markets, free_quote=2e5, now_ms=_NOW_MS)
    limits = MarginLimits(stop_failure_probability=1.0)
    risk = RiskManager(
        "stop_anchor",
        POLICIES["stop_anchor"].default,
        limits,
        EntryLimits(),
        BracketLimits(),
        AllocationLimits(budget_fraction=0.6),
        CapLimits(),
    )
    return Desk(state, risk, Scripted(), "scripted", Outbox(state, "B"), 60_000, limits.max_mark_age_ms)


def _market(symbol: str, side: int, chance: np.random.Generator) -> Market:
    instrument = instrument_for("BTC/USDT:USDT")._replace(symbol=symbol)
    market = Market(instrument, margin_rules(instrument, BINANCE_USDM), CandleWindow(1))
    mark = _ENTRY * float(chance.uniform(0.99, 1.02))
    market.mark = market.last = mark
    market.mark_ms, market.sigma_day = _NOW_MS, float(chance.uniform(0.02, 0.06))
    quantity = float(chance.uniform(0.05, 0.2))
    wallet = quantity * _ENTRY * float(chance.uniform(0.05, 0.12))
    market.holding = Holding(
        Position(symbol, side, quantity, _ENTRY, wallet, 25.0, _NOW_MS),
        1,
        _NOW_MS,
        wallet,
        _ENTRY * (1.0 - 0.03 * side),
        0.05,
        3.0 * wallet,
        mark,
        stop=RestingStop("s", _ENTRY * (1.0 - 0.03 * side)),
        is_filled=True,
    )
    return market


def test_bench_marks_are_not_slower_under_a_budget(benchmark: Any, measured: Measure) -> None:
    """A quiet mark costs the same two comparisons when one budget moves margin."""
    desk = _desk()
    engine, market = Engine(desk), desk.state.markets["S0"]
    assert market.holding is not None
    market.holding.sleep_low, market.holding.sleep_high = 0.5 * market.mark, 2.0 * market.mark
    market.holding.recheck_at_ms = 2**62
    mark = MarkPrice(_NOW_MS, "S0", market.mark, market.mark)
    benchmark(engine.step, mark)
    per_second = 1.0 / benchmark.stats.stats.median
    measured("engine: quiet mark under a budget of 500", per_second, "marks/s", at_least=50_000)
