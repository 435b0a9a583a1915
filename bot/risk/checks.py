"""Every check an entry must pass, each a sentence with its numbers when it fails; margin-science 3.10.

What fails is found in faults.py, as bits; here each bit is said.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.core.instrument import Instrument
from bot.risk import faults as bits
from bot.risk.brackets import least_of, stop_price_for
from bot.risk.faults import EntryAccount
from bot.risk.limits import EntryLimits
from bot.risk.odds import EntryOdds
from bot.risk.sizing import EntryOrder, Sizing, SizingRules, quantity_for
from bot.risk.stress import Exposure, StressRoom
from bot.risk.view import Portfolio


class Candidate(NamedTuple):
    """A sized entry and the world it would enter. `next_funding_quote` > 0 is what it would pay."""

    symbol: str
    side: int
    instrument: Instrument
    portfolio: Portfolio
    sizing: Sizing
    next_funding_quote: float


def entry_account(symbol: str, portfolio: Portfolio) -> EntryAccount:
    """Return the portfolio as the checks on `symbol` count it."""
    return EntryAccount(
        portfolio.free_quote,
        portfolio.equity_quote,
        float(portfolio.in_flight_margin_quote),
        portfolio.day_start_equity_quote,
        portfolio.day_pnl_quote,
        len(portfolio.positions),
        portfolio.in_flight_count,
        float(sum(position.isolated_wallet for position in portfolio.positions)),
        any(position.symbol == symbol for position in portfolio.positions),
    )


def input_checks(
    faults: int,
    symbol: str,
    direction: int,
    mark: float,
    sigma_day: float,
    funding_rate: float,
    portfolio: Portfolio,
) -> Iterator[str]:
    """Yield what makes the question unanswerable; nothing can be sized then."""
    if faults & bits.NO_DIRECTION:
        yield f"the signal's direction {direction} is neither 1 (long) nor -1 (short)"
    if faults & bits.NO_MARK:
        yield f"the mark price of {symbol} is {mark}: not a usable price"
    if faults & bits.NO_FUNDING_RATE:
        yield f"the funding rate of {symbol} is {funding_rate}: not a usable number"
    if faults & bits.NO_SIGMA:
        yield f"the daily volatility of {symbol} is {sigma_day}: not a usable number"
    if faults & bits.NO_EQUITY:
        yield f"the account's equity is {portfolio.equity_quote}: nothing can be risked"
    for bit, name, value in (
        (bits.NO_FREE, "free balance", portfolio.free_quote),
        (bits.NO_IN_FLIGHT, "margin of entries in flight", portfolio.in_flight_margin_quote),
        (bits.NO_DAY_START, "equity at the start of the day", portfolio.day_start_equity_quote),
        (bits.NO_DAY_PNL, "profit of the day", portfolio.day_pnl_quote),
    ):
        if faults & bit:
            yield f"the account's {name} is {value}: not a usable number"
    if faults & bits.INVERSE:
        yield f"{symbol} is settled in its base coin: entries are sized for linear contracts only"


def book_checks(faults: int, held: Sequence[Exposure]) -> Iterator[str]:
    """Yield which legs of the book have no usable risk; a leg of unknown risk would count as none."""
    if not faults & bits.UNKNOWN_BOOK:
        return
    for leg in held:
        if not bits.leg_is_known(0.0, 0.0, leg.sigma_day):
            yield (
                f"the daily volatility of {leg.symbol}, which is held, is {leg.sigma_day}: the risk of the "
                "whole book is not known"
            )
        if not bits.leg_is_known(leg.notional_quote, leg.margin_quote, 1.0):
            yield (
                f"{leg.symbol}, which is held, has the notional {leg.notional_quote} and the margin "
                f"{leg.margin_quote}: not usable numbers"
            )


def signal_checks(faults: int, strength: float, limits: EntryLimits) -> Iterator[str]:
    """Yield that the signal is weaker than asked; a strength of 0 or NaN is one that was not given."""
    if not faults & bits.TOO_WEAK:
        return
    asked = limits.min_strength
    if strength > 0.0:
        yield f"the signal's strength {strength:.3f} is below the minimum {asked:g} (entry.min_strength)"
    else:
        yield f"the strategy gives this signal no strength; entry.min_strength asks for at least {asked:g}"


def share_checks(
    faults: int, room: StressRoom, quantity: float, wanted: float, limits: EntryLimits
) -> Iterator[str]:
    """Yield that a cap on the whole book leaves too little of the entry to be worth its fees."""
    if faults & bits.TOO_SMALL_A_SHARE:
        yield (
            f"the {_cap_words(room)} leaves {quantity:.8g} of the {wanted:.8g} that the risk would buy: "
            f"{quantity / wanted:.1%}, below the minimum {limits.min_share_of_wanted:.1%} "
            "(entry.min_share_of_wanted)"
        )


def price_checks(faults: int, side: int, mark: float, stop_distance: float, tick: float) -> Iterator[str]:
    """Yield why no size follows from a stop at this distance, rounded to this tick."""
    if faults & bits.STOP_OUT_OF_RANGE:
        yield f"the stop is {stop_distance:.2%} from entry: not between 0 % and 100 % of the price"
    if faults & bits.STOP_ON_WRONG_SIDE:
        stop = stop_price_for(side, mark, stop_distance, tick)
        yield f"the stop {stop:.8g} is not on the losing side of the mark {mark:.8g}"


def nothing_to_buy(order: EntryOrder, terms: SizingRules) -> str:
    """Return the check that fails when the risk buys less than one quantity step."""
    exact = quantity_for(order, terms._replace(quantity_step=0.0))
    risk_quote = terms.risk_fraction * terms.equity_quote
    step = terms.quantity_step
    return f"risking {risk_quote:.2f} buys a quantity of {exact:.3g}, less than one step ({step:.8g})"


def account_checks(faults: int, symbol: str, portfolio: Portfolio, limits: EntryLimits) -> Iterator[str]:
    """Yield what forbids any entry now, whatever its size."""
    if faults & bits.HELD_ALREADY:
        yield f"{symbol} already has an open position"
    if faults & bits.TOO_MANY:
        count, coming = len(portfolio.positions), portfolio.in_flight_count
        also = f" and {coming} entries are in flight" if coming else ""
        yield f"{count} positions are open{also} (at most {limits.max_positions})"
    if faults & bits.DAY_LOSS:
        allowed = limits.daily_loss_fraction * portfolio.day_start_equity_quote
        yield (
            f"the day's loss {-portfolio.day_pnl_quote:.2f} has reached its limit {allowed:.2f} "
            f"({limits.daily_loss_fraction:.1%} of {portfolio.day_start_equity_quote:.2f})"
        )


def stop_checks(faults: int, stop_distance: float, limits: EntryLimits) -> Iterator[str]:
    """Yield what is wrong with the stop itself."""
    if faults & bits.STOP_TOO_NEAR:
        yield f"the stop is {stop_distance:.3%} from entry (at least {limits.min_stop_distance:.3%})"
    if faults & bits.STOP_TOO_FAR:
        yield f"the stop is {stop_distance:.2%} from entry (at most {limits.max_stop_distance:.2%})"


def trade_checks(faults: int, candidate: Candidate, limits: EntryLimits) -> Iterator[str]:
    """Yield what is wrong with reward, liquidation and funding of the sized entry."""
    sizing = candidate.sizing
    if faults & bits.POOR_REWARD:
        yield (
            f"reward to risk {sizing.reward_to_risk:.2f} after fees is below the minimum "
            f"{limits.min_reward_to_risk:.2f}"
        )
    if faults & bits.LIQUIDATION_TOO_NEAR:
        yield (
            f"liquidation at {sizing.liquidation_price:.8g} would not lie beyond the stop by the buffer: "
            f"it must not be nearer than {sizing.target_liquidation_price:.8g}, and 1x is not enough"
        )
    if faults & bits.DEAR_FUNDING:
        allowed = limits.max_funding_share * sizing.loss_at_stop_quote
        yield (
            f"the next funding payment {candidate.next_funding_quote:.4f} is over "
            f"{limits.max_funding_share:.1%} of the risk ({allowed:.4f})"
        )


def venue_checks(candidate: Candidate) -> Iterator[str]:
    """Yield the venue's own minimum, tier and leverage limits that the entry breaks."""
    sizing, instrument = candidate.sizing, candidate.instrument
    value, largest = sizing.notional_quote, float(instrument.tiers.notional_cap[-1])
    faults = bits.venue_faults(sizing, least_of(instrument), largest, instrument.max_leverage)
    if faults & bits.BELOW_QUANTITY:
        yield f"quantity {sizing.quantity:.8g} is below the venue's minimum {instrument.min_quantity:.8g}"
    if faults & bits.BELOW_NOTIONAL:
        yield f"notional {value:.2f} is below the venue's minimum {instrument.min_notional_quote:.2f}"
    if faults & bits.ABOVE_TIERS:
        yield f"notional {value:.2f} is above the venue's last leverage tier ({largest:.2f})"
    if faults & bits.ABOVE_LEVERAGE:
        most = min(instrument.max_leverage, sizing.tier_max_leverage)
        yield f"leverage {sizing.leverage}x is above what the venue allows at this size ({most:g}x)"


