"""Paper money on a market that does not wait: what would have happened has happened, once."""

import json
from collections.abc import AsyncGenerator, Sequence
from typing import Literal

import numpy as np
import pytest

from bot.clock import VirtualClock
from bot.core.candles import Candles
from bot.core.event import (
    FundingDue,
    FundingSettled,
    Liquidated,
    MarketEvent,
    MarkPrice,
    OrderCancelled,
    OrderFilled,
)
from bot.core.intent import Action, Intent, OpenPosition, PlaceStop, PlaceTakeProfit, SetLeverage
from bot.core.profile import BINANCE_USDM
from bot.errors import Unavailable, UserError
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.present import PresentFeed
from bot.sim.venue import SimulatedVenue

BTC = "BTC/USDT:USDT"
MINUTE_MS = 60_000
START_MS = 1_738_000_020_000 // MINUTE_MS * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS


class Market:
    """An exchange whose prices the test writes down, as candles and as what its streams say."""

    def __init__(self) -> None:
        self.time_ms = START_MS
        self.said: list[MarketEvent] = []
        self.rows: dict[int, tuple[float, float, float, float]] = {}
        self.dues: list[FundingDue] = []
        self.failures = 0
        self.reads = 0

    def minute(self, number: int, open_: float, high: float, low: float, close: float) -> None:
        self.rows[START_MS + number * MINUTE_MS] = (open_, high, low, close)
        self.time_ms = START_MS + (number + 1) * MINUTE_MS

    async def events(self) -> AsyncGenerator[MarketEvent, None]:
        for event in self.said:
            yield event

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        raise AssertionError("not asked for here")

    async def now_ms(self) -> int:
        return self.time_ms

    async def minutes(
        self, symbol: str, kind: Literal["last", "mark"], from_ms: int, until_ms: int
    ) -> Candles:
        self.reads += 1
        if self.failures:
            self.failures -= 1
            raise Unavailable("the network is gone")
        wanted = {key: row for key, row in sorted(self.rows.items()) if from_ms <= key < until_ms}
        open_, high, low, close = (np.array([row[each] for row in wanted.values()]) for each in range(4))
        nothing = np.zeros(len(wanted))
        return Candles(np.array(list(wanted), dtype=np.int64), open_, high, low, close, nothing, nothing)

    async def settlements(self, symbol: str, from_ms: int, until_ms: int) -> tuple[FundingDue, ...]:
        return tuple(due for due in self.dues if from_ms <= due.ts_ms < until_ms)


class Session:
    """A venue, a feed on it, and a market; `again` is what a restarted process makes of the last cut."""

    def __init__(self, market: Market) -> None:
        self.market = market
        config = VenueConfig(0.0, 0.0, {BTC: 1e9})
        self.venue = SimulatedVenue({BTC: instrument_for(BTC)}, BINANCE_USDM, config, 10_000.0)
        self.clock = VirtualClock(START_MS)
        self.feed = PresentFeed(market, self.venue, (BTC,), self.clock)
        self._number = 0

    async def hear(self, *events: MarketEvent) -> list:
        self.market.said = list(events)
        return [event async for event in self.feed.events()]

    def do(self, action: Action) -> None:
        self._number += 1
        self.venue.handle(Intent(self._number, f"id{self._number}", START_MS, action, "test", {}))

    async def missed(self) -> list:
        return list(await self.feed.missed())

    def again(self) -> "Session":
        cut = json.loads(json.dumps([self.venue.snapshot(), self.feed.cursor()]))
        other = Session(self.market)
        other.venue.restore(cut[0])
        other.feed.seek(cut[1])
        return other


def mark(at_ms: int, price: float) -> MarkPrice:
    return MarkPrice(START_MS + at_ms, BTC, price, price)


async def long_position(stop: float = 0.0, *more: Action) -> Session:
    """Return a session that bought 0.1 BTC at 50,000 with 10x and was then cut off."""
    session = Session(Market())
    await session.hear(mark(1_000, 50_000.0))
    session.do(SetLeverage(BTC, 10))
    session.do(OpenPosition(BTC, 1, 0.1))
    await session.hear(mark(2_000, 50_000.0))
    if stop:
        session.do(PlaceStop(BTC, 1, stop))
    for action in more:
        session.do(action)
    await session.hear(mark(3_000, 50_000.0))
    session.market.minute(0, 50_000.0, 50_010.0, 49_990.0, 50_000.0)
    return session.again()


