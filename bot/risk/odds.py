"""What hit rate an entry needs to pay for itself, given how likely its stop and its target are.

Source: margin-science 3.10 (last refusal) and the two-barrier law of bot/core/probability.py.
"""

import math
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.probability import log_distance, two_barrier
from bot.risk.sizing import EntryOrder, gain_fraction, loss_fraction


class EntryOdds(NamedTuple):
    """Of a market without drift, within the horizon: which price comes first. All in [0, 1].

    `breakeven_hit_rate`: the share of decided trades that must reach the target for a gain of zero after
    fees and slippage; 1.0 also when no hit rate is enough.
    """

    stop_first: float
    target_first: float
    breakeven_hit_rate: float


@compiled
def entry_odds(order: EntryOrder, sigma_day: float, horizon_days: float) -> EntryOdds:
    """Return the odds of `order`, which has its stop and its target on the two sides of the entry.

    A trade that reaches neither is closed at the entry price and costs two fees, which the decided ones
    must earn: c * gain - (1 - c) * loss = 2 * fee * undecided / decided.
    """
    sigma = sigma_day * math.sqrt(horizon_days)
    adverse = log_distance(order.entry_price, order.stop_price)
    favourable = log_distance(order.entry_price, order.target_price)
    stop_first = two_barrier(adverse, favourable, sigma)
    target_first = two_barrier(favourable, adverse, sigma)
    decided = stop_first + target_first
    loss = loss_fraction(order)
    both = gain_fraction(order) + loss
    if decided <= 0.0 or both <= 0.0:
        return EntryOdds(stop_first, target_first, 1.0)
    idle = 2.0 * order.taker_fee_rate * max(1.0 - decided, 0.0) / decided
    return EntryOdds(stop_first, target_first, min((loss + idle) / both, 1.0))
