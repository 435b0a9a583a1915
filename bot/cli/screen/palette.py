"""Which colour a role has. Only the terminal's own sixteen colours, so that its theme stays in charge."""

from typing import Final

from rich.style import Style
from rich.text import Text

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
    "badge": Style(color="bright_white", bgcolor="blue", bold=True),
}


def styled(line: Line) -> Text:
    """Return a line as rich text that never wraps."""
    text = Text(no_wrap=True, overflow="crop")
    for part in line:
        text.append(part.text, STYLES[part.role])
    return text
