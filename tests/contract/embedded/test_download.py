"""`ringfence download-data` against the embedded exchange: whole files, after interruptions too."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from bot.backtest.history import load_history
from bot.cli.download import download_data, fetch_all, until_now
from bot.cli.fetching import Fetched, unsettled
from bot.clock import WallClock
from bot.core.timeframe import DAY_MS, MINUTE_MS
from bot.core.timerange import TimeRange, parse_timerange
from bot.errors import Unavailable, UserError
from bot.exchange.connect import public_link_to, venue_of
from bot.exchange.histories import Histories
from bot.exchange.hosts import Access

BTC = "BTC/USDT:USDT"
TWO_DAYS = parse_timerange("20241230-20250101")
MINUTES = 2 * 1440


class Broken(Histories):
    """Fails, or loses candles, where a test says so; counts its pages."""

    fails_at: int | None = None
    lost: frozenset[int] = frozenset()
    unsettled: frozenset[int] = frozenset()
    pages = 0

    async def funding(self, symbol: str, since_ms: int) -> Any:
        return [row for row in await super().funding(symbol, since_ms) if row[0] not in self.unsettled]

    async def candles(self, symbol: str, length_ms: int, kind: Any, since_ms: int) -> Any:
        if self.pages == self.fails_at:
            raise Unavailable("the line is dead")
        self.pages += 1
        rows = await super().candles(symbol, length_ms, kind, since_ms)
        return [row for row in rows if row[0] not in self.lost]


@pytest.fixture
async def histories(served: Any) -> AsyncIterator[Broken]:
    access = Access("loopback", f"http://127.0.0.1:{served.port}")
    link, _ = public_link_to(venue_of("binanceusdm"), access, WallClock())
    made = Broken(link)
    await made.markets()
    yield made
    await link.client.close()


async def fetch(histories: Histories, folder: Path, span: TimeRange = TWO_DAYS) -> dict[str, Fetched]:
    found = await fetch_all(histories, (BTC,), span, MINUTE_MS, folder)
    return {each.file: each for each in found}


def columns(folder: Path, name: str) -> dict[str, list[float]]:
    return pl.read_parquet(folder / name).to_dict(as_series=False)


async def test_a_replay_plays_what_was_fetched(histories: Broken, tmp_path: Path, served: Any) -> None:
    found = await fetch(histories, tmp_path)
    assert found["BTCUSDT_1m.parquet"] == Fetched("BTCUSDT_1m.parquet", MINUTES, MINUTES, "", True)
    history = load_history(tmp_path, (BTC,), TWO_DAYS, MINUTE_MS)
    (series,) = history.series
    assert (series.mark is not None, series.gaps) == (True, ())
    inside = series.candles.open_ms >= TWO_DAYS.start_ms
    assert series.candles.open_ms[inside].tolist() == list(range(*TWO_DAYS, MINUTE_MS))
    bars = [bar for bar in served.exchange.prices.bars(BTC, MINUTE_MS, 3_000) if bar.is_closed]
    wanted = [(bar.open_ms, bar.close) for bar in bars if TWO_DAYS.start_ms <= bar.open_ms < TWO_DAYS.end_ms]
    held = zip(series.candles.open_ms[inside].tolist(), series.candles.close[inside].tolist(), strict=True)
    assert list(held) == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "BTCUSDT_1m.parquet",
        "BTCUSDT_1m_mark.parquet",
        "BTCUSDT_funding.parquet",
    ]
    assert found["BTCUSDT_funding.parquet"] == Fetched("BTCUSDT_funding.parquet", 6, 6, "", True)
    assert series.funding.ts_ms[-6:].tolist() == list(range(*TWO_DAYS, DAY_MS // 3))


async def test_asking_again_fetches_nothing_and_changes_nothing(histories: Broken, tmp_path: Path) -> None:
    await fetch(histories, tmp_path)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    pages = histories.pages
    found = await fetch(histories, tmp_path)
    assert histories.pages == pages
    assert found["BTCUSDT_1m.parquet"].fetched == 0
    assert before == {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}


@pytest.mark.parametrize("page", [1, 2, 3, 5])
async def test_an_interruption_leaves_no_hole_and_no_duplicate(
    histories: Broken, tmp_path: Path, page: int
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    await fetch(histories, whole)
    histories.pages, histories.fails_at = 0, page
    with pytest.raises(Unavailable):
        await fetch(histories, broken)
    kept = len(columns(broken, "BTCUSDT_1m.parquet")["timestamp"])
    assert 0 < kept <= MINUTES
    histories.fails_at = None
    found = await fetch(histories, broken)
    assert found["BTCUSDT_1m.parquet"].fetched == MINUTES - kept
    for name in ("BTCUSDT_1m.parquet", "BTCUSDT_1m_mark.parquet"):
        assert columns(broken, name) == columns(whole, name)


async def test_a_range_is_widened_on_both_sides_without_fetching_the_middle_again(
    histories: Broken, tmp_path: Path
) -> None:
    middle = TimeRange(TWO_DAYS.start_ms + DAY_MS // 2, TWO_DAYS.end_ms - DAY_MS // 2)
    await fetch(histories, tmp_path, middle)
    found = await fetch(histories, tmp_path)
    assert found["BTCUSDT_1m.parquet"][1:] == (MINUTES, MINUTES // 2, "", True)
    assert columns(tmp_path, "BTCUSDT_1m.parquet")["timestamp"] == list(range(*TWO_DAYS, MINUTE_MS))


async def test_a_hole_of_the_exchange_is_named_and_asked_for_again(histories: Broken, tmp_path: Path) -> None:
    hole = range(TWO_DAYS.start_ms + 600 * MINUTE_MS, TWO_DAYS.start_ms + 2_000 * MINUTE_MS, MINUTE_MS)
    histories.lost = frozenset(hole)
    found = await fetch(histories, tmp_path)
    line = found["BTCUSDT_1m.parquet"]
    assert (line.rows, line.is_whole) == (MINUTES - len(hole), False)
    assert "from 2024-12-30 10:00 to 2024-12-31 09:20 UTC" in line.note
    histories.lost = frozenset()
    assert (await fetch(histories, tmp_path))["BTCUSDT_1m.parquet"].fetched == len(hole)


async def test_a_candle_that_still_forms_is_not_written(
    histories: Broken, tmp_path: Path, served: Any
) -> None:
    served.pump.advance_until(served.exchange.market_ms + 90_500)
    now_ms = served.exchange.market_ms
    found = await fetch(histories, tmp_path, TimeRange(TWO_DAYS.end_ms - DAY_MS, TWO_DAYS.end_ms + DAY_MS))
    newest = columns(tmp_path, "BTCUSDT_1m.parquet")["timestamp"][-1]
    assert now_ms - 2 * MINUTE_MS < newest + MINUTE_MS <= now_ms
    assert not found["BTCUSDT_1m.parquet"].is_whole


async def test_funding_is_fetched_in_time_order_and_once(
    histories: Broken, tmp_path: Path, served: Any
) -> None:
    served.pump.advance_until(served.exchange.market_ms + DAY_MS)
    span = TimeRange(TWO_DAYS.end_ms, TWO_DAYS.end_ms + DAY_MS)
    for _ in range(2):
        found = await histories.funding(BTC, span.start_ms)
        await fetch(histories, tmp_path, span)
        rows = columns(tmp_path, "BTCUSDT_funding.parquet")
        assert list(zip(rows["timestamp"], rows["funding_rate"], strict=True)) == [
            row for row in found if row[0] < span.end_ms
        ]
        assert len(rows["timestamp"]) >= 2


async def test_settlements_that_the_exchange_lacks_are_named_and_the_exit_code_is_1(
    histories: Broken, tmp_path: Path
) -> None:
    histories.unsettled = frozenset({TWO_DAYS.start_ms, TWO_DAYS.start_ms + DAY_MS})
    line = (await fetch(histories, tmp_path))["BTCUSDT_funding.parquet"]
    assert (line.rows, line.is_whole) == (4, False)
    assert line.note == (
        "the exchange has no settlements from 2024-12-30 00:00 to 2024-12-30 08:00 UTC and 1 more"
    )
    histories.unsettled = frozenset(range(*TWO_DAYS, DAY_MS // 3))
    (tmp_path / "BTCUSDT_funding.parquet").unlink()
    line = (await fetch(histories, tmp_path))["BTCUSDT_funding.parquet"]
    assert (line.rows, line.is_whole) == (0, False)
    assert "no settlements from 2024-12-30 00:00 to 2025-01-01 00:00 UTC" in line.note


@pytest.mark.parametrize(("hours", "late_ms"), [(8, 0), (8, 6), (4, 0), (1, 0)])
def test_settlements_of_every_usual_interval_are_whole(hours: int, late_ms: int) -> None:
    times = [each + late_ms for each in range(*TWO_DAYS, hours * 60 * MINUTE_MS)]
    assert unsettled(times, TWO_DAYS) == []
    assert unsettled(times[: -8 // hours], TWO_DAYS) != []


async def test_months_before_the_first_candle_take_a_few_requests(
    histories: Broken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of minutes a page is 17 hours: sixty days before the listing would be 87 pages."""
    listed_ms = TWO_DAYS.start_ms + 90 * MINUTE_MS
    page, asked = Histories._page, list[int]()

    async def since_listing(self: Any, symbol: str, length_ms: int, kind: Any, since_ms: int) -> Any:
        asked.append(since_ms)
        rows = await page(self, symbol, length_ms, kind, since_ms)
        return [row for row in rows if row[0] + length_ms > listed_ms]

    monkeypatch.setattr(Histories, "_page", since_listing)
    long = TimeRange(TWO_DAYS.start_ms - 60 * DAY_MS, TWO_DAYS.end_ms)
    await fetch(histories, tmp_path, long)
    times = columns(tmp_path, "BTCUSDT_1m.parquet")["timestamp"]
    assert times == list(range(listed_ms, TWO_DAYS.end_ms, MINUTE_MS))
    assert len(asked) < 20


