"""`ringfence download-data` from every dialect: ranges of many pages come whole."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from bot.cli.download import fetch_all
from bot.cli.fetching import Fetched
from bot.clock import WallClock
from bot.core.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from bot.core.timerange import TimeRange
from bot.exchange.connect import public_link_to, venue_of
from bot.exchange.histories import Histories
from bot.sim.market import ORIGIN_MS
from bot.sim.series import NO_FUNDING
from bot.sim.server.books import Settlement
from bot.sim.server.exchange import EmbeddedExchange
from tests.contract.embedded.dialect_worlds import VENUES, serving


class Source(NamedTuple):
    exchange: EmbeddedExchange
    histories: Histories
    symbol: str

    @property
    def stem(self) -> str:
        """Return what the names of its files begin with."""
        return self.symbol.partition(":")[0].replace("/", "")


@pytest.fixture(params=VENUES)
async def source(request: Any) -> AsyncIterator[Source]:
    async with serving(request.param) as spoken:
        link, _ = public_link_to(venue_of(spoken.ccxt_id), spoken.access, WallClock())
        histories = Histories(link)
        await histories.markets()
        yield Source(spoken.exchange, histories, spoken.symbol)
        await link.client.close()


async def fetched(source: Source, folder: Path, span: TimeRange, length_ms: int) -> dict[str, Fetched]:
    found = await fetch_all(source.histories, (source.symbol,), span, length_ms, folder)
    return {each.file: each for each in found}


async def test_a_range_of_many_pages_comes_whole_with_its_mark_candles(
    source: Source, tmp_path: Path
) -> None:
    minutes = 2 * source.histories.page + 7
    span = TimeRange(ORIGIN_MS - minutes * MINUTE_MS, ORIGIN_MS)
    found = await fetched(source, tmp_path, span, MINUTE_MS)
    kinds = ("1m", "1m_mark") if source.histories.has_mark else ("1m",)
    for name in (f"{source.stem}_{kind}.parquet" for kind in kinds):
        assert found[name] == Fetched(name, minutes, minutes, "", True)
        times = pl.read_parquet(tmp_path / name)["timestamp"].to_list()
        assert times == list(range(*span, MINUTE_MS))


async def test_hours_of_two_months_back_come_whole(source: Source, tmp_path: Path) -> None:
    span = TimeRange(ORIGIN_MS - 55 * DAY_MS, ORIGIN_MS - 45 * DAY_MS)
    found = await fetched(source, tmp_path, span, HOUR_MS)
    assert found[f"{source.stem}_1h.parquet"] == Fetched(
        f"{source.stem}_1h.parquet", 10 * 24, 10 * 24, "", True
    )


async def test_settlements_before_the_exchange_began_come_whole(source: Source, tmp_path: Path) -> None:
    span = TimeRange(ORIGIN_MS - 2 * DAY_MS, ORIGIN_MS + HOUR_MS)
    found = await fetched(source, tmp_path, span, HOUR_MS)
    assert found[f"{source.stem}_funding.parquet"] == Fetched(
        f"{source.stem}_funding.parquet", 7, 7, "", True
    )
    rates = pl.read_parquet(tmp_path / f"{source.stem}_funding.parquet")["funding_rate"].to_list()
    known = source.exchange.source.history(source.symbol, 8 * HOUR_MS, 7).funding_rate.tolist()
    assert rates == pytest.approx(known)


async def test_more_settlements_than_a_page_holds_come_whole(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beginning alone gives OKX's newest page; a market may have had none for weeks at first."""
    monkeypatch.setattr(source.exchange.source, "settled_before", lambda _: NO_FUNDING)
    days, quiet_days = 40, 15
    begin_ms = ORIGIN_MS - days * DAY_MS
    times = range(begin_ms, ORIGIN_MS, 8 * HOUR_MS)
    for index, ts_ms in enumerate(times):
        source.exchange.books.add(Settlement(source.symbol, index * 1e-6, 50_000.0, ts_ms))
    span = TimeRange(begin_ms - quiet_days * DAY_MS, ORIGIN_MS)
    await fetched(source, tmp_path, span, 24 * HOUR_MS)
    rows = pl.read_parquet(tmp_path / f"{source.stem}_funding.parquet")
    assert rows["timestamp"].to_list() == list(times)
    assert rows["funding_rate"].to_list() == pytest.approx([index * 1e-6 for index in range(len(times))])
