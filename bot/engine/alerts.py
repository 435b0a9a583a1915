"""Alerts: what a person should know now, said once per holding and cause until the cause is gone.

Every text names the position, the numbers, what the bot did and what it will do. An alert moves nothing:
where it is raised margin is held, and protection is kept or restored.
"""

import math
from collections.abc import Mapping

from bot.core.event import AlertRaised, AutoAddSwitched, CandleClosed, MarkPrice, Refused, Severity
from bot.core.intent import Fact
from bot.core.position import side_name
from bot.core.timerange import utc_text
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market
from bot.risk.view import MarginDecision

ADD_FORBIDDEN = "add_forbidden"
ADD_REFUSED = "add_refused"
AUTO_ADD = "auto_add_margin"
BAD_CANDLE = "bad_candle"
BAD_PRICE = "bad_price"
CUT_REFUSED = "cut_refused"
LEVERAGE_ABOVE_TIER = "leverage_above_tier"
LIQUIDATION_MOVED = "liquidation_moved"
PAST_LIQUIDATION = "past_liquidation"
STALE = "stale"
STOP_MISSING = "stop_missing"
STRATEGY_FAILED = "strategy_failed"
UNUSABLE = "unusable_numbers"


def raise_once(
    desk: Desk, market: Market, cause: str, severity: Severity, message: str, facts: Mapping[str, Fact]
) -> None:
    """Note an alert, unless the same holding (or the market without one) has it already."""
    holding, symbol = market.holding, market.instrument.symbol
    position_id = holding.position_id if holding is not None else 0
    if market.alerts.get(cause) == position_id:
        return
    market.alerts[cause] = position_id
    desk.state.tally.alerts += 1
    owner = f"{_named(holding)}: " if holding is not None else ""
    known = {name: _finite(value) for name, value in facts.items()}
    note = AlertRaised(desk.state.now_ms, symbol, position_id, severity, cause, f"{owner}{message}", known)
    desk.outbox.note(note)


def clear(market: Market, *causes: str) -> None:
    """Forget that these were raised: the next time they are news again."""
    for cause in causes:
        market.alerts.pop(cause, None)


def alerts_of(market: Market, holding: Holding) -> tuple[str, ...]:
    """Return the causes that stand for a holding, in the order in which they were raised."""
    return tuple(cause for cause, owner in market.alerts.items() if owner == holding.position_id)


def on_decision(desk: Desk, market: Market, holding: Holding, decision: MarginDecision) -> None:
    """Raise what a margin decision could not be built on, and forget what it no longer suffers from."""
    clear(market, STALE)
    if decision.reason == UNUSABLE:
        fault = desk.risk.fault_of(desk.view(market, holding), desk.book(market, holding))
        unusable(desk, market, holding, fault, decision.facts)
        return
    clear(market, UNUSABLE)
    if decision.reason == PAST_LIQUIDATION:
        liquidation = market.liquidation_price(holding.position)
        message = (
            f"the mark {market.mark:.10g} is past its liquidation price {liquidation:.10g}. Margin is held, "
            f"because the venue liquidates it or is about to; {_stop_words(holding)}."
        )
        raise_once(desk, market, PAST_LIQUIDATION, "critical", message, decision.facts)
        return
    clear(market, PAST_LIQUIDATION)
    if not decision.wants_derisk:
        clear(market, ADD_FORBIDDEN)
    if decision.action != "add":
        clear(market, ADD_REFUSED)


def unusable(desk: Desk, market: Market, holding: Holding, fault: str, facts: Mapping[str, Fact]) -> None:
    """Raise that no margin decision can be built on the numbers; `fault` names field and value."""
    message = (
        f"no margin decision is possible, {fault}. Margin is held; {_stop_words(holding)}. It is decided "
        "anew with every mark and candle, and moved again when the numbers are sound."
    )
    raise_once(desk, market, UNUSABLE, "critical", message, facts)


