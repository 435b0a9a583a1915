"""One position in one, three or five lines. Every level names the pair, the distance and the next action."""

from typing import Final

from bot.cli.ladder_line import MIN_WIDTH, ladder_line
from bot.cli.screen.glyphs import Glyphs, Line, Role, Span
from bot.cli.screen.strip import ends, shortened
from bot.view.board import BoardRow
from bot.view.figures import (
    base_coin,
    money,
    pair,
    percent,
    price_text,
    quantity_text,
    signed_money,
    span,
)
from bot.view.level import level_of
from bot.view.next_action import stale_words

BRIEF: Final = 1
MEDIUM: Final = 3
FULL: Final = 5

_GUTTER_CELLS: Final = 2
_NEXT: Final = "Next: "


def position_lines(row: BoardRow, lines: int, stale_after_ms: int, width: int, glyphs: Glyphs) -> list[Line]:
    """Return exactly `lines` (BRIEF, MEDIUM or FULL) lines of at most `width` cells.

    A stale row is grey throughout and says so in words: an old number never looks like a fresh one.
    """
    inner = width - _GUTTER_CELLS
    is_stale = row.mark_age_ms > stale_after_ms
    written = (
        _brief(row, is_stale, inner, glyphs) if lines == BRIEF else _tall(row, lines, is_stale, inner, glyphs)
    )
    if is_stale:
        written = [_greyed(line) for line in written]
    level = "calm" if is_stale else level_of(row)
    return [(Span(glyphs.gutter.ljust(_GUTTER_CELLS), level), *line) for line in written]


def _tall(row: BoardRow, lines: int, is_stale: bool, width: int, glyphs: Glyphs) -> list[Line]:
    ladder = ladder_line(
        row.side,
        row.mark,
        row.rungs,
        price_decimals=row.price_decimals,
        width=max(width, MIN_WIDTH),
        glyphs=glyphs,
    )
    title = ends(_identity(row), _distance(row, is_stale, glyphs), width)
    if lines == MEDIUM:
        return [title, ladder.rail, _next(row, is_stale, width, glyphs)]
    facts = ends(_facts(row), _time_left(row, glyphs), width)
    return [title, facts, ladder.rail, ladder.labels, _next(row, is_stale, width, glyphs)]


def _brief(row: BoardRow, is_stale: bool, width: int, glyphs: Glyphs) -> list[Line]:
    title = f"{pair(row.symbol):<10} {_side(row):<10} "
    distance = "none" if row.distance is None else percent(row.distance)
    action = _clauses(_action(row, is_stale), width - len(title) - len(distance) - 2, glyphs)
    return [(Span(title, "strong"), Span(distance, _emphasis(row)), Span("  " + action, "plain"))]


def _identity(row: BoardRow) -> Line:
    entry = price_text(row.entry_price, row.price_decimals)
    size = f"{quantity_text(row.quantity)} {base_coin(row.symbol)} at {entry}"
    return (
        Span(pair(row.symbol), "strong"),
        Span("  " + _side(row), "good" if row.side > 0 else "short"),
        Span("  " + size, "faint"),
    )


def _side(row: BoardRow) -> str:
    return f"{'LONG' if row.side > 0 else 'SHORT'} {quantity_text(row.leverage)}x"


def _distance(row: BoardRow, is_stale: bool, glyphs: Glyphs) -> Line:
    if row.distance is None:
        return (Span("no liquidation price", "strong"),)
    ending = f" to liquidation {glyphs.dot} stale {span(row.mark_age_ms)}" if is_stale else " to liquidation"
    word = "DANGER  " if level_of(row) == "danger" and not is_stale else ""
    return (Span(word + percent(row.distance), _emphasis(row)), Span(ending, "faint"))


def _emphasis(row: BoardRow) -> Role:
    level = level_of(row)
    return "strong" if level == "calm" else level


def _time_left(row: BoardRow, glyphs: Glyphs) -> Line:
    words: list[str] = []
    if row.hour_moves is not None:
        words.append(f"{row.hour_moves:.1f} typical hours")
    if row.probability_24h is not None:
        words.append(f"P(24 h) {_probability(row.probability_24h)}")
    return (Span(f" {glyphs.dot} ".join(words), "plain"),)


def _probability(value: float) -> str:
    """Two digits are all an estimate can carry."""
    return f"{value * 100.0:.0f} %" if value >= 0.1 else percent(value)


def _facts(row: BoardRow) -> Line:
    role: Role = "bad" if row.unrealised_pnl_quote < 0.0 else "good"
    added = row.margin_added_quote
    source = (
        f" ({money(row.isolated_wallet_quote - added)} {'+' if added > 0.0 else '-'} {money(abs(added))})"
    )
    return (
        Span(f"margin {money(row.isolated_wallet_quote)}{source if added else ''}", "plain"),
        Span(f"  uPnL {signed_money(row.unrealised_pnl_quote)}", role),
        Span(f"  value {money(row.notional_quote)}", "faint"),
    )


def _next(row: BoardRow, is_stale: bool, width: int, glyphs: Glyphs) -> Line:
    return (
        Span(_NEXT, "faint"),
        Span(_clauses(_action(row, is_stale), width - len(_NEXT), glyphs), "plain"),
    )


def _action(row: BoardRow, is_stale: bool) -> str:
    return stale_words(row.mark_age_ms) if is_stale else row.next_action


def _clauses(text: str, width: int, glyphs: Glyphs) -> str:
    """Return as many whole clauses as fit; the first one is cut if not even it does."""
    while len(text) > width and "; " in text:
        text = text.rpartition("; ")[0]
    return shortened(text, width, glyphs)


def _greyed(line: Line) -> Line:
    return tuple(Span(part.text, "faint") for part in line)
