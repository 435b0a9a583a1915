"""The live view as an SVG file, for documents. Self-contained: no font or script is fetched."""

import os
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from bot.cli.screen.glyphs import UNICODE
from bot.cli.screen.page import page_lines
from bot.cli.screen.palette import Painted
from bot.view.board import Board

_THEME: Final = TerminalTheme(
    background=(22, 27, 34),
    foreground=(208, 215, 222),
    normal=[
        (22, 27, 34),
        (248, 81, 73),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (208, 215, 222),
    ],
    bright=[
        (118, 129, 141),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (255, 255, 255),
    ],
)

_FORMAT: Final = """\
<svg class="live-view" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 16px; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""  # noqa: E501


def export_svg(
    board: Board, path: str | os.PathLike[str], width: int = 100, height: int | None = None
) -> None:
    """Write the board as it looks in a terminal of that size (height None: as tall as it takes).

    The same board gives the same file. OSError: the path cannot be written.
    """
    console = Console(
        record=True,
        width=width,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(Painted(page_lines(board, width, height, UNICODE)), end="")
    svg = console.export_svg(
        title="ringfence trade", theme=_THEME, code_format=_FORMAT, unique_id="ringfence"
    )
    Path(path).write_text(svg, encoding="utf-8")
