"""Goals of the speed benches: each is printed beside what was measured; only a gross miss is a failure."""

import os
from collections.abc import Callable
from typing import Final, NamedTuple

import pytest

_GROSS: Final = 3.0


class Measured(NamedTuple):
    """One figure and its goal: at most `goal`, or at least when `is_more_better`. Goal 0.0: none set.

    `floor`: the part of it that this machine's disk takes, forgiven when a gross miss is judged.
    """

    name: str
    value: float
    goal: float
    unit: str
    is_more_better: bool
    floor: float

    @property
    def is_gross(self) -> bool:
        """Return whether the goal is missed threefold."""
        if self.goal == 0.0:
            return False
        own = self.value - self.floor
        return (self.goal / own if self.is_more_better else own / self.goal) > _GROSS

    def __str__(self) -> str:
        sign = ">=" if self.is_more_better else "<="
        goal = f"goal {sign} {self.goal:,.10g}" if self.goal else ""
        return f"{self.name:<62} {_figure(self.value):>12} {self.unit:<10} {goal}"


Measure = Callable[..., None]

_measured: Final[list[Measured]] = []


@pytest.fixture
def measured() -> Measure:
    """Return a function that keeps a figure for the closing table and fails on a gross miss."""

    def keep(
        name: str,
        value: float,
        unit: str,
        *,
        at_most: float = 0.0,
        at_least: float = 0.0,
        floor: float = 0.0,
    ) -> None:
        figure = Measured(name, value, at_most or at_least, unit, at_least > 0.0, floor)
        _measured.append(figure)
        assert not figure.is_gross, f"missed threefold: {figure}"

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _measured:
        return
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    terminalreporter.section(f"goals and values (load average {load}, {os.cpu_count()} processors)")
    for figure in _measured:
        terminalreporter.write_line(str(figure))


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000.0 else f"{value:,.3g}"
