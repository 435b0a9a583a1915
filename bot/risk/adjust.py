"""The margin engine: turns a policy's band into an amount of margin to move, or into a reason not to.

Source: margin-science 3.0 (decide). `judge` and everything it calls (addition.py, release.py) are compiled
and speak in integer codes; only `decide_margin` gives them names.
"""

import math

from bot.core.compiled import compiled
from bot.core.margin import distance, liquidation_price, margin_ratio
from bot.core.probability import liquidation_probability
from bot.risk.addition import judge_add
from bot.risk.band import Band
from bot.risk.limits import MarginLimits
from bot.risk.permissions import UNRESTRICTED, Permissions, cut_due
from bot.risk.reasons import (
    ACTIONS,
    ADD_NOT_ALLOWED,
    ADVERSE_TREND,
    IN_BAND,
    PAST_LIQUIDATION,
    REASONS,
    RELEASE_NOT_ALLOWED,
    STALE,
    UNUSABLE,
)
from bot.risk.regime import REGIMES
from bot.risk.release import judge_release
from bot.risk.verdict import Measured, Verdict, hold, to_ladder
from bot.risk.view import MarginBook, MarginDecision, MarginView

_HOUR = 1.0 / 24.0


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
    return decision(view, measure(view, band, limits.funding_payments_ahead), book, limits, permissions)


def decision(
    view: MarginView, measured: Measured, book: MarginBook, limits: MarginLimits, permissions: Permissions
) -> MarginDecision:
    """Return the same of a risk that is measured already."""
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
    if not is_measurable(view):
        reserved = reserved_band(view, band, payments_ahead)
        return Measured(reserved, math.nan, math.nan, math.nan, math.nan)
    return measure_sound(view, band, payments_ahead, float(liquidation_price(view.position, view.rules)))


@compiled
def measure_sound(view: MarginView, band: Band, payments_ahead: int, liquidation: float) -> Measured:
    """Return the same of numbers that `is_measurable` passed and of the liquidation price they have."""
    reserved = reserved_band(view, band, payments_ahead)
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
        return hold(STALE, wallet)
    if not _is_usable(view, measured, book):
        return hold(UNUSABLE, wallet)
    if measured.distance <= 0.0:
        return hold(PAST_LIQUIDATION, wallet)
    if measured.distance < permissions.derisk_below:
        return to_ladder(ADVERSE_TREND, wallet)
    if measured.distance < measured.band.low:
        if not permissions.allow_add:
            return hold(ADD_NOT_ALLOWED, wallet)
        return judge_add(view, measured, book, limits, permissions.may_fall_short)
    if measured.distance > measured.band.high:
        if not permissions.allow_release or limits.allow_release == 0:
            return hold(RELEASE_NOT_ALLOWED, wallet)
        return judge_release(view, measured, book, limits, permissions.derisk_below)
    return hold(IN_BAND, wallet)


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
def is_measurable(view: MarginView) -> bool:
    """Return whether a band can be asked for and risk be measured: price, volatility and size are numbers."""
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
