"""Every check an entry must pass, each a sentence with its numbers when it fails; margin-science 3.10."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.core.instrument import Instrument
from bot.risk.brackets import stop_price_for
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


def input_checks(
    symbol: str,
    direction: int,
    mark: float,
    sigma_day: float,
    funding_rate: float,
    instrument: Instrument,
    portfolio: Portfolio,
) -> tuple[str, ...]:
    """Return what makes the question unanswerable; nothing can be sized then."""
    found = []
    if direction not in {1, -1}:
        found.append(f"the signal's direction {direction} is neither 1 (long) nor -1 (short)")
    if not 0.0 < mark < float("inf"):
        found.append(f"the mark price of {symbol} is {mark}: not a usable price")
    if not math.isfinite(funding_rate):
        found.append(f"the funding rate of {symbol} is {funding_rate}: not a usable number")
    if not 0.0 < sigma_day < float("inf"):
        found.append(f"the daily volatility of {symbol} is {sigma_day}: not a usable number")
    if not 0.0 < portfolio.equity_quote < float("inf"):
        found.append(f"the account's equity is {portfolio.equity_quote}: nothing can be risked")
    for name, value in (
        ("free balance", portfolio.free_quote),
        ("margin of entries in flight", portfolio.in_flight_margin_quote),
        ("equity at the start of the day", portfolio.day_start_equity_quote),
        ("profit of the day", portfolio.day_pnl_quote),
    ):
        if not math.isfinite(value):
            found.append(f"the account's {name} is {value}: not a usable number")
    if instrument.is_inverse:
        found.append(f"{symbol} is settled in its base coin: entries are sized for linear contracts only")
    return tuple(found)


def book_checks(held: Sequence[Exposure]) -> Iterator[str]:
    """Yield which legs of the book have no usable risk; a leg of unknown risk would count as none."""
    for leg in held:
        if not 0.0 < leg.sigma_day < math.inf:
            yield (
                f"the daily volatility of {leg.symbol}, which is held, is {leg.sigma_day}: the risk of the "
                "whole book is not known"
            )
        if not (0.0 <= leg.notional_quote < math.inf and 0.0 <= leg.margin_quote < math.inf):
            yield (
                f"{leg.symbol}, which is held, has the notional {leg.notional_quote} and the margin "
                f"{leg.margin_quote}: not usable numbers"
            )


def signal_checks(strength: float, limits: EntryLimits) -> Iterator[str]:
    """Yield that the signal is weaker than asked; a strength of 0 or NaN is one that was not given."""
    asked = limits.min_strength
    if asked <= 0.0 or strength >= asked:
        return
    if strength > 0.0:
        yield f"the signal's strength {strength:.3f} is below the minimum {asked:g} (entry.min_strength)"
    else:
        yield f"the strategy gives this signal no strength; entry.min_strength asks for at least {asked:g}"


def share_checks(room: StressRoom, quantity: float, wanted: float, limits: EntryLimits) -> Iterator[str]:
    """Yield that a cap on the whole book leaves too little of the entry to be worth its fees."""
    share = quantity / wanted
    if room.cap and share < limits.min_share_of_wanted:
        yield (
            f"the {_cap_words(room)} leaves {quantity:.8g} of the {wanted:.8g} that the risk would buy: "
            f"{share:.1%}, below the minimum {limits.min_share_of_wanted:.1%} (entry.min_share_of_wanted)"
        )


def price_checks(side: int, mark: float, stop_distance: float, tick: float) -> tuple[str, ...]:
    """Return why no size follows from a stop at this distance, rounded to this tick."""
    if not 0.0 < stop_distance < 1.0:
        return (f"the stop is {stop_distance:.2%} from entry: not between 0 % and 100 % of the price",)
    stop = stop_price_for(side, mark, stop_distance, tick)
    if side * (mark - stop) <= 0.0:
        return (f"the stop {stop:.8g} is not on the losing side of the mark {mark:.8g}",)
    return ()


def nothing_to_buy(order: EntryOrder, terms: SizingRules) -> tuple[str, ...]:
    """Return the check that fails when the risk buys less than one quantity step."""
    exact = quantity_for(order, terms._replace(quantity_step=0.0))
    risk_quote = terms.risk_fraction * terms.equity_quote
    step = terms.quantity_step
    return (f"risking {risk_quote:.2f} buys a quantity of {exact:.3g}, less than one step ({step:.8g})",)


def account_checks(symbol: str, portfolio: Portfolio, limits: EntryLimits) -> Iterator[str]:
    """Yield what forbids any entry now, whatever its size."""
    if any(position.symbol == symbol for position in portfolio.positions):
        yield f"{symbol} already has an open position"
    count, coming = len(portfolio.positions), portfolio.in_flight_count
    if count + coming >= limits.max_positions:
        also = f" and {coming} entries are in flight" if coming else ""
        yield f"{count} positions are open{also} (at most {limits.max_positions})"
    allowed = limits.daily_loss_fraction * portfolio.day_start_equity_quote
    if portfolio.day_pnl_quote < 0.0 and portfolio.day_pnl_quote <= -allowed:
        yield (
            f"the day's loss {-portfolio.day_pnl_quote:.2f} has reached its limit {allowed:.2f} "
            f"({limits.daily_loss_fraction:.1%} of {portfolio.day_start_equity_quote:.2f})"
        )


def stop_checks(stop_distance: float, limits: EntryLimits) -> Iterator[str]:
    """Yield what is wrong with the stop itself."""
    if stop_distance < limits.min_stop_distance:
        yield f"the stop is {stop_distance:.3%} from entry (at least {limits.min_stop_distance:.3%})"
    if stop_distance > limits.max_stop_distance:
        yield f"the stop is {stop_distance:.2%} from entry (at most {limits.max_stop_distance:.2%})"


def trade_checks(candidate: Candidate, limits: EntryLimits) -> Iterator[str]:
    """Yield what is wrong with reward, liquidation and funding of the sized entry."""
    sizing = candidate.sizing
    if sizing.reward_to_risk < limits.min_reward_to_risk:
        yield (
            f"reward to risk {sizing.reward_to_risk:.2f} after fees is below the minimum "
            f"{limits.min_reward_to_risk:.2f}"
        )
    if not sizing.is_liquidation_beyond_stop:
        yield (
            f"liquidation at {sizing.liquidation_price:.8g} would not lie beyond the stop by the buffer: "
            f"it must not be nearer than {sizing.target_liquidation_price:.8g}, and 1x is not enough"
        )
    allowed = limits.max_funding_share * sizing.loss_at_stop_quote
    if candidate.next_funding_quote > allowed:
        yield (
            f"the next funding payment {candidate.next_funding_quote:.4f} is over "
            f"{limits.max_funding_share:.1%} of the risk ({allowed:.4f})"
        )


def venue_checks(candidate: Candidate) -> Iterator[str]:
    """Yield the venue's own minimum, tier and leverage limits that the entry breaks."""
    sizing, instrument = candidate.sizing, candidate.instrument
    value = sizing.notional_quote
    if sizing.quantity < instrument.min_quantity:
        yield f"quantity {sizing.quantity:.8g} is below the venue's minimum {instrument.min_quantity:.8g}"
    if value < instrument.min_notional_quote:
        yield f"notional {value:.2f} is below the venue's minimum {instrument.min_notional_quote:.2f}"
    largest = float(instrument.tiers.notional_cap[-1])
    if value > largest:
        yield f"notional {value:.2f} is above the venue's last leverage tier ({largest:.2f})"
    most = min(instrument.max_leverage, sizing.tier_max_leverage)
    if sizing.leverage > most:
        yield f"leverage {sizing.leverage}x is above what the venue allows at this size ({most:g}x)"


