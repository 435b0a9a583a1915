"""The evidence of one position while it, or its shadow, lives: what a row of `trade_evidence` is made of.

Simplifications, all in the shadow's disfavour or neutral:
- A fill of the real position closes the same SHARE of the shadow, at the same price and fee per unit. So a
  take-profit after a policy's cut closes a larger part of the shadow than it would have closed.
- A stop that was moved because liquidation came close to the real position is the shadow's stop too.
- A shadow that outlives its position keeps the stop as it last was (nothing trails it) and only the last
  take-profit; its fills cost what the entry's fill cost. It sends no orders and moves no market.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bot.core.event import TradeEvidence
from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.evidence.nearness import NO_PRICE, Nearness, left
from bot.evidence.shadow import (
    LIQUIDATION,
    Exit,
    Orders,
    Shadow,
    closed,
    is_liquidated_at,
    is_nearer,
    reduced,
)

_HOUR_MS: Final = 3_600_000.0


@dataclass(slots=True)
class TradeBook:
    """`wallet_quote`: the real margin locked since `seen_ms`. `closed_by` is "" while the position is open.

    The three `..._quote_ms` are time integrals of locked margin: the position's, its shadow's, and the
    part of what the position freed against its shadow that later positions had locked meanwhile.
    `net_added_quote`: what policy moves left in the wallet, less the closed shares; negative: released.
    `gap_since_ms`: since when less than the floor of the anchor's buffer lies behind the stop; 0: it does.
    """

    position_id: int
    opened_ms: int
    shadow: Shadow
    wallet_quote: float
    seen_ms: int
    orders: Orders
    nearness: Nearness = field(default_factory=Nearness)
    margin_quote_ms: float = 0.0
    shadow_margin_quote_ms: float = 0.0
    redeployed_quote_ms: float = 0.0
    added_quote: float = 0.0
    net_added_quote: float = 0.0
    added_lost_quote: float = 0.0
    adds_without_reentry: int = 0
    moves: int = 0
    moves_refused: int = 0
    stale_holds: int = 0
    is_blind: bool = False
    gap_ms: int = 0
    gap_since_ms: int = 0
    beyond_stop_fraction: float = 0.0
    is_stop_trailed: bool = False
    closed_ms: int = 0
    closed_by: str = ""
    pnl_quote: float = 0.0


def accrue(books: Iterable[TradeBook], now_ms: int) -> None:
    """Let time pass: add up the margin locked since the last look. Call it before any wallet changes.

    Redeployed: what a position freed against its shadow, as far as positions opened later lock it. Each
    quote of theirs counts once, for the youngest position that can have freed it.
    """
    later = 0.0
    for book in sorted(books, key=_position_id, reverse=True):
        passed = max(now_ms - book.seen_ms, 0)
        shadow_wallet = book.shadow.position.isolated_wallet
        book.margin_quote_ms += book.wallet_quote * passed
        book.shadow_margin_quote_ms += shadow_wallet * passed
        if not book.closed_by:
            used = min(max(shadow_wallet - book.wallet_quote, 0.0), later)
            book.redeployed_quote_ms += used * passed
            later += book.wallet_quote - used
        book.seen_ms = max(now_ms, book.seen_ms)


def _position_id(book: TradeBook) -> int:
    return book.position_id


def moved(book: TradeBook, amount_quote: float, would_enter: bool) -> None:
    """Book a completed margin move; an add while the strategy `would_enter` not here is counted."""
    book.moves += 1
    book.net_added_quote += amount_quote
    if amount_quote > 0.0:
        book.added_quote += amount_quote
        book.adds_without_reentry += not would_enter


def brought_back(book: TradeBook, amount_quote: float) -> None:
    """Book margin that a cut had paid out and that returned: no add, it was in the position before.

    The cut took its share of what had been added; what returns holds as much of it as what had stayed.
    """
    book.moves += 1
    if book.wallet_quote > 0.0:
        book.net_added_quote *= 1.0 + amount_quote / book.wallet_quote


def filled(
    book: TradeBook,
    real: Position,
    share: float,
    how: Exit,
    fee_per_unit: float,
    ts_ms: int,
    rules: MarginRules,
) -> None:
    """Book a fill that closed `share` of the position `real`, as it was before, for the shadow.

    A price beyond the shadow's liquidation, where that is nearer than the real one, has liquidated it;
    where it is not, the venue has just shown that the stop came first.
    """
    shadow = book.shadow
    if not shadow.is_open:
        return
    if is_nearer(shadow, real, rules) and is_liquidated_at(shadow, how.price, rules):
        book.shadow = closed(shadow, Exit(LIQUIDATION, how.price), fee_per_unit, ts_ms, rules)
    elif share < 1.0:
        book.shadow = reduced(shadow, share, how.price, fee_per_unit, rules)
    else:
        book.shadow = closed(shadow, how, fee_per_unit, ts_ms, rules)


def ended(book: TradeBook, closed_by: str, ts_ms: int, pnl_quote: float, orders: Orders) -> None:
    """Book the end of the real position; `orders` are what protects the shadow if it lives on."""
    book.closed_ms, book.closed_by, book.pnl_quote = ts_ms, closed_by, pnl_quote
    if closed_by == LIQUIDATION:
        book.added_lost_quote = min(max(book.net_added_quote, 0.0), book.wallet_quote)
    book.wallet_quote = 0.0
    book.nearness = left(book.nearness, ts_ms)
    watch_gap(book, is_kept=True, ts_ms=ts_ms)
    book.orders = orders


def watch_gap(book: TradeBook, is_kept: bool, ts_ms: int) -> None:
    """Count the time in which the anchor's gap behind the stop is not kept."""
    if is_kept and book.gap_since_ms:
        book.gap_ms += max(ts_ms - book.gap_since_ms, 0)
        book.gap_since_ms = 0
    elif not is_kept and not book.gap_since_ms:
        book.gap_since_ms = ts_ms


