"""The numbers kept with every answer to an entry: all that margin-science 3.10 asks to report."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from bot.core.instrument import Instrument
from bot.core.intent import Fact
from bot.core.probability import liquidation_probability
from bot.core.profile import MarginRules
from bot.core.signal import Signal
from bot.risk.checks import Candidate
from bot.risk.sizing import Sizing
from bot.risk.stress import (
    Exposure,
    StressCaps,
    StressRoom,
    assumed_correlation,
    cascade,
    correlated_risk,
)
from bot.risk.view import Portfolio


class Market(NamedTuple):
    """What is known of the symbol when the question is asked."""

    instrument: Instrument
    rules: MarginRules
    mark: float
    sigma_day: float
    funding_rate: float


def market_facts(signal: Signal, market: Market, portfolio: Portfolio) -> dict[str, Fact]:
    """Return what was known before anything was sized; None for what is no finite number."""
    known = {
        "mark": market.mark,
        "sigma_day": market.sigma_day,
        "funding_rate": market.funding_rate,
        "strength": signal.strength,
        "equity": portfolio.equity_quote,
        "free": portfolio.free_quote,
    }
    return {name: value if math.isfinite(value) else None for name, value in known.items()}


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


def entry_facts(candidate: Candidate, market: Market, stop: float) -> dict[str, Fact]:
    """Return the sized entry: its margin, its liquidation and stop, what it pays and may lose.

    `liquidation_gap`: from stop to liquidation, fraction of the stop, also in daily sigmas.
    `funding_share`: the next funding payment per loss at the stop.
    """
    sizing = candidate.sizing
    chance = liquidation_probability(market.mark, sizing.liquidation_price, market.sigma_day, 1.0)
    gap = candidate.side * (stop - sizing.liquidation_price) / stop
    return {
        **sizing_facts(sizing),
        "stop_price": stop,
        "tier": sizing.tier,
        "entry_fee": sizing.entry_fee_quote,
        "liquidation_gap": gap,
        "liquidation_gap_sigmas": gap / market.sigma_day,
        "liquidation_probability_24h": chance,
        "next_funding": candidate.next_funding_quote,
        "funding_share": candidate.next_funding_quote / sizing.loss_at_stop_quote,
    }


def room_facts(room: StressRoom, wanted: float, quantity: float) -> dict[str, Fact]:
    """Return the quantity that the risk alone would make, and what the caps on the book left of it."""
    return {
        "wanted_quantity": wanted,
        "share_of_wanted": quantity / wanted,
        "size_fraction": room.fraction,
        "size_limited_by": room.cap,
    }


def book_facts(
    candidate: Candidate, sigma_day: float, held: Sequence[Exposure], caps: StressCaps
) -> dict[str, Fact]:
    """Return the three caps on the whole book with the entry in it, and their limits; margin-science 3.8."""
    sizing, equity = candidate.sizing, candidate.portfolio.equity_quote
    own = Exposure(
        candidate.symbol, candidate.side, sizing.notional_quote, sizing.required_margin_quote, sigma_day
    )
    legs = (*held, own)
    risk = float(correlated_risk(legs, assumed_correlation(legs)).sum())
    return {
        "book_margin": sum(leg.margin_quote for leg in legs),
        "book_margin_limit": caps.margin_cap_fraction * equity,
        "correlated_risk": caps.risk_sigmas * risk,
        "correlated_risk_limit": caps.risk_cap_fraction * equity,
        "cascade": float(cascade(legs, caps.cascade_sigmas).sum()),
        "cascade_limit": caps.cascade_cap_fraction * equity,
    }
