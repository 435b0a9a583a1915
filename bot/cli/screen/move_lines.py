"""The last margin moves, each with its reason and what it did to the distance and the liquidation price."""

from collections.abc import Sequence
from typing import Final

from bot.cli.screen.glyphs import Glyphs, Line, Role, Span
from bot.cli.screen.strip import ends, shortened
from bot.view.board import MoveRow
from bot.view.figures import base_coin, clock_time, money, percent, price_text

_LIQUIDATION_FROM_WIDTH: Final = 110
_LEAST_REASON: Final = 12


def move_lines(moves: Sequence[MoveRow], most: int, width: int, glyphs: Glyphs) -> list[Line]:
    """Return a heading and at most `most` moves, newest first as given; one line says it if there is none."""
    if not moves:
        return [(Span("No margin moved yet.", "faint"),)]
    return [(Span("Margin moves", "strong"),), *(_move(move, width, glyphs) for move in moves[:most])]


def _move(move: MoveRow, width: int, glyphs: Glyphs) -> Line:
    role: Role = "add" if move.amount_quote > 0.0 else "release"
    verb = "added" if move.amount_quote > 0.0 else "released"
    effect = _effect(move, width, glyphs)
    head = f"{clock_time(move.ts_ms)}  {base_coin(move.symbol):<5} "
    amount = f"{verb:<8} {money(abs(move.amount_quote)):>9}"
    room = width - len(head) - len(amount) - len(effect) - 4
    reason = shortened(move.reason.replace("_", " "), room, glyphs) if room >= _LEAST_REASON else ""
    left = (Span(head, "faint"), Span(amount, role), Span(f"  {reason}", "plain"))
    return ends(left, (Span(effect, "faint"),), width)


def _effect(move: MoveRow, width: int, glyphs: Glyphs) -> str:
    text = f"{_fraction(move.distance_before):>6} {glyphs.arrow} {_fraction(move.distance_after):>6}"
    if width < _LIQUIDATION_FROM_WIDTH:
        return text
    before = _price(move.liquidation_before, move.price_decimals)
    after = _price(move.liquidation_after, move.price_decimals)
    return f"{text}   liquidation {before:>9} {glyphs.arrow} {after:>9}"


def _fraction(value: float | None) -> str:
    return "none" if value is None else percent(value)


def _price(value: float | None, decimals: int) -> str:
    return "none" if value is None else price_text(value, decimals)
