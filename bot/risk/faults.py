"""What can stand against an entry, each a bit of a mask that compiles; checks.py says them in sentences."""

import math
from typing import Final, NamedTuple

from bot.core.compiled import compiled
from bot.risk.brackets import Least, stop_price_for
from bot.risk.limits import EntryLimits
from bot.risk.odds import EntryOdds
from bot.risk.sizing import Sizing
from bot.risk.stress import NO_CAP, Legs

NO_DIRECTION: Final = 1 << 0
NO_MARK: Final = 1 << 1
NO_FUNDING_RATE: Final = 1 << 2
NO_SIGMA: Final = 1 << 3
NO_EQUITY: Final = 1 << 4
NO_FREE: Final = 1 << 5
NO_IN_FLIGHT: Final = 1 << 6
NO_DAY_START: Final = 1 << 7
NO_DAY_PNL: Final = 1 << 8
INVERSE: Final = 1 << 9
UNKNOWN_BOOK: Final = 1 << 10
STOP_OUT_OF_RANGE: Final = 1 << 11
STOP_ON_WRONG_SIDE: Final = 1 << 12
NOTHING_TO_BUY: Final = 1 << 13
NO_ROOM: Final = 1 << 14
TOO_WEAK: Final = 1 << 15
HELD_ALREADY: Final = 1 << 16
TOO_MANY: Final = 1 << 17
DAY_LOSS: Final = 1 << 18
STOP_TOO_NEAR: Final = 1 << 19
STOP_TOO_FAR: Final = 1 << 20
POOR_REWARD: Final = 1 << 21
LIQUIDATION_TOO_NEAR: Final = 1 << 22
DEAR_FUNDING: Final = 1 << 23
BELOW_QUANTITY: Final = 1 << 24
BELOW_NOTIONAL: Final = 1 << 25
ABOVE_TIERS: Final = 1 << 26
ABOVE_LEVERAGE: Final = 1 << 27
ABOVE_NOTIONAL: Final = 1 << 28
ABOVE_POSITION_CAP: Final = 1 << 29
ABOVE_FREE: Final = 1 << 30
ABOVE_PORTFOLIO_CAP: Final = 1 << 31
TOO_SMALL_A_SHARE: Final = 1 << 32
POOR_ODDS: Final = 1 << 33


class EntryAccount(NamedTuple):
    """A portfolio as the checks count it. `committed_quote`: wallets of all positions together."""

    free_quote: float
    equity_quote: float
    in_flight_margin_quote: float
    day_start_equity_quote: float
    day_pnl_quote: float
    positions: int
    in_flight_count: int
    committed_quote: float
    is_held: bool


class EntryTerms(NamedTuple):
    """What the venue asks and charges, and what the market is like when the question is asked."""

    mark: float
    sigma_day: float
    funding_rate: float
    least: Least
    taker_fee_rate: float
    max_leverage: float
    is_inverse: bool


@compiled
def input_faults(direction: int, terms: EntryTerms, account: EntryAccount) -> int:
    """Return what makes the question unanswerable; nothing can be sized then."""
    faults = 0
    if direction not in (1, -1):
        faults |= NO_DIRECTION
    if not 0.0 < terms.mark < math.inf:
        faults |= NO_MARK
    if not math.isfinite(terms.funding_rate):
        faults |= NO_FUNDING_RATE
    if not 0.0 < terms.sigma_day < math.inf:
        faults |= NO_SIGMA
    if not 0.0 < account.equity_quote < math.inf:
        faults |= NO_EQUITY
    if not math.isfinite(account.free_quote):
        faults |= NO_FREE
    if not math.isfinite(account.in_flight_margin_quote):
        faults |= NO_IN_FLIGHT
    if not math.isfinite(account.day_start_equity_quote):
        faults |= NO_DAY_START
    if not math.isfinite(account.day_pnl_quote):
        faults |= NO_DAY_PNL
    return faults | (INVERSE if terms.is_inverse else 0)


@compiled
def book_faults(held: Legs) -> int:
    """Return whether a leg of the book has no usable risk."""
    for row in range(len(held.side)):
        if not leg_is_known(held.notional_quote[row], held.margin_quote[row], held.sigma_day[row]):
            return UNKNOWN_BOOK
    return 0


@compiled
def leg_is_known(notional_quote: float, margin_quote: float, sigma_day: float) -> bool:
    """Return whether the risk of a leg can be counted; one of unknown risk would count as none."""
    return 0.0 < sigma_day < math.inf and 0.0 <= notional_quote < math.inf and 0.0 <= margin_quote < math.inf


