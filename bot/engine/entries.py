"""From a signal to an order: risk evaluates, the venue confirms the leverage, then the order goes."""

from collections.abc import Iterator
from typing import Final

from bot.core.event import LeverageSet, SignalSeen
from bot.core.intent import CancelOrder, Fact, OpenPosition, SetLeverage
from bot.core.signal import Signal
from bot.core.timerange import utc_text
from bot.engine import foreign, halts
from bot.engine.book_caps import exposure_of
from bot.engine.desk import Desk
from bot.engine.protection import close
from bot.engine.state import Market, PendingEntry
from bot.risk.stress import Exposure
from bot.risk.view import EntryPlan, EntryRefusal, Portfolio

# What a book has not filled by then would be bought on a decision that is old.
_LIFE_MS: Final = 120_000
_TAKE_BACK_AGAIN_MS: Final = 60_000


def on_signal(desk: Desk, market: Market, signal: Signal) -> None:
    """Act on the strategy's newest belief about one symbol."""
    holding = market.holding
    if signal.is_exit and holding is not None and signal.direction in (0, holding.position.side):
        _note(desk, signal, True, (), {"position_id": holding.position_id})
        close(desk, market, holding, "exit")
    elif signal.is_entry and holding is None and market.entry is None:
        _enter(desk, market, signal)


def on_leverage_set(desk: Desk, market: Market, event: LeverageSet, decided_ms: int) -> None:
    """The venue confirmed the leverage: send the entry that waited for it, unless its bar is over."""
    market.leverage = event.leverage
    entry = market.entry
    if entry is None or entry.client_id:
        return
    checks = _blocked(desk, market)
    if event.leverage != entry.plan.leverage:
        checks = (*checks, f"the venue set {event.leverage}x instead of {entry.plan.leverage}x")
    if event.ts_ms - decided_ms >= desk.timeframe_ms:
        checks = (
            *checks,
            f"the signal is {(event.ts_ms - decided_ms) / 1000:.0f} s old: the bar of the decision is over",
        )
    if checks:
        market.entry = None
        _refuse(desk, _signal_of(desk, entry.plan), checks, entry.plan.facts)
    else:
        _send_order(desk, market, entry)


def end_late(desk: Desk, market: Market) -> None:
    """Take back what has not filled of an entry in time; what has is held, and protected already."""
    entry, now_ms = market.entry, desk.state.now_ms
    if entry is None or now_ms < entry.cancel_again_ms:
        return
    sent = desk.state.in_flight.get(entry.client_id)
    if sent is not None and now_ms - sent.ts_ms > _LIFE_MS * desk.pace:
        take_back(desk, market, "entry_late")


def take_back(desk: Desk, market: Market, reason: str) -> None:
    """Cancel what is left of an entry that is on its way."""
    entry = market.entry
    if entry is not None and entry.client_id in desk.state.in_flight:
        entry.cancel_again_ms = desk.state.now_ms + round(_TAKE_BACK_AGAIN_MS * desk.pace)
        desk.outbox.intend(CancelOrder(market.instrument.symbol, entry.client_id), reason)


def _enter(desk: Desk, market: Market, signal: Signal) -> None:
    blocked = _blocked(desk, market)
    if blocked:
        _refuse(desk, signal, blocked, {})
        return
    plan = _evaluate(desk, market, signal)
    if isinstance(plan, EntryRefusal):
        _refuse(desk, signal, plan.checks, plan.facts)
        return
    _note(desk, signal, True, (), plan.facts)
    market.entry = PendingEntry(plan)
    if market.leverage == plan.leverage:
        _send_order(desk, market, market.entry)
    else:
        facts: dict[str, Fact] = {"previous_leverage": market.leverage}
        desk.outbox.intend(SetLeverage(plan.symbol, plan.leverage), "entry", facts)


def _evaluate(desk: Desk, market: Market, signal: Signal) -> EntryPlan | EntryRefusal:
    return desk.risk.evaluate_entry(
        signal,
        market.instrument,
        market.rules,
        market.mark,
        market.sigma_day,
        market.funding_rate,
        portfolio(desk),
    )


def portfolio(desk: Desk) -> Portfolio:
    """Return the account as the entry check sees it, unrealised PnL and entries in flight included."""
    state = desk.state
    equity = state.equity_quote()
    pending = [m.entry.plan.required_margin_quote for m in state.markets.values() if m.entry is not None]
    return Portfolio(
        free_quote=state.free_quote,
        equity_quote=equity,
        positions=state.positions(),
        in_flight_margin_quote=sum(pending),
        day_start_equity_quote=state.day_start_equity_quote,
        day_pnl_quote=equity + unrealised_quote(desk) - state.day_start_equity_quote,
        in_flight_count=len(pending),
        exposures=tuple(_exposures(desk)),
    )


def _exposures(desk: Desk) -> Iterator[Exposure]:
    """What the caps on the whole book count: positions at their mark, and entries on their way."""
    for symbol, market in desk.state.markets.items():
        if market.holding is not None:
            yield exposure_of(market, market.holding)
        elif market.entry is not None:
            plan = market.entry.plan
            value = plan.quantity * plan.entry_price
            yield Exposure(symbol, plan.side, value, plan.required_margin_quote, market.sigma_day)


def unrealised_quote(desk: Desk) -> float:
    """Return the unrealised PnL of every open position at its newest mark."""
    return sum(
        m.holding.position.side * m.holding.position.quantity * (m.mark - m.holding.position.entry_price)
        for m in desk.state.markets.values()
        if m.holding is not None
    )


def _blocked(desk: Desk, market: Market) -> tuple[str, ...]:
    checks = [*halts.checks(desk.state), *foreign.checks(market)]
    if market.is_leaving:
        checks.append("the symbol is not among feed.symbols: only what is held in it is managed")
    if desk.state.now_ms < market.cool_until_ms:
        until = utc_text(market.cool_until_ms)
        checks.append(f"the venue liquidated or deleveraged a position here: no entry until {until} UTC")
    if desk.is_blind(market):
        age_ms = desk.state.now_ms - market.mark_ms
        checks.append(f"the mark price is {age_ms} ms old or in a gap (at most {desk.max_mark_age_ms} ms)")
    return tuple(checks)


def _send_order(desk: Desk, market: Market, entry: PendingEntry) -> None:
    plan = entry.plan
    order = OpenPosition(plan.symbol, plan.side, plan.quantity)
    entry.client_id = desk.outbox.intend(order, "entry", plan.facts).client_id


def _signal_of(desk: Desk, plan: EntryPlan) -> Signal:
    away = abs(plan.entry_price - plan.stop_price) / plan.entry_price
    strength = float(plan.facts.get("strength") or 0.0)
    return Signal(plan.symbol, desk.state.now_ms, True, False, plan.side, strength, away)


def _refuse(desk: Desk, signal: Signal, checks: tuple[str, ...], facts: dict[str, Fact]) -> None:
    desk.state.tally.entries_refused += 1
    _note(desk, signal, False, checks, facts)


def _note(
    desk: Desk, signal: Signal, approved: bool, checks: tuple[str, ...], facts: dict[str, Fact]
) -> None:
    desk.outbox.note(
        SignalSeen(
            signal.ts_ms,
            signal.symbol,
            desk.strategy_name,
            signal.direction,
            signal.is_entry,
            signal.strength,
            approved,
            checks,
            facts,
        )
    )