def kinds(events: Sequence[object]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_a_stop_that_was_passed_while_away_has_filled_at_the_price_of_then() -> None:
    session = await long_position(stop=49_000.0)
    session.market.minute(1, 50_000.0, 50_000.0, 48_500.0, 50_500.0)
    filled, *_ = await session.missed()
    assert isinstance(filled, OrderFilled)
    assert (filled.leg, filled.position) == ("stop", None)
    assert 48_800.0 < filled.price <= 49_000.0
    assert START_MS + MINUTE_MS <= filled.ts_ms < START_MS + 2 * MINUTE_MS


async def test_a_liquidation_that_would_have_happened_has_happened() -> None:
    session = await long_position()
    session.market.minute(1, 50_000.0, 50_000.0, 44_000.0, 50_500.0)
    assert kinds(await session.missed()) == [Liquidated.__name__]
    assert session.venue.position_side(BTC) == 0


async def test_of_stop_and_take_profit_in_one_minute_the_stop_comes_first() -> None:
    session = await long_position(49_000.0, PlaceTakeProfit(BTC, 1, 0.1, 51_000.0))
    session.market.minute(1, 50_000.0, 51_500.0, 48_500.0, 51_000.0)
    events = await session.missed()
    assert [event.leg for event in events if isinstance(event, OrderFilled)] == ["stop"]
    assert [event.leg for event in events if isinstance(event, OrderCancelled)] == ["take_profit"]


async def test_a_low_from_before_the_position_does_not_liquidate_it() -> None:
    market = Market()
    session = Session(market)
    await session.hear(mark(1_000, 44_000.0), mark(30_000, 50_000.0))
    session.do(SetLeverage(BTC, 10))
    session.do(OpenPosition(BTC, 1, 0.1))
    await session.hear(mark(31_000, 50_000.0))
    market.minute(0, 44_000.0, 50_000.0, 44_000.0, 50_000.0)
    assert await session.again().missed() == []


async def test_what_happened_while_away_comes_once_over_any_restart() -> None:
    session = await long_position(49_000.0, PlaceTakeProfit(BTC, 1, 0.05, 51_000.0))
    session.market.minute(1, 50_000.0, 51_500.0, 49_900.0, 51_000.0)
    session.market.minute(2, 51_000.0, 51_000.0, 48_000.0, 48_000.0)
    events = await session.again().missed()
    assert kinds(events) == ["OrderFilled", "OrderFilled"]
    for cut in range(len(events) + 1):
        one = session.again()
        waiting = iter(await one.feed.missed())
        told = [next(waiting) for _ in range(cut)]
        assert told + await one.again().missed() == events


async def test_what_happened_while_away_is_told_before_the_next_price_when_nobody_asked() -> None:
    session = await long_position(stop=49_000.0)
    session.market.minute(1, 50_000.0, 50_000.0, 48_500.0, 50_500.0)
    events = await session.hear(mark(2 * MINUTE_MS, 50_500.0))
    assert kinds(events) == ["OrderFilled", "MarkPrice"]


async def test_a_hole_in_the_stream_is_lived_through_like_an_absence() -> None:
    session = Session(Market())
    await session.hear(mark(1_000, 50_000.0))
    session.do(SetLeverage(BTC, 10))
    session.do(OpenPosition(BTC, 1, 0.1))
    await session.hear(mark(2_000, 50_000.0))
    session.do(PlaceStop(BTC, 1, 49_000.0))
    session.market.minute(0, 50_000.0, 50_000.0, 48_500.0, 50_000.0)
    session.market.failures = 2
    events = await session.hear(mark(3_000, 50_000.0), mark(50_000, 50_000.0))
    assert kinds(events) == ["MarkPrice", "OrderFilled", "MarkPrice"]


async def test_marks_without_a_hole_read_nothing() -> None:
    session = await long_position(stop=49_000.0)
    before = session.market.reads
    await session.hear(*(mark(3_000 + step, 50_000.0) for step in range(0, 15_000, 5_000)))
    assert session.market.reads == before


async def test_a_price_that_was_lived_through_is_not_told_again() -> None:
    session = await long_position(stop=40_000.0)
    session.market.minute(1, 50_000.0, 50_000.0, 49_500.0, 50_000.0)
    await session.missed()
    events = await session.hear(mark(MINUTE_MS, 49_000.0), mark(2 * MINUTE_MS, 50_000.0))
    assert events == [mark(2 * MINUTE_MS, 50_000.0)]


async def test_funding_that_was_missed_is_paid_once() -> None:
    session = await long_position()
    session.market.dues = [FundingDue(START_MS + MINUTE_MS + 3, BTC, 0.001)]
    session.market.minute(1, 50_000.0, 50_000.0, 50_000.0, 50_000.0)
    (paid,) = await session.missed()
    assert isinstance(paid, FundingSettled)
    assert paid.amount_quote == pytest.approx(-5.0)
    later = session.again()
    later.market.minute(2, 50_000.0, 50_000.0, 50_000.0, 50_000.0)
    assert await later.missed() == []


async def test_a_rate_that_is_published_late_is_not_paid_by_a_younger_position() -> None:
    session = await long_position()
    events = await session.hear(FundingDue(START_MS + 500, BTC, 0.001), mark(4_000, 50_000.0))
    assert kinds(events) == ["FundingDue", "MarkPrice"]


async def test_a_flat_account_reads_nothing_at_a_return() -> None:
    session = Session(Market())
    await session.hear(mark(1_000, 50_000.0))
    session.market.time_ms = START_MS + 1_000 * HOUR_MS
    assert await session.again().missed() == []
    assert session.market.reads == 0


async def test_an_unreachable_exchange_at_a_return_changes_nothing() -> None:
    session = await long_position(stop=49_000.0)
    session.market.minute(1, 50_000.0, 50_000.0, 48_500.0, 50_500.0)
    session.market.failures = 1
    before = session.venue.snapshot(), session.feed.cursor()
    with pytest.raises(Unavailable):
        await session.missed()
    assert (session.venue.snapshot(), session.feed.cursor()) == before
    assert "OrderFilled" in kinds(await session.missed())


async def test_a_market_whose_time_went_back_is_refused() -> None:
    session = await long_position()
    session.market.time_ms = START_MS - HOUR_MS
    with pytest.raises(UserError, match="started anew"):
        await session.missed()


def test_a_foreign_cursor_is_refused() -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        Session(Market()).feed.seek({"place": [1, 2]})
