"""Parameters are bounded, signals are checked, and both say what was wrong."""

import math
from typing import Any

import numpy as np
import pytest

from bot.strategy import (
    LONG,
    SHORT,
    Candles,
    Parameter,
    Signals,
    Strategy,
    build_signals,
    check_signals,
    no_signals,
)


class Probe(Strategy):
    """A strategy that does nothing."""

    timeframe = "5m"
    period = Parameter(14, 2, 100, "how many candles", "candles")
    level = Parameter(0.5, 0.0, 1.0, "how far", "fraction")

    @property
    def warmup(self) -> int:
        return self.period

    def signals(self, candles: Candles) -> Signals:
        return no_signals(len(candles.close))


def test_parameters_are_listed_in_the_order_they_are_written() -> None:
    assert list(Probe.parameters()) == ["period", "level"]
    assert Probe.period.default == 14
    assert Probe.period.is_integer
    assert not Probe.level.is_integer


def test_defaults_hold_until_a_value_is_given() -> None:
    probe = Probe(level=0.25)
    assert probe.values == {"period": 14, "level": 0.25}
    assert probe.warmup == 14
    assert repr(probe) == "Probe(period=14, level=0.25)"


def test_integers_stay_integers_and_fractions_become_floats() -> None:
    probe = Probe(period=20.0, level=1)
    assert type(probe.period) is int
    assert type(probe.level) is float


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"period": 1}, "period must be at least 2, was 1"),
        ({"period": 101}, "period must be at most 100, was 101"),
        ({"period": 2.5}, "period must be a whole number, was 2.5"),
        ({"level": 1.0001}, "level must be at most 1.0, was 1.0001"),
        ({"level": math.nan}, "level must be a number, was nan"),
        ({"level": math.inf}, "level must be a number, was inf"),
        ({"period": True}, "period must be a number, was True"),
        ({"level": "0.5"}, "level must be a number, was '0.5'"),
        ({"peroid": 3}, "Probe has no parameter 'peroid'; did you mean 'period'?"),
        ({"zzz": 3}, "Probe has no parameter 'zzz'; known: period, level"),
    ],
)
def test_an_impossible_value_is_refused_with_its_bound(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="^" + message.replace("?", r"\?") + "$"):
        Probe(**values)


def test_a_value_is_fixed_after_construction() -> None:
    with pytest.raises(AttributeError, match="period is fixed"):
        Probe().period = 3


def test_two_strategies_do_not_share_values() -> None:
    first, second = Probe(period=5), Probe(period=6)
    assert (first.period, second.period) == (5, 6)


def test_a_default_outside_its_own_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="default 5 must lie within 6 and 7"):
        Parameter(5, 6, 7, "never")


@pytest.mark.parametrize("timeframe", ["7m", "", None, "5M"])
def test_an_unknown_timeframe_is_refused_when_the_class_is_written(timeframe: Any) -> None:
    with pytest.raises(ValueError, match=r"^Odd: timeframe "):
        type("Odd", (Strategy,), {"timeframe": timeframe})


def signals(**columns: Any) -> Signals:
    return no_signals(3)._replace(**columns)


