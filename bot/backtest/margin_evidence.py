"""What moving margin did in a backtest: the metrics of margin-science 5, against the same trades left alone.

A shadow has the same fills and keeps its first margin (bot/evidence/shadow.py). Without shadows only what the
trades themselves say is known.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.result import Result, Shadows
from bot.core.timeframe import DAY_MS, HOUR_MS
from bot.evidence.paired import PairedDifference, paired_difference, week_of, without_noise
from bot.evidence.rescues import Ending, Rescues, rescues
from bot.evidence.tail import worst_mean

_DAY_HOURS = 24.0
_MINUTE_MS = 60_000.0


class LeftAlone(NamedTuple):
    """The same trades on their first margin, of those whose shadow has ended too; quote.

    `difference`: of moving the margin, per trade, clustered by week of entry.
    """

    trades: int
    pnl_quote: float
    static_pnl_quote: float
    static_liquidations: int
    static_worst_percent_mean: float
    static_margin_quote_hours: float
    difference: PairedDifference
    rescues: Rescues
    added_lost_quote: float
    added_lost_share: float
    adds_without_reentry: int
    freed_quote_days: float
    redeployed_share: float


class Nearness(NamedTuple):
    """How near liquidation came: least distance (fraction of the mark; hourly standard deviations), and time.

    `beyond_stop_...`: how far past its price a stop was filled, a fraction of it.
    """

    least_distance: float
    least_distance_sigma_hours: float
    near_miss_minutes: float
    stop_gap_short_minutes: float
    beyond_stop_median: float
    beyond_stop_p99: float
    beyond_stop_most: float


class MarginEvidence(NamedTuple):
    """Money in quote. `worst_percent_mean`: of the worst 1 % of trades; `cvar_daily_return`: 5 % of days.

    `return_on_committed_margin`: what all trades earned over the mean margin that was locked over the range.
    `pnl_per_1000_quote_days`: per 1,000 locked for a day. `least_distance`: as sampled every hour.
    """

    liquidations: int
    liquidated_share: float
    worst_percent_mean: float
    cvar_daily_return: float
    margin_quote_hours: float
    mean_committed_quote: float
    most_committed_quote: float
    most_utilisation: float
    return_on_committed_margin: float
    pnl_per_1000_quote_days: float
    moves: int
    adds: int
    releases: int
    added_quote: float
    released_quote: float
    moves_per_day: float
    moves_refused: int
    least_distance_hourly: float
    left_alone: LeftAlone | None
    nearness: Nearness | None


def evidence_of(result: Result, daily_returns: NDArray[np.float64]) -> MarginEvidence:
    """Return the metrics of a result; `daily_returns` are those of its equity."""
    trades, account, moves = result.trades, result.account, result.moves
    net = trades.net_quote()
    hours = float(trades.margin_quote_hours.sum() + result.open_trades.margin_quote_hours.sum())
    earned = float(net.sum() + result.open_trades.net_quote().sum())
    mean = hours * HOUR_MS / max(result.end_ms - result.start_ms, 1)
    held_ms = float((trades.closed_ms - trades.opened_ms).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        utilisation = account.committed_quote / account.wallet_quote
    is_added = moves.amount_quote > 0.0
    liquidations = int((trades.cause == _index(result.causes, "liquidation")).sum())
    shadows = result.shadows
    return MarginEvidence(
        liquidations=liquidations,
        liquidated_share=_ratio(liquidations, len(net)),
        worst_percent_mean=worst_mean(net),
        cvar_daily_return=worst_mean(daily_returns, 0.05),
        margin_quote_hours=hours,
        mean_committed_quote=mean,
        most_committed_quote=float(account.committed_quote.max(initial=0.0)),
        most_utilisation=float(np.nanmax(utilisation, initial=0.0)),
        return_on_committed_margin=_ratio(earned, mean),
        pnl_per_1000_quote_days=1_000.0 * _ratio(earned, hours / _DAY_HOURS),
        moves=len(moves.ts_ms),
        adds=int(is_added.sum()),
        releases=int((~is_added).sum()),
        added_quote=float(moves.amount_quote[is_added].sum()),
        released_quote=float(-moves.amount_quote[~is_added].sum()),
        moves_per_day=_ratio(len(moves.ts_ms), held_ms / DAY_MS),
        moves_refused=0 if shadows is None else int(np.maximum(shadows.moves_refused, 0).sum()),
        least_distance_hourly=_least(account.distance),
        left_alone=None if shadows is None else _left_alone(result, shadows),
        nearness=None if shadows is None else _nearness(result, shadows),
    )


def _left_alone(result: Result, shadows: Shadows) -> LeftAlone:
    """Compare trade by trade; where the shadow had not ended by the end of the range nothing is known."""
    known = shadows.closed_ms >= 0
    trades = result.trades
    net, static = trades.net_quote()[known], shadows.pnl_quote[known]
    ours, theirs = trades.margin_quote_hours[known], shadows.margin_quote_hours[known]
    is_liquidated = (trades.cause == _index(result.causes, "liquidation"))[known].tolist()
    is_static = (shadows.is_liquidated[known] > 0).tolist()
    added, lost = float(trades.added_quote[known].sum()), float(shadows.added_lost_quote[known].sum())
    freed = float(np.maximum(theirs - ours, 0.0).sum()) / _DAY_HOURS
    used = float(shadows.released_redeployed_quote_hours[known].sum()) / _DAY_HOURS
    return LeftAlone(
        trades=int(known.sum()),
        pnl_quote=float(net.sum()),
        static_pnl_quote=float(static.sum()),
        static_liquidations=sum(is_static),
        static_worst_percent_mean=worst_mean(static),
        static_margin_quote_hours=float(theirs.sum()),
        difference=paired_difference(
            without_noise(net - static), [week_of(ts_ms) for ts_ms in trades.opened_ms[known].tolist()]
        ),
        rescues=rescues(map(Ending, is_liquidated, is_static, net.tolist(), static.tolist())),
        added_lost_quote=lost,
        added_lost_share=_ratio(lost, added),
        adds_without_reentry=int(shadows.adds_without_reentry[known].sum()),
        freed_quote_days=freed,
        redeployed_share=_ratio(used, freed),
    )


def _nearness(result: Result, shadows: Shadows) -> Nearness | None:
    """How near liquidation came; None where an engine did not measure it."""
    known = shadows.closed_ms >= 0
    if known.any() and not (shadows.near_miss_ms[known] >= 0).any():
        return None
    by_stop = known & (result.trades.cause == _index(result.causes, "stop"))
    beyond = shadows.loss_beyond_stop_fraction[by_stop]
    median, most_of, most = np.quantile(beyond, (0.5, 0.99, 1.0)).tolist() if len(beyond) else (math.nan,) * 3
    return Nearness(
        _least(shadows.least_distance[known]),
        _least(shadows.least_distance_sigma_hours[known]),
        float(shadows.near_miss_ms[known].sum()) / _MINUTE_MS,
        float(shadows.stop_beyond_liquidation_ms[known].sum()) / _MINUTE_MS,
        median,
        most_of,
        most,
    )


def _index(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else -2


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else math.nan


def _least(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.min()) if len(known) else math.nan
