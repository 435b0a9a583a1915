"""The margin engine: turns a policy's band into an amount of margin to move, or into a reason not to.

Source: margin-science 3.0 (decide), 3.9 (anchor floor). `_judge` and everything it calls are compiled
and speak in integer codes; only `decide_margin` gives them names.
"""

import math
from typing import NamedTuple

from bot.core.compiled import compiled
from bot.core.margin import (
    distance,
    liquidation_price,
    margin_ratio,
    notional,
    removable_margin,
    wallet_for_distance,
    wallet_for_liquidation_price,
)
from bot.core.position import Position
from bot.core.probability import liquidation_probability
from bot.core.steps import step_down, step_up
from bot.risk.anchor import anchor_buffer, anchor_price
from bot.risk.band import Band
from bot.risk.limits import MarginLimits
from bot.risk.permissions import UNRESTRICTED, Permissions, cut_due
from bot.risk.reasons import (
    ABOVE_BAND,
    ACTIONS,
    ADD,
    ADD_COOLDOWN,
    ADD_NOT_ALLOWED,
    ADVERSE_TREND,
    AGREED_LOSS,
    ANCHOR_FLOOR,
    BELOW_BAND,
    BELOW_STEP,
    CANNOT_REACH,
    EMERGENCY,
    HIGH_VOLATILITY,
    HOLD,
    IN_BAND,
    MAX_ADDED,
    MAX_ADDS,
    PAST_LIQUIDATION,
    POSITION_CAP,
    REASONS,
    RELEASE,
    RELEASE_COOLDOWN,
    RELEASE_NOT_ALLOWED,
    RESERVE,
    STALE,
    STOP_INEFFECTIVE,
    STOP_PASSED,
    UNUSABLE,
    VENUE_RULE,
)
from bot.risk.regime import REGIMES
from bot.risk.view import MarginBook, MarginDecision, MarginView

_HOUR = 1.0 / 24.0
_FARTHEST_LONG = 0.999  # a long's liquidation price stays above zero


class Verdict(NamedTuple):
    """A decision in codes and numbers; `wallet` is the target, `amount` the move, both quote.

    `wants_derisk`: the de-risk ladder is to be consulted (margin-science 3.0, LADDER).
    """

    action: int
    reason: int
    wallet: float
    amount: float
    retry_at_ms: int
    wants_derisk: bool


class Measured(NamedTuple):
    """What the decision saw: the band with the funding reserve, and the position's risk now."""

    band: Band
    liquidation: float
    distance: float
    margin_ratio: float
    probability_hour: float


class Edge(NamedTuple):
    """The largest wallet an add may make, or the smallest a release may leave, and the rule that says so."""

    wallet: float
    reason: int


def decide_margin(
    view: MarginView,
    band: Band,
    book: MarginBook,
    limits: MarginLimits,
    permissions: Permissions = UNRESTRICTED,
) -> MarginDecision:
    """Return the margin move that `band` (a policy's own) asks for, after every rule of `limits`.

    "hold" has the rule that stopped it as `reason`; `retry_at_ms` is when the cooldown ends, else 0.
    A volatility cut, the policy's or that of the limits, comes along with any action.
    """
    measured = measure(view, band, limits.funding_payments_ahead)
    verdict = judge(view, measured, book, limits, permissions)
    cut = cut_fraction(view, verdict, limits, permissions)
    facts: dict[str, float | int | str | bool | None] = {
        "mark": view.mark,
        "mark_age_ms": view.mark_age_ms,
        "stop_price": view.stop_price,
        "sigma_day": view.sigma_day,
        "isolated_wallet": view.position.isolated_wallet,
        "liquidation_price": measured.liquidation,
        "distance": measured.distance,
        "band_low": measured.band.low,
        "band_target": measured.band.target,
        "band_high": measured.band.high,
        "margin_ratio": measured.margin_ratio,
        "liquidation_probability_1h": measured.probability_hour,
        "adds": book.adds,
        "added_quote": book.added_quote,
        "free_quote": book.free_quote,
        "agreed_loss_quote": book.agreed_loss_quote,
        "regime": REGIMES[view.regime],
        "trend_score": view.trend_score,
        "sigma_6h": view.sigma_6h,
        "sigma_10d": view.sigma_10d,
        "is_high_volatility": view.is_high_volatility,
        "wants_derisk": verdict.wants_derisk,
        "cut_fraction": cut,
    }
    return MarginDecision(
        ACTIONS[verdict.action],
        verdict.wallet,
        verdict.amount,
        REASONS[verdict.reason],
        verdict.retry_at_ms,
        facts,
        verdict.wants_derisk,
        cut,
    )


