"""Strengthen a position that the trend favours, and cut it when the market turns wild."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bot.core.compiled import compiled
from bot.risk.band import Band
from bot.risk.limits import Bound
from bot.risk.permissions import Permissions, cut_due
from bot.risk.policies.liquidation_probability import distance_of_probability
from bot.risk.regime import ADVERSE, CALM_FAVOURABLE, VOLATILE
from bot.risk.view import MarginView

_FULL_TREND: Final = 2.5
_DERISK_SHARE: Final = 0.75
_DERISK_ALPHA: Final = 0.01


class TrendRegimeParams(NamedTuple):
    """`adds` 1: strengthen in favourable trends (e1). `cut_fraction` above 0: cut in volatility (e2)."""

    adds: int = 1
    strengthen: float = 0.75
    cut_fraction: float = 0.5
    max_cuts: int = 2
    cut_interval_ms: int = 43_200_000
    low: float = 0.65
    high: float = 1.5


BOUNDS: Mapping[str, Bound] = {
    "adds": Bound(0, 1, "switch", "1: margin is added in a calm, favourable trend; 0: never."),
    "strengthen": Bound(0.0, 3.0, "x entry distance", "More distance at full trend."),
    "cut_fraction": Bound(0.0, 0.9, "fraction of quantity", "Closed when volatility is high; 0: nothing."),
    "max_cuts": Bound(0, 10, "count", "Cuts over the life of one position."),
    "cut_interval_ms": Bound(0, 604_800_000, "ms", "Wait between two cuts."),
    "low": Bound(0.05, 0.98, "x target", "Below it margin is added."),
    "high": Bound(1.02, 20.0, "x target", "Above it margin is released."),
}


@compiled
def band(view: MarginView, params: TrendRegimeParams) -> Band:
    """Return the band around the entry distance, up to 1.75 times it in a calm favourable trend.

    d0 * (1 + strengthen * clip(side * trend_score / 2.5, 0, 1)). The study found the adds neutral for
    profit at 15 % more capital, and the cut a sizing rule that also cuts recoveries.
    Source: margin-science 3.6 (e), warnings in 4.5.
    """
    wanted = view.entry_distance
    if params.adds > 0 and view.regime == CALM_FAVOURABLE:
        trend = min(max(view.position.side * view.trend_score / _FULL_TREND, 0.0), 1.0)
        wanted *= 1.0 + params.strengthen * trend
    return Band(params.low * wanted, wanted, params.high * wanted)


@compiled
def permissions(view: MarginView, params: TrendRegimeParams) -> Permissions:
    """Return what the regime allows.

    Calm and favourable: adds, no release. Neutral: releases, no adds. Adverse: no adds, and the de-risk
    ladder below 0.75 of the distance of a 1 % chance per day. Volatile: neither, and the cut when due.
    """
    is_favoured = params.adds > 0 and view.regime == CALM_FAVOURABLE
    may_release = not is_favoured and view.regime != VOLATILE
    cut = 0.0
    if view.regime == VOLATILE:
        cut = cut_due(view, params.cut_fraction, params.max_cuts, params.cut_interval_ms)
    near = _derisk_distance(view) if view.regime == ADVERSE else 0.0
    return Permissions(is_favoured, may_release, cut, near, False)


@compiled
def _derisk_distance(view: MarginView) -> float:
    return _DERISK_SHARE * distance_of_probability(view.position.side, _DERISK_ALPHA, view.sigma_day, 1.0)
