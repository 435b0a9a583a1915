"""What a policy allows beside its band: adding, releasing, and how much of the position to cut."""

from typing import Any, Final, NamedTuple

from bot.core.compiled import compiled
from bot.risk.view import MarginView


class Permissions(NamedTuple):
    """`cut_fraction`: the share of the quantity to close now, 0.0 for none.

    `derisk_below`: below this liquidation distance margin is left alone and the de-risk ladder is
    consulted. `may_fall_short`: an add that cannot reach the band is made all the same.
    """

    allow_add: bool = True
    allow_release: bool = True
    cut_fraction: float = 0.0
    derisk_below: float = 0.0
    may_fall_short: bool = False


UNRESTRICTED: Final = Permissions()


@compiled
def unrestricted(view: MarginView, params: Any) -> Permissions:
    """Return what most policies allow: everything, and no cut."""
    return UNRESTRICTED


@compiled
def cut_due(view: MarginView, fraction: float, max_cuts: int, interval_ms: int) -> float:
    """Return `fraction` unless the position was cut `max_cuts` times, or within `interval_ms`; then 0.0."""
    is_waiting = view.last_cut_ms > 0 and view.ts_ms - view.last_cut_ms < interval_ms
    return 0.0 if view.cuts >= max_cuts or is_waiting else fraction
