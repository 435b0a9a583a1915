"""What a replay plays, and in which order."""

import numpy as np
import pytest

from bot.core.event import CandleClosed, FeedGap, FundingDue, MarkPrice
from bot.errors import UserError
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

FIVE_MS = 5 * MINUTE_MS
NO_LIMIT = 10.0


def flat(_: str) -> int:
    return 0


def ticks_of(events, symbol):
    return [event for event in events if isinstance(event, MarkPrice) and event.symbol == symbol]


def test_every_bar_is_four_ticks_from_its_open_to_its_last_millisecond_when_steps_are_not_limited():
    candles = bars_of(1, 10)
    ticks = ticks_of(rest(ReplayMarket(market_history([candles]), FIVE_MS, flat, NO_LIMIT)), BTC)
    offsets = [(tick.ts_ms - START_MS) % MINUTE_MS for tick in ticks]
    assert offsets == 10 * [0, 19_999, 39_999, 59_999]
    assert [(tick.ts_ms - START_MS) // MINUTE_MS for tick in ticks[::4]] == list(range(10))
    assert [tick.last for tick in ticks[::4]] == candles.open.tolist()
    assert [tick.last for tick in ticks[3::4]] == candles.close.tolist()
    assert all(tick.mark == tick.last for tick in ticks)


@pytest.mark.parametrize(("side", "first"), [(1, "low"), (-1, "high")])
def test_the_side_held_when_the_bar_opens_decides_the_order_of_extremes(side, first):
    candles = bars_of(1, 10)
    held = {BTC: side, ETH: -side}
    market = ReplayMarket(market_history([candles, bars_of(2, 10)]), FIVE_MS, held.__getitem__, NO_LIMIT)
    ticks = ticks_of(rest(market), BTC)
    assert [tick.last for tick in ticks[1::4]] == getattr(candles, first).tolist()


def test_the_side_is_asked_after_what_is_due_at_the_opening():
    asked_at = []
    market = ReplayMarket(
        market_history([bars_of(1, 10)]), FIVE_MS, lambda _: asked_at.append(events[-1:]) or 0
    )
    events: list = []
    while (event := market.next()) is not None:
        events.append(event)
    assert len(asked_at) == 10
    assert isinstance(asked_at[5][0], CandleClosed)


def test_a_crash_minute_is_met_in_steps():
    candles = bars_of(1, 3)
    candles = candles._replace(low=candles.low * np.array([1.0, 0.86, 1.0]))
    ticks = ticks_of(rest(ReplayMarket(market_history([candles]), MINUTE_MS, flat, 0.0025)), BTC)
    inside = [tick for tick in ticks if 0 <= tick.ts_ms - START_MS - MINUTE_MS < MINUTE_MS]
    assert len(inside) > 2 * 14 / 0.25
    assert len({tick.ts_ms for tick in inside}) == len(inside)
    assert min(tick.last for tick in inside) == candles.low[1]


def test_mark_and_last_walk_their_own_candles_together():
    last, mark = bars_of(1, 10), bars_of(2, 10)
    market = ReplayMarket(market_history([last], marks=[mark]), FIVE_MS, lambda _: 1, NO_LIMIT)
    ticks = ticks_of(rest(market), BTC)
    assert [(tick.mark, tick.last) for tick in ticks[1::4]] == list(
        zip(mark.low.tolist(), last.low.tolist(), strict=True)
    )


def test_closed_candles_are_on_their_grid_and_made_of_their_bars():
    candles = bars_of(1, 23)
    events = rest(ReplayMarket(market_history([candles], start_bar=3), FIVE_MS, flat))
    closed = closed_of(events, BTC)
    assert [event.ts_ms for event in closed] == [START_MS + FIVE_MS * number for number in (1, 2, 3, 4)]
    second = slice(5, 10)
    assert closed[1][3:8] == (
        candles.open[5],
        candles.high[second].max(),
        candles.low[second].min(),
        candles.close[9],
        pytest.approx(candles.volume[second].sum()),
    )


def test_the_last_candle_of_the_range_is_delivered_at_its_end():
    events = rest(ReplayMarket(market_history([bars_of(1, 10)]), FIVE_MS, flat))
    assert isinstance(events[-1], CandleClosed)
    assert events[-1].ts_ms == START_MS + 10 * MINUTE_MS


def test_at_one_instant_funding_comes_first_then_gaps_candles_and_prices():
    funding = Funding(np.array([START_MS + FIVE_MS]), np.array([0.0004]))
    gap = Gap(START_MS + FIVE_MS, START_MS + 2 * FIVE_MS)
    candles = [bars_of(1, 20), without(bars_of(2, 20), 5, 10)]
    history = market_history(candles, gaps=[(), (gap,)], funding=funding)
    events = rest(ReplayMarket(history, FIVE_MS, flat))
    kinds = [(type(event), event.symbol) for event in events if event.ts_ms == START_MS + FIVE_MS]
    assert kinds == [
        (FundingDue, BTC),
        (FundingDue, ETH),
        (FeedGap, ETH),
        (CandleClosed, BTC),
        (CandleClosed, ETH),
        (MarkPrice, BTC),
    ]
    assert closed_of(events, BTC)[0].funding_rate == 0.0004


def test_a_gap_is_announced_without_prices_or_incomplete_candles():
    gap = Gap(START_MS + 7 * MINUTE_MS, START_MS + 12 * MINUTE_MS)
    candles = [bars_of(1, 20), without(bars_of(2, 20), 7, 12)]
    market = ReplayMarket(market_history(candles, gaps=[(), (gap,)]), FIVE_MS, flat)
    events = rest(market)
    assert [event for event in events if isinstance(event, FeedGap)] == [
        FeedGap(gap.from_ms, ETH, gap.until_ms)
    ]
    assert not [tick for tick in ticks_of(events, ETH) if gap.from_ms <= tick.ts_ms < gap.until_ms]
    assert [(event.ts_ms - START_MS) // FIVE_MS for event in closed_of(events, ETH)] == [1, 4]
    assert [(event.ts_ms - START_MS) // FIVE_MS for event in closed_of(events, BTC)] == [1, 2, 3, 4]
    assert as_closed(market.history(ETH, FIVE_MS, 9), ETH, FIVE_MS) == closed_of(events, ETH)


def test_settlements_inside_a_long_bar_come_in_time_order():
    hour_ms = 60 * MINUTE_MS
    funding = Funding(START_MS + hour_ms * np.array([0, 8, 16, 24, 47, 48]), np.full(6, 0.0001))
    history = market_history([bars_of(1, 2, 24 * hour_ms)], funding=funding, step_ms=24 * hour_ms)
    events = rest(ReplayMarket(history, 24 * hour_ms, flat))
    due = [event.ts_ms - START_MS for event in events if isinstance(event, FundingDue)]
    assert due == [0, 8 * hour_ms, 16 * hour_ms, 24 * hour_ms, 47 * hour_ms]
    assert np.all(np.diff([event.ts_ms for event in events]) >= 0)


def test_history_before_the_first_event_is_the_warm_up():
    market = ReplayMarket(market_history([bars_of(1, 20)], start_bar=12), FIVE_MS, flat)
    assert market.history(BTC, FIVE_MS, 9).open_ms.tolist() == [START_MS, START_MS + FIVE_MS]


def test_a_timeframe_that_the_bars_do_not_divide_is_refused():
    history = market_history([bars_of(1, 20, FIVE_MS)], step_ms=FIVE_MS)
    with pytest.raises(UserError, match="no multiple"):
        ReplayMarket(history, 7 * MINUTE_MS, flat)


@pytest.mark.parametrize("place", [(-1, 0), (11, 0), (0, 999), (0, -1), (3, 2, 1, 1)])
def test_a_place_of_another_session_is_refused(place):
    market = ReplayMarket(market_history([bars_of(1, 10)]), FIVE_MS, flat)
    with pytest.raises(ValueError, match="not a place"):
        market.seek(place)


def test_the_end_can_be_returned_to():
    market = ReplayMarket(market_history([bars_of(1, 10)]), FIVE_MS, flat)
    rest(market)
    place = market.place()
    market.seek((0, 0))
    assert taken(market, 1)
    market.seek(place)
    assert market.next() is None
