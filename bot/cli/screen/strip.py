"""The strip at the top: how bad is it, is the bot acting, with whose money, is it current."""

from typing import NamedTuple

from bot.cli.screen.glyphs import Glyphs, Line, Role, Span, line_width
from bot.view.board import Board, worst_first
from bot.view.figures import base_coin, counted, date_time, money, percent, signed_money, span
from bot.view.level import level_of

_LEAST_GAP = 2
_MOST_GAP = 6


class _Column(NamedTuple):
    value: str
    caption: str
    role: Role
    importance: int  # columns with the highest number go first when the strip is too narrow


def strip_lines(board: Board, width: int, glyphs: Glyphs) -> list[Line]:
    """Return three lines: values, captions, and where the numbers come from (or why entries halted)."""
    columns = _columns(board)
    badge = f" {board.mode.upper()} "
    room = width - len(badge) - _LEAST_GAP
    while sum(_column_width(c) + _LEAST_GAP for c in columns) - _LEAST_GAP > room and len(columns) > 1:
        columns.remove(max(columns, key=lambda column: column.importance))
    spare = room - sum(map(_column_width, columns))
    gap = min(_MOST_GAP, spare // max(1, len(columns) - 1))
    values: list[Span] = [Span(badge, board.mode), Span(" " * _LEAST_GAP, "plain")]
    captions: list[Span] = [Span(" " * (len(badge) + _LEAST_GAP), "plain")]
    for column in columns:
        cells = _column_width(column) + gap
        values.append(Span(column.value.ljust(cells), column.role))
        captions.append(Span(column.caption.ljust(cells), "faint"))
    return [tuple(values), tuple(captions), _source(board, width, glyphs)]


def _columns(board: Board) -> list[_Column]:
    is_stale = board.data_age_ms > board.stale_after_ms
    return [
        _worst(board),
        _Column("HALTED", "entries", "danger", 1) if board.is_entries_halted else _armed(),
        _Column(money(board.equity_quote), f"equity {board.quote}", "strong", 3),
        _Column(money(board.margin_committed_quote), "in margin", "strong", 4),
        _Column(money(board.free_quote), "free", "strong", 2),
        _Column(signed_money(board.day_pnl_quote), "today", _money_role(board.day_pnl_quote), 6),
        _Column(
            span(board.data_age_ms),
            "STALE" if is_stale else "data age",
            "danger" if is_stale else "strong",
            1,
        ),
        *([_Column(board.speed, "speed", "strong", 5)] if board.speed else []),
    ]


def _worst(board: Board) -> _Column:
    if not board.positions:
        return _Column("flat", "no position", "strong", 0)
    row = worst_first(board.positions)[0]
    side = "long" if row.side > 0 else "short"
    if row.distance is None:
        return _Column("none", f"{base_coin(row.symbol)} {side}", "strong", 0)
    if row.mark_age_ms > board.stale_after_ms:
        return _Column(percent(row.distance), f"{base_coin(row.symbol)} {side}, stale", "faint", 0)
    level = level_of(row)
    return _Column(
        percent(row.distance), f"{base_coin(row.symbol)} {side}", level if level != "calm" else "strong", 0
    )


def _armed() -> _Column:
    return _Column("armed", "guard", "good", 1)


def _money_role(amount: float) -> Role:
    return "bad" if amount < 0.0 else "good" if amount > 0.0 else "strong"


def _column_width(column: _Column) -> int:
    return max(len(column.value), len(column.caption))


def _source(board: Board, width: int, glyphs: Glyphs) -> Line:
    if board.is_entries_halted:
        text = f"Entries halted: {board.halt_cause}. Open positions stay protected."
        return (Span(shortened(text, width, glyphs), "danger"),)
    liquidations = counted(board.counters.liquidations, "liquidation")
    trades = counted(board.counters.trades, "trade")
    parts = [date_time(board.market_ts_ms), trades, liquidations, board.policy, board.strategy, board.feed]
    separator = f" {glyphs.dot} "
    while len(separator.join(parts)) > width and len(parts) > 2:
        del parts[-2]  # whose prices these are is said last and longest
    return (Span(shortened(separator.join(parts), width, glyphs), "faint"),)


def shortened(text: str, width: int, glyphs: Glyphs) -> str:
    """Return `text` cut to `width` with an ellipsis."""
    return text if len(text) <= width else text[: max(0, width - len(glyphs.ellipsis))] + glyphs.ellipsis


def ends(left: Line, right: Line, width: int) -> Line:
    """Return `left` and `right` pushed to the two ends of a line; left spans are dropped until both fit."""
    kept = list(left)
    while kept and line_width(tuple(kept)) + line_width(right) + 1 > width:
        kept.pop()
    filling = width - line_width(tuple(kept)) - line_width(right)
    return (*kept, Span(" " * max(0, filling), "plain"), *right)