async def test_a_range_after_the_newest_candle_takes_a_few_requests(
    histories: Broken, tmp_path: Path
) -> None:
    await fetch(histories, tmp_path, TimeRange(TWO_DAYS.end_ms + DAY_MS, TWO_DAYS.end_ms + 800 * DAY_MS))
    assert histories.pages == 2, "one of the last price and one of the mark; days do the rest"


def test_a_range_that_ends_in_the_future_is_cut_to_now_with_words() -> None:
    now_ms = TWO_DAYS.start_ms + DAY_MS + 90_500
    span, notice = until_now(TWO_DAYS, MINUTE_MS, now_ms)
    assert span == (TWO_DAYS.start_ms, TWO_DAYS.start_ms + DAY_MS + MINUTE_MS)
    assert "until now, 2024-12-31 00:01 UTC" in notice
    assert until_now(TWO_DAYS, MINUTE_MS, TWO_DAYS.end_ms) == (TWO_DAYS, "")


def test_a_range_that_begins_in_the_future_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    asked = {"venue": "binanceusdm", "timerange": "20990101-20990201", "data": tmp_path / "new"}
    with pytest.raises(UserError, match=r"begins at 2099-01-01 00:00 UTC.*Nothing was fetched"):
        download_data(**asked)
    assert not (tmp_path / "new").exists()


async def test_a_damaged_file_is_refused_and_left_alone(histories: Broken, tmp_path: Path) -> None:
    file = tmp_path / "BTCUSDT_1m.parquet"
    file.write_bytes(b"no parquet")
    with pytest.raises(UserError, match=r"BTCUSDT_1m\.parquet.*Delete it and give the command again") as said:
        await fetch(histories, tmp_path)
    assert str(said.value).count("again") == 1
    assert file.read_bytes() == b"no parquet"


async def test_what_a_killed_writer_left_is_no_data(histories: Broken, tmp_path: Path) -> None:
    (tmp_path / ".BTCUSDT_1m.parquet.part").write_bytes(b"half")
    await fetch(histories, tmp_path)
    load_history(tmp_path, (BTC,), TWO_DAYS, MINUTE_MS)
    assert not (tmp_path / ".BTCUSDT_1m.parquet.part").exists()
