"""The synthetic market looks like a market: measured on months of real one-minute candles."""

import numpy as np
import pytest

from bot.core.event import FundingDue, MarkPrice
from bot.errors import UserError
from bot.sim.coins import COINS
from bot.sim.hour_ticks import hour_ticks, minute_candles, weather
from bot.sim.market import ORIGIN_MS, SyntheticMarket
from bot.sim.regimes import Planner, Regime
from tests.unit.feeds.recorded import MINUTE_MS
from tests.unit.feeds.sessions import BTC, ETH, taken

HOURS_OF_MONTH = 720
NAMES = ("BTC", "ETH", "SOL")
SEEDS = (0, 1, 2, 3, 42)


def minute_returns(seed: int) -> np.ndarray:
    """Return the one-minute log returns of a month, one row a coin."""
    coins = tuple(COINS[name] for name in NAMES)
    planner = Planner(seed, coins)
    closes = [[] for _ in coins]
    for hour in range(HOURS_OF_MONTH):
        shared = weather(seed, hour, 1_000)
        for column, coin, plan in zip(closes, coins, planner.hour(hour).coins, strict=True):
            column.append(minute_candles(hour_ticks(coin, plan, shared), 0).close)
    return np.diff(np.log([np.concatenate(column) for column in closes]))


@pytest.fixture(scope="module", params=SEEDS)
def returns(request) -> np.ndarray:
    return minute_returns(request.param)


def test_moves_beyond_four_sigma_are_as_frequent_as_in_real_months(returns):
    scores = (returns[0] - returns[0].mean()) / returns[0].std()
    assert 0.0057 <= np.mean(np.abs(scores) > 4.0) <= 0.0075
    assert 11.0 <= np.mean(scores**4) <= 258.0


def test_a_minute_spreads_as_in_real_months(returns):
    assert 3.3e-4 <= returns[0].std() <= 1.8e-3
    daily = returns.std(axis=1) * np.sqrt(1440)
    assert 0.02 <= daily[0] <= 0.04
    assert daily[0] < daily[1] < daily[2] < 0.07


def test_coins_move_together(returns):
    pairs = np.corrcoef(returns)[np.triu_indices(3, 1)]
    assert np.all((pairs >= 0.6) & (pairs <= 0.85))


def test_volatility_clusters(returns):
    size = np.abs(returns[0])
    for minutes in (1, 10, 60):
        assert np.corrcoef(size[:-minutes], size[minutes:])[0, 1] > 0.05
    assert abs(np.corrcoef(returns[0][:-1], returns[0][1:])[0, 1]) < 0.05


def test_days_have_calm_trending_volatile_and_crash_hours():
    planner = Planner(1, (COINS["BTC"],))
    hours = [planner.hour(number) for number in range(HOURS_OF_MONTH)]
    assert {hour.mood.regime for hour in hours} == set(Regime)
    moves = {regime: [] for regime in Regime}
    for hour in hours:
        moves[hour.mood.regime].append(hour.coins[0].end_log_price() - hour.coins[0].start_log_price)
    assert np.std(moves[Regime.CALM]) < np.std(moves[Regime.VOLATILE]) < np.std(moves[Regime.CRASH])
    assert np.mean(moves[Regime.CRASH]) < 0.0


def test_the_session_opens_in_a_volatile_hour():
    assert Planner(5, (COINS["BTC"],)).hour(0).mood.regime == Regime.VOLATILE


def test_prices_have_no_seam_between_hours():
    market = SyntheticMarket(3, [BTC], 5 * MINUTE_MS)
    ticks = [event for event in taken(market, 40_000) if isinstance(event, MarkPrice)]
    moves = np.abs(np.diff(np.log([tick.last for tick in ticks])))
    seams = moves[3599::3600]
    assert np.median(seams) < 3.0 * np.median(moves)


def test_the_mark_wanders_around_the_last_price_and_returns():
    market = SyntheticMarket(3, [BTC], 5 * MINUTE_MS)
    ticks = [event for event in taken(market, 60_000) if isinstance(event, MarkPrice)]
    basis = np.array([tick.mark / tick.last - 1.0 for tick in ticks])
    assert 0.00003 < np.median(np.abs(basis)) < 0.0005
    assert np.abs(basis).max() < 0.03
    assert np.corrcoef(basis[:-1], basis[1:])[0, 1] > 0.5


def test_prices_are_on_the_tick_grid():
    ticks = [
        event
        for event in taken(SyntheticMarket(3, [BTC], 5 * MINUTE_MS), 500)
        if isinstance(event, MarkPrice)
    ]
    assert all(round(tick.last, 1) == tick.last for tick in ticks)


def test_funding_falls_due_every_eight_hours_and_leans_with_the_trend():
    events = taken(SyntheticMarket(3, [BTC, ETH], 5 * MINUTE_MS, 60_000), 9_000)
    due = [event for event in events if isinstance(event, FundingDue) and event.symbol == BTC]
    assert [event.ts_ms for event in due[:3]] == [ORIGIN_MS + 8 * 3_600_000 * number for number in (1, 2, 3)]
    planner = Planner(3, (COINS["BTC"],))
    rates = np.array([planner.funding_rate(number, 0) for number in range(0, 4_000, 8)])
    assert np.median(rates) == 0.0001
    assert -0.003 <= rates.min() < 0.0
    assert 0.0003 < rates.max() <= 0.003


def test_history_reaches_back_before_the_start_and_ends_where_the_session_begins():
    market = SyntheticMarket(3, [BTC], 5 * MINUTE_MS)
    candles = market.history(BTC, 5 * MINUTE_MS, 3 * 288)
    assert candles.open_ms.size == 3 * 288
    assert candles.open_ms[-1] == ORIGIN_MS - 5 * MINUTE_MS
    assert np.all(np.diff(candles.open_ms) == 5 * MINUTE_MS)
    first = market.next()
    assert isinstance(first, MarkPrice)
    assert abs(first.last / candles.close[-1] - 1.0) < 0.005


def test_history_does_not_reach_beyond_its_sixty_days():
    candles = SyntheticMarket(3, [BTC], 60 * MINUTE_MS, 60_000).history(BTC, 60 * MINUTE_MS, 5_000)
    assert candles.open_ms.size == 60 * 24


def test_an_unknown_coin_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="BTC, ETH, SOL, BNB, XRP, DOGE"):
        SyntheticMarket(1, ["PEPE/USDT:USDT"], 5 * MINUTE_MS)


@pytest.mark.parametrize(
    ("timeframe_ms", "tick_ms"), [(300_000, 7_000), (300_000, 0), (420_000, 1_000), (500, 1_000)]
)
def test_timeframes_and_ticks_off_the_grid_are_refused(timeframe_ms, tick_ms):
    with pytest.raises(ValueError, match=r"do not divide|divide a day"):
        SyntheticMarket(1, [BTC], timeframe_ms, tick_ms)


@pytest.mark.parametrize("place", [(-1, 0), (0, 10**9), (0,), (0, -1)])
def test_a_place_of_another_session_is_refused(place):
    with pytest.raises(ValueError, match="not a place"):
        SyntheticMarket(1, [BTC], 5 * MINUTE_MS).seek(place)
