"""What a strategy author imports: Strategy, Parameter, Candles, Signals and the checks on both.

A strategy is one file with one subclass of `Strategy`. It sees candles and returns signals; it never
sees the account, the venue or the clock. The engine, the backtester and the contract tests call it.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles
from bot.core.position import LONG, SHORT
from bot.core.signal import Signals
from bot.core.timeframe import timeframe_ms

__all__ = [
    "LONG",
    "SHORT",
    "Candles",
    "Parameter",
    "Signals",
    "Strategy",
    "build_signals",
    "check_signals",
    "no_signals",
]

_Number = TypeVar("_Number", int, float)


class Parameter(Generic[_Number]):
    """A number of a strategy that a user may set, between `low` and `high` inclusive.

    An integer default makes an integer parameter. Read it on an instance to get the value; the
    value is fixed when the strategy is constructed.
    """

    def __init__(self, default: _Number, low: _Number, high: _Number, doc: str, unit: str = "") -> None:
        self.default: _Number = default
        self.low: _Number = low
        self.high: _Number = high
        self.doc = doc
        self.unit = unit
        self.name = ""
        if not low <= default <= high:
            raise ValueError(f"default {default} must lie within {low} and {high}")

    @property
    def is_integer(self) -> bool:
        """Return whether only whole numbers are allowed."""
        return isinstance(self.default, int)

    def checked(self, value: float) -> _Number:
        """Return `value` in the parameter's own type. Raises ValueError out of bounds or not whole."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{self.name} must be a number, was {value!r}")
        if self.is_integer and value != int(value):
            raise ValueError(f"{self.name} must be a whole number, was {value}")
        if value < self.low:
            raise ValueError(f"{self.name} must be at least {self.low}, was {value}")
        if value > self.high:
            raise ValueError(f"{self.name} must be at most {self.high}, was {value}")
        return type(self.default)(value)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "Parameter[_Number]": ...
    @overload
    def __get__(self, instance: "Strategy", owner: type) -> _Number: ...
    def __get__(self, instance: "Strategy | None", owner: type) -> "Parameter[_Number] | _Number":
        if instance is None:
            return self
        value: Any = instance.values[self.name]
        return value

    def __set__(self, instance: "Strategy", value: object) -> None:
        raise AttributeError(f"{self.name} is fixed; construct a new strategy with {self.name}={value!r}")


class Strategy(ABC):
    """Base of every strategy: a `timeframe`, `Parameter`s, a `warmup` and a pure `signals` function."""

    timeframe: str
    values: dict[str, int | float]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        try:
            timeframe_ms(str(getattr(cls, "timeframe", "")))
        except ValueError as error:
            raise ValueError(f"{cls.__name__}: {error}") from error

    def __init__(self, **values: float) -> None:
        """Take parameter values by name; absent ones have their default.

        Raises ValueError for an unknown name (with the nearest known one) and for a value out of bounds.
        """
        known = self.parameters()
        for name in values:
            if name not in known:
                raise ValueError(_unknown_parameter(type(self).__name__, name, known))
        self.values = {
            name: parameter.checked(values.get(name, parameter.default)) for name, parameter in known.items()
        }
        self.check()

    @classmethod
    def parameters(cls) -> dict[str, Parameter[Any]]:
        """Return every parameter by name, inherited ones first, in the order they are written."""
        return {
            name: value
            for owner in reversed(cls.__mro__)
            for name, value in vars(owner).items()
            if isinstance(value, Parameter)
        }

    def check(self) -> None:
        """Override to raise ValueError for parameters that are impossible together."""
        return

    @property
    @abstractmethod
    def warmup(self) -> int:
        """Return how many closed candles the last signal depends on.

        The last signal over any window of this many candles must equal the one over all history.
        """

    @abstractmethod
    def signals(self, candles: Candles) -> Signals:
        """Return one signal per candle. Pure: no state, no clock, nothing written into `candles`.

        Row i may use candles up to and including i, never later ones.
        """

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{type(self).__name__}({values})"


def no_signals(count: int) -> Signals:
    """Return `count` rows that neither open nor close anything."""
    return Signals(
        entries=np.zeros(count, dtype=np.bool_),
        exits=np.zeros(count, dtype=np.bool_),
        direction=np.zeros(count, dtype=np.int8),
        strength=np.zeros(count, dtype=np.float64),
        stop_distance=np.full(count, np.nan, dtype=np.float64),
    )


