"""Fills, funding and liquidations: how holdings are born, change and die."""

from typing import Final

from bot.core.event import FundingSettled, Liquidated, OrderFilled, PositionClosed
from bot.core.intent import Intent
from bot.core.position import Position
from bot.engine import foreign, ours, prior
from bot.engine.desk import Desk
from bot.engine.entries import take_back
from bot.engine.invariants import check_reduce_only
from bot.engine.opening import open_holding
from bot.engine.protection import (
    cover,
    keep_stop_inside,
    on_stop_used_up,
    place_take_profits,
    protect,
    take_back_unseen,
)
from bot.engine.state import Holding, Market, PendingEntry

DELEVERAGED: Final = "deleveraged"
# How client ids of the venue's own orders begin, as the dialects name them.
_DELEVERAGING: Final = "adl"
_FORCED: Final = (
    _DELEVERAGING,
    "autoclose-",
    "liquidation-",
    "BustTrade-",
    "CreateByLiq",
    "CreateByTakeOver",
)


def on_filled(desk: Desk, market: Market, event: OrderFilled, intent: Intent | None) -> None:
    """Book a fill: an entry's first fill is protected at once, an exit's last one ends the position.

    A fill that leaves a position where we hold none is somebody else's.
    """
    if event.leg == "entry" and event.position is not None:
        _on_entry(desk, market, event, event.position)
    if event.leg == "exit" and event.client_id.startswith(_FORCED):
        _cool_down(desk, market, event.ts_ms)
    holding = market.holding
    if holding is None:
        prior.hear(desk, event)
        foreign.seen(desk, market, event.position, is_ours=ours.was_opened(desk, event))
        return
    holding.fees_quote += event.fee_quote
    holding.realised_pnl_quote += event.realised_pnl_quote
    if event.remaining_quantity <= 0.0:
        holding.take_profits.pop(event.client_id, None)
    if event.position is None:
        _count_leg(desk, event)
        _end(desk, market, holding, event.ts_ms, _cause(event, intent), event.price)
        return
    check_reduce_only(desk, holding.position, event.leg, event.position)
    holding.position = event.position
    if event.leg == "entry":
        keep_stop_inside(desk, market, holding)
        holding.cover_again_ms = 0
        cover(desk, market, holding)
    elif event.remaining_quantity <= 0.0:
        on_stop_used_up(desk, market, holding, event)
    if event.leg == "take_profit" and event.remaining_quantity <= 0.0:
        desk.state.tally.take_profits_filled += 1
    holding.wake()


def complete_entry(desk: Desk, market: Market) -> None:
    """The entry order is finished: rest the take-profits over what was filled."""
    take_back_unseen(desk, market)
    market.entry = None
    holding = market.holding
    if holding is not None and not holding.is_filled:
        holding.is_filled = True
        place_take_profits(desk, market, holding)


def on_funding(desk: Desk, market: Market, event: FundingSettled) -> None:
    """Funding moved the isolated wallet, and with it the liquidation price."""
    holding = market.holding
    if holding is None:
        prior.hear(desk, event)
        return
    holding.position = event.position
    holding.gain(funding_quote=event.amount_quote)
    keep_stop_inside(desk, market, holding)
    holding.wake()


def on_liquidated(desk: Desk, market: Market, event: Liquidated) -> None:
    """The venue closed the position and kept its margin."""
    _cool_down(desk, market, event.ts_ms)
    holding = market.holding
    if holding is None:
        prior.forget(desk, event.symbol)
        foreign.seen(desk, market, None)
        return
    desk.state.tally.liquidations += 1
    holding.realised_pnl_quote -= event.loss_quote
    _end(desk, market, holding, event.ts_ms, "liquidation", event.mark)


def _on_entry(desk: Desk, market: Market, event: OrderFilled, position: Position) -> None:
    entry = market.entry
    if market.holding is None and entry is not None and event.client_id == entry.client_id:
        plan = entry.plan
        holding = open_holding(desk, market, position, event.ts_ms, plan.stop_price, plan.agreed_loss_quote)
        _protect_entry(desk, market, holding, entry)
    elif market.holding is not None:
        market.holding.initial_wallet_quote = position.isolated_wallet
    if event.remaining_quantity <= 0.0 and market.holding is not None:
        market.holding.position = position
        complete_entry(desk, market)


def _protect_entry(desk: Desk, market: Market, holding: Holding, entry: PendingEntry) -> None:
    if entry.stop is None:
        protect(desk, market, holding, entry.plan.stop_price, "entry")
        return
    holding.stop, entry.stop, holding.unprotected_since_ms = entry.stop, None, 0
    keep_stop_inside(desk, market, holding)
    cover(desk, market, holding)


def _count_leg(desk: Desk, event: OrderFilled) -> None:
    tally = desk.state.tally
    if event.leg in ("stop", "trailing"):
        tally.stops_filled += 1
    elif event.leg == "take_profit":
        tally.take_profits_filled += 1


def _cool_down(desk: Desk, market: Market, ts_ms: int) -> None:
    market.cool_until_ms = max(market.cool_until_ms, ts_ms + desk.risk.entry_limits.forced_cooldown_ms)


def _is_deleveraging(event: OrderFilled) -> bool:
    return event.leg == "exit" and event.client_id.startswith(_DELEVERAGING)


def _cause(event: OrderFilled, intent: Intent | None) -> str:
    if _is_deleveraging(event):
        return DELEVERAGED
    if event.leg != "exit":
        return event.leg
    return intent.reason if intent is not None else "exit"


def _end(desk: Desk, market: Market, holding: Holding, ts_ms: int, cause: str, price: float) -> None:
    desk.state.tally.trades += 1
    market.holding = None
    prior.forget(desk, market.instrument.symbol)
    take_back(desk, market, "position_closed")  # what is left of the entry must not open a new one
    desk.outbox.note(
        PositionClosed(
            ts_ms,
            market.instrument.symbol,
            holding.position_id,
            holding.position.side,
            cause,
            price,
            holding.realised_pnl_quote,
            holding.fees_quote,
            holding.funding_quote,
            holding.added_quote,
            holding.released_quote,
        )
    )
