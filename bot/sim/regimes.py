"""The hourly plan of the synthetic market: regimes, where prices go, jumps, premium, funding.

Hours are numbered from the session's start; negative hours are its history. Each hour's plan follows
from the hour before it and from draws that depend on the seed, the stream and the day only, so any
hour can be planned again, bit for bit, by walking the hours (microseconds each), without any tick.

A coin's move in an hour is daily_sigma * (tie * common + sqrt(1 - tie^2) * own), each part scaled by
the liveliness of its regime: one common chain of regimes and one chain of each coin.
"""

from enum import IntEnum
from math import exp, log, sqrt
from typing import Final, NamedTuple

import numpy as np

from bot.sim.coins import Coin

HISTORY_HOURS: Final = 60 * 24
FUNDING_HOURS: Final = 8
_COMMON_STREAM: Final = 0
_DRAWS: Final = 12
_HOURS_OF_DAY: Final = 24
_ANCHOR_PULL: Final = 0.0005  # an hour: keeps a session of months near its starting prices
_VOLATILITY_MEMORY: Final = 0.9
_VOLATILITY_SPREAD: Final = 0.25
_PREMIUM_MEMORY: Final = 0.93
_PREMIUM_SPREAD: Final = 0.00009
_INTEREST: Final = 0.0001  # Binance: 0.01 % every 8 h, the premium clamped around it
_PREMIUM_CLAMP: Final = 0.0005
_FUNDING_CAP: Final = 0.003


class Regime(IntEnum):
    CALM = 0
    TRENDING = 1
    VOLATILE = 2
    CRASH = 3


class _Traits(NamedTuple):
    """What a regime does in an hour; `following` are the chances of the next hour's regime."""

    liveliness: float
    drift: float
    jumps: float
    jump_down_chance: float
    following: tuple[float, float, float, float]


_TRAITS: Final = (
    _Traits(0.72, 0.0, 0.004, 0.5, (0.92, 0.045, 0.033, 0.002)),
    _Traits(0.95, 0.30, 0.010, 0.5, (0.06, 0.88, 0.055, 0.005)),
    _Traits(1.45, 0.0, 0.060, 0.55, (0.08, 0.07, 0.83, 0.02)),
    _Traits(2.30, -0.7, 0.500, 0.85, (0.0, 0.05, 0.50, 0.45)),
)
_OPENING: Final = Regime.VOLATILE


class Jump(NamedTuple):
    """A sudden log move of one coin, `part` of the hour (0 to 1) after its start."""

    part: float
    log_move: float


class Mood(NamedTuple):
    """A chain's state: its regime, the trend's direction and its wandering log volatility."""

    regime: Regime
    direction: int
    log_volatility: float

    def liveliness(self) -> float:
        """Return the factor on the daily sigma."""
        return _TRAITS[self.regime].liveliness * exp(self.log_volatility)

    def drift(self) -> float:
        """Return the expected move of the hour in its standard deviations."""
        return _TRAITS[self.regime].drift * self.direction


class CoinHour(NamedTuple):
    """A coin in one hour. `smooth_move` is what ticks walk besides the jumps.

    `common_sigma` and `own_sigma` are standard deviations of the hour's two parts.
    """

    mood: Mood
    start_log_price: float
    smooth_move: float
    common_sigma: float
    own_sigma: float
    jumps: tuple[Jump, ...]
    premium: float

    def end_log_price(self) -> float:
        """Return the log price at which the next hour starts."""
        return self.start_log_price + self.smooth_move + sum(jump.log_move for jump in self.jumps)


class Hour(NamedTuple):
    """The plan of one hour for every coin, in the market's order."""

    mood: Mood
    coins: tuple[CoinHour, ...]


