"""What happened while the bot was away for ten days is reported whole, though venues list a few days only."""

from typing import Any

import pytest

from bot.core.event import FundingDue, FundingSettled, MarkPrice, OrderFilled
from bot.core.intent import OpenPosition, PlaceStop, SetLeverage
from bot.core.timeframe import DAY_MS, HOUR_MS
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, START_MS, Desk, Served

YEAR_MS = 365 * DAY_MS
RATE = 0.0001


class Away:
    """A position with a stop, a bot that ends, a market that goes on for days, and a bot that comes back.

    `ahead_ms`: how far the host's clock is ahead of the market, as it is of a replay.
    """

    def __init__(self, world: Served, ahead_ms: int) -> None:
        self.world, self.now_ms = world, START_MS
        world.clock.advance(ahead_ms)

    async def leave(self, stop_price: float, *, is_funded: bool = True) -> None:
        desk = Desk(self.world.exchange)
        await desk.send(SetLeverage(BTC, 10))
        await desk.send(OpenPosition(BTC, 1, 0.1))
        await desk.send(PlaceStop(BTC, 1, stop_price))
        self._pass(8 * HOUR_MS)
        if is_funded:
            self._apply(FundingDue(self.now_ms, BTC, RATE))
        self.world.connection.gateway.book.saw(self.now_ms)
        await self.world.connection.gateway.sweep(BTC)
        self.left_ms = self.now_ms
        self.kept = self.world.connection.gateway.snapshot()

    def days_pass(self, days: int, price: float, *, is_funded: bool = False) -> None:
        for _ in range(3 * days):
            self._pass(8 * HOUR_MS)
            self._apply(MarkPrice(self.now_ms, BTC, price, price))
            if is_funded:
                self._apply(FundingDue(self.now_ms, BTC, RATE))

    def _pass(self, ms: int) -> None:
        self.now_ms += ms
        self.world.clock.advance(ms)

    def _apply(self, event: Any) -> None:
        self.world.embedded.apply(event)
        self.world.embedded.commit()

    async def come_back(self) -> tuple[Any, ...]:
        self.gateway = self.world.connect().gateway
        self.gateway.restore(self.kept)
        return await self.gateway.catch_up()


@pytest.fixture(params=[0, YEAR_MS], ids=["live", "replay"])
def ahead_ms(request: Any) -> int:
    return request.param


@pytest.fixture(params=[Served, ServedBybit, ServedOkx], ids=["binance", "bybit", "okx"])
def away(request: Any, ahead_ms: int) -> Away:
    return Away(request.param(), ahead_ms)


@pytest.mark.parametrize(("before", "after"), [(0, 2), (0, 40), (9, 1), (20, 10)])
async def test_a_stop_that_filled_days_ago_is_found(away: Away, before: int, after: int) -> None:
    await away.leave(49_000.0)
    away.days_pass(before, 50_000.0)
    reached_ms = away.now_ms
    away.days_pass(1, 48_900.0)
    away.days_pass(after, 50_000.0)
    filled = [event for event in await away.come_back() if isinstance(event, OrderFilled)]
    assert [(event.leg, event.quantity, event.position) for event in filled] == [("stop", 0.1, None)]
    assert reached_ms < filled[0].ts_ms <= reached_ms + DAY_MS


@pytest.mark.parametrize("is_funded_before", [True, False])
async def test_every_funding_payment_of_the_absence_is_found(away: Away, is_funded_before: bool) -> None:
    await away.leave(40_000.0, is_funded=is_funded_before)
    away.days_pass(12, 50_000.0, is_funded=True)
    paid = [event for event in await away.come_back() if isinstance(event, FundingSettled)]
    assert [event.ts_ms for event in paid] == [away.left_ms + 8 * HOUR_MS * each for each in range(1, 37)]


async def test_a_symbol_at_rest_is_not_read_back_in_time_again_and_again(away: Away) -> None:
    await away.leave(40_000.0)
    away.days_pass(60, 50_000.0)
    await away.come_back()
    asked: list[str] = []
    client = away.gateway.link.client
    fetch = client.fetch

    async def counted(url: str, *rest: Any, **more: Any) -> Any:
        asked.append(url)
        return await fetch(url, *rest, **more)

    client.fetch = counted
    await away.gateway.sweep(BTC)
    assert len([url for url in asked if any(part in url for part in ("Trades", "execution", "fills"))]) == 1


async def test_a_symbol_that_comes_back_begins_with_what_is_held_then(away: Away) -> None:
    await away.leave(49_000.0)
    elsewhere = away.world.connect().gateway
    elsewhere.restore(away.kept)
    elsewhere.book.keep_only(())
    away.kept = elsewhere.snapshot()
    away.days_pass(1, 50_000.0)
    assert await away.come_back() == ()
    account = await away.gateway.account()
    assert [position.symbol for position in account.positions] == [BTC]
    assert [order.leg for order in account.orders] == ["stop"]
    assert away.gateway.book.positions[BTC].quantity == 0.1