def margin_checks(faults: int, candidate: Candidate, limits: EntryLimits) -> Iterator[str]:
    """Yield the account's own caps on margin and notional that the entry breaks."""
    sizing, portfolio = candidate.sizing, candidate.portfolio
    equity, required = portfolio.equity_quote, sizing.required_margin_quote
    account = entry_account(candidate.symbol, portfolio)
    if faults & bits.ABOVE_NOTIONAL:
        yield (
            f"notional {sizing.notional_quote:.2f} is above {limits.max_notional_fraction:g} x equity "
            f"({limits.max_notional_fraction * equity:.2f})"
        )
    if faults & bits.ABOVE_POSITION_CAP:
        yield (
            f"required margin {required:.2f} is above {limits.position_cap_fraction:.0%} of equity "
            f"({limits.position_cap_fraction * equity:.2f})"
        )
    if faults & bits.ABOVE_FREE:
        yield (
            f"required margin and fee {required + sizing.entry_fee_quote:.2f} are above the free balance "
            f"less entries in flight and the reserve ({bits.spendable_quote(account, limits):.2f})"
        )
    if faults & bits.ABOVE_PORTFOLIO_CAP:
        committed = account.committed_quote + account.in_flight_margin_quote
        yield (
            f"margin of all positions would be {committed + required:.2f}, above "
            f"{limits.portfolio_cap_fraction:.0%} of equity ({limits.portfolio_cap_fraction * equity:.2f})"
        )


