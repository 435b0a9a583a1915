"""The entry evaluation: a signal becomes a sized and bracketed plan, or a list of reasons against it.

Source: margin-science 3.10. The arithmetic is in sizing.py, the sentences in checks.py, the numbers that
are kept with the answer in entry_facts.py.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.core.intent import Fact
from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.core.signal import Signal
from bot.risk.brackets import stop_price_for, take_profit_ladder
from bot.risk.checks import (
    Candidate,
    account_checks,
    book_checks,
    failed_checks,
    input_checks,
    no_room,
    nothing_to_buy,
    odds_checks,
    price_checks,
    share_checks,
    signal_checks,
)
from bot.risk.entry_facts import Market, book_facts, entry_facts, market_facts, room_facts, sizing_facts
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.odds import entry_odds
from bot.risk.sizing import EntryOrder, SizingRules, entry_buffer, quantity_for, size_entry
from bot.risk.stress import Exposure, StressCaps, StressRoom, entry_room
from bot.risk.view import EntryPlan, EntryRefusal, Portfolio, TakeProfit


class _Question(NamedTuple):
    """`held`: what the caps on the whole book count besides the new entry."""

    signal: Signal
    market: Market
    portfolio: Portfolio
    entry: EntryLimits
    held: tuple[Exposure, ...]


def evaluate_entry(
    signal: Signal,
    market: Market,
    portfolio: Portfolio,
    entry: EntryLimits,
    bracket: BracketLimits,
    margin: MarginLimits,
) -> EntryPlan | EntryRefusal:
    """Return the plan of an entry at the mark, or a refusal that names every failed check.

    A size that would break a cap on the whole book (margin-science 3.8) is made smaller, and refused below
    `min_share_of_wanted` of it; the facts say by which cap and by how much. The agreed loss is required
    margin * (1 + max_added_fraction) plus both fees: what the position may ever cost when every allowed
    add is used up and lost.
    """
    asked = _Question(signal, market, portfolio, entry, held_exposures(portfolio, market.sigma_day))
    checks = _unanswerable(asked)
    if checks:
        return _unsized(asked, checks)
    side, tick = signal.direction, market.rules.tick_size
    away = stop_distance(signal.stop_distance, market.sigma_day, entry)
    checks = price_checks(side, market.mark, away, tick)
    if checks:
        return _unsized(asked, checks)
    stop = stop_price_for(side, market.mark, away, tick)
    fee = market.instrument.taker_fee_rate
    order = EntryOrder(side, market.mark, stop, market.mark, fee, entry.stop_slippage)
    terms = _terms(market, portfolio, entry)
    wanted = quantity_for(order, terms)
    if wanted <= 0.0:
        return _unsized(asked, nothing_to_buy(order, terms))
    room = _room(asked, order, terms)
    terms = terms._replace(risk_fraction=terms.risk_fraction * room.fraction)
    quantity = quantity_for(order, terms)
    if quantity <= 0.0:
        return _unsized(asked, no_room(room), room_facts(room, wanted, 0.0))
    take_profits = take_profit_ladder(side, market.mark, stop, quantity, market.instrument, bracket)
    order = order._replace(target_price=_mean_price(take_profits))
    return _judged(asked, order, terms, room, wanted, take_profits, margin)


def _judged(
    asked: _Question,
    order: EntryOrder,
    terms: SizingRules,
    room: StressRoom,
    wanted: float,
    take_profits: tuple[TakeProfit, ...],
    margin: MarginLimits,
) -> EntryPlan | EntryRefusal:
    """Size what fits, hold it to every check, and keep the numbers."""
    signal, market, entry = asked.signal, asked.market, asked.entry
    sizing = size_entry(order, terms, market.rules)
    odds = entry_odds(order, market.sigma_day, entry.outcome_horizon_days)
    funding = max(order.side * market.funding_rate, 0.0) * sizing.notional_quote
    candidate = Candidate(signal.symbol, order.side, market.instrument, asked.portfolio, sizing, funding)
    facts = {
        **market_facts(signal, market, asked.portfolio),
        **entry_facts(candidate, market, order.stop_price),
        **odds._asdict(),
        **room_facts(room, wanted, sizing.quantity),
        **book_facts(candidate, market.sigma_day, asked.held, _caps(entry)),
    }
    checks = (
        *signal_checks(signal.strength, entry),
        *failed_checks(candidate, entry),
        *share_checks(room, sizing.quantity, wanted, entry),
        *odds_checks(odds, entry),
    )
    if checks:
        return EntryRefusal(checks, facts)
    return _plan(candidate, market, order.stop_price, take_profits, margin, facts)


def stop_distance(of_signal: float, sigma_day: float, limits: EntryLimits) -> float:
    """Return the signal's stop distance, or the volatility's within the limits where it names none (NaN)."""
    if not math.isnan(of_signal):
        return of_signal
    wanted = limits.stop_sigmas * sigma_day * math.sqrt(limits.stop_horizon_days)
    return min(max(wanted, limits.min_stop_distance), limits.max_stop_distance)


def pretrade_numbers(inputs: Mapping[str, Any], rules: MarginRules) -> dict[str, Fact]:
    """Return the expected fields of a `pretrade` golden case from its `inputs`.

    `rules` hold the case's tiers. Raises KeyError on a missing input.
    """
    side = 1 if inputs["side"] == "long" else -1
    order = EntryOrder(
        side,
        inputs["entry"],
        inputs["stop"],
        inputs["take_profit"],
        inputs["taker_fee"],
        inputs["stop_slippage"],
    )
    buffer = entry_buffer(
        inputs["sigma_per_sqrt_day"],
        inputs["buffer_min"],
        inputs["buffer_sigmas"],
        inputs["buffer_horizon_days"],
    )
    sizing = SizingRules(inputs["wallet"], inputs["risk_fraction"], buffer, inputs["max_leverage"], 0.0)
    return sizing_facts(size_entry(order, sizing, rules))


def _unanswerable(asked: _Question) -> tuple[str, ...]:
    signal, market = asked.signal, asked.market
    own = input_checks(
        signal.symbol,
        signal.direction,
        market.mark,
        market.sigma_day,
        market.funding_rate,
        market.instrument,
        asked.portfolio,
    )
    return own or tuple(book_checks(asked.held))


def _unsized(
    asked: _Question, checks: tuple[str, ...], facts: Mapping[str, Fact] | None = None
) -> EntryRefusal:
    """Refuse what has no size, and still name what else is wrong with the signal and the account."""
    signal, portfolio, entry = asked.signal, asked.portfolio, asked.entry
    also = (*signal_checks(signal.strength, entry), *account_checks(signal.symbol, portfolio, entry))
    return EntryRefusal((*checks, *also), {**market_facts(signal, asked.market, portfolio), **(facts or {})})


def _terms(market: Market, portfolio: Portfolio, entry: EntryLimits) -> SizingRules:
    return SizingRules(
        portfolio.equity_quote,
        entry.risk_fraction,
        entry_buffer(market.sigma_day, entry.buffer_min, entry.buffer_sigmas, entry.buffer_horizon_days),
        min(entry.max_leverage, market.instrument.max_leverage),
        market.instrument.quantity_step,
    )


def _room(asked: _Question, order: EntryOrder, terms: SizingRules) -> StressRoom:
    """What the caps on the whole book leave of the entry that the risk alone would make."""
    market = asked.market
    sized = size_entry(order, terms._replace(quantity_step=0.0), market.rules)
    new = Exposure(
        asked.signal.symbol, order.side, sized.notional_quote, sized.required_margin_quote, market.sigma_day
    )
    return entry_room(asked.held, new, asked.portfolio.equity_quote, _caps(asked.entry))


def _caps(entry: EntryLimits) -> StressCaps:
    return StressCaps(
        margin_cap_fraction=entry.portfolio_cap_fraction,
        risk_cap_fraction=entry.risk_cap_fraction,
        cascade_cap_fraction=entry.cascade_cap_fraction,
    )


def held_exposures(portfolio: Portfolio, sigma_day: float) -> tuple[Exposure, ...]:
    """Return what the caps count besides a new entry; `sigma_day` stands in for positions not named."""
    named = {exposure.symbol for exposure in portfolio.exposures}
    unnamed = (position for position in portfolio.positions if position.symbol not in named)
    return (*portfolio.exposures, *(_exposure_at_entry(position, sigma_day) for position in unnamed))


def _exposure_at_entry(position: Position, sigma_day: float) -> Exposure:
    value = position.quantity * position.entry_price
    return Exposure(position.symbol, position.side, value, position.isolated_wallet, sigma_day)


def _mean_price(ladder: tuple[TakeProfit, ...]) -> float:
    quantity = sum(rung.quantity for rung in ladder)
    return sum(rung.price * rung.quantity for rung in ladder) / quantity


def _plan(
    candidate: Candidate,
    market: Market,
    stop: float,
    take_profits: tuple[TakeProfit, ...],
    margin: MarginLimits,
    facts: dict[str, Fact],
) -> EntryPlan:
    sizing = candidate.sizing
    most_margin = sizing.required_margin_quote * (1.0 + margin.max_added_fraction)
    return EntryPlan(
        symbol=candidate.symbol,
        side=candidate.side,
        quantity=sizing.quantity,
        leverage=sizing.leverage,
        entry_price=market.mark,
        stop_price=stop,
        take_profits=take_profits,
        required_margin_quote=sizing.required_margin_quote,
        maintenance_margin_quote=sizing.maintenance_margin_quote,
        liquidation_price=sizing.liquidation_price,
        loss_at_stop_quote=sizing.loss_at_stop_quote,
        agreed_loss_quote=most_margin + 2.0 * sizing.entry_fee_quote,
        reward_to_risk=sizing.reward_to_risk,
        facts=facts,
    )
