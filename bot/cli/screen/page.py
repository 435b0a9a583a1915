"""The whole page as lines: strip, positions worst first, margin moves, legend. Fits any height."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Final

from bot.cli.ladder_line import MIN_WIDTH, legend
from bot.cli.screen.glyphs import Glyphs, Line, Span, cropped, line_width, plain
from bot.cli.screen.move_lines import move_lines
from bot.cli.screen.position_lines import BRIEF, FULL, MEDIUM, position_lines
from bot.cli.screen.strip import ends, shortened, strip_lines
from bot.view.board import Board, BoardRow, worst_first
from bot.view.figures import counted, percent

_BLANK: Final[Line] = (Span("", "plain"),)
_MOST_WIDTH: Final = 160  # a wider ladder is harder to read, not easier
_MOST_MOVES: Final = 8
_MOVES_RESERVED: Final = 3
_ROOMY_HEIGHT: Final = 20
_STOP_WORDS: Final = ("Ctrl-C ends the bot; stops stay on the venue", "Ctrl-C ends; stops stay")


def page_lines(board: Board, width: int, height: int | None, glyphs: Glyphs) -> list[Line]:
    """Return the page, at most `height` lines (None: as many as it takes) of at most `width` cells."""
    width = min(max(width, MIN_WIDTH + 2), _MOST_WIDTH)
    top = [*strip_lines(board, width, glyphs), _BLANK]
    bottom = [_footer(board, width, glyphs)]
    room = 10_000 if height is None else height - len(top) - len(bottom)
    reserved = min(len(board.moves), _MOVES_RESERVED) + 2 if room >= _ROOMY_HEIGHT - 5 else 0
    middle = _middle(board, room - reserved, width, glyphs)
    free = min(room - len(middle) - 2, _MOST_MOVES)
    moves = [*move_lines(board.moves, free, width, glyphs), _BLANK] if free > 0 else []
    lines = [cropped(line, width) for line in (*top, *middle, *moves, *bottom)]
    return lines if height is None else lines[:height]


def render_text(board: Board, width: int, glyphs: Glyphs) -> str:
    """Return the page as plain text without colour, however tall it is."""
    return "\n".join(plain(line) for line in page_lines(board, width, None, glyphs)) + "\n"


def _middle(board: Board, room: int, width: int, glyphs: Glyphs) -> list[Line]:
    if not board.positions:
        return _empty(board, width)
    rows = worst_first(board.positions)
    heights = _heights(len(rows), room)
    lines: list[Line] = []
    for row, height in zip(rows, heights, strict=False):
        lines += position_lines(row, height, board.stale_after_ms, width, glyphs)
        lines += [_BLANK] if height != BRIEF else []
    hidden = rows[len(heights) :]
    if hidden:
        lines.append(_hidden(hidden, width, glyphs))
    return lines if heights[-1:] != [BRIEF] else [*lines, _BLANK]


def _heights(count: int, room: int) -> list[int]:
    """Return lines per position, worst first: everybody gets one, the worst grows first, then the others.

    When not even one line each fits, the list is shorter and the last line is left for saying so.
    """
    if count > room - 1:
        return [BRIEF] * max(0, min(count, room - 2))
    heights = [BRIEF] * count
    upgrades = [(0, FULL), *((i, MEDIUM) for i in range(count)), *((i, FULL) for i in range(1, count))]
    for index, height in upgrades:
        tried = [*heights[:index], max(height, heights[index]), *heights[index + 1 :]]
        if _cells(tried) <= room:
            heights = tried
    return heights


def _cells(heights: Sequence[int]) -> int:
    blanks = sum(height != BRIEF for height in heights) + (heights[-1] == BRIEF)
    return sum(heights) + blanks


def _hidden(rows: Sequence[BoardRow], width: int, glyphs: Glyphs) -> Line:
    distance = rows[0].distance
    tail = "" if distance is None else f", {percent(distance)} or more from liquidation"
    return (Span(shortened(f"and {counted(len(rows), 'more position')}{tail}", width, glyphs), "faint"),)


def _empty(board: Board, width: int) -> list[Line]:
    heading: Line = (Span("No open position.", "strong"),)
    note: list[Line] = [(Span(text, "faint"),) for text in wrap(board.note, width)]
    return [heading, *note, _BLANK]


def _footer(board: Board, width: int, glyphs: Glyphs) -> Line:
    signs = legend(glyphs) if board.positions else ()
    room = width - line_width(signs) - 1
    said = [f"{board.pages}  {text}" for text in _STOP_WORDS] if board.pages else []
    words = next((text for text in (*said, *_STOP_WORDS) if len(text) <= room), "")
    return ends(signs, (Span(words, "faint"),), width) if room > 0 else signs
