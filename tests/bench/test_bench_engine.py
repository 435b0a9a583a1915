"""How fast a quiet mark passes the engine, and how long a touched rung takes until all of it is on disk."""

from pathlib import Path
from typing import Any

import pytest

from bot.core.event import MarkPrice
from bot.engine.engine import Engine
from bot.engine.outbox import NOTHING
from bot.risk.limits import MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from bot.settings.model import Margin
from bot.settings.policy import PolicyParams
from tests.bench.conftest import Measure
from tests.bench.disk import sync_ms
from tests.bench.world import UntilHeld, UntilMoved, percentile, settings_of

pytestmark = pytest.mark.bench

_MARKS = 50_000
_MOVES = 400
_SYNCS = 6.0  # a move has two commits, and each writes more than the one page of the floor


def test_bench_quiet_mark_to_decision(benchmark: Any, tmp_path: Path, measured: Measure) -> None:
    session = UntilHeld(settings_of(tmp_path / "held.db"))
    session.run()
    engine, market = session.sleeping()
    marks = [
        MarkPrice(
            engine.state.now_ms, market.instrument.symbol, market.mark * (1.0 + row % 2 * 1e-7), market.last
        )
        for row in range(_MARKS)
    ]
    quiet = benchmark.pedantic(_step_all, (engine, marks), rounds=7)
    assert quiet == _MARKS
    per_second = _MARKS / benchmark.stats.stats.median
    benchmark.extra_info["marks_per_second"] = per_second
    measured("engine: quiet mark to decision", per_second, "marks/s", at_least=50_000)


def _step_all(engine: Engine, marks: list[MarkPrice]) -> int:
    step = engine.step
    return sum(step(mark) is NOTHING for mark in marks)


def test_bench_touched_rung_end_to_end(benchmark: Any, tmp_path: Path, measured: Measure) -> None:
    session = UntilMoved(settings_of(tmp_path / "moves.db", margin=_restless()), _MOVES)
    benchmark.pedantic(session.run, rounds=1)
    seconds = session.timed.seconds
    assert len(seconds) >= _MOVES
    p50, p99 = 1000.0 * percentile(seconds, 0.5), 1000.0 * percentile(seconds, 0.99)
    benchmark.extra_info.update(moves=len(seconds), p50_ms=p50, p99_ms=p99)
    syncs = sync_ms(tmp_path)
    floors = percentile(syncs, 0.5), percentile(syncs, 0.99)
    name = "session: rung touched, journalled (FULL), executed, "
    measured(f"{name}p50", p50, "ms", at_most=2.0, floor=_SYNCS * floors[0])
    measured(f"{name}p99", p99, "ms", at_most=15.0, floor=_SYNCS * floors[1])
    measured("disk: fsync of 4 KiB, p50 (a move has two)", floors[0], "ms")
    measured("disk: fsync of 4 KiB, p99", floors[1], "ms")


def _restless() -> Margin:
    """A narrow band without cooldowns: many rungs are touched in little market time."""
    limits = MarginLimits(
        min_step_quote=0.1, min_step_fraction=0.0, add_cooldown_ms=0, release_cooldown_ms=0, max_adds=1_000
    )
    params = PolicyParams(distance_band=DistanceBandParams(low=0.98, high=1.02))
    return Margin(policy="distance_band", limits=limits, params=params)