@compiled
def funding_reserve(view: MarginView, payments_ahead: int) -> float:
    """Return the adverse funding of the next payments as a fraction of notional, >= 0; margin-science 3.0."""
    rate = view.position.side * view.funding_rate
    return rate * payments_ahead if rate > 0.0 else 0.0


@compiled
def reserved_band(view: MarginView, band: Band, payments_ahead: int) -> Band:
    """Return `band` with the funding reserve on top of target and high, so that it is held beyond them.

    `low` stays: funding to come is no reason to add now, but what is added or left covers it.
    """
    reserve = funding_reserve(view, payments_ahead)
    return Band(band.low, band.target + reserve, band.high + reserve)


@compiled
def measure(view: MarginView, band: Band, payments_ahead: int) -> Measured:
    """Return the position's risk at the mark; NaN where the numbers are unusable."""
    reserved = reserved_band(view, band, payments_ahead)
    if not _is_measurable(view):
        return Measured(reserved, math.nan, math.nan, math.nan, math.nan)
    liquidation = float(liquidation_price(view.position, view.rules))
    away = distance(view.position.side, view.mark, liquidation)
    chance = liquidation_probability(view.mark, liquidation, view.sigma_day, _HOUR) if away > 0.0 else 1.0
    ratio = float(margin_ratio(view.position, view.mark, view.rules))
    return Measured(reserved, liquidation, away, ratio, chance)


@compiled
def judge(
    view: MarginView, measured: Measured, book: MarginBook, limits: MarginLimits, permissions: Permissions
) -> Verdict:
    """Return the decision; the order of the rules is that of margin-science 3.0."""
    wallet = view.position.isolated_wallet
    if not 0 <= view.mark_age_ms <= limits.max_mark_age_ms:
        return _hold(STALE, wallet)
    if not _is_usable(view, measured, book):
        return _hold(UNUSABLE, wallet)
    if measured.distance <= 0.0:
        return _hold(PAST_LIQUIDATION, wallet)
    if measured.distance < permissions.derisk_below:
        return _ladder(ADVERSE_TREND, wallet)
    if measured.distance < measured.band.low:
        if not permissions.allow_add:
            return _hold(ADD_NOT_ALLOWED, wallet)
        return _judge_add(view, measured, book, limits, permissions.may_fall_short)
    if measured.distance > measured.band.high:
        if not permissions.allow_release or limits.allow_release == 0:
            return _hold(RELEASE_NOT_ALLOWED, wallet)
        return _judge_release(view, measured, book, limits)
    return _hold(IN_BAND, wallet)


@compiled
def cut_fraction(view: MarginView, verdict: Verdict, limits: MarginLimits, permissions: Permissions) -> float:
    """Return the share of the quantity to close because of volatility, 0.0 for none; margin-science 3.6.

    0.0 too where the numbers are stale or unusable, or the venue is liquidating already.
    """
    if verdict.reason in (STALE, UNUSABLE, PAST_LIQUIDATION):
        return 0.0
    cut = permissions.cut_fraction
    if view.is_high_volatility:
        due = cut_due(
            view, limits.volatile_cut_fraction, limits.max_volatile_cuts, limits.volatile_cut_interval_ms
        )
        cut = max(cut, due)
    return cut