def is_complete(book: TradeBook) -> bool:
    """Return whether both the position and its shadow have ended."""
    return book.closed_by != "" and not book.shadow.is_open


def evidence_of(book: TradeBook, symbol: str, policy: str, ts_ms: int) -> TradeEvidence:
    """Return what is kept of a complete book.

    `added_lost_quote`: of a liquidated position, what moves had left in the lost wallet. Of a rescued one
    (the shadow was liquidated) that ended worse, by how much worse, at most what was added. 0.0 else: margin
    that comes back was not lost. `loss_beyond_stop_fraction`: how far past the resting stop the position
    was closed, of the stop's price. `least_...`: None when no mark could liquidate it.
    """
    shadow, near = book.shadow, book.nearness
    return TradeEvidence(
        ts_ms=ts_ms,
        symbol=symbol,
        position_id=book.position_id,
        side=shadow.position.side,
        policy=policy,
        opened_ms=book.opened_ms,
        closed_ms=book.closed_ms,
        closed_by=book.closed_by,
        pnl_quote=book.pnl_quote,
        liquidated=book.closed_by == LIQUIDATION,
        shadow_closed_ms=shadow.closed_ms,
        shadow_closed_by=shadow.closed_by,
        shadow_pnl_quote=shadow.pnl_quote,
        shadow_liquidated=shadow.closed_by == LIQUIDATION,
        added_quote=book.added_quote,
        added_lost_quote=_added_lost(book),
        adds_without_reentry=book.adds_without_reentry,
        margin_quote_hours=book.margin_quote_ms / _HOUR_MS,
        shadow_margin_quote_hours=book.shadow_margin_quote_ms / _HOUR_MS,
        released_redeployed_quote_hours=book.redeployed_quote_ms / _HOUR_MS,
        least_distance=_measured(near.least_distance),
        least_distance_sigma_hours=_measured(near.least_sigmas),
        near_miss_ms=near.near_ms,
        stop_beyond_liquidation_ms=book.gap_ms,
        loss_beyond_stop_fraction=book.beyond_stop_fraction,
        moves=book.moves,
        moves_refused=book.moves_refused,
        stale_holds=book.stale_holds,
    )


def _added_lost(book: TradeBook) -> float:
    if book.closed_by != LIQUIDATION and book.shadow.closed_by == LIQUIDATION:
        return min(book.added_quote, max(book.shadow.pnl_quote - book.pnl_quote, 0.0))
    return book.added_lost_quote


def _measured(value: float) -> float | None:
    return value if value < NO_PRICE else None
