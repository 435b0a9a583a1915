"""A position's trigger ladder on one line, to scale: danger on the left, profit on the right.

L liquidation, S stop, A add margin, R release margin, t trailing step, T take-profit; the pointer is
the mark price. Rules of drawing, in order:

1. The order of the signs is always the order of the prices.
2. The pointer keeps its place; signs that would share a cell are nudged outward from it.
3. A price so far away that it would squeeze the rest leaves the scale: it is named at the edge with an
   arrow and its percentage from the mark.
4. Price labels stand under their signs. When they do not all fit, they go in the reverse of `PRIORITY`;
   the rest are nudged, never overlap, and the mark's label is the last to move.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.cli.screen.glyphs import Glyphs, Line, Role, Span
from bot.risk.view import Rung
from bot.view.figures import price_text, signed_percent
from bot.view.ladder import OUTWARD, PRIORITY, Far, Point, ladder_points, split_far

LETTERS: Final[dict[str, str]] = {
    "liquidation": "L",
    "stop": "S",
    "add": "A",
    "release": "R",
    "trail": "t",
    "take_profit": "T",
}
MIN_WIDTH: Final = 30

_MARGIN_CELLS: Final = 2
_MOST_NAMED: Final = 9.99
_LABEL_GAP: Final = 2


class LadderLine(NamedTuple):
    """`rail` is exactly `width` cells; `labels` holds the prices under it, at most `width` cells."""

    rail: Line
    labels: Line


class _Scale(NamedTuple):
    first_column: int
    last_column: int
    low: float
    high: float


def ladder_line(
    side: int, mark: float, rungs: Sequence[Rung], *, price_decimals: int, width: int, glyphs: Glyphs
) -> LadderLine:
    """Return the ladder of one position drawn `width` (>= 30) cells wide.

    Rungs without a price (0 or not finite: "there is none") are left out. A mark of 0 raises ValueError.
    """
    if not mark > 0.0 or width < MIN_WIDTH:
        raise ValueError(f"the ladder needs a mark above 0 and {MIN_WIDTH} cells, was {mark} and {width}")
    points = ladder_points(side, mark, rungs, most=width // 4)  # leaves room for a tag at both edges
    far = split_far(points, side * mark)
    near = tuple(point for point in points if point not in far.left and point not in far.right)
    left_tag = _left_tag(far.left, mark, glyphs)
    right_tag = _right_tag(far.right, mark, width // 3, glyphs)
    scale = _scale(near, len(left_tag), width - len(right_tag), far)
    columns = _sign_columns(near, scale)
    rail = _rail(
        near,
        columns,
        is_liquidation_far=bool(far.left),
        width=width,
        left_tag=left_tag,
        right_tag=right_tag,
        glyphs=glyphs,
    )
    edges = [0] * len(far.left) + columns + [width - 1] * len(far.right)
    return LadderLine(rail, _labels((*far.left, *near, *far.right), edges, price_decimals, width))


def legend(glyphs: Glyphs) -> Line:
    """Return the words for the signs, in the order in which they stand."""
    words = {"mark": f"{glyphs.pointer} mark", "add": "A add", "take_profit": "T take-profit"}
    parts: list[Span] = []
    for kind in OUTWARD:
        text = words.get(kind, f"{LETTERS.get(kind)} {kind}")
        parts += [Span(text[0], _role(kind)), Span(text[1:] + "  ", "faint")]
    return tuple(parts)


def placed(
    ideals: Sequence[int], lengths: Sequence[int], gap: int, pivot: int, *, first: int, end: int
) -> list[int]:
    """Return start columns in [first, end) that keep order and gaps; the pivot moves last.

    The lengths and gaps must fit between `first` and `end`; starts are as near their ideals as pushing
    outward from the pivot allows.
    """
    starts = list(ideals)
    before = sum(lengths[:pivot]) + gap * pivot
    after = sum(lengths[pivot:]) + gap * (len(starts) - 1 - pivot)
    starts[pivot] = min(max(ideals[pivot], first + before), end - after)
    _push_left(starts, lengths, gap, pivot, first)
    _push_right(starts, lengths, gap, pivot, end)
    return starts


def _push_left(starts: list[int], lengths: Sequence[int], gap: int, pivot: int, first: int) -> None:
    for index in range(pivot - 1, -1, -1):
        starts[index] = min(starts[index], starts[index + 1] - gap - lengths[index])
    free = first
    for index in range(pivot):
        starts[index] = max(starts[index], free)
        free = starts[index] + lengths[index] + gap


def _push_right(starts: list[int], lengths: Sequence[int], gap: int, pivot: int, end: int) -> None:
    for index in range(pivot + 1, len(starts)):
        starts[index] = max(starts[index], starts[index - 1] + lengths[index - 1] + gap)
    free = end
    for index in range(len(starts) - 1, pivot, -1):
        starts[index] = min(starts[index], free - lengths[index])
        free = starts[index] - gap


def _left_tag(far: tuple[Point, ...], mark: float, glyphs: Glyphs) -> str:
    if not far:
        return ""
    return f"{glyphs.left}{LETTERS[far[0].kind]} {_away(far[0], mark)} "


def _right_tag(far: tuple[Point, ...], mark: float, most: int, glyphs: Glyphs) -> str:
    """Name the far profit prices one by one, or together with the nearest percentage if that is too long."""
    if not far:
        return ""
    each = [f"{LETTERS[point.kind]} {_away(point, mark)}" for point in far]
    text = " " + "  ".join(each) + glyphs.right
    if len(text) <= most:
        return text
    letters = "".join(LETTERS[point.kind] for point in far)
    return f" {letters} {_away(far[0], mark)}{glyphs.right}"


def _away(point: Point, mark: float) -> str:
    fraction = point.price / mark - 1.0
    return signed_percent(fraction) if fraction < _MOST_NAMED else "> +999 %"


def _scale(near: tuple[Point, ...], first: int, end: int, far: Far) -> _Scale:
    """Map the near prices onto the free columns; an open side gets half of the other one's reach."""
    low, high = near[0].height, near[-1].height
    middle = next(point.height for point in near if point.kind == "mark")
    if far.right and high == middle:
        high = middle + 0.5 * (middle - low)
    if high == low:
        low, high = low - 1.0, high + 1.0
    return _Scale(first + _MARGIN_CELLS, end - 1 - _MARGIN_CELLS, low, high)


