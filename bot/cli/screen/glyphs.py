"""The signs the screen draws with, and the roles they play. A role becomes a colour in palette.py."""

from typing import Final, Literal, NamedTuple

Role = Literal[
    "liquidation", "stop", "add", "release", "trail", "take_profit", "mark",
    "beyond", "exposed", "rail", "plain", "strong", "faint", "good", "bad",
    "caution", "danger", "calm", "short", "paper", "testnet", "live",
]  # fmt: skip


class Span(NamedTuple):
    """A piece of a line with the part it plays."""

    text: str
    role: Role


Line = tuple[Span, ...]


class Glyphs(NamedTuple):
    """`beyond`: rail past liquidation; `exposed`: rail between liquidation and stop. One cell each."""

    beyond: str
    exposed: str
    rail: str
    pointer: str
    left: str
    right: str
    gutter: str
    arrow: str
    dot: str
    ellipsis: str


UNICODE: Final = Glyphs("━", "━", "─", "▼", "◀", "▶", "▌", "→", "·", "…")
ASCII: Final = Glyphs("#", "=", "-", "^", "<", ">", "|", "->", "-", "~")


def line_width(line: Line) -> int:
    """Return the cells a line takes (every sign used here is one cell wide)."""
    return sum(len(part.text) for part in line)


def cropped(line: Line, width: int) -> Line:
    """Return the line's first `width` cells."""
    if line_width(line) <= width:
        return line
    kept: list[Span] = []
    for part in line:
        kept.append(Span(part.text[: width - line_width(tuple(kept))], part.role))
    return tuple(part for part in kept if part.text)


def plain(line: Line) -> str:
    """Return a line's text without trailing blanks."""
    return "".join(part.text for part in line).rstrip()
