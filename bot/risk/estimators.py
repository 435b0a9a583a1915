"""Streaming estimators: one closed candle in, a new state out; equal to the window forms of core.volatility.

A rolling window is told both what enters and what leaves, so no state holds a buffer: the caller has the
candles anyway. Sums are compensated (Neumaier), or years of entering and leaving would wear them away.
"""

import math
from typing import NamedTuple

from bot.core.compiled import compiled


class EwmaState(NamedTuple):
    """`variance` per bar after `bars` returns; `decay` = 0.5^(1 / half-life in bars)."""

    decay: float
    variance: float = 0.0
    bars: int = 0


class MeanState(NamedTuple):
    """An exponential mean whose weights sum to 1 however few values it has seen."""

    decay: float
    weighted: float = 0.0
    weight: float = 0.0


class RangeState(NamedTuple):
    """Wilder's true range: the plain mean of the first `period` ranges, then the smoothed one."""

    period: int
    average: float = 0.0
    bars: int = 0


class Sum(NamedTuple):
    """A compensated sum: its value is total + lost."""

    total: float = 0.0
    lost: float = 0.0


class ParkinsonState(NamedTuple):
    """The squared log ranges of the `bars` bars in the window."""

    squares: Sum = Sum()
    bars: int = 0


class YangZhangState(NamedTuple):
    """Sums over the `bars` bars in the window, each with the close before it."""

    overnight: Sum = Sum()
    overnight_squares: Sum = Sum()
    daytime: Sum = Sum()
    daytime_squares: Sum = Sum()
    rogers_satchell: Sum = Sum()
    bars: int = 0


class Bar(NamedTuple):
    """One candle with the close before it."""

    previous_close: float
    open: float
    high: float
    low: float
    close: float


@compiled
def ewma_after(state: EwmaState, log_return: float) -> EwmaState:
    """Return the state after one more close-to-close log return; the first one seeds the variance."""
    square = log_return * log_return
    if state.bars == 0:
        return EwmaState(state.decay, square, 1)
    variance = state.decay * state.variance + (1.0 - state.decay) * square
    return EwmaState(state.decay, variance, state.bars + 1)


@compiled
def ewma_sigma(state: EwmaState) -> float:
    """Return the standard deviation per bar; NaN before the first return."""
    return math.sqrt(state.variance) if state.bars > 0 else math.nan


@compiled
def mean_after(state: MeanState, value: float) -> MeanState:
    """Return the state after one more value."""
    fresh = 1.0 - state.decay
    return MeanState(
        state.decay, state.decay * state.weighted + fresh * value, state.decay * state.weight + fresh
    )


@compiled
def mean_of(state: MeanState) -> float:
    """Return the exponential mean; NaN before the first value."""
    return state.weighted / state.weight if state.weight > 0.0 else math.nan


@compiled
def range_after(state: RangeState, bar: Bar) -> RangeState:
    """Return the state after one more bar."""
    true_range = max(bar.high, bar.previous_close) - min(bar.low, bar.previous_close)
    weight = min(state.bars + 1, state.period)
    average = state.average + (true_range - state.average) / weight
    return RangeState(state.period, average, state.bars + 1)


@compiled
def average_true_range_of(state: RangeState) -> float:
    """Return the average true range in price units; NaN before `period` bars."""
    return state.average if state.bars >= state.period else math.nan


@compiled
def parkinson_entered(state: ParkinsonState, bar: Bar) -> ParkinsonState:
    """Return the state with one more bar in the window."""
    return _parkinson_moved(state, bar, 1)


@compiled
def parkinson_left(state: ParkinsonState, bar: Bar) -> ParkinsonState:
    """Return the state without the window's oldest bar."""
    return _parkinson_moved(state, bar, -1)


@compiled
def parkinson_sigma(state: ParkinsonState) -> float:
    """Return the standard deviation per bar; NaN for an empty window."""
    if state.bars < 1:
        return math.nan
    return math.sqrt(max(_value(state.squares), 0.0) / state.bars / (4.0 * math.log(2.0)))


@compiled
def yang_zhang_entered(state: YangZhangState, bar: Bar) -> YangZhangState:
    """Return the state with one more bar in the window."""
    return _yang_zhang_moved(state, bar, 1)


@compiled
def yang_zhang_left(state: YangZhangState, bar: Bar) -> YangZhangState:
    """Return the state without the window's oldest bar."""
    return _yang_zhang_moved(state, bar, -1)


@compiled
def yang_zhang_sigma(state: YangZhangState) -> float:
    """Return the standard deviation per bar; NaN for fewer than two bars."""
    count = state.bars
    if count < 2:
        return math.nan
    share = 0.34 / (1.34 + (count + 1) / (count - 1))
    overnight = _sample_variance(state.overnight, state.overnight_squares, count)
    daytime = _sample_variance(state.daytime, state.daytime_squares, count)
    rogers_satchell = max(_value(state.rogers_satchell), 0.0) / count
    return math.sqrt(overnight + share * daytime + (1.0 - share) * rogers_satchell)


@compiled
def _parkinson_moved(state: ParkinsonState, bar: Bar, sign: int) -> ParkinsonState:
    span = math.log(bar.high / bar.low)
    return ParkinsonState(_plus(state.squares, sign * span * span), state.bars + sign)


@compiled
def _yang_zhang_moved(state: YangZhangState, bar: Bar, sign: int) -> YangZhangState:
    overnight, daytime = math.log(bar.open / bar.previous_close), math.log(bar.close / bar.open)
    up, down = math.log(bar.high / bar.open), math.log(bar.low / bar.open)
    return YangZhangState(
        _plus(state.overnight, sign * overnight),
        _plus(state.overnight_squares, sign * overnight * overnight),
        _plus(state.daytime, sign * daytime),
        _plus(state.daytime_squares, sign * daytime * daytime),
        _plus(state.rogers_satchell, sign * (up * (up - daytime) + down * (down - daytime))),
        state.bars + sign,
    )


@compiled
def _sample_variance(values: Sum, squares: Sum, count: int) -> float:
    total = _value(values)
    return max(_value(squares) - total * total / count, 0.0) / (count - 1)


@compiled
def _plus(state: Sum, value: float) -> Sum:
    total = state.total + value
    if abs(state.total) >= abs(value):
        return Sum(total, state.lost + ((state.total - total) + value))
    return Sum(total, state.lost + ((value - total) + state.total))


@compiled
def _value(state: Sum) -> float:
    return state.total + state.lost
