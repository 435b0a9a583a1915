"""The live view in a terminal: draws a Board at most four times a second, cleans up, says what happened.

Call `update` from a timer, not from the feed: a feed that stalls must be seen to age.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live

from bot.cli.closing import Closing, closing_text
from bot.cli.screen.glyphs import ASCII, UNICODE, Glyphs
from bot.cli.screen.page import page_lines
from bot.cli.screen.page import render_text as page_text
from bot.cli.screen.palette import Painted
from bot.view.board import Board

FRAMES_PER_SECOND: Final = 4

__all__ = ["FRAMES_PER_SECOND", "LiveView", "can_show", "frame", "render_text", "signs_for"]


class LiveView:
    """Owns the terminal's alternate screen between `with LiveView(console) as view:` and its end."""

    def __init__(self, console: Console, now_seconds: Callable[[], float] = time.monotonic) -> None:
        """Prepare a view on a terminal console. `now_seconds` is any clock that never goes back."""
        self._console = console
        self._now_seconds = now_seconds
        self._glyphs = signs_for(console)
        self._drawn_at = float("-inf")
        self._live = Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def is_due(self) -> bool:
        """Return whether the next `update` would draw; build no Board before it would."""
        return self._now_seconds() - self._drawn_at >= 1.0 / FRAMES_PER_SECOND

    def update(self, board: Board) -> None:
        """Draw the board in the terminal's present size, unless the last frame is too recent."""
        if not self.is_due():
            return
        self._drawn_at = self._now_seconds()
        self._live.update(frame(board, self._console, self._glyphs), refresh=True)

    def stop(self) -> None:
        """Give the terminal back as it was. May be called twice."""
        self._live.stop()

    def close(self, closing: Closing) -> None:
        """Give the terminal back and print what happened."""
        self.stop()
        self._console.print(closing_text(closing), end="", markup=False, highlight=False, soft_wrap=True)


def can_show(console: Console) -> bool:
    """Return whether the console is a terminal that can hold the view (not a pipe, not TERM=dumb)."""
    return console.is_terminal and not console.is_dumb_terminal


def frame(board: Board, console: Console, glyphs: Glyphs) -> Painted:
    """Return the board as a renderable for the console's present size."""
    width, height = console.size
    return Painted(page_lines(board, width, height, glyphs))


def render_text(board: Board, width: int, glyphs: Glyphs = UNICODE) -> str:
    """Return the whole board as plain text without colour: for pipes, files and screen readers."""
    return page_text(board, width, glyphs)


def signs_for(console: Console) -> Glyphs:
    """Return the line signs the console's encoding can write."""
    return UNICODE if console.encoding.lower().startswith("utf") else ASCII
