"""How the simulated venue trades: spread, slippage, depth, latency."""

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from bot.errors import UserError

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15


class VenueConfig(NamedTuple):
    """Fractions are of the price. A taker pays half_spread + impact * sqrt(notional / depth).

    `depth_quote`: per symbol, the most one order takes from the book at one tick; the rest waits for
    the next tick. `latency_jitter_ms`: up to so much is added to `latency_ms`, drawn from `seed` and
    the order's number, so that no generator state has to be kept.
    """

    half_spread_fraction: float
    impact_fraction: float
    depth_quote: Mapping[str, float]
    latency_ms: int = 0
    latency_jitter_ms: int = 0
    seed: int = 0


def check_config(config: VenueConfig, symbols: Iterable[str]) -> None:
    """Raise UserError for a value that no market can have or a symbol without a depth."""
    worst = config.half_spread_fraction + config.impact_fraction
    if not (config.half_spread_fraction >= 0.0 and config.impact_fraction >= 0.0 and worst < 1.0):
        raise UserError(
            f"The simulated venue was given half_spread_fraction {config.half_spread_fraction} and "
            f"impact_fraction {config.impact_fraction}: both must be at least 0 and their sum below 1, "
            "because a taker would otherwise trade at a negative price. Give fractions, such as 0.0001."
        )
    if config.latency_ms < 0 or config.latency_jitter_ms < 0:
        raise UserError(
            f"The simulated venue was given latency_ms {config.latency_ms} and latency_jitter_ms "
            f"{config.latency_jitter_ms}: an order cannot arrive before it is sent. Give 0 or more."
        )
    for symbol in symbols:
        depth = config.depth_quote.get(symbol, math.nan)
        if not 0.0 < depth < math.inf:
            raise UserError(
                f"The simulated venue has no usable depth_quote for {symbol}: it says how much one order "
                "takes per tick and must be a positive number. Add the symbol to depth_quote."
            )


def latency_of(config: VenueConfig, order_number: int) -> int:
    """Return the milliseconds until this order is executed; the same number, the same answer."""
    if config.latency_jitter_ms == 0:
        return config.latency_ms
    return config.latency_ms + _mix(config.seed, order_number) % (config.latency_jitter_ms + 1)


def jitters_of(config: VenueConfig, count: int) -> list[int]:
    """Return what is added to the latency of each of the first `count` orders."""
    return [latency_of(config, number) - config.latency_ms for number in range(1, count + 1)]


def _mix(seed: int, number: int) -> int:
    """SplitMix64 (Steele, Lea, Flood 2014) of the pair."""
    value = (seed * _GOLDEN + number * 0xD1B54A32D192ED03 + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
