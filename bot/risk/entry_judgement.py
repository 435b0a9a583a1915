"""The entry evaluation in numbers that compile: a size, its brackets, and every fault as a bit.

Source: margin-science 3.10. pretrade.py says its answer in sentences; a backtest takes it as it is.
"""

import math
from typing import Final, NamedTuple

from bot.core.compiled import compiled
from bot.core.profile import MarginRules
from bot.risk.brackets import TakeProfits, mean_price, stop_price_for, take_profits_for
from bot.risk.faults import (
    NO_ROOM,
    NOTHING_TO_BUY,
    EntryAccount,
    EntryTerms,
    account_faults,
    book_faults,
    input_faults,
    margin_faults,
    odds_faults,
    price_faults,
    share_faults,
    signal_faults,
    stop_faults,
    trade_faults,
    venue_faults,
)
from bot.risk.limits import BracketLimits, EntryLimits
from bot.risk.odds import EntryOdds, entry_odds
from bot.risk.sizing import EntryOrder, Sizing, SizingRules, entry_buffer, quantity_for, size_entry
from bot.risk.stress import NO_CAP, Legs, NewLeg, Room, StressCaps, room_left

_NO_ORDER: Final = EntryOrder(0, 0.0, 0.0, 0.0, 0.0, 0.0)
_NO_TERMS: Final = SizingRules(0.0, 0.0, 0.0, 0.0, 0.0)
_NO_ROOM: Final = Room(1.0, NO_CAP, 0.0, 0.0)
_NO_TARGETS: Final = TakeProfits(0.0, 0.0, 0.0, 0.0)
_NO_SIZE: Final = Sizing(0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, False)
_NO_ODDS: Final = EntryOdds(0.0, 0.0, 0.0)


class EntryAsk(NamedTuple):
    """A signal's numbers; NaN: it names no stop distance, or no strength."""

    direction: int
    strength: float
    stop_distance: float


class EntryVerdict(NamedTuple):
    """`faults` 0: enter. `is_sized`: order, sizing and targets are those of the entry; else empty.

    `wanted`: the quantity that the risk alone would make, 0.0 before it was found; `terms` are the sizing's.
    """

    faults: int
    is_sized: bool
    order: EntryOrder
    terms: SizingRules
    wanted: float
    room: Room
    sizing: Sizing
    targets: TakeProfits
    next_funding_quote: float


@compiled
def stop_distance(of_signal: float, sigma_day: float, limits: EntryLimits) -> float:
    """Return the signal's stop distance, or the volatility's within the limits where it names none (NaN)."""
    if not math.isnan(of_signal):
        return of_signal
    wanted = limits.stop_sigmas * sigma_day * math.sqrt(limits.stop_horizon_days)
    return min(max(wanted, limits.min_stop_distance), limits.max_stop_distance)


@compiled
def stress_caps(entry: EntryLimits) -> StressCaps:
    """Return the caps on the whole book that an entry must respect."""
    return StressCaps(
        entry.portfolio_cap_fraction, entry.risk_cap_fraction, entry.cascade_cap_fraction, 4.19, 5.0
    )


