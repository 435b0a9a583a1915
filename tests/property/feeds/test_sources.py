"""Laws of both sources: continuing at any place is exact, and history is what was delivered."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.event import CandleClosed, MarkPrice
from bot.sim.market import SyntheticMarket
from bot.sim.replay import ReplayMarket
from bot.sim.series import Funding, Gap
from tests.unit.feeds.recorded import MINUTE_MS, START_MS
from tests.unit.feeds.sessions import (
    BTC,
    ETH,
    as_closed,
    bars_of,
    closed_of,
    market_history,
    rest,
    taken,
    without,
)

TIMEFRAME_MS = 5 * MINUTE_MS
GAP = Gap(START_MS + 31 * MINUTE_MS, START_MS + 38 * MINUTE_MS)
FUNDING = Funding(
    np.array([START_MS, START_MS + 25 * MINUTE_MS, START_MS + 50 * MINUTE_MS]),
    np.array([0.0001, 0.0002, -0.0003]),
)


class Sides:
    """A side for each question asked, like a venue whose position changes all the time."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.asked = 0

    def __call__(self, symbol: str) -> int:
        self.asked += 1
        return int(self._random.integers(-1, 2))


def replay(side_of) -> ReplayMarket:
    candles = (bars_of(1, 60), without(bars_of(2, 60), 31, 38))
    history = market_history(candles, start_bar=10, gaps=((), (GAP,)), funding=FUNDING)
    return ReplayMarket(history, TIMEFRAME_MS, side_of, max_step=0.001)


def synthetic(tick_ms: int, seed: int = 7, timeframe_ms: int = TIMEFRAME_MS) -> SyntheticMarket:
    return SyntheticMarket(seed, [BTC, ETH], timeframe_ms, tick_ms)


@settings(max_examples=60)
@given(st.integers(0, 900), st.integers(0, 5))
def test_a_replay_continues_exactly_at_every_place(count, seed):
    whole = replay(Sides(seed))
    before = taken(whole, count)
    place, again = whole.place(), whole.place_before()
    sides = Sides(seed + 100)
    whole._side_of = sides
    following = rest(whole)
    other = replay(Sides(seed + 100))
    other.seek(place)
    assert rest(other) == following
    if before:
        other = replay(Sides(seed + 100))
        other.seek(again)
        assert rest(other) == [before[-1], *following]


@settings(max_examples=25)
@given(st.integers(0, 16_000), st.sampled_from((1_000, 20_000)))
def test_the_synthetic_market_continues_exactly_at_every_place(count, tick_ms):
    whole = synthetic(tick_ms)
    before = taken(whole, count)
    place, again = whole.place(), whole.place_before()
    following = taken(whole, 500)
    other = synthetic(tick_ms)
    other.seek(place)
    assert taken(other, 500) == following
    if before:
        other.seek(again)
        assert taken(other, 501) == [before[-1], *following]


@settings(max_examples=40)
@given(st.integers(0, 900), st.sampled_from((BTC, ETH)), st.integers(1, 20))
def test_replayed_history_is_what_was_delivered(count, symbol, wanted):
    market = replay(lambda _: 0)
    warm = as_closed(market.history(symbol, TIMEFRAME_MS, 1000), symbol, TIMEFRAME_MS)
    delivered = closed_of(taken(market, count), symbol)
    assert (
        as_closed(market.history(symbol, TIMEFRAME_MS, wanted), symbol, TIMEFRAME_MS)
        == (warm + delivered)[-wanted:]
    )


@settings(max_examples=25)
@given(
    st.integers(0, 4_000),
    st.sampled_from((BTC, ETH)),
    st.sampled_from((5, 9, 60, 90, 240)),
    st.integers(1, 20),
)
def test_synthetic_history_is_what_was_delivered(count, symbol, minutes, wanted):
    timeframe_ms = minutes * MINUTE_MS
    market = synthetic(20_000, timeframe_ms=timeframe_ms)
    warm = as_closed(market.history(symbol, timeframe_ms, 20), symbol, timeframe_ms)
    assert len(warm) == 20
    delivered = closed_of(taken(market, count), symbol)
    fresh = synthetic(20_000, timeframe_ms=timeframe_ms)
    fresh.seek(market.place())
    for source in (market, fresh):
        history = source.history(symbol, timeframe_ms, wanted)
        assert as_closed(history, symbol, timeframe_ms) == (warm + delivered)[-wanted:]


@pytest.mark.parametrize("build", [lambda: replay(lambda _: 0), lambda: synthetic(20_000)])
def test_history_at_every_place_is_what_was_delivered_up_to_there(build):
    """Holds at each event of a session, for each symbol, and after a return to right before the event."""
    market, other = build(), build()
    delivered = {
        symbol: as_closed(market.history(symbol, TIMEFRAME_MS, 3), symbol, TIMEFRAME_MS)
        for symbol in (BTC, ETH)
    }
    for event in taken(market, 900):
        before = {symbol: candles[-3:] for symbol, candles in delivered.items()}
        if isinstance(event, CandleClosed):
            delivered[event.symbol].append(event)
        assert other.next() == event
        if event.ts_ms % TIMEFRAME_MS:
            continue
        place = other.place()
        for symbol, candles in delivered.items():
            assert as_closed(other.history(symbol, TIMEFRAME_MS, 3), symbol, TIMEFRAME_MS) == candles[-3:]
        other.seek(other.place_before())
        for symbol, candles in before.items():
            assert as_closed(other.history(symbol, TIMEFRAME_MS, 3), symbol, TIMEFRAME_MS) == candles
        other.seek(place)


@settings(max_examples=20)
@given(st.integers(0, 2**64 - 1))
def test_any_seed_gives_a_sane_market(seed):
    market = synthetic(20_000, seed=seed)
    events = taken(market, 2_000)
    ticks = [event for event in events if isinstance(event, MarkPrice)]
    assert all(event.mark > 0.0 and event.last > 0.0 for event in ticks)
    assert all(abs(event.mark / event.last - 1.0) < 0.05 for event in ticks)
    assert np.all(np.diff([event.ts_ms for event in events]) >= 0)


@pytest.mark.parametrize("symbols", [[ETH], [ETH, BTC], ["DOGE/USDT:USDT", BTC, ETH]])
def test_a_coin_moves_the_same_whatever_else_is_traded(symbols):
    market = SyntheticMarket(7, symbols, TIMEFRAME_MS, 20_000)
    ticks = [event for event in taken(market, 400) if isinstance(event, MarkPrice) and event.symbol == ETH]
    usual = [
        event
        for event in taken(synthetic(20_000), 1_200)
        if isinstance(event, MarkPrice) and event.symbol == ETH
    ]
    assert len(ticks) > 100
    assert ticks == usual[: len(ticks)]