@compiled
def _hold(reason: int, wallet: float) -> Verdict:
    return Verdict(HOLD, reason, wallet, 0.0, 0, False)


@compiled
def _ladder(reason: int, wallet: float) -> Verdict:
    """Hold, and say that more margin is not the answer."""
    return Verdict(HOLD, reason, wallet, 0.0, 0, True)


@compiled
def _is_measurable(view: MarginView) -> bool:
    # NaN fails every comparison.
    position = view.position
    return (
        0.0 < view.mark < math.inf
        and 0.0 < view.sigma_day < math.inf
        and 0.0 < position.quantity < math.inf
        and 0.0 < position.entry_price < math.inf
        and 0.0 < position.leverage < math.inf
        and math.isfinite(position.isolated_wallet)
    )


@compiled
def _is_usable(view: MarginView, measured: Measured, book: MarginBook) -> bool:
    band = measured.band
    return (
        0.0 < band.low <= band.target <= band.high
        and math.isfinite(view.stop_price)
        and math.isfinite(view.funding_rate)
        and math.isfinite(book.free_quote)
        and 0.0 < book.equity_quote < math.inf
        and book.agreed_loss_quote >= 0.0
        and not math.isnan(measured.distance)
    )


@compiled
def _judge_add(
    view: MarginView, measured: Measured, book: MarginBook, limits: MarginLimits, may_fall_short: bool
) -> Verdict:
    wallet = view.position.isolated_wallet
    if book.adds >= limits.max_adds:
        return _ladder(MAX_ADDS, wallet)
    ceiling = _ceiling(wallet, book, limits)
    wanted = target_wallet(view, measured.band.target)
    amount = _amount_to_add(wallet, wanted, ceiling.wallet, book.margin_step_quote)
    # A resting stop is met before liquidation, so being close to both is no emergency (margin-science 2).
    is_emergency = view.stop_price == 0.0 and measured.probability_hour > limits.emergency_probability
    is_capped = wallet + amount < wanted
    least = minimum_step(wallet, limits)
    if amount <= 0.0 or (amount < least and not is_emergency):
        return _ladder(ceiling.reason, wallet) if is_capped else _hold(BELOW_STEP, wallet)
    # An add that is not capped reaches its target, unless no wallet can.
    is_doubtful = is_capped or measured.band.low > _FARTHEST_LONG
    if is_doubtful and not may_fall_short and _distance_with(view, wallet + amount) < measured.band.low:
        return _ladder(CANNOT_REACH, wallet)
    retry_at_ms = book.last_add_ms + limits.add_cooldown_ms
    if book.last_add_ms > 0 and view.ts_ms < retry_at_ms and not is_emergency:
        return Verdict(HOLD, ADD_COOLDOWN, wallet, 0.0, retry_at_ms, False)
    return Verdict(ADD, EMERGENCY if is_emergency else BELOW_BAND, wallet + amount, amount, 0, False)


@compiled
def _ceiling(wallet: float, book: MarginBook, limits: MarginLimits) -> Edge:
    """The lowest of the four caps; it may be below the wallet, and then nothing can be added."""
    ceiling = Edge(book.agreed_loss_quote, AGREED_LOSS)
    by_position = limits.position_cap_fraction * book.equity_quote
    if by_position < ceiling.wallet:
        ceiling = Edge(by_position, POSITION_CAP)
    by_reserve = wallet + book.free_quote - limits.reserve_fraction * book.equity_quote
    if by_reserve < ceiling.wallet:
        ceiling = Edge(by_reserve, RESERVE)
    by_added = wallet + limits.max_added_fraction * book.initial_wallet_quote - book.added_quote
    if by_added < ceiling.wallet:
        ceiling = Edge(by_added, MAX_ADDED)
    return ceiling


@compiled
def target_wallet(view: MarginView, wanted: float) -> float:
    """Return the isolated wallet (quote) that puts liquidation `wanted` away from the mark."""
    nearest = min(wanted, _FARTHEST_LONG) if view.position.side > 0 else wanted
    return float(wallet_for_distance(view.position, view.mark, nearest, view.rules))


