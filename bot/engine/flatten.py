"""FLATTEN at work: entries are taken back, positions closed reduce-only at market; stops stay until then."""

from typing import Final

from bot.core.intent import CancelOrder
from bot.engine.desk import Desk
from bot.engine.halts import is_flattening
from bot.engine.protection import close
from bot.engine.state import Market

REASON: Final = "flatten"


def flatten_book(desk: Desk) -> None:
    """Close whatever is open, if a halt asks for it; what the venue refused is tried again."""
    if is_flattening(desk.state):
        for market in desk.state.markets.values():
            flatten(desk, market)


def flatten(desk: Desk, market: Market) -> None:
    """Take back the market's entry and close its position, each once while it is on its way."""
    _take_back_entry(desk, market)
    holding = market.holding
    if holding is not None and desk.state.now_ms >= holding.close_again_ms:
        close(desk, market, holding, REASON)


def _take_back_entry(desk: Desk, market: Market) -> None:
    entry, in_flight = market.entry, desk.state.in_flight
    if entry is None or entry.client_id not in in_flight:
        return
    cancelled = (getattr(intent.action, "target_client_id", "") for intent in in_flight.values())
    if entry.client_id not in cancelled:
        desk.outbox.intend(CancelOrder(market.instrument.symbol, entry.client_id), REASON)
