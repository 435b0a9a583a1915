"""The ticks of one hour of one coin of the synthetic market, as arrays.

Last prices walk a Brownian bridge from the hour's planned start to its planned end; the spread of
each minute is drawn (this makes the tails fat) and shared by all coins. Jumps take seconds. The mark
follows a jump more slowly than the last price and wanders around it, returning within minutes.
"""

from math import exp, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles
from bot.core.timeframe import HOUR_MS, MINUTE_MS
from bot.sim.coins import Coin
from bot.sim.regimes import CoinHour, generator

Array = NDArray[np.float64]

MINUTES: Final = 60
_MINUTE_SPREAD: Final = 0.44  # log standard deviation of a minute's liveliness, common to all coins
_OWN_MINUTE_SPREAD: Final = 0.25
_BASIS_SIGMA: Final = 0.00012
_BASIS_MEMORY_MS: Final = 90_000
_PREMIUM_IN_BASIS: Final = 0.2  # a venue's mark takes most of the premium along
_LAST_JUMP_MS: Final = 3_000
_MARK_JUMP_MS: Final = 12_000


class Ticks(NamedTuple):
    """Prices of an hour, one a tick, and the volume of each minute in base units."""

    mark: Array
    last: Array
    volume: Array


class Weather(NamedTuple):
    """What all coins share in an hour: the common normal draws and each minute's liveliness."""

    seed: int
    hour: int
    tick_ms: int
    normal: Array
    minute_liveliness: Array


def weather(seed: int, hour: int, tick_ms: int) -> Weather:
    """Return the common draws of an hour."""
    random = generator(seed, 0, hour, is_plan=False)
    liveliness = _liveliness(random, _MINUTE_SPREAD)
    return Weather(seed, hour, tick_ms, random.standard_normal(HOUR_MS // tick_ms), liveliness)


def hour_ticks(coin: Coin, plan: CoinHour, shared: Weather) -> Ticks:
    """Return the hour's ticks of `coin`; the same for the same arguments, bit for bit."""
    random = generator(shared.seed, coin.stream, shared.hour, is_plan=False)
    tick_ms = shared.tick_ms
    liveliness = shared.minute_liveliness * _liveliness(random, _OWN_MINUTE_SPREAD)
    count = HOUR_MS // tick_ms
    own_normal = random.standard_normal(count)
    sigma = np.repeat(liveliness, count // MINUTES) / sqrt(count)
    steps = sigma * (plan.common_sigma * shared.normal + plan.own_sigma * own_normal)
    smooth = plan.start_log_price + _bridge(steps, sigma * sigma, plan.smooth_move)
    jumped, behind = _jumps(plan, count, tick_ms)
    basis = _basis(random.standard_normal(count), tick_ms) * (1.0 + _stress(plan, coin))
    log_last = smooth + jumped
    log_mark = log_last - behind - basis - _PREMIUM_IN_BASIS * plan.premium
    volume = _volume(random, coin, liveliness)
    decimals = coin.price_decimals
    return Ticks(_prices(log_mark, decimals + 2), _prices(log_last, decimals), volume)


def minute_candles(ticks: Ticks, open_ms: int) -> Candles:
    """Return the hour's sixty one-minute candles of the last price."""
    last = ticks.last.reshape(MINUTES, -1)
    minutes = open_ms + MINUTE_MS * np.arange(MINUTES, dtype=np.int64)
    high, low = last.max(axis=1), last.min(axis=1)
    return Candles(minutes, last[:, 0].copy(), high, low, last[:, -1].copy(), ticks.volume, np.zeros(MINUTES))


def _prices(log_prices: Array, decimals: int) -> Array:
    return np.exp(log_prices).round(decimals)


def _liveliness(random: np.random.Generator, spread: float) -> Array:
    """Return each minute's factor on sigma, log-normal with a mean square of one."""
    return np.exp(spread * random.standard_normal(MINUTES) - spread * spread)


def _bridge(steps: Array, weights: Array, move: float) -> Array:
    """Return the walk of `steps`, bent so that the hour moves by `move`; its first value is 0."""
    walk, time = np.cumsum(steps), np.cumsum(weights)
    bent = walk + (move - walk[-1]) * (time / time[-1])
    return np.concatenate(([0.0], bent[:-1]))


def _jumps(plan: CoinHour, count: int, tick_ms: int) -> tuple[Array, Array]:
    """Return the jumps done by the last price, and how far the mark is still behind it."""
    jumped, behind = np.zeros(count), np.zeros(count)
    for jump in plan.jumps:
        first = int(jump.part * count)
        elapsed = tick_ms * np.arange(1, count - first + 1)
        last_part = np.exp(-elapsed / _LAST_JUMP_MS)
        jumped[first:] += jump.log_move * (1.0 - last_part)
        behind[first:] += jump.log_move * (np.exp(-elapsed / _MARK_JUMP_MS) - last_part)
    return jumped, behind


def _stress(plan: CoinHour, coin: Coin) -> float:
    return (plan.common_sigma + plan.own_sigma) * sqrt(24.0) / coin.daily_sigma


def _basis(normal: Array, tick_ms: int) -> Array:
    """Return a mean-reverting walk that is small again at the hour's end (an AR(1) in closed form)."""
    count, memory = normal.size, exp(-tick_ms / _BASIS_MEMORY_MS)
    powers = memory ** np.arange(count)
    scale = _BASIS_SIGMA * sqrt(1.0 - memory * memory)
    left = tick_ms * np.arange(count, 0, -1) / _BASIS_MEMORY_MS
    return scale * powers * np.cumsum(normal / powers) * (1.0 - np.exp(-left))


def _volume(random: np.random.Generator, coin: Coin, liveliness: Array) -> Array:
    noise = np.exp(0.5 * random.standard_normal(MINUTES))
    return np.round(coin.minute_volume * liveliness * liveliness * noise, 3)
