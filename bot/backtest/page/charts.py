"""The charts of the page: shapes as SVG that stretches with the window, labels as text that does not.

Every chart has the same times from left to right. The figures behind it are embedded for the pointer.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest import statistics
from bot.backtest.backtest import Backtest
from bot.backtest.result import Result

Floats = NDArray[np.float64]

_MOST_POINTS: Final = 900
_WIDTH: Final = 1000.0
_HEIGHT: Final = 100.0
_DAY_MS: Final = 86_400_000
_STEPS_MS: Final = tuple(_DAY_MS * days for days in (1, 2, 5, 7, 14, 30, 61, 91, 182, 365, 730, 1461))


class Chart(NamedTuple):
    """`values` at `ts_ms`, drawn from `low` to `high`; NaN is a gap. `base`: where the area ends."""

    key: str
    title: str
    note: str
    ts_ms: NDArray[np.int64]
    values: Floats
    low: float
    high: float
    base: float
    write: Callable[[float], str]
    unit: str


def charts_of(found: Backtest) -> str:
    """Return the four charts, those of the account over time, and the trades below the first."""
    result = found.result
    times, account = result.account.ts_ms, result.account
    if not len(times):
        return ""
    equity = account.equity_quote()
    ts_ms = np.concatenate(([result.start_ms], times))
    whole = np.concatenate(([result.deposit_quote], equity))
    charts = [
        _chart("equity", "Equity", "wallet and unrealised PnL", ts_ms, whole, result.deposit_quote, _money),
        _chart(
            "drawdown",
            "Drawdown",
            "below the highest so far",
            ts_ms,
            statistics.drawdowns(whole),
            0.0,
            _percent,
        ),
        _chart(
            "margin",
            "Margin committed",
            "isolated margins of all open positions",
            times,
            account.committed_quote,
            0.0,
            _money,
        ),
        _chart(
            "distance",
            "Distance to liquidation",
            "of the position nearest to it; gaps: nothing open",
            times,
            account.distance,
            0.0,
            _percent,
        ),
    ]
    drawn = "".join(_figure(chart, result) for chart in charts)
    return f'<section class="charts"><h2>Over time</h2>{drawn}{_data(charts)}</section>'


def _chart(
    key: str,
    title: str,
    note: str,
    ts_ms: NDArray[np.int64],
    values: Floats,
    base: float,
    write: Callable[[float], str],
) -> Chart:
    ts_ms, values = _thinned(ts_ms, values)
    known = values[np.isfinite(values)]
    low = min(float(known.min()), base) if len(known) else base
    high = max(float(known.max()), base) if len(known) else base + 1.0
    room = 0.06 * (high - low) or 0.01 * abs(high) or 1.0
    low = low if low == base else low - room
    high = high if high == base else high + room
    return Chart(key, title, note, ts_ms, values, low, high, base, write, "%" if write is _percent else "")


def _thinned(ts_ms: NDArray[np.int64], values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Keep of each stretch its lowest and highest value, so that no spike is lost."""
    count = len(values)
    if count <= _MOST_POINTS:
        return ts_ms, values
    edges = np.linspace(0, count, _MOST_POINTS // 2 + 1).astype(np.int64)
    kept: set[int] = {0, count - 1}
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[first:last]
        if np.isfinite(part).any():
            kept |= {first + int(np.nanargmin(part)), first + int(np.nanargmax(part))}
        else:
            kept.add(first)
    rows = np.array(sorted(kept), np.int64)
    return ts_ms[rows], values[rows]


def _figure(chart: Chart, result: Result) -> str:
    start_ms, end_ms = result.start_ms, result.end_ms
    paths = "".join(_paths(chart, start_ms, end_ms))
    grid = "".join(
        f'<line class="grid" x1="0" x2="{_WIDTH:g}" y1="{y:.2f}" y2="{y:.2f}"/>' for y in _heights(chart)
    )
    base = _y(chart, chart.base)
    labels = "".join(
        f'<span class="y" style="top:{_y(chart, value):.2f}%">{escape(chart.write(value))}</span>'
        for value in _ticks(chart.low, chart.high)
    )
    dates = "".join(
        f'<span class="x" style="left:{100.0 * share:.2f}%">{text}</span>'
        for share, text in _dates(start_ms, end_ms)
    )
    return (
        f'<figure class="chart {chart.key}" data-chart="{chart.key}">'
        f"<figcaption><b>{escape(chart.title)}</b> <span>{escape(chart.note)}</span>"
        f'<output></output></figcaption><div class="plot">'
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(chart.title)}">{grid}'
        f'<line class="base" x1="0" x2="{_WIDTH:g}" y1="{base:.2f}" y2="{base:.2f}"/>{paths}</svg>'
        f'{labels}<i class="cursor"></i><i class="dot"></i></div><div class="dates">{dates}</div></figure>'
    )