class Planner:
    """Plans the hours of one seed, each once; about 1 kB an hour is kept."""

    def __init__(self, seed: int, coins: tuple[Coin, ...]) -> None:
        self._seed, self._coins = seed, coins
        self._hours: list[Hour] = []
        self._draws: dict[int, tuple[int, list[list[float]]]] = {}

    def hour(self, number: int) -> Hour:
        """Return the plan of hour `number`. ValueError before the history begins."""
        if number < -HISTORY_HOURS:
            raise ValueError(f"hour {number} lies before the synthetic history of {HISTORY_HOURS} hours")
        while len(self._hours) <= number + HISTORY_HOURS:
            self._hours.append(self._plan(len(self._hours) - HISTORY_HOURS))
        return self._hours[number + HISTORY_HOURS]

    def funding_rate(self, number: int, coin: int) -> float:
        """Return the rate settled at the start of hour `number`: the mean premium of the hours before it."""
        first = max(number - FUNDING_HOURS, -HISTORY_HOURS)
        premiums = [self.hour(hour).coins[coin].premium for hour in range(first, number)]
        premium = sum(premiums) / max(1, len(premiums))
        rate = premium + min(max(_INTEREST - premium, -_PREMIUM_CLAMP), _PREMIUM_CLAMP)
        return round(min(max(rate, -_FUNDING_CAP), _FUNDING_CAP), 8)

    def _plan(self, number: int) -> Hour:
        before = self._hours[-1] if self._hours else None
        draws = self._hour_draws(number, _COMMON_STREAM)
        mood = _next_mood(before.mood if before else None, draws)
        if number == 0:
            mood = mood._replace(regime=_OPENING)
        common = _Common(mood, mood.drift() + _normal(draws, 3), _jump(mood, draws))
        coins = (self._plan_coin(number, index, common) for index in range(len(self._coins)))
        return Hour(mood, tuple(coins))

    def _plan_coin(self, number: int, index: int, common: "_Common") -> CoinHour:
        coin = self._coins[index]
        before = self._hours[-1].coins[index] if self._hours else None
        draws = self._hour_draws(number, coin.stream)
        mood = _next_mood(before.mood if before else None, draws)
        start = before.end_log_price() if before else log(coin.base_price)
        sigma = coin.daily_sigma / sqrt(_HOURS_OF_DAY)
        common_sigma = sigma * coin.tie * common.mood.liveliness()
        own_sigma = sigma * sqrt(1.0 - coin.tie**2) * mood.liveliness()
        move = common_sigma * common.move + own_sigma * (mood.drift() + _normal(draws, 3))
        pull = _ANCHOR_PULL * (log(coin.base_price) - start)
        jumps = _coin_jumps(coin, common.jump, _jump(mood, draws))
        premium = _next_premium(before.premium if before else 0.0, common.mood, draws)
        return CoinHour(mood, start, move + pull, common_sigma, own_sigma, jumps, premium)

    def _hour_draws(self, number: int, stream: int) -> list[float]:
        """Return the hour's uniform draws of a stream; a day of them is drawn at once."""
        day, hour = divmod(number, _HOURS_OF_DAY)
        known = self._draws.get(stream)
        if known is None or known[0] != day:
            uniform = generator(self._seed, stream, day, is_plan=True).random((_HOURS_OF_DAY, _DRAWS))
            known = self._draws[stream] = (day, uniform.tolist())
        return known[1][hour]


class _Common(NamedTuple):
    mood: Mood
    move: float
    jump: Jump | None


def generator(seed: int, stream: int, number: int, is_plan: bool) -> np.random.Generator:
    """Return the random generator of one stream and one day (plan) or hour (ticks), by counter."""
    counter = np.array([0, int(is_plan), stream, number + 2**32], dtype=np.uint64)
    key = np.array([seed % 2**64, 0x52494E47], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(counter=counter, key=key))


def _next_mood(before: Mood | None, draws: list[float]) -> Mood:
    if before is None:
        return Mood(Regime.CALM, 1, 0.0)
    regime = _pick(_TRAITS[before.regime].following, draws[0])
    direction = before.direction
    if regime != before.regime:
        direction = 1 if regime == Regime.CRASH or draws[1] < 0.5 else -1
    wander = _VOLATILITY_SPREAD * sqrt(1.0 - _VOLATILITY_MEMORY**2) * _normal(draws, 5)
    return Mood(regime, direction, _VOLATILITY_MEMORY * before.log_volatility + wander)


def _pick(chances: tuple[float, ...], draw: float) -> Regime:
    for regime in Regime:
        draw -= chances[regime]
        if draw < 0.0:
            return regime
    return Regime.CALM


def _normal(draws: list[float], first: int) -> float:
    """Return a standard normal from two uniforms (Box and Muller)."""
    radius = sqrt(-2.0 * log(1.0 - draws[first]))
    return radius * float(np.cos(2.0 * np.pi * draws[first + 1]))


def _jump(mood: Mood, draws: list[float]) -> Jump | None:
    """Return the hour's jump in daily sigmas, if there is one; it ends well before the hour does."""
    traits = _TRAITS[mood.regime]
    if draws[7] >= traits.jumps:
        return None
    size = 0.12 - 0.14 * log(1.0 - draws[8])
    return Jump(0.9 * draws[9], -size if draws[10] < traits.jump_down_chance else size)


def _coin_jumps(coin: Coin, common: Jump | None, own: Jump | None) -> tuple[Jump, ...]:
    own_share = 0.6 * sqrt(1.0 - coin.tie**2)
    parts = ((common, coin.daily_sigma), (own, own_share * coin.daily_sigma))
    return tuple(Jump(jump.part, jump.log_move * scale) for jump, scale in parts if jump)


def _next_premium(before: float, mood: Mood, draws: list[float]) -> float:
    """Return the premium of the perpetual over spot: it follows the trend and goes negative in a crash."""
    lean = {Regime.TRENDING: 0.0007 * mood.direction, Regime.CRASH: -0.0012}.get(mood.regime, 0.0)
    noise = _PREMIUM_SPREAD * (draws[11] - 0.5) * sqrt(12.0)
    return _PREMIUM_MEMORY * before + (1.0 - _PREMIUM_MEMORY) * lean + noise