@compiled
def minimum_step(wallet: float, limits: MarginLimits) -> float:
    """Return the smallest move worth making, in quote currency."""
    return max(limits.min_step_quote, limits.min_step_fraction * abs(wallet))


@compiled
def _amount_to_add(wallet: float, wanted: float, ceiling: float, step: float) -> float:
    """Up to the margin step, but never above the ceiling."""
    up = step_up(max(wanted - wallet, 0.0), step)
    if wallet + up <= ceiling:
        return up
    room = max(ceiling - wallet, 0.0)
    return min(step_down(room, step), room)


@compiled
def _with_wallet(position: Position, wallet: float) -> Position:
    return Position(
        position.symbol,
        position.side,
        position.quantity,
        position.entry_price,
        wallet,
        position.leverage,
        position.opened_ms,
    )


@compiled
def _distance_with(view: MarginView, wallet: float) -> float:
    moved = _with_wallet(view.position, wallet)
    return distance(moved.side, view.mark, liquidation_price(moved, view.rules))


@compiled
def _judge_release(view: MarginView, measured: Measured, book: MarginBook, limits: MarginLimits) -> Verdict:
    wallet, side = view.position.isolated_wallet, view.position.side
    if view.stop_price > 0.0 and side * (view.stop_price - measured.liquidation) <= 0.0:
        return _hold(STOP_INEFFECTIVE, wallet)
    if view.stop_price > 0.0 and side * (view.mark - view.stop_price) <= 0.0:
        return _hold(STOP_PASSED, wallet)
    if view.is_high_volatility:
        return _hold(HIGH_VOLATILITY, wallet)
    floor = _release_floor(view, measured.band.target, limits)
    spare = max(wallet - floor.wallet, 0.0)
    amount = min(step_down(spare, book.margin_step_quote), spare)
    if amount <= 0.0 or amount < minimum_step(wallet, limits):
        return _hold(floor.reason, wallet)
    last_ms = max(book.last_add_ms, book.last_release_ms)
    retry_at_ms = last_ms + limits.release_cooldown_ms
    if last_ms > 0 and view.ts_ms < retry_at_ms:
        return Verdict(HOLD, RELEASE_COOLDOWN, wallet, 0.0, retry_at_ms, False)
    return Verdict(RELEASE, ABOVE_BAND, wallet - amount, amount, 0, False)


@compiled
def _release_floor(view: MarginView, wanted: float, limits: MarginLimits) -> Edge:
    """The highest of: the target's wallet, the stop anchor's, the venue's removal rule with a cushion."""
    floor = Edge(target_wallet(view, wanted), BELOW_STEP)
    if view.stop_price > 0.0:
        by_anchor = anchor_floor(view, limits)
        if by_anchor > floor.wallet:
            floor = Edge(by_anchor, ANCHOR_FLOOR)
    by_venue = view.position.isolated_wallet - spare_at_venue(view, limits)
    if by_venue > floor.wallet:
        floor = Edge(by_venue, VENUE_RULE)
    return floor


@compiled
def spare_at_venue(view: MarginView, limits: MarginLimits) -> float:
    """Return what the venue lets out at the mark, less a cushion against a mark that moves meanwhile."""
    cushion = limits.removal_cushion_fraction * notional(view.position, view.mark, view.rules)
    removable = float(removable_margin(view.position, view.mark, view.rules))
    return max(removable - cushion, 0.0)


@compiled
def anchor_floor(view: MarginView, limits: MarginLimits) -> float:
    """Return the wallet that leaves `anchor_floor_share` of the buffer between stop and liquidation."""
    buffer = anchor_buffer(view.sigma_day, limits.anchor_buffer_min, limits.anchor_buffer_sigmas)
    nearest = anchor_price(view.position.side, view.stop_price, limits.anchor_floor_share * buffer)
    return float(wallet_for_liquidation_price(view.position, nearest, view.rules))
