"""What an event of the journal says, as one line for people."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from bot.core.codec import from_json
from bot.core.event import (
    AlertRaised,
    AutoAddSwitched,
    BookRebalanced,
    CapBreached,
    CommandDone,
    EntriesHalted,
    EntriesResumed,
    EquityMarked,
    ForecastResolved,
    FundingSettled,
    InstrumentChanged,
    InvariantBroken,
    LeverageSet,
    Liquidated,
    MarginAdjusted,
    MarginHeld,
    MarginMoved,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    PositionClosed,
    PositionOpened,
    Reconciled,
    Refused,
    SignalSeen,
    TradeEvidence,
    VenueDiffers,
)
from bot.core.position import side_name
from bot.view.figures import money, percent, quantity_text, signed_money, tick_price

Price = Callable[[float], str]


def event_words(body: Mapping[str, Any], tick_size: float | None = None) -> str:
    """Return the line for an event as the journal keeps it (core/codec.py); its prices in ticks."""
    event = from_json(body)
    priced = _PRICED.get(type(event))
    if priced is not None:
        return priced(event, partial(tick_price, tick_size=tick_size))
    return _WORDS[type(event)](event)


def _plain(code: str) -> str:
    return code.replace("_", "-") if code == "take_profit" else code.replace("_", " ")


def _leverage_set(event: LeverageSet) -> str:
    return f"leverage set to {event.leverage}x"


def _order_accepted(event: OrderAccepted) -> str:
    return f"{_plain(event.leg)} order {event.client_id} accepted"


def _order_filled(event: OrderFilled, price: Price) -> str:
    verb = "bought" if event.order_side > 0 else "sold"
    words = f"{_plain(event.leg)}: {verb} {quantity_text(event.quantity)} at {price(event.price)}"
    if event.remaining_quantity > 0.0:
        words += f", {quantity_text(event.remaining_quantity)} still to fill"
    if event.realised_pnl_quote:
        words += f", PnL {signed_money(event.realised_pnl_quote)}"
    return f"{words}, fee {money(event.fee_quote)}"


def _order_cancelled(event: OrderCancelled) -> str:
    return f"{_plain(event.leg)} order {event.client_id} cancelled: {_plain(event.cause)}"


def _refused(event: Refused) -> str:
    if event.code == "halted":
        return f"{event.client_id} {event.message}"
    return f"the venue refused {event.client_id}, {_plain(event.code)}: {event.message}"


def _margin_adjusted(event: MarginAdjusted) -> str:
    moved = signed_money(event.amount_quote)
    return f"the venue moved {moved}: margin {_wallet(event)}, free {money(event.free_quote)}"


def _funding_settled(event: FundingSettled) -> str:
    verb = "received" if event.amount_quote > 0.0 else "paid"
    return f"funding {verb} {money(abs(event.amount_quote))} at {event.rate:.4%}: margin {_wallet(event)}"


def _wallet(event: MarginAdjusted | FundingSettled) -> str:
    return money(event.position.isolated_wallet)


def _liquidated(event: Liquidated, price: Price) -> str:
    return f"{side_name(event.side)} liquidated at mark {price(event.mark)}: {money(event.loss_quote)} lost"


def _instrument_changed(event: InstrumentChanged) -> str:
    tiers = event.instrument.tiers
    rate = percent(float(tiers.maintenance_margin_rate[0]))
    return (
        f"the venue has other rules now: {len(tiers.notional_cap)} tiers, up to "
        f"{event.instrument.max_leverage:g}x, maintenance from {rate}"
    )


def _auto_add_switched(event: AutoAddSwitched) -> str:
    return f"the venue's own auto-add-margin is {'ON' if event.is_on else 'off again'}"


def _venue_differs(event: VenueDiffers, price: Price) -> str:
    if event.what == "clock":
        return f"this machine's clock is {event.ours - event.venue:+.0f} ms from the venue's"
    return f"the venue's {_plain(event.what)} is {price(event.venue)}, ours {price(event.ours)}"


def _signal_seen(event: SignalSeen) -> str:
    if not event.is_entry:
        return f"{event.strategy} says exit"
    wants = f"{event.strategy} says {side_name(event.direction)}"
    return f"{wants}: approved" if event.is_approved else f"{wants}: refused, {'; '.join(event.checks)}"


def _position_opened(event: PositionOpened, price: Price) -> str:
    entry, stop = price(event.entry_price), price(event.stop_price)
    return (
        f"{side_name(event.side)} {quantity_text(event.quantity)} opened at {entry} with "
        f"{event.leverage:g}x, margin {money(event.isolated_wallet)}, stop {stop}, "
        f"may lose {money(event.agreed_loss_quote)} at most"
    )


def _position_closed(event: PositionClosed, price: Price) -> str:
    return (
        f"{side_name(event.side)} closed by {_plain(event.cause)} at "
        f"{price(event.exit_price)}: PnL {signed_money(event.realised_pnl_quote)}, "
        f"fees {money(event.fees_quote)}, funding {signed_money(event.funding_quote)}"
    )


def _margin_moved(event: MarginMoved, price: Price) -> str:
    verb = "added" if event.amount_quote > 0.0 else "released"
    near, far = price(event.before.liquidation_price), price(event.after.liquidation_price)
    return (
        f"{event.policy} {verb} {money(abs(event.amount_quote))}, {_plain(event.reason)}: liquidation "
        f"{near} -> {far}, distance {percent(event.before.distance)} -> {percent(event.after.distance)}"
    )


def _margin_held(event: MarginHeld) -> str:
    return f"{event.policy} moved no margin: {_plain(event.reason)}"


def _book_rebalanced(event: BookRebalanced) -> str:
    return (
        f"margin split anew, {_plain(event.cause)}: {money(event.wallets_quote)} -> "
        f"{money(event.target_quote)} of {money(event.budget_quote)}, expected liquidation loss "
        f"{money(event.loss_before_quote)} -> {money(event.loss_after_quote)}"
    )


def _cap_breached(event: CapBreached) -> str:
    return (
        f"cap on {_plain(event.cap)} exceeded, {money(event.value_quote)} of {money(event.limit_quote)}: "
        f"{quantity_text(event.quantity)} closed, {money(event.after_quote)} then"
    )


def _alert_raised(event: AlertRaised) -> str:
    return f"ALERT, {event.severity}, {_plain(event.cause)}: {event.message}"


def _entries_halted(event: EntriesHalted) -> str:
    by = f" ordered by a {event.by}" if event.by else ""
    if event.level == "NO_ENTRY" and not event.is_latched:
        return f"entries halted, {_plain(event.cause)}: {event.message}"
    until = ", until a person resumes" if event.is_latched else ""
    return f"{event.level}{by}{until}, {_plain(event.cause)}: {event.message}"


def _entries_resumed(event: EntriesResumed) -> str:
    return f"entries resumed after {_plain(event.cause)}{f', by a {event.by}' if event.by else ''}"


def _command_done(event: CommandDone) -> str:
    return f"a person's order to {event.verb}, {event.state}: {event.message}"


def _equity_marked(event: EquityMarked) -> str:
    return (
        f"wallet {money(event.equity_quote)}: free {money(event.free_quote)}, margin "
        f"{money(event.margin_committed_quote)}; unrealised PnL {signed_money(event.unrealised_pnl_quote)}"
    )


def _reconciled(event: Reconciled) -> str:
    facts = ", ".join(f"{_plain(name)} {value}" for name, value in event.facts.items())
    if event.what == "lost_reply":
        return f"a reply was lost, and its request looked for: {facts}"
    return f"taken over from the venue, {_plain(event.what)}: {facts}"


def _invariant_broken(event: InvariantBroken) -> str:
    return f"invariant {_plain(event.invariant)} broken: {event.message}"


def _trade_evidence(event: TradeEvidence) -> str:
    return (
        f"{side_name(event.side)} made {signed_money(event.pnl_quote)} ({_plain(event.closed_by)}); with its "
        f"first margin left alone {signed_money(event.shadow_pnl_quote)} ({_plain(event.shadow_closed_by)})"
    )


def _forecast_resolved(event: ForecastResolved, price: Price) -> str:
    end = "came to it" if event.touched else "did not come to it"
    return (
        f"liquidation at {price(event.liquidation_price)} had a chance of {percent(event.probability)}: "
        f"the mark {end}"
    )


_WORDS: Final[dict[type, Callable[[Any], str]]] = {
    LeverageSet: _leverage_set,
    OrderAccepted: _order_accepted,
    OrderCancelled: _order_cancelled,
    Refused: _refused,
    MarginAdjusted: _margin_adjusted,
    FundingSettled: _funding_settled,
    InstrumentChanged: _instrument_changed,
    AutoAddSwitched: _auto_add_switched,
    SignalSeen: _signal_seen,
    MarginHeld: _margin_held,
    BookRebalanced: _book_rebalanced,
    CapBreached: _cap_breached,
    AlertRaised: _alert_raised,
    EntriesHalted: _entries_halted,
    EntriesResumed: _entries_resumed,
    CommandDone: _command_done,
    EquityMarked: _equity_marked,
    Reconciled: _reconciled,
    InvariantBroken: _invariant_broken,
    TradeEvidence: _trade_evidence,
}
_PRICED: Final[dict[type, Callable[[Any, Price], str]]] = {
    OrderFilled: _order_filled,
    Liquidated: _liquidated,
    PositionOpened: _position_opened,
    PositionClosed: _position_closed,
    MarginMoved: _margin_moved,
    VenueDiffers: _venue_differs,
    ForecastResolved: _forecast_resolved,
}