def flags(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.bool_)


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def directions(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int8)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"entries": flags(0, 0)}, r"signals.entries must have shape \(3,\), was \(2,\)"),
        ({"exits": numbers(0, 0, 0)}, "signals.exits must have dtype bool, was float64"),
        ({"direction": np.zeros(3, dtype=np.int64)}, "signals.direction must have dtype int8, was int64"),
        ({"strength": np.zeros((3, 1))}, r"signals.strength must have shape \(3,\), was \(3, 1\)"),
        ({"strength": [0.0, 0.0, 0.0]}, "signals.strength must be a numpy array, was list"),
        ({"strength": numbers(0, math.nan, 0)}, r"strength lies outside 0 and 1, was nan \(row 1 of 3\)"),
        ({"strength": numbers(0, 0, 1.01)}, r"strength lies outside 0 and 1, was 1.01 \(row 2 of 3\)"),
        ({"strength": numbers(-0.01, 0, 0)}, r"strength lies outside 0 and 1, was -0.01 \(row 0 of 3\)"),
        ({"direction": directions(0, 2, 0)}, r"direction is none of -1, 0 and 1, was 2 \(row 1 of 3\)"),
        ({"direction": directions(-128, 0, 0)}, r"direction is none of -1, 0 and 1, was -128 \(row 0 of 3\)"),
        ({"entries": flags(0, 0, 1)}, r"an entry has direction 0, was 0 \(row 2 of 3\)"),
        ({"stop_distance": numbers(0.1, 0.0, 0.1)}, r"stop_distance is not above 0, was 0.0 \(row 1 of 3\)"),
        (
            {"stop_distance": numbers(0.1, -0.1, 0.1)},
            r"stop_distance is not above 0, was -0.1 \(row 1 of 3\)",
        ),
        (
            {"stop_distance": numbers(0.1, 0.1, math.inf)},
            r"stop_distance is infinite, was inf \(row 2 of 3\)",
        ),
        (
            {
                "entries": flags(1, 1, 0),
                "direction": directions(1, 1, 0),
                "stop_distance": numbers(0.1, math.nan, 0.1),
            },
            r"an entry has no stop_distance, was nan \(row 1 of 3\)",
        ),
    ],
)
def test_unusable_signals_are_refused_with_column_and_row(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_signals(signals(**wrong), 3)


def test_something_else_than_signals_is_refused() -> None:
    nothing: Any = None
    with pytest.raises(ValueError, match="signals must be of type Signals, was NoneType"):
        check_signals(nothing, 3)


def test_usable_signals_are_accepted() -> None:
    check_signals(no_signals(3), 3)
    check_signals(no_signals(0), 0)
    check_signals(
        signals(
            entries=flags(1, 0, 1), direction=directions(1, 0, -1), stop_distance=numbers(0.1, math.nan, 1.5)
        ),
        3,
    )


def test_an_entry_silences_the_exit_of_its_row_and_opposite_wishes_cancel() -> None:
    built = build_signals(
        flags(1, 0, 0, 1, 0),
        flags(0, 1, 0, 1, 0),
        long_exits=flags(0, 1, 1, 0, 1),
        short_exits=flags(1, 0, 0, 0, 1),
    )
    check_signals(built, 5)
    assert built.entries.tolist() == [True, True, False, False, False]
    assert built.exits.tolist() == [False, False, True, False, True]
    assert built.direction.tolist() == [LONG, SHORT, LONG, 0, 0]


def _two_entries(**given: Any) -> Signals:
    """Return signals that enter on rows 1 and 3 of four."""
    nothing = flags(0, 0, 0, 0)
    return build_signals(flags(0, 1, 0, 1), nothing, long_exits=nothing, short_exits=nothing, **given)


def test_what_is_given_stands_on_entries_only_so_a_warm_up_may_be_nan() -> None:
    built = _two_entries(
        strength=numbers(math.nan, 0.0, 7.0, 1.0), stop_distance=numbers(math.nan, 0.02, -1.0, 0.03)
    )
    check_signals(built, 4)
    assert built.strength.tolist() == [0.0, 0.0, 0.0, 1.0]
    np.testing.assert_array_equal(built.stop_distance, [math.nan, 0.02, math.nan, 0.03])


def test_only_a_stop_distance_left_out_leaves_the_stop_to_the_risk_manager() -> None:
    built = _two_entries()
    check_signals(built, 4)
    assert built.strength.tolist() == [0.0, 0.0, 0.0, 0.0]
    assert np.isnan(built.stop_distance).all()
    with pytest.raises(ValueError, match=r"an entry has no stop_distance, was nan \(row 1 of 4\)"):
        _two_entries(stop_distance=math.nan)


@pytest.mark.parametrize("column", ["strength", "stop_distance"])
@pytest.mark.parametrize("value", [math.nan, -0.01, math.inf, -math.inf])
def test_an_impossible_number_on_an_entry_row_is_refused_with_its_row_and_value(
    column: str, value: float
) -> None:
    with pytest.raises(ValueError, match=rf"{column}.*, was {value} \(row 3 of 4\)"):
        _two_entries(**{column: numbers(0.5, 0.5, 0.5, value)})


@pytest.mark.parametrize(("column", "value"), [("strength", 1.01), ("stop_distance", 0.0)])
def test_a_number_just_beyond_its_bound_is_refused(column: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{column}.*, was {value} \(row 3 of 4\)"):
        _two_entries(**{column: numbers(0.5, 0.5, 0.5, value)})
