"""Limits whose breach halts the bot until a person resumes it: losses, repeated refusals, rates, prices."""

from typing import Final

from bot.core.event import Refused, VenueDiffers
from bot.core.halt import NO_ENTRY, REDUCE_ONLY
from bot.core.intent import Intent, OpenPosition
from bot.engine import halts
from bot.engine.desk import Desk
from bot.engine.entries import unrealised_quote
from bot.engine.rates import counted

DAILY_LOSS: Final = "daily_loss"
DRAWDOWN: Final = "drawdown"
ORDER_RATE: Final = "order_rate"
MESSAGE_RATE: Final = "message_rate"
PRICE_COLLAR: Final = "price_collar"
REPEATED_REJECTION: Final = "repeated_rejection"
STALE_DATA: Final = "stale_data"
CLOCK_SKEW: Final = "clock_skew"
LIQUIDATION_PRICE: Final = "liquidation_price"

_REFUSALS_MS: Final = 600_000
# Races that any bot loses now and then, and what was not asked of the venue at all.
_USUAL: Final = ("halted", "lost", "no_position", "reduce_only", "unknown_order", "would_trigger_immediately")


def losses(desk: Desk) -> None:
    """Halt entries when the day's loss or the drawdown exceeds its limit; unrealised PnL counts."""
    state, limits = desk.state, desk.limits
    equity = state.equity_quote() + unrealised_quote(desk)
    state.loss_base_quote = state.loss_base_quote or equity
    state.peak_equity_quote = max(state.peak_equity_quote, equity)
    _loss(desk, DAILY_LOSS, state.loss_base_quote, equity, limits.daily_loss_fraction, "since the day began")
    _loss(desk, DRAWDOWN, state.peak_equity_quote, equity, limits.drawdown_fraction, "from the highest")


def staleness(desk: Desk) -> None:
    """Halt entries when a held symbol gives no mark for long while others go on; asked at every candle.

    A gap that the feed itself announced is none of that.
    """
    state, limit_ms = desk.state, desk.limits.stale_data_ms
    late_ms = max(desk.timeframe_ms, desk.max_mark_age_ms)
    for symbol, market in state.markets.items():
        silent_ms = state.now_ms - max(market.mark_ms, market.gap_until_ms)
        if market.holding is None or silent_ms <= late_ms:
            state.stale_since_ms.pop(symbol, None)
            continue
        # From when others were heard: after a pause of the whole feed one of them is the first again.
        since_ms = state.stale_since_ms.setdefault(symbol, state.now_ms)
        if 0 < limit_ms <= state.now_ms - since_ms:
            message = f"{symbol} is held and gave no mark for {silent_ms / 1000:.0f} s while others did"
            halts.latch(desk, NO_ENTRY, STALE_DATA, message, symbol=symbol)


def refusals(desk: Desk, event: Refused) -> None:
    """Halt entries when the venue refuses again and again."""
    limit = desk.limits.max_refusals
    if limit == 0 or event.code in _USUAL:
        return
    count = counted(desk.state.refused_ms, desk.state.now_ms, _REFUSALS_MS)
    if count > limit:
        message = (
            f"{count} refusals in ten minutes, the last in {event.symbol}: {event.code}, {event.message}"
        )
        halts.latch(desk, NO_ENTRY, REPEATED_REJECTION, message, symbol=event.symbol)


def rates(desk: Desk) -> None:
    """Halt when too many requests were decided within a minute: a loop runs away."""
    state, limits = desk.state, desk.limits
    if 0 < limits.messages_per_minute < len(state.sent_ms):
        halts.latch(desk, REDUCE_ONLY, MESSAGE_RATE, f"{len(state.sent_ms)} requests within a minute")
    if 0 < limits.orders_per_minute < len(state.ordered_ms):
        halts.latch(desk, NO_ENTRY, ORDER_RATE, f"{len(state.ordered_ms)} orders within a minute")


def collar(desk: Desk, intent: Intent) -> None:
    """Halt entries when one would trade far from the mark, or the mark ran away since it was decided."""
    limit, action = desk.limits.price_collar_fraction, intent.action
    if limit == 0.0 or not isinstance(action, OpenPosition):
        return
    market = desk.state.markets[action.symbol]
    price = action.limit_price if action.order == "limit" else market.last
    planned = market.entry.plan.entry_price if market.entry is not None else price
    furthest = max((price, planned), key=lambda each: abs(each - market.mark))
    if not abs(furthest - market.mark) <= limit * market.mark:
        message = f"{action.symbol}: an entry at {furthest:.10g}, the mark is {market.mark:.10g}"
        halts.latch(desk, NO_ENTRY, PRICE_COLLAR, message, symbol=action.symbol)


def differences(desk: Desk, event: VenueDiffers) -> None:
    """Halt entries when the venue's clock or its liquidation price is too far from ours."""
    limits, away = desk.limits, abs(event.ours - event.venue)
    if event.what == "clock" and 0 < limits.clock_skew_ms < away:
        message = f"this machine's clock is {away:.0f} ms from the venue's: synchronise it (NTP)"
        halts.latch(desk, NO_ENTRY, CLOCK_SKEW, message)
    elif event.what == "liquidation_price":
        tolerated = limits.liquidation_tolerance * desk.state.markets[event.symbol].mark
        if 0.0 < tolerated < away:
            message = (
                f"{event.symbol}: the venue liquidates at {event.venue:.10g}, we reckon {event.ours:.10g}: "
                "compare tiers and margin at the venue, or close it there"
            )
            halts.latch(desk, NO_ENTRY, LIQUIDATION_PRICE, message, symbol=event.symbol)


def _loss(desk: Desk, cause: str, base: float, equity: float, limit: float, since: str) -> None:
    if limit > 0.0 and base - equity > limit * base:
        message = (
            f"equity {equity:.2f} is {1.0 - equity / base:.1%} below {base:.2f} {since} ({limit:.1%} allowed)"
        )
        halts.latch(desk, NO_ENTRY, cause, message)
