"""Between which wallets a position may be moved when one margin budget is split over the whole book.

The policy's band says what is wanted (margin-science 3.1 to 3.9), the margin engine what is permitted
(3.0): stop anchor, the venue's removal rule, cooldowns, caps. The room is what is both; where nothing is,
it is the permitted wallet nearest to the wanted ones.
"""

import math
from typing import Final, NamedTuple

from bot.core.compiled import compiled
from bot.core.margin import distance
from bot.core.probability import liquidation_probability
from bot.risk.band import Band
from bot.risk.limits import MarginLimits
from bot.risk.permissions import Permissions
from bot.risk.release import anchor_floor, spare_at_venue
from bot.risk.view import MarginBook, MarginView
from bot.risk.wallet import target_wallet

_HOUR: Final = 1.0 / 24.0


class Room(NamedTuple):
    """The least and the largest isolated wallet, quote; equal where the position is to be left alone.

    `may_add`, `may_release`: whether it may be moved up or down NOW. A cooldown does not bound the split:
    its neighbours would give margin for it and get it back when the cooldown ends.
    """

    low: float
    high: float
    may_add: bool
    may_release: bool


@compiled
def wallet_room(
    view: MarginView,
    liquidation: float,
    band: Band,
    book: MarginBook,
    limits: MarginLimits,
    permissions: Permissions,
) -> Room:
    """Return the room of a position with this liquidation price; `band` has the funding reserve in it.

    NaN ends for a band or a volatility that is not known. The permitted wallets always include the present
    one. An add that cannot reach the band is not made, as in the margin engine.
    """
    wallet = view.position.isolated_wallet
    # Behind a resting stop margin beyond the policy's target buys nothing (margin-science 4.3).
    farthest = band.target if view.stop_price > 0.0 else band.high
    least, most = target_wallet(view, band.low), target_wallet(view, farthest)
    if not (band.low <= band.high and 0.0 < view.sigma_day < math.inf):
        return Room(math.nan, math.nan, False, False)
    may_add = _may_add(view, liquidation, book, limits)
    may_release = _may_release(view, liquidation, book, limits)
    ceiling = _ceiling(view, liquidation, book, limits, permissions)
    floor = _floor(view, band, book, limits, permissions)
    if least > ceiling and not permissions.may_fall_short:
        return Room(wallet, wallet, may_add, may_release)
    low = min(max(least, floor), ceiling)
    return Room(low, max(min(most, ceiling), low), may_add, may_release)


@compiled
def _ceiling(
    view: MarginView, liquidation: float, book: MarginBook, limits: MarginLimits, permissions: Permissions
) -> float:
    """The largest wallet an add may make: the present one where none may be made."""
    wallet = view.position.isolated_wallet
    away = distance(view.position.side, view.mark, liquidation)
    if not permissions.allow_add or away < permissions.derisk_below or book.adds >= limits.max_adds:
        return wallet
    return max(_cap(wallet, book, limits), wallet)


@compiled
def _cap(wallet: float, book: MarginBook, limits: MarginLimits) -> float:
    """The lowest cap of the position; the reserve is kept for the book as a whole."""
    added = wallet + limits.max_added_fraction * book.initial_wallet_quote - book.added_quote
    return min(book.agreed_loss_quote, limits.position_cap_fraction * book.equity_quote, added)


@compiled
def _floor(
    view: MarginView, band: Band, book: MarginBook, limits: MarginLimits, permissions: Permissions
) -> float:
    """The smallest wallet a release may leave: the present one where none may be made."""
    wallet = view.position.isolated_wallet
    if not permissions.allow_release or limits.allow_release == 0:
        return wallet
    floor = wallet - spare_at_venue(view, limits)
    if view.stop_price > 0.0:
        floor = max(floor, anchor_floor(view, limits))
    if permissions.derisk_below > 0.0:  # nothing is released to where the de-risk ladder is consulted
        floor = max(floor, target_wallet(view, permissions.derisk_below))
    if book.adds >= limits.max_adds:  # what is given away could not be had back
        floor = max(floor, target_wallet(view, band.target))
    return min(floor, wallet)


@compiled
def _may_add(view: MarginView, liquidation: float, book: MarginBook, limits: MarginLimits) -> bool:
    """Whether the cooldown of adds is over; without a stop an emergency does not wait for it."""
    if book.last_add_ms == 0 or view.ts_ms >= book.last_add_ms + limits.add_cooldown_ms:
        return True
    chance = liquidation_probability(view.mark, liquidation, view.sigma_day, _HOUR)
    return view.stop_price == 0.0 and chance > limits.emergency_probability


@compiled
def _may_release(view: MarginView, liquidation: float, book: MarginBook, limits: MarginLimits) -> bool:
    """Whether the cooldown after any move is over, the market calm and the stop where it protects."""
    side, stop = view.position.side, view.stop_price
    if stop > 0.0 and (side * (stop - liquidation) <= 0.0 or side * (view.mark - stop) <= 0.0):
        return False
    last_ms = max(book.last_add_ms, book.last_release_ms)
    is_over = last_ms == 0 or view.ts_ms >= last_ms + limits.release_cooldown_ms
    return is_over and not view.is_high_volatility