def build_signals(
    long_entries: NDArray[np.bool_],
    short_entries: NDArray[np.bool_],
    *,
    long_exits: NDArray[np.bool_],
    short_exits: NDArray[np.bool_],
    strength: NDArray[np.float64] | float | None = None,
    stop_distance: NDArray[np.float64] | float | None = None,
) -> Signals:
    """Return signals from one boolean column per wish.

    A row holds one direction, so an entry silences the exits of its row, and two opposite entries
    silence each other. Keep an exit true while its condition lasts, not for one candle only.
    `strength` left out is 0, which claims nothing; `stop_distance` left out leaves the stop to the risk
    manager. What is given counts on entry rows only and must be usable there: ValueError names column, row
    and value unless the strength lies within 0 and 1 and the stop distance is finite and above 0.
    """
    enters_long = long_entries & ~short_entries
    enters_short = short_entries & ~long_entries
    entries = enters_long | enters_short
    exits = (long_exits | short_exits) & ~entries
    goes_long = enters_long | (exits & long_exits & ~short_exits)
    goes_short = enters_short | (exits & short_exits & ~long_exits)
    strengths = _on_entries(entries, strength, 0.0)
    distances = _on_entries(entries, stop_distance, math.nan)
    _check_strength(strengths)
    if stop_distance is not None:
        _check_every_stop(entries, distances)
    return Signals(
        entries=entries,
        exits=exits,
        direction=goes_long.astype(np.int8) - goes_short.astype(np.int8),
        strength=strengths,
        stop_distance=distances,
    )


def _on_entries(
    entries: NDArray[np.bool_], given: NDArray[np.float64] | float | None, elsewhere: float
) -> NDArray[np.float64]:
    values = np.full(entries.shape, elsewhere)
    if given is not None:
        np.copyto(values, np.asarray(given, dtype=np.float64), where=entries)
    return values


_COLUMN_TYPES: Final[Mapping[str, type[np.generic]]] = {
    "entries": np.bool_,
    "exits": np.bool_,
    "direction": np.int8,
    "strength": np.float64,
    "stop_distance": np.float64,
}


def check_signals(signals: Signals, count: int) -> None:
    """Return if `signals` is usable for `count` candles; else raise ValueError with column, row and value.

    A stop_distance that is NaN on every row is one that was not given; otherwise every entry has one.
    """
    if not isinstance(signals, Signals):
        raise ValueError(f"signals must be of type Signals, was {type(signals).__name__}")
    for name, dtype in _COLUMN_TYPES.items():
        _check_column(name, getattr(signals, name), dtype, count)
    direction, distances = signals.direction, signals.stop_distance
    _check_strength(signals.strength)
    if count and not -1 <= direction.min() <= direction.max() <= 1:
        _refuse(np.abs(direction.astype(np.int16)) > 1, "direction is none of -1, 0 and 1", direction)
    _refuse(signals.entries & (direction == 0), "an entry has direction 0", direction)
    if not _is_unknown(distances):
        _check_every_stop(signals.entries, distances)


def _check_strength(strength: NDArray[np.float64]) -> None:
    if not len(strength) or (strength.min() >= 0.0 and strength.max() <= 1.0):
        return  # as nearly always: nothing is laid out to see it
    _refuse(~((strength >= 0.0) & (strength <= 1.0)), "strength lies outside 0 and 1", strength)


def _is_unknown(distances: NDArray[np.float64]) -> bool:
    return not len(distances) or math.isnan(np.fmin.reduce(distances))


def _check_every_stop(entries: NDArray[np.bool_], distances: NDArray[np.float64]) -> None:
    _refuse(entries & np.isnan(distances), "an entry has no stop_distance", distances)
    if _is_unknown(distances) or (np.fmin.reduce(distances) > 0.0 and np.fmax.reduce(distances) < math.inf):
        return
    _refuse(distances <= 0.0, "stop_distance is not above 0", distances)
    _refuse(np.isinf(distances), "stop_distance is infinite", distances)


def _check_column(name: str, column: object, dtype: type[np.generic], count: int) -> None:
    if not isinstance(column, np.ndarray):
        raise ValueError(f"signals.{name} must be a numpy array, was {type(column).__name__}")
    if column.shape != (count,):
        raise ValueError(f"signals.{name} must have shape ({count},), was {column.shape}")
    if column.dtype != dtype:
        raise ValueError(f"signals.{name} must have dtype {np.dtype(dtype)}, was {column.dtype}")


def _refuse(is_wrong: NDArray[np.bool_], fact: str, column: NDArray[Any]) -> None:
    if np.count_nonzero(is_wrong):  # several times faster than any()
        row = int(np.argmax(is_wrong))
        raise ValueError(f"signals: {fact}, was {column[row]} (row {row} of {len(is_wrong)})")


def _unknown_parameter(owner: str, name: str, known: Mapping[str, object]) -> str:
    nearest = get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(known) or 'none'}"
    return f"{owner} has no parameter {name!r}; {hint}"
