"""Which colour a role has. Only the terminal's own sixteen colours, so that its theme stays in charge."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from bot.cli.screen.glyphs import Line, Role

STYLES: Final[dict[Role, Style]] = {
    "liquidation": Style(color="red", bold=True),
    "stop": Style(color="yellow", bold=True),
    "add": Style(color="blue", bold=True),
    "release": Style(color="cyan", bold=True),
    "trail": Style(color="cyan"),
    "take_profit": Style(color="green", bold=True),
    "mark": Style(bold=True),
    "beyond": Style(color="red", bold=True),
    "exposed": Style(color="red", dim=True),
    "rail": Style(color="bright_black"),
    "plain": Style(),
    "strong": Style(bold=True),
    "faint": Style(color="bright_black"),
    "good": Style(color="green"),
    "bad": Style(color="red"),
    "caution": Style(color="yellow", bold=True),
    "danger": Style(color="red", bold=True),
    "calm": Style(color="bright_black"),
    "short": Style(color="magenta"),
    "paper": Style(color="bright_white", bgcolor="blue", bold=True),
    "testnet": Style(color="bright_white", bgcolor="magenta", bold=True),
    "live": Style(color="bright_white", bgcolor="red", bold=True),
}


class Painted:
    """Lines as a rich renderable: one segment per span, without rich's wrapping, which they do not need."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines:
            for part in line:
                yield Segment(part.text, STYLES[part.role])
            yield Segment.line()
