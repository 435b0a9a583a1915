"""The feed gives what a tick caused before the tick, with cursors that lose and repeat nothing."""

import json
import math

import pytest

from bot.clock import VirtualClock
from bot.core.event import MarkPrice, OrderAccepted
from bot.sim.feed import VenueFeed
from bot.sim.replay import ReplayMarket
from tests.unit.feeds.recorded import MINUTE_MS
from tests.unit.feeds.sessions import BTC, ScriptedVenue, bars_of, market_history, rest

FIVE_MS = 5 * MINUTE_MS


def source(side_of=lambda _: 0) -> ReplayMarket:
    return ReplayMarket(market_history([bars_of(1, 12), bars_of(2, 12)]), FIVE_MS, side_of)


def some_events(event) -> int:
    """Return how many venue events a market event causes: none, two or three, now and then."""
    return {0: 2, 7: 3}.get(event.ts_ms // 1000 % 11, 0)


def feed_of(venue: ScriptedVenue, market: ReplayMarket | None = None) -> VenueFeed:
    return VenueFeed(market or source(), venue, VirtualClock(), math.inf)


async def events_of(feed: VenueFeed) -> list:
    return [event async for event in feed.events()]


async def test_venue_events_come_before_the_market_event_that_caused_them():
    events = await events_of(feed_of(ScriptedVenue(some_events)))
    expected = []
    for event in rest(source()):
        expected += [
            OrderAccepted(event.ts_ms, event.symbol, f"{n}", "stop") for n in range(some_events(event))
        ]
        expected.append(event)
    assert events == expected


async def test_a_quiet_venue_is_not_advanced():
    class Quiet(ScriptedVenue):
        def advance(self, event):
            raise AssertionError("advanced")

    assert await events_of(feed_of(Quiet(lambda _: 0))) == rest(source())


async def test_a_session_cut_after_any_event_goes_on_as_if_never_cut():
    whole = await events_of(feed_of(ScriptedVenue(some_events)))
    for cut in range(1, len(whole)):
        venue = ScriptedVenue(some_events)
        feed, before = feed_of(venue), []
        stream = feed.events()
        async for event in stream:
            before.append(event)
            if len(before) == cut:
                break
        cursor = json.loads(json.dumps(feed.cursor()))
        await stream.aclose()
        again = feed_of(venue)
        again.seek(cursor)
        assert before + await events_of(again) == whole


async def test_the_cursor_before_the_first_tick_of_a_bar_keeps_the_path_chosen():
    held = {"side": 1}
    market = source(lambda _: held["side"])
    feed = feed_of(ScriptedVenue(lambda event: int(isinstance(event, MarkPrice))), market)
    stream = feed.events()
    first = await anext(stream)
    assert isinstance(first, OrderAccepted)
    cursor = feed.cursor()
    held["side"] = -1
    again = feed_of(ScriptedVenue(lambda _: 0), source(lambda _: held["side"]))
    again.seek(cursor)
    ticks = [event async for event in again.events() if isinstance(event, MarkPrice) and event.symbol == BTC]
    follow = [tick.last for tick in ticks if tick.ts_ms < first.ts_ms + MINUTE_MS]
    candles = bars_of(1, 12)
    assert follow.index(candles.low[0]) < follow.index(candles.high[0])
    await stream.aclose()


async def test_history_is_the_source_s():
    feed, market = feed_of(ScriptedVenue(lambda _: 0)), source()
    await events_of(feed)
    rest(market)
    expected = market.history(BTC, FIVE_MS, 5)
    assert (await feed.history(BTC, FIVE_MS, 5)).close.tolist() == expected.close.tolist()


@pytest.mark.parametrize(
    "cursor", [{}, {"place": None}, {"place": ["a"]}, {"place": [0]}, {"place": [99, 0]}]
)
def test_a_cursor_that_is_none_is_refused(cursor):
    with pytest.raises(ValueError, match=r"not a cursor|not a place|unpack"):
        feed_of(ScriptedVenue(lambda _: 0)).seek(cursor)
