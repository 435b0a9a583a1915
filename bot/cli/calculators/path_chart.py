"""The picture of a path: the price, its stop, and where liquidation lay, held still and by a policy."""

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bot.calc import LegTrace, PathOutcome, path_traces
from bot.cli.calculators.answers import amount, price, show_chart
from bot.cli.screen.chart import Axes, Curve, Level

if TYPE_CHECKING:
    from bot.cli.calculators.paths import AskedPath, Column

_MOST_POINTS: Final = 600
_STILL: Final = "isolated"
_HOUR_MS: Final = 3_600_000


def draw_path(walked: "AskedPath", outcomes: Sequence[PathOutcome]) -> None:
    """Draw in a terminal the path of the position that came nearest, untouched and by the busiest policy."""
    if not sys.stdout.isatty():
        print()
        return
    movers = [
        outcome for outcome in outcomes if outcome.way in walked.policies and outcome.adds + outcome.releases
    ]
    mover = max(movers, key=lambda outcome: outcome.added + outcome.released, default=None)
    still, index = _nearest(walked)
    symbol = still.symbol.partition("/")[0]
    curves = [
        Curve("price", "strong", _points(walked, still.marks)),
        Curve("liquidation", "liquidation", _points(walked, still.liquidation)),
    ]
    margins = [Curve("isolated", "liquidation", _points(walked, still.wallet))]
    if mover is not None:
        moved = _traces(walked, mover.way)[index]
        curves.append(Curve(mover.way[:18], "add", _points(walked, moved.liquidation)))
        margins.append(Curve(mover.way[:18], "add", _points(walked, moved.wallet)))
    stop = walked.legs[index].view.stop_price
    levels = [Level("stop", "stop", stop)] if stop > 0.0 else []
    hours = "h from now"
    show_chart(
        curves, levels, Axes(price, lambda x: f"{x:.2g}", hours), f"{symbol}: price and liquidation price"
    )
    if mover is not None:
        show_chart(margins, [], Axes(amount, lambda x: f"{x:.2g}", hours), f"{symbol}: isolated margin")
    print()


def _nearest(walked: "AskedPath") -> tuple[LegTrace, int]:
    """The leg that came nearest to its liquidation, or met it first, and its place in the book."""
    traces = _traces(walked, _STILL)
    index = min(range(len(traces)), key=lambda index: _least_gap(traces[index]))
    return traces[index], index


def _least_gap(trace: LegTrace) -> float:
    gaps = [
        abs(mark - price) / mark
        for mark, price in zip(trace.marks, trace.liquidation, strict=True)
        if math.isfinite(price)
    ]
    return min(gaps, default=0.0) if len(gaps) == len(trace.marks) else -1.0


def _traces(walked: "AskedPath", way: str) -> tuple[LegTrace, ...]:
    params = walked.policies.get(way)
    return path_traces(walked.legs, walked.free, way, params, walked.limits, walked.times_ms)


def _points(walked: "AskedPath", values: "Column") -> list[tuple[float, float]]:
    stride = max(1, len(values) // _MOST_POINTS)
    kept = [*range(0, len(values), stride), len(values) - 1]
    return [(float(walked.times_ms[index]) / _HOUR_MS, float(values[index])) for index in kept]
