"""What one call costs: margin arithmetic, risk decisions, ladders, the strategy on its window."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.candles import Candles
from bot.core.margin import liquidation_price, margin_ratio
from bot.core.timeframe import timeframe_ms
from bot.plugins import load_strategy, strategy_files
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.risk.view import TakeProfit
from bot.sim.market import SyntheticMarket
from bot.strategy import check_signals
from tests.bench.conftest import Measure
from tests.bench.worked import book, position, rules, view
from tests.bench.world import ROOT, SYMBOLS

pytestmark = pytest.mark.bench

_STRATEGIES = ROOT / "strategies"


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_bench_liquidation_price(benchmark: Any, measured: Measure, side: int) -> None:
    held, market_rules = position(side), rules()
    price = benchmark(liquidation_price, held, market_rules)
    assert side * (held.entry_price - price) > 0.0
    tiers, name = len(market_rules.tiers.notional_floor), "long" if side > 0 else "short"
    measured(f"core: liquidation_price, {tiers} tiers, {name}", _us(benchmark), "us", at_most=10.0)


def test_bench_margin_ratio(benchmark: Any, measured: Measure) -> None:
    held = position(1)
    assert benchmark(margin_ratio, held, held.entry_price, rules()) < 1.0
    measured("core: margin_ratio", _us(benchmark), "us", at_most=10.0)


@pytest.mark.parametrize("policy", POLICIES)
def test_bench_decide_margin(benchmark: Any, measured: Measure, policy: str) -> None:
    decision = benchmark(_manager(policy).decide_margin, view(), book())
    assert decision.reason
    measured(f"risk: decide_margin, {policy}", _us(benchmark), "us", at_most=50.0)


@pytest.mark.parametrize("policy", POLICIES)
def test_bench_ladder(benchmark: Any, measured: Measure, policy: str) -> None:
    seen = view()
    targets = (TakeProfit(1.04 * seen.mark, 0.05), TakeProfit(1.08 * seen.mark, 0.05))
    ladder = benchmark(_manager(policy).ladder, seen, targets, seen.mark, seen.stop_price)
    assert len(ladder.rungs) >= 4
    measured(f"risk: ladder, {policy}", _us(benchmark), "us", at_most=100.0)


@pytest.mark.parametrize("name", strategy_files(_STRATEGIES))
def test_bench_strategy_on_its_window(benchmark: Any, measured: Measure, name: str) -> None:
    strategy = load_strategy(name, _STRATEGIES, {})
    step_ms = timeframe_ms(strategy.timeframe)
    candles = SyntheticMarket(7, SYMBOLS[:1], step_ms, 60_000).history(SYMBOLS[0], step_ms, strategy.warmup)
    benchmark(_asked, strategy.signals, candles)
    rows = len(candles.close)
    measured(f"strategy: {name} on {rows} candles, checked", _us(benchmark), "us", at_most=250.0)


def _asked(signals: Callable[[Candles], Any], candles: Candles) -> None:
    check_signals(signals(candles), len(candles.close))


def _manager(policy: str) -> RiskManager:
    return RiskManager(policy, POLICIES[policy].default, MarginLimits(), EntryLimits(), BracketLimits())


def _us(benchmark: Any) -> float:
    return 1e6 * benchmark.stats.stats.median