@compiled
def price_faults(side: int, mark: float, stop_distance: float, tick: float) -> int:
    """Return why no size follows from a stop at this distance, rounded to this tick."""
    if not 0.0 < stop_distance < 1.0:
        return STOP_OUT_OF_RANGE
    stop = stop_price_for(side, mark, stop_distance, tick)
    return STOP_ON_WRONG_SIDE if side * (mark - stop) <= 0.0 else 0


@compiled
def signal_faults(strength: float, limits: EntryLimits) -> int:
    """Return whether the signal is weaker than asked; a strength of 0 or NaN is one that was not given."""
    asked = limits.min_strength
    return 0 if asked <= 0.0 or strength >= asked else TOO_WEAK


@compiled
def account_faults(account: EntryAccount, limits: EntryLimits) -> int:
    """Return what forbids any entry now, whatever its size."""
    faults = HELD_ALREADY if account.is_held else 0
    if account.positions + account.in_flight_count >= limits.max_positions:
        faults |= TOO_MANY
    allowed = limits.daily_loss_fraction * account.day_start_equity_quote
    if account.day_pnl_quote < 0.0 and account.day_pnl_quote <= -allowed:
        faults |= DAY_LOSS
    return faults


@compiled
def stop_faults(stop_distance: float, limits: EntryLimits) -> int:
    """Return what is wrong with the stop itself."""
    faults = STOP_TOO_NEAR if stop_distance < limits.min_stop_distance else 0
    return faults | (STOP_TOO_FAR if stop_distance > limits.max_stop_distance else 0)


@compiled
def trade_faults(sizing: Sizing, next_funding_quote: float, limits: EntryLimits) -> int:
    """Return what is wrong with reward, liquidation and funding of the sized entry."""
    faults = POOR_REWARD if sizing.reward_to_risk < limits.min_reward_to_risk else 0
    if not sizing.is_liquidation_beyond_stop:
        faults |= LIQUIDATION_TOO_NEAR
    if next_funding_quote > limits.max_funding_share * sizing.loss_at_stop_quote:
        faults |= DEAR_FUNDING
    return faults


@compiled
def venue_faults(sizing: Sizing, least: Least, largest: float, max_leverage: float) -> int:
    """Return the venue's own limits that the entry breaks; `largest`: the notional its tiers end at."""
    faults = BELOW_QUANTITY if sizing.quantity < least.min_quantity else 0
    if sizing.notional_quote < least.min_notional_quote:
        faults |= BELOW_NOTIONAL
    if sizing.notional_quote > largest:
        faults |= ABOVE_TIERS
    if sizing.leverage > min(max_leverage, sizing.tier_max_leverage):
        faults |= ABOVE_LEVERAGE
    return faults


@compiled
def spendable_quote(account: EntryAccount, limits: EntryLimits) -> float:
    """Return the free balance less entries in flight and the reserve."""
    return (
        account.free_quote - account.in_flight_margin_quote - limits.reserve_fraction * account.equity_quote
    )


@compiled
def margin_faults(sizing: Sizing, account: EntryAccount, limits: EntryLimits) -> int:
    """Return the account's own caps on margin and notional that the entry breaks."""
    equity, required = account.equity_quote, sizing.required_margin_quote
    faults = ABOVE_NOTIONAL if sizing.notional_quote > limits.max_notional_fraction * equity else 0
    if required > limits.position_cap_fraction * equity:
        faults |= ABOVE_POSITION_CAP
    if required + sizing.entry_fee_quote > spendable_quote(account, limits):
        faults |= ABOVE_FREE
    committed = account.committed_quote + account.in_flight_margin_quote
    if committed + required > limits.portfolio_cap_fraction * equity:
        faults |= ABOVE_PORTFOLIO_CAP
    return faults


@compiled
def share_faults(cap: int, quantity: float, wanted: float, limits: EntryLimits) -> int:
    """Return whether a cap on the whole book leaves too little of the entry to be worth its fees."""
    is_small = cap != NO_CAP and quantity / wanted < limits.min_share_of_wanted
    return TOO_SMALL_A_SHARE if is_small else 0


@compiled
def odds_faults(odds: EntryOdds, limits: EntryLimits) -> int:
    """Return whether the claimed hit rate cannot pay for the entry; nothing when none is claimed."""
    return POOR_ODDS if 0.0 < limits.claimed_hit_rate < odds.breakeven_hit_rate else 0