def margin_checks(candidate: Candidate, limits: EntryLimits) -> Iterator[str]:
    """Yield the account's own caps on margin and notional that the entry breaks."""
    sizing, portfolio = candidate.sizing, candidate.portfolio
    equity, required = portfolio.equity_quote, sizing.required_margin_quote
    if sizing.notional_quote > limits.max_notional_fraction * equity:
        yield (
            f"notional {sizing.notional_quote:.2f} is above {limits.max_notional_fraction:g} x equity "
            f"({limits.max_notional_fraction * equity:.2f})"
        )
    if required > limits.position_cap_fraction * equity:
        yield (
            f"required margin {required:.2f} is above {limits.position_cap_fraction:.0%} of equity "
            f"({limits.position_cap_fraction * equity:.2f})"
        )
    spendable = portfolio.free_quote - portfolio.in_flight_margin_quote - limits.reserve_fraction * equity
    if required + sizing.entry_fee_quote > spendable:
        yield (
            f"required margin and fee {required + sizing.entry_fee_quote:.2f} are above the free balance "
            f"less entries in flight and the reserve ({spendable:.2f})"
        )
    committed = sum(p.isolated_wallet for p in portfolio.positions) + portfolio.in_flight_margin_quote
    if committed + required > limits.portfolio_cap_fraction * equity:
        yield (
            f"margin of all positions would be {committed + required:.2f}, above "
            f"{limits.portfolio_cap_fraction:.0%} of equity ({limits.portfolio_cap_fraction * equity:.2f})"
        )


def odds_checks(odds: EntryOdds, limits: EntryLimits) -> Iterator[str]:
    """Yield what the claimed hit rate cannot pay for; nothing when none is claimed."""
    needed, claimed = odds.breakeven_hit_rate, limits.claimed_hit_rate
    if 0.0 < claimed < needed:
        yield (
            f"the trade breaks even at a hit rate of {needed:.1%}, above the claimed {claimed:.1%}: without "
            f"an edge the stop comes first with {odds.stop_first:.1%}, the target with "
            f"{odds.target_first:.1%}, within {_days_words(limits.outcome_horizon_days)}"
        )


def _days_words(days: float) -> str:
    return "1 day" if days == 1.0 else f"{days:g} days"


def no_room(room: StressRoom) -> tuple[str, ...]:
    """Return the check that fails when a cap on the whole book leaves less than one quantity step."""
    return (f"the {_cap_words(room)} leaves {room.fraction:.1%} of the size, less than one step",)


def _cap_words(room: StressRoom) -> str:
    cap = room.cap.replace("_", " ")
    return f"{cap} of the book, {room.held_quote:.2f} already (at most {room.limit_quote:.2f}),"


def failed_checks(candidate: Candidate, limits: EntryLimits) -> tuple[str, ...]:
    """Return every failed check of a sized entry, not only the first; empty when it is approved."""
    return (
        *account_checks(candidate.symbol, candidate.portfolio, limits),
        *stop_checks(candidate.sizing.stop_distance, limits),
        *trade_checks(candidate, limits),
        *venue_checks(candidate),
        *margin_checks(candidate, limits),
    )