def _paths(chart: Chart, start_ms: int, end_ms: int) -> Iterator[str]:
    """Yield an area and a line for each stretch without a gap."""
    base = _y(chart, chart.base)
    for points in _stretches(chart, start_ms, end_ms):
        line = " ".join(f"{x:.1f},{y:.2f}" for x, y in points)
        first, last = points[0][0], points[-1][0]
        yield f'<polygon class="area" points="{first:.1f},{base:.2f} {line} {last:.1f},{base:.2f}"/>'
        yield f'<polyline class="line" points="{line}"/>'


def _stretches(chart: Chart, start_ms: int, end_ms: int) -> Iterator[list[tuple[float, float]]]:
    points: list[tuple[float, float]] = []
    for ts_ms, value in zip(chart.ts_ms.tolist(), chart.values.tolist(), strict=True):
        if math.isfinite(value):
            points.append((_WIDTH * (ts_ms - start_ms) / (end_ms - start_ms), _y(chart, value)))
        elif points:
            yield points
            points = []
    if points:
        yield points


def _y(chart: Chart, value: float) -> float:
    return _HEIGHT * (chart.high - value) / (chart.high - chart.low)


def _heights(chart: Chart) -> Iterator[float]:
    for value in _ticks(chart.low, chart.high):
        yield _y(chart, value)


def _ticks(low: float, high: float) -> Sequence[float]:
    """Return three to six round values between low and high."""
    rough = (high - low) / 5.0
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if unit * factor >= rough * 0.999)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]


def _dates(start_ms: int, end_ms: int) -> Iterator[tuple[float, str]]:
    """Yield where a date stands, as a share of the width, and its text."""
    span_ms = max(end_ms - start_ms, 1)
    step_ms = next((step for step in _STEPS_MS if span_ms / step <= 8), _STEPS_MS[-1])
    form = "%-d %b" if span_ms <= 200 * _DAY_MS else "%b %Y"
    ts_ms = start_ms - start_ms % _DAY_MS
    while ts_ms < end_ms:
        if ts_ms >= start_ms and (ts_ms - start_ms) / span_ms < 0.96:
            yield (ts_ms - start_ms) / span_ms, datetime.fromtimestamp(ts_ms / 1000, UTC).strftime(form)
        ts_ms += step_ms


def _data(charts: Sequence[Chart]) -> str:
    told = {
        chart.key: {
            "t": chart.ts_ms.tolist(),
            "v": [round(value, 6) if math.isfinite(value) else None for value in chart.values.tolist()],
            "low": chart.low,
            "high": chart.high,
            "unit": chart.unit,
        }
        for chart in charts
    }
    text = json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="figures">{text}</script>'


def _money(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100.0 or value == 0.0 else f"{value:,.2f}"


def _percent(value: float) -> str:
    text = f"{100.0 * value:.1f}".rstrip("0").rstrip(".")
    return f"{'0' if text in ('-0', '') else text} %"
