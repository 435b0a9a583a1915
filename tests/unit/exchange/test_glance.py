"""What is asked again where lists are dear, and what is not."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from bot.clock import VirtualClock
from bot.core.position import Position
from bot.exchange.book import START, Book
from bot.exchange.glance import Glance, Glancer
from bot.exchange.lane import Urgency
from bot.exchange.rows import Money, Trade

BTC = "BTC/USDC:USDC"
NOW_MS = 1_738_022_400_000
LONG = Position(BTC, 1, 0.1, 50_000.0, 500.0, 10.0)
BOUGHT = Trade(NOW_MS, BTC, 1, "7", 1, 50_000.0, 0.1, 2.5, False, 0.0)
WHOLE = ["orders", "trades", "position", "money"]


class Venue:
    """Answers what it is told to, and keeps what was asked."""

    def __init__(self, ccxt_id: str = "hyperliquid") -> None:
        self.ccxt_id, self.client, self.clock = ccxt_id, None, VirtualClock(NOW_MS)
        self.held: tuple[Position, ...] = ()
        self.traded: tuple[Trade, ...] = ()
        self.free_quote, self.asked = 100.0, list[str]()
        self.book = Book()
        self.book.free_quote = 100.0
        link, dialect = SimpleNamespace(**vars(self), read=self.read), self
        self.glancer = Glancer(link, dialect, self.book)  # pyright: ignore[reportArgumentType]

    async def read(self, call: Any, urgency: Urgency) -> Any:
        del urgency
        return await call()

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        del client, leverage
        self.asked.append("position")
        return self.held

    async def money(self, client: Any) -> Money:
        del client
        self.asked.append("money")
        return Money(self.free_quote, self.free_quote)

    async def open_orders(self, client: Any, symbol: str) -> tuple[Any, ...]:
        del client, symbol
        self.asked.append("orders")
        return ()

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        del client, symbol, since_ms
        self.asked.append("trades")
        return self.traded

    async def look(self, urgency: Urgency = Urgency.NORMAL) -> Glance | None:
        """Look once, and tell what of it adds up as the observer does."""
        self.asked.clear()
        seen = await self.glancer.glance(BTC, urgency)
        if seen is not None:
            is_consistent = self.glancer.adds_up(BTC, seen.position, seen.trades)
            self.glancer.note(BTC, seen, is_consistent=is_consistent)
        return seen


async def test_fills_that_the_position_does_not_show_are_not_asked_for_again() -> None:
    venue = Venue()
    venue.traded = (BOUGHT,)
    assert await venue.look() == Glance((), (BOUGHT,), None, Money(100.0, 100.0))
    assert sorted(venue.asked) == sorted(WHOLE)
    assert await venue.look() is None
    assert sorted(venue.asked) == ["money", "position"]
    venue.held = (LONG,)
    assert await venue.look() == Glance((), (BOUGHT,), LONG, Money(100.0, 100.0))
    assert sorted(venue.asked) == ["money", "orders", "position"]


async def test_fills_that_lag_behind_the_position_are_asked_for_without_the_orders() -> None:
    venue = Venue()
    venue.held = (LONG,)
    await venue.look()
    assert await venue.look() is None
    assert sorted(venue.asked) == ["money", "position", "trades"]
    venue.traded = (BOUGHT,)
    assert await venue.look() == Glance((), (BOUGHT,), LONG, Money(100.0, 100.0))
    assert sorted(venue.asked) == sorted(WHOLE)


async def test_what_does_not_add_up_is_looked_at_whole_after_some_seconds() -> None:
    venue = Venue()
    venue.traded = (BOUGHT,)
    await venue.look()
    venue.clock.advance(6_001)
    assert await venue.look() is not None
    assert sorted(venue.asked) == sorted(WHOLE)


async def test_fills_that_were_told_meanwhile_do_not_count_twice() -> None:
    venue = Venue()
    venue.traded = (BOUGHT,)
    await venue.look()
    venue.held = (LONG,)
    venue.book.positions[BTC] = LONG
    venue.book.trades[BTC] = START.after([(BOUGHT.ts_ms, str(BOUGHT.trade_id))])
    assert await venue.look() == Glance((), (), LONG, Money(100.0, 100.0))


@pytest.mark.parametrize("ccxt_id", ["binanceusdm", "bybit", "okx"])
async def test_elsewhere_everything_is_asked_for_each_time(ccxt_id: str) -> None:
    venue = Venue(ccxt_id)
    venue.traded = (BOUGHT,)
    for urgency in (Urgency.NORMAL, Urgency.POLL):
        assert await venue.look(urgency) is not None
        assert sorted(venue.asked) == sorted(WHOLE)


@pytest.mark.parametrize("urgency", [Urgency.POLL, Urgency.PROOF])
async def test_a_poll_asks_for_no_fills_while_position_and_money_are_the_same(urgency: Urgency) -> None:
    venue = Venue()
    await venue.look(urgency)
    assert sorted(venue.asked) == ["money", "orders", "position"]
    for free_quote, held in ((99.9, ()), (100.0, (LONG,))):
        venue.free_quote, venue.held, venue.traded = free_quote, held, (BOUGHT,) * len(held)
        seen = await venue.look(urgency)
        assert seen is not None
        assert seen.trades == venue.traded
        assert sorted(venue.asked) == sorted(WHOLE)
        venue.glancer.note(BTC, seen, is_consistent=True)


async def test_what_news_prompted_asks_for_fills() -> None:
    venue = Venue()
    await venue.look(Urgency.NORMAL)
    assert sorted(venue.asked) == sorted(WHOLE)
