"""Caps on the whole book held against market moves: what exceeds them is cut, the largest part first.

Source: margin-science 3.8 (i) to (iii). Entries are measured against the same caps in bot/risk/pretrade.py.
"""

import math
from collections.abc import Iterator
from typing import Final

from bot.core.event import CapBreached
from bot.core.instrument import Instrument
from bot.core.intent import Fact, ReducePosition
from bot.engine.desk import Desk
from bot.engine.protection import close
from bot.engine.state import Holding, Market
from bot.risk.cutting import closed_part
from bot.risk.stress import CapCut, Exposure

REASON: Final = "book_cap"
_EVERY_MS: Final = 60_000


def reconsider(desk: Desk) -> None:
    """Cut positions when the book exceeds a cap by more than its limit; looked at once a minute at most."""
    state = desk.state
    if desk.risk.caps.cut_above == 0.0 or state.now_ms < state.caps_again_ms:
        return
    state.caps_again_ms = state.now_ms + _EVERY_MS
    legs = tuple(_exposures(desk))
    equity = state.equity_quote()
    if not legs or not 0.0 < equity < math.inf or _is_cutting(desk):
        return
    for cut in desk.risk.cap_cuts(legs, equity):
        market = state.markets[cut.symbol]
        if market.holding is not None and _cut(desk, market, market.holding, cut):
            state.caps_again_ms = state.now_ms + desk.risk.caps.cut_cooldown_ms


def exposure_of(market: Market, holding: Holding) -> Exposure:
    """Return what the caps on the whole book count of a position.

    Its wallet may be below zero, where funding took it from a position in profit: no margin is at risk then.
    """
    held = holding.position
    value, margin = held.quantity * market.mark, max(held.isolated_wallet, 0.0)
    return Exposure(held.symbol, held.side, value, margin, market.sigma_day)


def _exposures(desk: Desk) -> Iterator[Exposure]:
    for market in desk.state.markets.values():
        holding = market.holding
        if holding is not None and not holding.is_closing:
            yield exposure_of(market, holding)


def _is_cutting(desk: Desk) -> bool:
    return any(isinstance(intent.action, ReducePosition) for intent in desk.state.in_flight.values())


def _cut(desk: Desk, market: Market, holding: Holding, cut: CapCut) -> bool:
    """Close the share of the position, reduce-only; return whether anything could be closed."""
    if not holding.is_filled or desk.is_blind(market):
        return False
    quantity = closed_quantity(holding.position.quantity, cut.fraction, market.mark, market.instrument)
    if quantity <= 0.0:
        return False
    desk.outbox.note(
        CapBreached(
            desk.state.now_ms,
            cut.symbol,
            holding.position_id,
            cut.cap,
            cut.value,
            cut.limit,
            cut.after,
            quantity,
        )
    )
    if quantity >= holding.position.quantity:
        close(desk, market, holding, REASON)
        return True
    facts: dict[str, Fact] = {"cap": cut.cap, "value": cut.value, "limit": cut.limit, "after": cut.after}
    desk.outbox.intend(ReducePosition(cut.symbol, holding.position.side, quantity), REASON, facts)
    return True


def closed_quantity(held: float, fraction: float, mark: float, instrument: Instrument) -> float:
    """Return how much of `held` to close for `fraction`: all of it, or what the venue takes and lets rest.

    0.0 where neither the order nor the rest can meet the venue's minimum.
    """
    least, value = instrument.min_quantity, instrument.min_notional_quote
    return closed_part(held, fraction, mark, instrument.quantity_step, least, value)