def stale(desk: Desk, market: Market, holding: Holding) -> None:
    """Raise that the newest mark is too old, or missing, to move margin."""
    now_ms = desk.state.now_ms
    age_ms = max(now_ms - market.mark_ms, 0)
    message = (
        f"its newest mark {market.mark:.10g} is {age_ms / 1000:.0f} s old (at most "
        f"{desk.max_mark_age_ms / 1000:g} s may be) or in a gap of the feed. Margin is held; "
        f"{_stop_words(holding)}. Margin moves again with the first fresh mark."
    )
    facts: dict[str, Fact] = {"mark": market.mark, "mark_age_ms": age_ms, "gap_until_ms": market.gap_until_ms}
    raise_once(desk, market, STALE, "warning", message, facts)


def stale_elsewhere(desk: Desk) -> None:
    """Raise the same for every holding whose own feed is silent while others go on; asked at every candle.

    A whole candle without a mark is silence; a shorter pause is usual in recorded data.
    """
    longest_ms = max(desk.timeframe_ms, desk.max_mark_age_ms)
    for market in desk.state.markets.values():
        if market.holding is not None and desk.state.now_ms - market.mark_ms > longest_ms:
            stale(desk, market, market.holding)
            market.holding.wake()


def add_forbidden(desk: Desk, market: Market, decision: MarginDecision, did: str) -> None:
    """Raise that margin is needed and a limit forbids it; `did` says what was done instead."""
    facts = decision.facts
    message = (
        f"liquidation is {_percent(facts['distance'])} away and {_percent(facts['band_low'])} is the least "
        f"wanted, but {decision.reason} forbids an add (margin {_money(facts['isolated_wallet'])}, agreed "
        f"loss {_money(facts['agreed_loss_quote'])}, {facts['adds']} adds made, free "
        f"{_money(facts['free_quote'])}). {did}"
    )
    raise_once(desk, market, ADD_FORBIDDEN, "warning", message, facts)


def add_refused(desk: Desk, market: Market, holding: Holding, event: Refused, again_ms: int) -> None:
    """Raise that the venue did not take an add."""
    message = (
        f"the venue refused to add margin ({event.code}: {event.message}). The margin stays "
        f"{holding.position.isolated_wallet:.2f} with liquidation at "
        f"{market.liquidation_price(holding.position):.10g}; {_stop_words(holding)}. It is decided anew "
        f"after {utc_text(again_ms)} UTC."
    )
    facts: dict[str, Fact] = {"code": event.code, "free_quote": desk.state.free_quote}
    raise_once(desk, market, ADD_REFUSED, "warning", message, facts)


def auto_add(desk: Desk, market: Market, event: AutoAddSwitched) -> None:
    """Raise that the venue adds margin by itself, or forget it."""
    if not event.is_on:
        clear(market, AUTO_ADD)
        return
    holding, held = market.holding, ""
    if holding is not None:
        held = f", also past its agreed loss of {holding.agreed_loss_quote:.2f}; {_stop_words(holding)}"
    message = (
        f"the exchange's own auto-add-margin is on for {event.symbol}. Near liquidation the exchange moves "
        f"the free balance into the position by itself{held}. Nothing is entered here while it is on. Switch "
        "it off at the exchange, in the margin settings of the position."
    )
    raise_once(desk, market, AUTO_ADD, "warning", message, {})


def liquidation_moved(desk: Desk, market: Market, holding: Holding, was: float, now: float) -> None:
    """Raise that the exchange changed its rules and liquidation is nearer for it."""
    away = holding.position.side * (market.mark - now) / market.mark if market.mark > 0.0 else 0.0
    message = (
        f"the exchange changed its margin rules, and its liquidation price moved from {was:.10g} to "
        f"{now:.10g}, {away:.2%} from the mark; {_stop_words(holding)} and is tightened if it is no longer "
        "met first. Its margin is decided anew with the next mark. See the journal for what changed; close "
        "or reduce it if you do not want it under these rules."
    )
    facts: dict[str, Fact] = {"liquidation_before": was, "liquidation": now, "mark": market.mark}
    raise_once(desk, market, LIQUIDATION_MOVED, "warning", message, facts)


