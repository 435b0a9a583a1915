"""A scatter plot as SVG: points with round axes, the best in front, and each told when it is pointed at."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final, NamedTuple

_WIDTH: Final = 720
_HEIGHT: Final = 360
_LEFT: Final = 64
_RIGHT: Final = 16
_TOP: Final = 12
_BOTTOM: Final = 44
_MOST_POINTS: Final = 4_000
_ROOM: Final = 0.05


class Point(NamedTuple):
    """Where a try lies, whether none is as good as it, and what is said of it."""

    across: float
    up: float
    is_best: bool
    label: str


class _Scale(NamedTuple):
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Three to seven round values between low and high."""
        rough = (self.high - self.low) / 5.0
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if unit * factor >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(number * step, 12) for number in range(first, last + 1)]


def scatter(
    points: Sequence[Point],
    across: str,
    up: str,
    write_across: Callable[[float], str],
    write_up: Callable[[float], str],
    is_joined: bool,
) -> str:
    """Return the SVG of the points that are finite; `is_joined`: a line through the best, from left to right.

    More than some thousand points are thinned out; the best are always drawn.
    """
    known = [point for point in points if math.isfinite(point.across) and math.isfinite(point.up)]
    if not known:
        return "<p>No try has both figures.</p>"
    horizontal = _scale([point.across for point in known], _LEFT, _WIDTH - _RIGHT)
    vertical = _scale([point.up for point in known], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(f"{up} against {across}")}">',
        *_axes(horizontal, vertical, write_across, write_up),
        _name(across, f'x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 6}" text-anchor="end"'),
        _name(up, f'x="{_LEFT}" y="{_TOP - 1}" dx="4" dy="8"'),
    ]
    best = sorted(point for point in known if point.is_best)
    if is_joined and len(best) > 1:
        line = " ".join(f"{horizontal.at(one.across):.1f},{vertical.at(one.up):.1f}" for one in best)
        parts.append(f'<polyline class="front" points="{line}"/>')
    rest = [point for point in known if not point.is_best]
    thinned = rest[:: max(1, math.ceil(len(rest) / _MOST_POINTS))]
    parts += [_dot(point, horizontal, vertical, "point", 3) for point in thinned]
    parts += [_dot(point, horizontal, vertical, "best", 5) for point in best]
    return "".join([*parts, "</svg>"])


def _name(text: str, place: str) -> str:
    return f'<text class="name" {place}>{escape(text)}</text>'


def _scale(values: Sequence[float], start: float, end: float) -> _Scale:
    low, high = min(values), max(values)
    room = _ROOM * (high - low) or 0.05 * abs(high) or 1.0
    return _Scale(low - room, high + room, start, end)


def _axes(
    horizontal: _Scale,
    vertical: _Scale,
    write_across: Callable[[float], str],
    write_up: Callable[[float], str],
) -> list[str]:
    bottom = _HEIGHT - _BOTTOM
    lines = []
    for value in vertical.ticks():
        y = vertical.at(value)
        kind = "base" if value == 0.0 else "grid"
        lines.append(f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        text = escape(write_up(value))
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for value in horizontal.ticks():
        x = horizontal.at(value)
        lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        text = escape(write_across(value))
        lines.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{text}</text>')
    return lines


def _dot(point: Point, horizontal: _Scale, vertical: _Scale, kind: str, radius: int) -> str:
    x, y = horizontal.at(point.across), vertical.at(point.up)
    return (
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">'
        f"<title>{escape(point.label)}</title></circle>"
    )
