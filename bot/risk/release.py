"""How much margin may be released: never inside the stop's anchor, never what the venue keeps.

Source: margin-science 3.0 and 3.9 (anchor floor).
"""

from bot.core.compiled import compiled
from bot.core.margin import notional, removable_margin, wallet_for_liquidation_price
from bot.core.profile import KEEP_ALL
from bot.core.steps import step_down
from bot.risk.anchor import anchor_buffer, anchor_price
from bot.risk.limits import MarginLimits
from bot.risk.reasons import (
    ABOVE_BAND,
    ANCHOR_FLOOR,
    BELOW_STEP,
    HIGH_VOLATILITY,
    HOLD,
    RELEASE,
    RELEASE_COOLDOWN,
    STOP_INEFFECTIVE,
    STOP_PASSED,
    VENUE_KEEPS,
    VENUE_RULE,
)
from bot.risk.verdict import Edge, Measured, Verdict, hold
from bot.risk.view import MarginBook, MarginView
from bot.risk.wallet import minimum_step, target_wallet


@compiled
def judge_release(
    view: MarginView, measured: Measured, book: MarginBook, limits: MarginLimits, derisk_below: float
) -> Verdict:
    """Return the release down to the band's target, or what stands against it.

    Nothing is released into the distances at which the de-risk ladder would be consulted.
    """
    wallet, side = view.position.isolated_wallet, view.position.side
    if view.rules.profile.removal_rule == KEEP_ALL:
        return hold(VENUE_KEEPS, wallet)
    if view.stop_price > 0.0 and side * (view.stop_price - measured.liquidation) <= 0.0:
        return hold(STOP_INEFFECTIVE, wallet)
    if view.stop_price > 0.0 and side * (view.mark - view.stop_price) <= 0.0:
        return hold(STOP_PASSED, wallet)
    if view.is_high_volatility:
        return hold(HIGH_VOLATILITY, wallet)
    floor = release_floor(view, max(measured.band.target, derisk_below), limits)
    spare = max(wallet - floor.wallet, 0.0)
    amount = min(step_down(spare, book.margin_step_quote), spare)
    if amount <= 0.0 or amount < minimum_step(wallet, limits):
        return hold(floor.reason, wallet)
    last_ms = max(book.last_add_ms, book.last_release_ms)
    retry_at_ms = last_ms + limits.release_cooldown_ms
    if last_ms > 0 and view.ts_ms < retry_at_ms:
        return Verdict(HOLD, RELEASE_COOLDOWN, wallet, 0.0, retry_at_ms, False)
    return Verdict(RELEASE, ABOVE_BAND, wallet - amount, amount, 0, False)


@compiled
def release_floor(view: MarginView, wanted: float, limits: MarginLimits) -> Edge:
    """Return the smallest wallet left: by the target, the stop anchor, the venue's rule with a cushion."""
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
