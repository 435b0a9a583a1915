"""The shadows of a compiled backtest, found afterwards: from what the kernel wrote down and the marks.

The kernel tells every fill, funding payment, liquidation and margin move (kernel/story.py), each with the
newest mark and candle that the engine had heard by then. What bot/engine/shadows.py does while the bot trades
is done here in the same order, by the same functions of bot/evidence. How near a position came to its
liquidation is not measured: that would need every mark.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from bot.backtest.kernel import columns as c
from bot.backtest.result import UNKNOWN, Shadows
from bot.backtest.shadow_lane import End, Lane
from bot.backtest.told_rows import Row
from bot.core.event import TradeEvidence
from bot.evidence import book as books
from bot.evidence.book import TradeBook
from bot.evidence.shadow import (
    LIQUIDATION,
    STAYS,
    Exit,
    Orders,
    Shadow,
    closed,
    entered,
    exit_at,
    funded,
    is_liquidated_at,
    liquidated,
)

TRAILING: Final = "trailing"
_MOST_COST: Final = 0.01  # as in bot/engine/shadows.py
_MONEY: Final = (c.FILLED, c.SETTLED, c.LIQUIDATED, c.MARGIN_MOVED)


class ShadowReplay:
    """Follows the shadows of one run."""

    def __init__(self, lanes: Sequence[Lane], policy: str) -> None:
        self._lanes, self._policy = lanes, policy
        self._found: dict[int, TradeEvidence] = {}

    def follow(self, rows: Sequence[Row]) -> Mapping[int, TradeEvidence]:
        """Return what is known of every position whose shadow has ended too, by its id."""
        for number, lane in enumerate(self._lanes):
            lane.expect([row for row in rows if row.symbol == number])
        for row in rows:
            self._end_until(row)
            self._hear(self._lanes[row.symbol], row)
        self._end_until(None)
        return self._found

    def _end_until(self, row: Row | None) -> None:
        """End the shadows that ended before a row was told, in the order of time."""
        while True:
            ends = [end for lane in self._lanes if (end := lane.next_end()) and _is_before(end, row)]
            if not ends:
                return
            end = min(ends)
            lane = self._lanes[end.lane]
            lane.pass_by(end)
            if end.is_candle:
                self._leave(lane, end)
            else:
                self._look(lane, end.mark, end.ts_ms)

    def _hear(self, lane: Lane, row: Row) -> None:
        """Book what a row says, as bot/engine/shadows.py books an event."""
        lane.hear(row)
        if row.kind in _MONEY:
            self._accrue(row.ts_ms)
        if row.kind == c.TARGET_RESTS:
            lane.targets[row.order_id] = row.price
        elif row.kind == c.CANCELLED:
            lane.targets.pop(row.order_id, None)
        elif row.kind == c.FILLED and row.leg == c.ENTRY_LEG:
            _on_entry(lane, row)
        elif lane.book is not None:
            self._on_change(lane, lane.book, row)
        if lane.book is not None and row.is_held:
            lane.book.wallet_quote = row.wallet
        self._look(lane, row.mark, row.ts_ms)

    def _on_change(self, lane: Lane, book: TradeBook, row: Row) -> None:
        if row.kind == c.FILLED:
            self._on_exit(lane, book, row)
        elif row.kind == c.MARGIN_MOVED and row.reason == c.BROUGHT_BACK:
            books.brought_back(book, row.amount)
        elif row.kind == c.MARGIN_MOVED:
            books.moved(book, row.amount, lane.enters(row.known_row) == row.side)
        elif row.kind == c.SETTLED and book.shadow.is_open:
            book.shadow = funded(book.shadow, row.amount, row.quantity)
        elif row.kind == c.LIQUIDATED:
            if is_liquidated_at(book.shadow, row.price, lane.rules):
                book.shadow = liquidated(book.shadow, row.ts_ms)
            self._end_real(lane, book, row, LIQUIDATION)
        elif row.kind == c.MOVE_REFUSED:
            book.moves_refused += 1

    def _on_exit(self, lane: Lane, book: TradeBook, row: Row) -> None:
        cause = _cause(row)
        share = min(row.traded / row.was_quantity, 1.0) if row.is_held else 1.0
        if not _is_policy(cause):
            how, fee_per_unit = Exit(cause, row.price), row.fee / row.traded
            books.filled(book, row.was(lane.symbol), share, how, fee_per_unit, row.ts_ms, lane.rules)
        book.net_added_quote *= 1.0 - share
        if row.leg == c.TARGET_LEG and row.left <= 0.0:
            lane.targets.pop(row.order_id, None)
        if not row.is_held:
            self._end_real(lane, book, row, cause)

    def _end_real(self, lane: Lane, book: TradeBook, row: Row, cause: str) -> None:
        side = book.shadow.position.side
        orders = book.orders._replace(
            stop_price=row.stop_price,
            take_profit_price=max(lane.targets.values(), key=lambda price: side * price, default=0.0),
        )
        books.ended(book, "derisk" if cause.startswith("derisk") else cause, row.ts_ms, row.net_quote, orders)
        lane.book = None
        lane.orphans.append(book)
        self._write(lane, row.ts_ms)

    def _look(self, lane: Lane, mark: float, now_ms: int) -> None:
        for orphan in tuple(lane.orphans):
            how = exit_at(orphan.shadow, orphan.orders, mark, lane.rules)
            if how is not STAYS:
                self._accrue(now_ms)
                self._end_shadow(lane, orphan, how, now_ms)
        book = lane.book
        if book is not None and is_liquidated_at(book.shadow, mark, lane.rules):
            self._accrue(now_ms)
            book.shadow = liquidated(book.shadow, now_ms)

    def _leave(self, lane: Lane, end: End) -> None:
        """The strategy leaves: that ends the shadows that have no position any more."""
        self._accrue(end.ts_ms)
        for orphan in tuple(lane.orphans):
            side = orphan.shadow.position.side
            if end.direction in (0, side):
                price = end.mark * (1.0 - side * orphan.orders.cost_fraction)
                self._end_shadow(lane, orphan, Exit("exit", price), end.ts_ms)

    def _end_shadow(self, lane: Lane, book: TradeBook, how: Exit, now_ms: int) -> None:
        fee_per_unit = book.orders.fee_rate * how.price
        book.shadow = closed(book.shadow, how, fee_per_unit, now_ms, lane.rules)
        self._write(lane, now_ms)

    def _write(self, lane: Lane, now_ms: int) -> None:
        for book in [book for book in lane.orphans if books.is_complete(book)]:
            lane.orphans.remove(book)
            self._found[book.position_id] = books.evidence_of(book, lane.symbol, self._policy, now_ms)

    def _accrue(self, now_ms: int) -> None:
        books.accrue(self._books(), now_ms)

    def _books(self) -> Iterator[TradeBook]:
        for lane in self._lanes:
            yield from lane.books()


def measured(shadows: Shadows) -> Shadows:
    """Return the table without what is not measured here."""
    unknown, never = np.full(len(shadows.closed_ms), math.nan), np.full(len(shadows.closed_ms), UNKNOWN)
    return shadows._replace(
        least_distance=unknown,
        least_distance_sigma_hours=unknown,
        near_miss_ms=never,
        stop_beyond_liquidation_ms=never,
        loss_beyond_stop_fraction=unknown,
        stale_holds=never,
    )


def _is_before(end: End, row: Row | None) -> bool:
    """Whether a shadow has ended by the time that a row is told; its own lane looks no further than that."""
    if row is None or end.lane == row.symbol:
        return True
    if end.is_candle:
        return end.ts_ms <= max(row.ts_ms, row.ticked_ms)
    return (end.ts_ms, end.lane) <= (row.ticked_ms, row.ticked_symbol)


def _on_entry(lane: Lane, row: Row) -> None:
    position = row.held(lane.symbol)
    if not row.was_held:
        orders = Orders(0.0, 0.0, 0.0, lane.fee_rate)
        lane.book = TradeBook(
            row.position_id, row.ts_ms, Shadow(position), position.isolated_wallet, row.ts_ms, orders
        )
        lane.targets.clear()
    book = lane.book
    if book is not None:
        paid = position.side * (row.price - row.last) / row.last
        book.shadow = entered(book.shadow, position, row.fee)
        book.orders = book.orders._replace(cost_fraction=min(max(paid, 0.0), _MOST_COST))


def _cause(row: Row) -> str:
    if row.leg == c.STOP_LEG:
        return TRAILING if row.is_trailed else "stop"
    return "take_profit" if row.leg == c.TARGET_LEG else c.CAUSES[row.reason]


def _is_policy(cause: str) -> bool:
    """Whether a policy, not the trade, wanted this cut: it does not happen to the shadow."""
    return cause == "volatility_cut" or cause.startswith("derisk")