def odds_checks(faults: int, odds: EntryOdds, limits: EntryLimits) -> Iterator[str]:
    """Yield what the claimed hit rate cannot pay for; nothing when none is claimed."""
    if faults & bits.POOR_ODDS:
        yield (
            f"the trade breaks even at a hit rate of {odds.breakeven_hit_rate:.1%}, above the claimed "
            f"{limits.claimed_hit_rate:.1%}: without an edge the stop comes first with "
            f"{odds.stop_first:.1%}, the target with {odds.target_first:.1%}, within "
            f"{_days_words(limits.outcome_horizon_days)}"
        )


def _days_words(days: float) -> str:
    return "1 day" if days == 1.0 else f"{days:g} days"


def no_room(room: StressRoom) -> str:
    """Return the check that fails when a cap on the whole book leaves less than one quantity step."""
    return f"the {_cap_words(room)} leaves {room.fraction:.1%} of the size, less than one step"


def _cap_words(room: StressRoom) -> str:
    cap = room.cap.replace("_", " ")
    return f"{cap} of the book, {room.held_quote:.2f} already (at most {room.limit_quote:.2f}),"


def failed_checks(faults: int, candidate: Candidate, limits: EntryLimits) -> tuple[str, ...]:
    """Return every failed check of a sized entry, not only the first; empty when it is approved."""
    return (
        *account_checks(faults, candidate.symbol, candidate.portfolio, limits),
        *stop_checks(faults, candidate.sizing.stop_distance, limits),
        *trade_checks(faults, candidate, limits),
        *venue_checks(candidate),
        *margin_checks(faults, candidate, limits),
    )