def leverage_above_tier(desk: Desk, market: Market, holding: Holding, most: float) -> None:
    """Raise that a held position's leverage setting is more than the exchange now allows for its size."""
    leverage = max(holding.position.leverage, market.leverage)
    message = (
        f"its leverage setting is {leverage:g}x, and the exchange now allows {most:g}x for its size. It "
        "stays open, but the exchange may refuse what enlarges it or releases its margin, and may lower "
        f"the setting; {_stop_words(holding)}. Reduce it, or lower the leverage at the exchange."
    )
    facts: dict[str, Fact] = {"leverage": leverage, "max_leverage": most}
    raise_once(desk, market, LEVERAGE_ABOVE_TIER, "warning", message, facts)


def cut_refused(desk: Desk, market: Market, holding: Holding, event: Refused) -> None:
    """Raise that the venue did not take a reduce-only order of the de-risk ladder."""
    message = (
        f"the venue refused to reduce it ({event.code}: {event.message}). It is held as it is; "
        f"{_stop_words(holding)}. The next cut is weighed after {utc_text(holding.derisk_again_ms)} UTC."
    )
    raise_once(desk, market, CUT_REFUSED, "warning", message, {"code": event.code})


def stop_missing(desk: Desk, market: Market, what: str, doing: str) -> None:
    """Raise that no stop rests at the venue: `what` happened, and what is being done about it."""
    message = f"no stop rests at the venue: {what}. {doing}"
    raise_once(desk, market, STOP_MISSING, "critical", message, {"mark": market.mark})


def strategy_failed(desk: Desk, market: Market, said: str) -> None:
    """Raise that the strategy is not asked any more."""
    message = (
        f"the strategy {desk.strategy_name} failed and is not asked again: {said}. Nothing is entered; what "
        "is open stays protected and its margin guarded. Correct the strategy, then start again."
    )
    raise_once(desk, market, STRATEGY_FAILED, "warning", message, {"mark": market.mark})


def bad_price(desk: Desk, market: Market, event: MarkPrice) -> None:
    """Raise that a mark is no price; it was not taken over."""
    message = (
        f"the feed gave the mark {event.mark!r}, which is no price, and it is ignored; the last one was "
        f"{market.mark:.10g} at {utc_text(market.mark_ms)} UTC. Without fresh marks no margin moves and "
        "nothing is entered; stops rest at the venue."
    )
    raise_once(desk, market, BAD_PRICE, "warning", message, {"mark": event.mark, "last": event.last})


def bad_candle(desk: Desk, market: Market, event: CandleClosed) -> None:
    """Raise that a candle has a price that is none; estimates and strategy did not see it."""
    message = (
        f"the feed gave a candle of open {event.open!r}, high {event.high!r}, low {event.low!r}, close "
        f"{event.close!r}: it is left out. Volatility stays {market.sigma_day:.4f} a day, and the strategy "
        "is not asked before the next sound candle."
    )
    facts: dict[str, Fact] = {"open": event.open, "high": event.high, "low": event.low, "close": event.close}
    raise_once(desk, market, BAD_CANDLE, "warning", message, facts)


def _named(holding: Holding) -> str:
    held = holding.position
    return f"{side_name(held.side)} {held.quantity:.10g} {held.symbol} (position {holding.position_id})"


def _stop_words(holding: Holding) -> str:
    if holding.stop is None:
        return "no stop rests at the venue"
    return f"the stop at {holding.stop.trigger_price:.10g} stays at the venue"


def _finite(value: Fact) -> Fact:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _percent(value: Fact) -> str:
    return f"{value:.2%}" if isinstance(value, int | float) else "not known"


def _money(value: Fact) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else "not known"