@compiled
def judge_entry(
    ask: EntryAsk,
    terms: EntryTerms,
    rules: MarginRules,
    account: EntryAccount,
    held: Legs,
    entry: EntryLimits,
    bracket: BracketLimits,
) -> EntryVerdict:
    """Return the sized entry at the mark and what stands against it. `held`: what the caps count besides."""
    faults = input_faults(ask.direction, terms, account)
    if faults == 0:
        faults = book_faults(held)
    if faults != 0:
        return _unsized(faults, ask, account, entry, _NO_ORDER, _NO_TERMS, 0.0, _NO_ROOM)
    side, tick = ask.direction, terms.least.tick_size
    away = stop_distance(ask.stop_distance, terms.sigma_day, entry)
    faults = price_faults(side, terms.mark, away, tick)
    if faults != 0:
        return _unsized(faults, ask, account, entry, _NO_ORDER, _NO_TERMS, 0.0, _NO_ROOM)
    stop = stop_price_for(side, terms.mark, away, tick)
    order = EntryOrder(side, terms.mark, stop, terms.mark, terms.taker_fee_rate, entry.stop_slippage)
    sized = _sizing_rules(terms, account, entry, 1.0, terms.least.quantity_step)
    wanted = quantity_for(order, sized)
    if wanted <= 0.0:
        return _unsized(NOTHING_TO_BUY, ask, account, entry, order, sized, 0.0, _NO_ROOM)
    room = _room(order, terms, rules, account, held, entry)
    sized = _sizing_rules(terms, account, entry, room.fraction, terms.least.quantity_step)
    quantity = quantity_for(order, sized)
    if quantity <= 0.0:
        return _unsized(NO_ROOM, ask, account, entry, order, sized, wanted, room)
    targets = take_profits_for(side, terms.mark, stop, quantity, terms.least, bracket)
    whole = EntryOrder(side, terms.mark, stop, mean_price(targets), terms.taker_fee_rate, entry.stop_slippage)
    sizing = size_entry(whole, sized, rules)
    # Fifty times the error function: asked for where they decide, and by whoever tells them.
    is_claiming = entry.claimed_hit_rate > 0.0
    odds = entry_odds(whole, terms.sigma_day, entry.outcome_horizon_days) if is_claiming else _NO_ODDS
    funding = max(side * terms.funding_rate, 0.0) * sizing.notional_quote
    faults = (
        signal_faults(ask.strength, entry)
        | account_faults(account, entry)
        | stop_faults(sizing.stop_distance, entry)
        | trade_faults(sizing, funding, entry)
        | venue_faults(sizing, terms.least, float(rules.tiers.notional_cap[-1]), terms.max_leverage)
        | margin_faults(sizing, account, entry)
        | share_faults(room.cap, sizing.quantity, wanted, entry)
        | odds_faults(odds, entry)
    )
    return EntryVerdict(faults, True, whole, sized, wanted, room, sizing, targets, funding)


@compiled
def agreed_loss(sizing: Sizing, max_added_fraction: float) -> float:
    """Return what the position may ever cost, quote: every allowed add used up and lost, and both fees."""
    most_margin = sizing.required_margin_quote * (1.0 + max_added_fraction)
    return most_margin + 2.0 * sizing.entry_fee_quote


@compiled
def _unsized(
    faults: int,
    ask: EntryAsk,
    account: EntryAccount,
    entry: EntryLimits,
    order: EntryOrder,
    terms: SizingRules,
    wanted: float,
    room: Room,
) -> EntryVerdict:
    """Refuse what has no size, and still name what else is wrong with the signal and the account."""
    faults = faults | signal_faults(ask.strength, entry) | account_faults(account, entry)
    return EntryVerdict(faults, False, order, terms, wanted, room, _NO_SIZE, _NO_TARGETS, 0.0)


@compiled
def _sizing_rules(
    terms: EntryTerms, account: EntryAccount, entry: EntryLimits, share: float, step: float
) -> SizingRules:
    return SizingRules(
        account.equity_quote,
        entry.risk_fraction * share,
        entry_buffer(terms.sigma_day, entry.buffer_min, entry.buffer_sigmas, entry.buffer_horizon_days),
        min(float(entry.max_leverage), terms.max_leverage),
        step,
    )


@compiled
def _room(
    order: EntryOrder,
    terms: EntryTerms,
    rules: MarginRules,
    account: EntryAccount,
    held: Legs,
    entry: EntryLimits,
) -> Room:
    """What the caps on the whole book leave of the entry that the risk alone would make."""
    sized = size_entry(order, _sizing_rules(terms, account, entry, 1.0, 0.0), rules)
    new = NewLeg(float(order.side), sized.notional_quote, sized.required_margin_quote, terms.sigma_day)
    return room_left(held, new, account.equity_quote, stress_caps(entry))
