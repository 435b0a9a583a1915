"""A backtest by the kernel tells the same of the trades left alone as one by the live engine."""

from pathlib import Path
from typing import Any

import pytest

from bot.backtest.backtest import Backtest, backtest
from bot.backtest.engines import ENGINES
from bot.backtest.kernel import run
from bot.backtest.kernel.machine_code import play_plainly
from bot.backtest.plan import Plan
from bot.backtest.shadow_lane import Lane
from bot.backtest.told_rows import Row
from bot.plugins import load_strategy
from bot.settings import load
from tests.unit.backtest.recorded_markets import HOUR_MS, RULES, SYMBOL, history


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


def test_a_bar_is_walked_against_the_side_that_was_held_when_it_began() -> None:
    """What opens at a candle's close is held as its bar begins; what a tick of the bar closes was held."""
    nothing: Any = None
    lane = Lane(0, SYMBOL, RULES, 0.0, nothing)
    opened = Row(*(0,) * 33)._replace(own_tick_ms=59_999, is_held=1, side=-1)
    closed = opened._replace(own_tick_ms=120_000, is_held=0)
    lane.expect([opened, closed])
    lane.seen_ms, lane._next = 120_000, 2
    assert [lane._side_at(minute * 60_000) for minute in range(4)] == [0, -1, -1, 0]


def test_a_sweep_follows_no_shadows(plan: Plan) -> None:
    assert ENGINES["kernel"].play(plan, lambda _bars: None, None).shadows is None
