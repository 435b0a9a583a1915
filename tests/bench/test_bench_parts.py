"""The parts around the engine: market sources, the simulated venue on a quiet tick, one durable commit."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.core.event import MarketEvent, MarkPrice
from bot.core.timeframe import MINUTE_MS
from bot.ports import Commit
from bot.sim.market import SyntheticMarket
from bot.sim.replay import ReplayMarket
from bot.sim.series import NO_FUNDING, MarketHistory, Series
from bot.sim.source import MarketSource
from bot.store.database import Binding, open_journal
from tests.bench.conftest import Measure
from tests.bench.disk import sync_ms
from tests.bench.world import SYMBOLS, UntilHeld, percentile, settings_of

pytestmark = pytest.mark.bench

_FIVE_MINUTES = 5 * MINUTE_MS
_DAY_OF_MINUTES = 1440
_EVENTS = 50_000
_COMMITS = 300


def test_bench_synthetic_market(benchmark: Any, measured: Measure) -> None:
    source = SyntheticMarket(7, SYMBOLS, _FIVE_MINUTES)
    events = benchmark.pedantic(_play, (source, _EVENTS), rounds=5)
    assert len(events) == _EVENTS
    rate = _EVENTS / benchmark.stats.stats.median
    measured("source: synthetic market", rate, "events/s", at_least=100_000)


def test_bench_replay_source(benchmark: Any, measured: Measure) -> None:
    source = ReplayMarket(_minutes(), _FIVE_MINUTES, lambda _symbol: 0)
    events = benchmark.pedantic(_play, (source, _EVENTS), rounds=1)
    rate = len(events) / benchmark.stats.stats.max
    measured("source: replay", rate, "events/s", at_least=100_000)


def test_bench_venue_on_a_quiet_tick(benchmark: Any, tmp_path: Path, measured: Measure) -> None:
    session = UntilHeld(settings_of(tmp_path / "held.db"))
    session.run()
    _engine, market = session.sleeping()
    state = session.application.engine.state
    tick = MarkPrice(state.now_ms, market.instrument.symbol, market.mark, market.last)
    venue: Any = session.application.edges.exchange
    assert venue.is_quiet(tick)
    assert benchmark(venue.is_quiet, tick)
    value = 1e6 * benchmark.stats.stats.median
    measured("venue: quiet tick with position and orders", value, "us", at_most=5.0)


def test_bench_durable_commit(benchmark: Any, tmp_path: Path, measured: Measure) -> None:
    session = UntilHeld(settings_of(tmp_path / "held.db"))
    session.run()
    checkpoint = session.commits[-1].checkpoint
    journal = open_journal(tmp_path / "commits.db", Binding("simulated", "paper", "bench"))
    # A row that is written again as it was never reaches the disk: every commit has a time of its own.
    times = itertools.count(1)
    benchmark.pedantic(
        journal.commit,
        setup=lambda: ((Commit(next(times), checkpoint=checkpoint),), {}),
        rounds=_COMMITS,
    )
    journal.close()
    value, floor = 1e3 * benchmark.stats.stats.median, 3.0 * percentile(sync_ms(tmp_path), 0.5)
    measured("journal: one commit with its checkpoint (FULL), p50", value, "ms", at_most=1.0, floor=floor)


def _play(source: MarketSource, count: int) -> list[MarketEvent]:
    events = (source.next() for _ in range(count))
    return [event for event in events if event is not None]


def _minutes() -> MarketHistory:
    """A few days of generated candles, read back as if they were recorded."""
    days = 3
    series = []
    for symbol in SYMBOLS:
        market = SyntheticMarket(7, [symbol], MINUTE_MS, MINUTE_MS)
        candles = market.history(symbol, MINUTE_MS, days * _DAY_OF_MINUTES)
        opens = MINUTE_MS * np.arange(len(candles.close), dtype=np.int64)
        series.append(Series(symbol, candles._replace(open_ms=opens), None, NO_FUNDING, ()))
    end_ms = days * _DAY_OF_MINUTES * MINUTE_MS
    return MarketHistory(MINUTE_MS, 0, end_ms, tuple(series), ())
