"""A backtest by the kernel tells the same of the trades left alone as one by the live engine."""

from pathlib import Path

import pytest

from bot.backtest.backtest import Backtest, backtest
from bot.backtest.kernel import run
from bot.backtest.kernel.machine_code import play_plainly
from bot.backtest.plan import Plan
from bot.backtest.sweep.trial import ENGINES
from bot.plugins import load_strategy
from bot.settings import load
from tests.unit.backtest.recorded_markets import HOUR_MS, SYMBOL, history


@pytest.fixture
def plan(root: Path) -> Plan:
    """A plan over made-up hours of one symbol."""
    settings = load()
    settings = settings.model_copy(update={"feed": settings.feed.model_copy(update={"symbols": (SYMBOL,)})})
    strategy = load_strategy("ema_cross", root / "strategies", {"fast": 3, "slow": 9})
    return Plan(settings, strategy, HOUR_MS, history(days=10))


@pytest.fixture(autouse=True)
def plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel play without machine code."""
    monkeypatch.setattr(run, "compiled_play", lambda: play_plainly)


def played(plan: Plan, engine: str) -> Backtest:
    return backtest(plan, engine, lambda _bars: None)


def test_the_kernel_tells_of_the_trades_left_alone_what_the_live_engine_tells(plan: Plan) -> None:
    exact, kernel = played(plan, "exact").evidence, played(plan, "kernel").evidence
    assert exact.left_alone is not None
    assert kernel.left_alone is not None
    assert kernel.left_alone.trades == exact.left_alone.trades > 0
    assert repr(kernel.left_alone) == repr(exact.left_alone)
    assert exact.nearness is not None
    assert kernel.nearness is None  # that would need every mark


def test_a_sweep_follows_no_shadows(plan: Plan) -> None:
    assert ENGINES["kernel"].play(plan, lambda _bars: None, None).shadows is None