def _sign_columns(near: tuple[Point, ...], scale: _Scale) -> list[int]:
    cells = scale.last_column - scale.first_column
    ideals = [
        scale.first_column + round(cells * (point.height - scale.low) / (scale.high - scale.low))
        for point in near
    ]
    pivot = next(index for index, point in enumerate(near) if point.kind == "mark")
    first, end = scale.first_column - _MARGIN_CELLS, scale.last_column + _MARGIN_CELLS + 1
    return placed(ideals, [1] * len(near), 0, pivot, first=first, end=end)


def _rail(
    near: tuple[Point, ...],
    columns: list[int],
    *,
    is_liquidation_far: bool,
    width: int,
    left_tag: str,
    right_tag: str,
    glyphs: Glyphs,
) -> Line:
    liquidation = _column_of("liquidation", near, columns, default=-1)
    stop = _column_of("stop", near, columns, default=-1)
    cells = [Span(glyphs.rail, "rail")] * width
    if liquidation >= 0 or is_liquidation_far:
        cells[: max(stop, 0)] = [Span(glyphs.exposed, "exposed")] * max(stop, 0)
    cells[: max(liquidation, 0)] = [Span(glyphs.beyond, "beyond")] * max(liquidation, 0)
    for point, column in zip(near, columns, strict=True):
        cells[column] = Span(LETTERS.get(point.kind, glyphs.pointer), _role(point.kind))
    cells[: len(left_tag)] = [Span(sign, "liquidation") for sign in left_tag]
    cells[width - len(right_tag) :] = [Span(sign, "take_profit") for sign in right_tag]
    return _joined(cells)


def _column_of(kind: str, near: tuple[Point, ...], columns: list[int], default: int) -> int:
    return next((c for point, c in zip(near, columns, strict=True) if point.kind == kind), default)


def _joined(cells: list[Span]) -> Line:
    """Merge neighbours of one role, so that a line is a handful of spans."""
    merged: list[Span] = []
    for cell in cells:
        if merged and merged[-1].role == cell.role:
            merged[-1] = Span(merged[-1].text + cell.text, cell.role)
        else:
            merged.append(cell)
    return tuple(merged)


def _labels(points: tuple[Point, ...], columns: list[int], price_decimals: int, width: int) -> Line:
    texts = [_label(point, price_decimals) for point in points]
    kept = _fitting(points, texts, width)
    lengths = [len(texts[index]) for index in kept]
    ideals = [columns[index] - len(texts[index]) // 2 for index in kept]
    pivot = next(place for place, index in enumerate(kept) if points[index].kind == "mark")
    starts = placed(ideals, lengths, _LABEL_GAP, pivot, first=0, end=width)
    parts: list[Span] = []
    written = 0
    for start, index in zip(starts, kept, strict=True):
        parts += [Span(" " * (start - written), "plain"), *_label_spans(points[index].kind, texts[index])]
        written = start + len(texts[index])
    return tuple(parts)


def _label(point: Point, price_decimals: int) -> str:
    text = price_text(point.price, price_decimals)
    return text if point.kind == "mark" else f"{LETTERS[point.kind]} {text}"


def _label_spans(kind: str, text: str) -> Line:
    return (Span(text, "mark"),) if kind == "mark" else (Span(text[0], _role(kind)), Span(text[1:], "plain"))


def _fitting(points: tuple[Point, ...], texts: list[str], width: int) -> list[int]:
    """Return the indexes of the labels that fit together, the most important kept."""
    kept = list(range(len(points)))
    while sum(len(texts[index]) for index in kept) + _LABEL_GAP * (len(kept) - 1) > width and len(kept) > 1:
        kept.remove(max(kept, key=lambda index: (PRIORITY.index(points[index].kind), index)))
    return kept


def _role(kind: str) -> Role:
    roles: dict[str, Role] = {
        "liquidation": "liquidation",
        "stop": "stop",
        "add": "add",
        "mark": "mark",
        "release": "release",
        "trail": "trail",
        "take_profit": "take_profit",
    }
    return roles[kind]
