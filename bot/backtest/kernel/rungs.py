"""The marks at which margin is added or released, in closed form where the band is a line in the mark.

bot/risk/triggers.py finds the same roots of any band by asking the policy at many marks; here the lines of
the stop anchor, and of bands that do not depend on the mark, are cut directly. What lies near a bend, or has
no root ahead of liquidation, is left to it.
"""

import math
from typing import Final

from bot.backtest.kernel.books import Limits
from bot.backtest.kernel.policy_codes import STATIC, STOP_ANCHOR, band_of, is_even
from bot.core.compiled import compiled
from bot.risk.adjust import funding_reserve
from bot.risk.anchor import anchor_buffer, anchor_price
from bot.risk.triggers import NONE, Due, MarginRungs, margin_rungs
from bot.risk.view import MarginView

_FROM_BEND: Final = 1e-5  # of the mark, around anchor and liquidation
_FAR: Final = 1e3
_FLAT: Final = 1e-6
_NEVER: Final = Due(NONE, 0.0, math.inf)


@compiled
def rungs_of(view: MarginView, liquidation: float, limits: Limits) -> MarginRungs:
    """Return what `margin_rungs` does, to 1e-9; `liquidation`: the position's price of it."""
    if 0.0 < liquidation < math.inf and 0.0 < view.sigma_day < math.inf:
        reserve = funding_reserve(view, limits.margin.funding_payments_ahead)
        if limits.policy == STOP_ANCHOR and view.stop_price > 0.0:
            add, release = _anchored(view, limits, liquidation, reserve)
        elif limits.policy == STATIC and view.position.side * (view.mark - liquidation) > 0.0:
            add, release = _NEVER, _NEVER
        elif is_even(limits):
            add, release = _even(view, limits, liquidation, reserve)
        else:
            add, release = _none(), _none()
        if add.quiet_high > 0.0 and release.quiet_high > 0.0:
            return MarginRungs(liquidation, add, release)
    return margin_rungs(view, band_of, limits, limits.margin.funding_payments_ahead)


@compiled
def _anchored(view: MarginView, limits: Limits, liquidation: float, reserve: float) -> tuple[Due, Due]:
    side, mark = view.position.side, view.mark
    buffer = anchor_buffer(view.sigma_day, limits.params[0], limits.params[1])
    anchor = anchor_price(side, view.stop_price, buffer)
    bend = anchor * (1.0 + side * _FROM_BEND)
    if side * (mark - bend) <= 0.0:
        return _none(), _none()
    low, high = side * limits.params[2], side * limits.params[3]
    # Liquidated behind its anchor, a position that lives has more than enough at every mark.
    is_safe = side * (anchor - liquidation) > 10.0 * _FROM_BEND * anchor
    add = _NEVER if is_safe else _root(side, mark, liquidation, low, -low * anchor, -1)
    release = _root(side, mark, liquidation, high + reserve, -high * anchor, 1)
    if side * (release.mark - bend) <= 0.0 or (not is_safe and side * (add.mark - bend) <= 0.0):
        return _none(), _none()
    return add, release


@compiled
def _even(view: MarginView, limits: Limits, liquidation: float, reserve: float) -> tuple[Due, Due]:
    side, band = view.position.side, band_of(view, limits)
    if not 0.0 < band.low <= band.target <= band.high:
        return _none(), _none()
    add = _root(side, view.mark, liquidation, band.low, 0.0, -1)
    return add, _root(side, view.mark, liquidation, band.high + reserve, 0.0, 1)


@compiled
def _root(side: int, mark: float, liquidation: float, slope: float, offset: float, which: int) -> Due:
    """Where side * (p - liquidation) = slope * p + offset; which: 1 due beyond it. No marks: not here."""
    steep = side - slope
    if not abs(steep) > _FLAT:
        return _none()
    root = (side * liquidation + offset) / steep
    if not mark / _FAR < root < mark * _FAR or side * (root - liquidation) <= 2.0 * _FROM_BEND * liquidation:
        return _none()
    return Due(root, 0.0, root) if which * steep > 0.0 else Due(root, root, math.inf)


@compiled
def _none() -> Due:
    return Due(NONE, 0.0, 0.0)
