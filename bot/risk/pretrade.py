"""The entry evaluation: a signal becomes a sized and bracketed plan, or a list of reasons against it.

Source: margin-science 3.10. The judgement is in entry_judgement.py, the sentences in checks.py, the numbers
that are kept with the answer in entry_facts.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from bot.core.intent import Fact
from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.core.signal import Signal
from bot.risk import faults
from bot.risk.brackets import TakeProfits, least_of
from bot.risk.checks import (
    Candidate,
    account_checks,
    book_checks,
    entry_account,
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
from bot.risk.entry_judgement import (
    EntryAsk,
    EntryVerdict,
    agreed_loss,
    judge_entry,
    stop_distance,
    stress_caps,
)
from bot.risk.faults import EntryTerms
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.odds import entry_odds
from bot.risk.sizing import EntryOrder, SizingRules, entry_buffer, size_entry
from bot.risk.stress import CAP_NAMES, Exposure, Legs, StressRoom
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
    verdict = judge_entry(
        EntryAsk(signal.direction, signal.strength, signal.stop_distance),
        _terms(market),
        market.rules,
        entry_account(signal.symbol, portfolio),
        _legs(asked.held),
        entry,
        bracket,
    )
    if not verdict.is_sized:
        return _unsized(asked, verdict)
    return _judged(asked, verdict, margin)


def _judged(asked: _Question, verdict: EntryVerdict, margin: MarginLimits) -> EntryPlan | EntryRefusal:
    """Say what stands against a sized entry, or plan it, and keep the numbers."""
    signal, market, entry = asked.signal, asked.market, asked.entry
    order, sizing, room = verdict.order, verdict.sizing, _room(verdict)
    odds = entry_odds(order, market.sigma_day, entry.outcome_horizon_days)
    candidate = Candidate(
        signal.symbol, order.side, market.instrument, asked.portfolio, sizing, verdict.next_funding_quote
    )
    facts = {
        **market_facts(signal, market, asked.portfolio),
        **entry_facts(candidate, market, order.stop_price),
        **odds._asdict(),
        **room_facts(room, verdict.wanted, sizing.quantity),
        **book_facts(candidate, market.sigma_day, asked.held, stress_caps(entry)),
    }
    if verdict.faults == 0:
        return _plan(candidate, market, order.stop_price, _rungs(verdict.targets), margin, facts)
    checks = (
        *signal_checks(verdict.faults, signal.strength, entry),
        *failed_checks(verdict.faults, candidate, entry),
        *share_checks(verdict.faults, room, sizing.quantity, verdict.wanted, entry),
        *odds_checks(verdict.faults, odds, entry),
    )
    return EntryRefusal(checks, facts)


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


def _unsized(asked: _Question, verdict: EntryVerdict) -> EntryRefusal:
    """Refuse what has no size, and still name what else is wrong with the signal and the account."""
    signal, portfolio, entry = asked.signal, asked.portfolio, asked.entry
    facts = market_facts(signal, asked.market, portfolio)
    if verdict.faults & faults.NO_ROOM:
        facts = {**facts, **room_facts(_room(verdict), verdict.wanted, 0.0)}
    checks = (
        *_why_unsized(asked, verdict),
        *signal_checks(verdict.faults, signal.strength, entry),
        *account_checks(verdict.faults, signal.symbol, portfolio, entry),
    )
    return EntryRefusal(checks, facts)


def _why_unsized(asked: _Question, verdict: EntryVerdict) -> Iterator[str]:
    signal, market, found = asked.signal, asked.market, verdict.faults
    yield from input_checks(
        found,
        signal.symbol,
        signal.direction,
        market.mark,
        market.sigma_day,
        market.funding_rate,
        asked.portfolio,
    )
    yield from book_checks(found, asked.held)
    away = stop_distance(signal.stop_distance, market.sigma_day, asked.entry)
    yield from price_checks(found, signal.direction, market.mark, away, market.rules.tick_size)
    if found & faults.NOTHING_TO_BUY:
        yield nothing_to_buy(verdict.order, verdict.terms)
    if found & faults.NO_ROOM:
        yield no_room(_room(verdict))


def _terms(market: Market) -> EntryTerms:
    instrument = market.instrument
    return EntryTerms(
        market.mark,
        market.sigma_day,
        market.funding_rate,
        least_of(instrument)._replace(tick_size=market.rules.tick_size),
        instrument.taker_fee_rate,
        instrument.max_leverage,
        instrument.is_inverse,
    )


def _legs(held: tuple[Exposure, ...]) -> Legs:
    columns = np.array([leg[1:] for leg in held], dtype=np.float64).reshape(len(held), 4)
    return Legs(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3])


def _room(verdict: EntryVerdict) -> StressRoom:
    room = verdict.room
    return StressRoom(room.fraction, CAP_NAMES[room.cap], room.held_quote, room.limit_quote)


def _rungs(found: TakeProfits) -> tuple[TakeProfit, ...]:
    first = TakeProfit(found.first_price, found.first_quantity)
    if found.second_quantity == 0.0:
        return (first,)
    return first, TakeProfit(found.second_price, found.second_quantity)


def held_exposures(portfolio: Portfolio, sigma_day: float) -> tuple[Exposure, ...]:
    """Return what the caps count besides a new entry; `sigma_day` stands in for positions not named."""
    named = {exposure.symbol for exposure in portfolio.exposures}
    unnamed = (position for position in portfolio.positions if position.symbol not in named)
    return (*portfolio.exposures, *(_exposure_at_entry(position, sigma_day) for position in unnamed))


def _exposure_at_entry(position: Position, sigma_day: float) -> Exposure:
    value = position.quantity * position.entry_price
    return Exposure(position.symbol, position.side, value, max(position.isolated_wallet, 0.0), sigma_day)


def _plan(
    candidate: Candidate,
    market: Market,
    stop: float,
    take_profits: tuple[TakeProfit, ...],
    margin: MarginLimits,
    facts: dict[str, Fact],
) -> EntryPlan:
    sizing = candidate.sizing
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
        agreed_loss_quote=agreed_loss(sizing, margin.max_added_fraction),
        reward_to_risk=sizing.reward_to_risk,
        facts=facts,
    )
