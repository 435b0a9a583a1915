"""What a decision costs: from Python with the whole manager, and compiled with its policy."""

import importlib
import pkgutil
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.extending import register_jitable

import bot.core
import bot.risk
from bot.core.compiled import REGISTRY
from bot.core.timeframe import MINUTE_MS
from bot.risk.adjust import judge, measure
from bot.risk.estimates import market_estimates
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.risk.regime import CALM_FAVOURABLE
from bot.risk.triggers import at_mark
from bot.risk.view import MarginView
from tests.bench.conftest import Measure
from tests.property.risk.test_estimator_laws import random_candles
from tests.property.risk.worlds import book_of, position_of, view_of

pytestmark = pytest.mark.bench

DECISION_US = 20.0
COMPILED_NS = 200.0
ESTIMATES_US = 150.0

_KNOWN: dict[str, Any] = {"atr": 300.0, "sigma_parkinson": 0.03, "sigma_yang_zhang": 0.03, "trend_score": 1.0}
THIN = view_of(mark=57_000.0)._replace(**_KNOWN, regime=CALM_FAVOURABLE)
RICH = view_of(position_of(wallet=2_500.0, leverage=50.0), mark=61_000.0, stop=58_000.0)._replace(**_KNOWN)
VIEWS = {"add": THIN, "release": RICH}


@pytest.mark.parametrize("situation", VIEWS)
@pytest.mark.parametrize("name", POLICIES)
def test_bench_decision_from_python(benchmark: Any, measured: Measure, name: str, situation: str) -> None:
    risk = RiskManager(name, POLICIES[name].default, MarginLimits(), EntryLimits(), BracketLimits())
    benchmark(risk.decide_margin, VIEWS[situation], book_of())
    value = 1e6 * benchmark.stats.stats.median
    measured(f"decision: {name}, {situation}, median", value, "us", at_most=DECISION_US)
    assert value < DECISION_US


@pytest.mark.parametrize("name", POLICIES)
def test_bench_decision_compiled(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    marks = 56_000.0 + 5_000.0 * np.random.default_rng(1).random(100_000)
    decide = _compiled(name)
    given = (_plain(THIN), POLICIES[name].default, marks, book_of(), MarginLimits())
    decide(*given)
    nanoseconds = min(_seconds(decide, given) for _ in range(7)) / len(marks) * 1e9
    with capsys.disabled():
        print(f"  compiled decision, {name}: {nanoseconds:.0f} ns")
    assert nanoseconds < COMPILED_NS


def test_bench_market_estimates(benchmark: Any) -> None:
    candles = random_candles(np.random.default_rng(1), 3_000, 0.001)
    benchmark(market_estimates, candles, MINUTE_MS)
    assert 1e6 * benchmark.stats.stats.min < ESTIMATES_US


@pytest.fixture(scope="module", autouse=True)
def _overloads() -> None:
    for package in (bot.core, bot.risk):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for function in REGISTRY:
        # Divisions that raise keep LLVM from joining the calls: twice the time.
        register_jitable(error_model="numpy", forceinline=True)(function)


def _compiled(name: str) -> Callable[..., float]:
    policy = POLICIES[name]
    band = njit(policy.band, error_model="numpy", forceinline=True)
    allowed = njit(policy.permissions, error_model="numpy", forceinline=True)

    def decide(view: Any, params: Any, marks: Any, book: Any, limits: Any) -> float:
        moved = 0.0
        for index in range(len(marks)):
            seen = at_mark(view, marks[index])
            measured = measure(seen, band(seen, params), 3)
            moved += judge(seen, measured, book, limits, allowed(seen, params)).amount
        return moved

    return njit(decide, error_model="numpy")


def _plain(view: MarginView) -> Any:
    """The view without a text and without arrays: counting references to them costs ten times the work."""
    tiers = view.rules.tiers
    columns = type(tiers)(*(tuple(float(value) for value in column) for column in tiers))  # type: ignore[arg-type]
    return view._replace(
        position=view.position._replace(symbol=0),  # type: ignore[arg-type]
        rules=view.rules._replace(tiers=columns),
    )


def _seconds(decide: Callable[..., float], given: tuple[Any, ...]) -> float:
    began = time.perf_counter()
    decide(*given)
    return time.perf_counter() - began
