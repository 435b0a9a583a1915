"""The entry evaluation: a signal becomes a sized and bracketed plan, or a list of reasons against it.

Source: margin-science 3.10. The arithmetic is in sizing.py, the sentences in checks.py.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.core.instrument import Instrument
from bot.core.intent import Fact
from bot.core.position import Position
from bot.core.probability import liquidation_probability
from bot.core.profile import MarginRules
from bot.core.signal import Signal
from bot.risk.brackets import stop_price_for, take_profit_ladder
from bot.risk.checks import (
    Candidate,
    account_checks,
    failed_checks,
    input_checks,
    no_room,
    nothing_to_buy,
    odds_checks,
    price_checks,
)
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.odds import entry_odds
from bot.risk.sizing import EntryOrder, Sizing, SizingRules, entry_buffer, quantity_for, size_entry
from bot.risk.stress import Exposure, StressCaps, StressRoom, entry_room
from bot.risk.view import EntryPlan, EntryRefusal, Portfolio, TakeProfit


class Market(NamedTuple):
    """What is known of the symbol when the question is asked."""

    instrument: Instrument
    rules: MarginRules
    mark: float
    sigma_day: float
    funding_rate: float


def evaluate_entry(
    signal: Signal,
    market: Market,
    portfolio: Portfolio,
    entry: EntryLimits,
    bracket: BracketLimits,
    margin: MarginLimits,
) -> EntryPlan | EntryRefusal:
    """Return the plan of an entry at the mark, or a refusal that names every failed check.

    A size that would break a cap on the whole book (margin-science 3.8) is made smaller; the facts say by
    which cap and by how much. The agreed loss is required margin * (1 + max_added_fraction) plus both
    fees: what the position may ever cost when every allowed add is used up and lost.
    """
    instrument, side = market.instrument, signal.direction
    checks = input_checks(
        signal.symbol, side, market.mark, market.sigma_day, market.funding_rate, instrument, portfolio
    )
    if checks:
        return _unsized(signal.symbol, portfolio, entry, checks)
    away = stop_distance(signal.stop_distance, market.sigma_day, entry)
    checks = price_checks(side, market.mark, away, market.rules.tick_size)
    if checks:
        return _unsized(signal.symbol, portfolio, entry, checks)
    stop = stop_price_for(side, market.mark, away, market.rules.tick_size)
    terms = _terms(market, portfolio, entry)
    order = EntryOrder(side, market.mark, stop, market.mark, instrument.taker_fee_rate, entry.stop_slippage)
    if quantity_for(order, terms) <= 0.0:
        return _unsized(signal.symbol, portfolio, entry, nothing_to_buy(order, terms))
    room = _room(signal.symbol, order, terms, market, portfolio, entry)
    terms = terms._replace(risk_fraction=terms.risk_fraction * room.fraction)
    quantity = quantity_for(order, terms)
    if quantity <= 0.0:
        return _unsized(signal.symbol, portfolio, entry, no_room(room))
    take_profits = take_profit_ladder(side, market.mark, stop, quantity, instrument, bracket)
    order = order._replace(target_price=_mean_price(take_profits))
    sizing = size_entry(order, terms, market.rules)
    odds = entry_odds(order, market.sigma_day, entry.outcome_horizon_days)
    funding = max(side * market.funding_rate, 0.0) * sizing.notional_quote
    candidate = Candidate(signal.symbol, side, instrument, portfolio, sizing, funding)
    facts = {**_facts(candidate, market, stop), **_stress_facts(room), **odds._asdict()}
    checks = (*failed_checks(candidate, entry), *odds_checks(odds, entry))
    if checks:
        return EntryRefusal(checks, facts)
    return _plan(candidate, market, stop, take_profits, margin, facts)


def stop_distance(of_signal: float, sigma_day: float, limits: EntryLimits) -> float:
    """Return the signal's stop distance, or the volatility's within the limits where it names none (NaN)."""
    if not math.isnan(of_signal):
        return of_signal
    wanted = limits.stop_sigmas * sigma_day * math.sqrt(limits.stop_horizon_days)
    return min(max(wanted, limits.min_stop_distance), limits.max_stop_distance)


def sizing_facts(sizing: Sizing) -> dict[str, Fact]:
    """Return the numbers of a sized entry by the names of the golden cases."""
    return {
        "stop_distance": sizing.stop_distance,
        "notional": sizing.notional_quote,
        "quantity": sizing.quantity,
        "buffer": sizing.buffer,
        "target_liquidation_price": sizing.target_liquidation_price,
        "leverage": sizing.leverage,
        "required_margin": sizing.required_margin_quote,
        "liquidation_price": sizing.liquidation_price,
        "maintenance_margin": sizing.maintenance_margin_quote,
        "loss_at_stop": sizing.loss_at_stop_quote,
        "worst_case_loss": sizing.worst_case_loss_quote,
        "r_multiple": sizing.reward_to_risk,
        "liquidation_beyond_stop": sizing.is_liquidation_beyond_stop,
    }


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


def _unsized(symbol: str, portfolio: Portfolio, entry: EntryLimits, checks: tuple[str, ...]) -> EntryRefusal:
    """Refuse what has no size, and still name what else is wrong with the account."""
    return EntryRefusal((*checks, *account_checks(symbol, portfolio, entry)), {})


def _terms(market: Market, portfolio: Portfolio, entry: EntryLimits) -> SizingRules:
    return SizingRules(
        portfolio.equity_quote,
        entry.risk_fraction,
        entry_buffer(market.sigma_day, entry.buffer_min, entry.buffer_sigmas, entry.buffer_horizon_days),
        min(entry.max_leverage, market.instrument.max_leverage),
        market.instrument.quantity_step,
    )


def _room(
    symbol: str,
    order: EntryOrder,
    terms: SizingRules,
    market: Market,
    portfolio: Portfolio,
    entry: EntryLimits,
) -> StressRoom:
    """What the caps on the whole book leave of the entry that the risk alone would make."""
    sized = size_entry(order, terms._replace(quantity_step=0.0), market.rules)
    new = Exposure(symbol, order.side, sized.notional_quote, sized.required_margin_quote, market.sigma_day)
    caps = StressCaps(
        margin_cap_fraction=entry.portfolio_cap_fraction,
        risk_cap_fraction=entry.risk_cap_fraction,
        cascade_cap_fraction=entry.cascade_cap_fraction,
    )
    return entry_room(held_exposures(portfolio, market.sigma_day), new, portfolio.equity_quote, caps)


def held_exposures(portfolio: Portfolio, sigma_day: float) -> tuple[Exposure, ...]:
    """Return what the caps count besides a new entry; `sigma_day` stands in for positions not named."""
    named = {exposure.symbol for exposure in portfolio.exposures}
    unnamed = (position for position in portfolio.positions if position.symbol not in named)
    return (*portfolio.exposures, *(_exposure_at_entry(position, sigma_day) for position in unnamed))


def _exposure_at_entry(position: Position, sigma_day: float) -> Exposure:
    value = position.quantity * position.entry_price
    return Exposure(position.symbol, position.side, value, position.isolated_wallet, sigma_day)


def _stress_facts(room: StressRoom) -> dict[str, Fact]:
    return {
        "size_fraction": room.fraction,
        "size_limited_by": room.cap,
        "book_stress": room.held_quote,
        "book_stress_limit": room.limit_quote,
    }


def _mean_price(ladder: tuple[TakeProfit, ...]) -> float:
    quantity = sum(rung.quantity for rung in ladder)
    return sum(rung.price * rung.quantity for rung in ladder) / quantity


def _facts(candidate: Candidate, market: Market, stop: float) -> dict[str, Fact]:
    sizing = candidate.sizing
    chance = liquidation_probability(market.mark, sizing.liquidation_price, market.sigma_day, 1.0)
    return {
        **sizing_facts(sizing),
        "mark": market.mark,
        "stop_price": stop,
        "sigma_day": market.sigma_day,
        "tier": sizing.tier,
        "entry_fee": sizing.entry_fee_quote,
        "next_funding": candidate.next_funding_quote,
        "liquidation_probability_24h": chance,
        "equity": candidate.portfolio.equity_quote,
        "free": candidate.portfolio.free_quote,
    }


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
