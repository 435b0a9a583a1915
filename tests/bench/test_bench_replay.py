"""A month of one-minute candles for three symbols, from the files to the closed journal."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bot.core.timeframe import DAY_MS, MINUTE_MS
from bot.core.timerange import TimeRange, parse_timerange
from bot.settings.model import Feed
from bot.sim.market import SyntheticMarket
from tests.bench.conftest import Measure
from tests.bench.world import SYMBOLS, StoppedWhen, settings_of
from tests.conftest import shared_folder

pytestmark = pytest.mark.bench

_FEBRUARY = parse_timerange("20250128-20250225")
_DAYS = (_FEBRUARY.end_ms - _FEBRUARY.start_ms) // DAY_MS
_WARMUP_DAYS = 4


def test_bench_replay_of_a_month(benchmark: Any, tmp_path: Path, measured: Measure) -> None:
    data, kind = _data(tmp_path)
    feed = Feed(kind="replay", data=data, symbols=SYMBOLS, timerange=_FEBRUARY)
    session = StoppedWhen(settings_of(tmp_path / "replay.db", feed))
    benchmark.pedantic(session.run, rounds=1)
    seconds, tally = benchmark.stats.stats.max, session.application.engine.state.tally
    moves = tally.margin_adds + tally.margin_releases
    benchmark.extra_info.update(data=kind, marks=tally.marks_processed, trades=tally.trades, moves=moves)
    measured(f"replay of {_DAYS} days, 3 symbols, 1m, journalled ({kind})", seconds, "s", at_most=30.0)
    measured(f"replay: marks ({kind})", tally.marks_processed / seconds, "marks/s")
    assert moves > 0
    assert tally.invariant_violations == 0


def _data(folder: Path) -> tuple[Path, str]:
    """Return recorded candles of February 2025, or generated ones where they are absent."""
    shared = shared_folder()
    recorded = shared / "data" / "binance_usdm_perp" if shared else None
    if recorded is not None and recorded.is_dir():
        return recorded, "real February 2025"
    _generate(folder / "candles", TimeRange(_FEBRUARY.start_ms - _WARMUP_DAYS * DAY_MS, _FEBRUARY.end_ms))
    return folder / "candles", "generated"


def _generate(folder: Path, range_: TimeRange) -> None:
    folder.mkdir()
    days = (range_.end_ms - range_.start_ms) // DAY_MS
    for symbol in SYMBOLS:
        market = SyntheticMarket(7, [symbol], MINUTE_MS, MINUTE_MS)
        market.seek((24 * days, 0))
        candles = market.history(symbol, MINUTE_MS, 1440 * days)
        columns = {name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")}
        opens = range_.start_ms + MINUTE_MS * np.arange(len(candles.close), dtype=np.int64)
        name = symbol.partition(":")[0].replace("/", "")
        pl.DataFrame({"timestamp": opens, **columns}).write_parquet(folder / f"{name}_1m.parquet")
