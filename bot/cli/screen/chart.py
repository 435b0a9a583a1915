"""A chart of lines in text cells: Braille dots where the terminal has them, one sign per curve elsewhere.

Own drawing, because the libraries for it bring colours of their own beside the theme's, know no terminal
without Braille, and put no name at the end of a line, which is what tells curves apart without colour.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from bot.cli.screen.glyphs import ASCII, Glyphs, Line, Role, Span

LEAST_WIDTH: Final = 44
_BRAILLE: Final = 0x2800
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a cell, by row and column
_SIGNS: Final = "*o+x"
_LEVEL: Final = "┄"

Points = Sequence[tuple[float, float]]
Cells = dict[tuple[int, int], tuple[int, Role]]


class Curve(NamedTuple):
    """A line through `points` in order; a point that is not finite interrupts it."""

    label: str
    role: Role
    points: Points


class Level(NamedTuple):
    """A horizontal line at `y`."""

    label: str
    role: Role
    y: float


class Axes(NamedTuple):
    """How numbers on the axes are written; `x_name` is said at the right end of the horizontal one."""

    y_text: Callable[[float], str]
    x_text: Callable[[float], str]
    x_name: str = ""


class _Frame(NamedTuple):
    """The canvas in cells, and the numbers at its edges."""

    columns: int
    rows: int
    left: float
    right: float
    bottom: float
    top: float


def chart_lines(
    curves: Sequence[Curve],
    levels: Sequence[Level],
    axes: Axes,
    width: int,
    glyphs: Glyphs,
    rows: int = 12,
) -> list[Line]:
    """Return the chart as lines of at most `width` cells; none where it does not fit or nothing is finite."""
    finite = [point for curve in curves for point in curve.points if all(map(math.isfinite, point))]
    if width < LEAST_WIDTH or not finite:
        return []
    heights = [y for _, y in finite] + [level.y for level in levels]
    bottom, top = _widened(min(heights), max(heights))
    ticks = {0: axes.y_text(top), rows // 2: axes.y_text(0.5 * (top + bottom)), rows - 1: axes.y_text(bottom)}
    margin = max(map(len, ticks.values()))
    named = max(len(item.label) for item in (*curves, *levels)) + 1
    left, right = min(x for x, _ in finite), max(x for x, _ in finite)
    frame = _Frame(width - margin - 2 - named, rows, left, right if right > left else left + 1.0, bottom, top)
    cells = _level_cells(levels, frame, glyphs)
    for index, curve in enumerate(curves):
        cells |= _curve_cells(curve, index, frame, glyphs, cells)
    names = _names(curves, levels, frame)
    wall = "|" if glyphs is ASCII else "│"
    lines = [
        (Span(f"{ticks.get(row, ''):>{margin}} {wall}", "faint"), *_row(cells, row, frame, glyphs, names))
        for row in range(rows)
    ]
    return [*lines, _x_axis(axes, frame, margin, glyphs), _x_labels(axes, frame, margin)]


def _widened(low: float, high: float) -> tuple[float, float]:
    """A little air above and below, so that no line lies on the frame; not below zero without need."""
    air = 0.04 * (high - low) or 0.01 * abs(high) or 1.0
    return max(low - air, 0.0) if low >= 0.0 else low - air, high + air


def _level_cells(levels: Sequence[Level], frame: _Frame, glyphs: Glyphs) -> Cells:
    sign = "-" if glyphs is ASCII else _LEVEL
    return {
        (_row_of(level.y, frame), column): (ord(sign), level.role)
        for level in levels
        for column in range(frame.columns)
    }


def _curve_cells(curve: Curve, index: int, frame: _Frame, glyphs: Glyphs, below: Cells) -> Cells:
    """The cells of one curve; Braille dots are joined with those of the curves below it."""
    found: Cells = {}
    for x, y in _dots(curve.points, frame, glyphs):
        if glyphs is ASCII:
            found[y, x] = (ord(_SIGNS[index % len(_SIGNS)]), curve.role)
            continue
        place = (y // 4, x // 2)
        under = found.get(place, below.get(place, (0, curve.role)))[0]
        dots = under if under >= _BRAILLE else _BRAILLE
        found[place] = (dots | _DOTS[y % 4][x % 2], curve.role)
    return found


def _dots(points: Points, frame: _Frame, glyphs: Glyphs) -> set[tuple[int, int]]:
    """Every dot on the straight lines between neighbouring points."""
    across, down = (1, 1) if glyphs is ASCII else (2, 4)
    last_x, last_y = frame.columns * across - 1, frame.rows * down - 1
    dots: set[tuple[int, int]] = set()
    before: tuple[float, float] | None = None
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            before = None
            continue
        here = (
            (x - frame.left) / (frame.right - frame.left) * last_x,
            (frame.top - y) / (frame.top - frame.bottom) * last_y,
        )
        dots |= _between(before or here, here)
        before = here
    return dots


def _between(start: tuple[float, float], end: tuple[float, float]) -> set[tuple[int, int]]:
    count = max(1, math.ceil(max(abs(end[0] - start[0]), abs(end[1] - start[1]))))
    return {
        (
            round(start[0] + (end[0] - start[0]) * part / count),
            round(start[1] + (end[1] - start[1]) * part / count),
        )
        for part in range(count + 1)
    }


def _row(cells: Cells, row: int, frame: _Frame, glyphs: Glyphs, names: dict[int, Span]) -> Line:
    spans: list[Span] = []
    for column in range(frame.columns):
        code, role = cells.get((row, column), (ord(" "), "plain"))
        if spans and spans[-1].role == role:
            spans[-1] = Span(spans[-1].text + chr(code), role)
        else:
            spans.append(Span(chr(code), role))
    return (*spans, names[row]) if row in names else tuple(spans)


def _names(curves: Sequence[Curve], levels: Sequence[Level], frame: _Frame) -> dict[int, Span]:
    """The label of each line in the row where it ends, or in the nearest free one."""
    names: dict[int, Span] = {}
    ends = list(levels)
    for curve in curves:
        finite = [y for _, y in curve.points if math.isfinite(y)]
        ends += [Level(curve.label, curve.role, finite[-1])] if finite else []
    for label, role, y in ends:
        wanted = _row_of(y, frame)
        free = [row for row in range(frame.rows) if row not in names]
        if free:
            names[min(free, key=lambda row, wanted=wanted: abs(row - wanted))] = Span(f" {label}", role)
    return names


def _row_of(y: float, frame: _Frame) -> int:
    return round((frame.top - y) / (frame.top - frame.bottom) * (frame.rows - 1))


def _x_axis(axes: Axes, frame: _Frame, margin: int, glyphs: Glyphs) -> Line:
    corner, rail = ("+", "-") if glyphs is ASCII else ("└", "─")
    return (Span(f"{'':>{margin}} {corner}{rail * frame.columns}", "faint"),)


def _x_labels(axes: Axes, frame: _Frame, margin: int) -> Line:
    left, right = axes.x_text(frame.left), f"{axes.x_text(frame.right)} {axes.x_name}".rstrip()
    gap = max(1, frame.columns - len(left) - len(right))
    return (Span(f"{'':>{margin + 2}}{left}{' ' * gap}{right}", "faint"),)
