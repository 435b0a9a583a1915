"""What a database's ended positions say of moving their margin, against shadows that kept it. Reads only.

The metrics of margin-science 5. Every position is compared with the same fills on its first margin.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bot.core.tiers import tier_index
from bot.core.timeframe import DAY_MS
from bot.evidence.calibration import Calibration, calibration
from bot.evidence.envelope import Committed, Envelope, envelope
from bot.evidence.ledger import DeadWeight, Move, dead_weight
from bot.evidence.paired import PairedDifference, paired_difference, week_of, without_noise
from bot.evidence.rescues import Ending, Rescues, rescues
from bot.evidence.tail import worst_mean
from bot.risk.limits import MarginLimits
from bot.risk.policies.hurdle import HurdleParams
from bot.store.evidence import emergencies, forecasts, ledger_moves, trade_evidence, wallets
from bot.store.markets import StoredMarket, stored_market, stored_markets
from bot.store.reader import Reader, open_reader
from bot.store.rows import LedgerMove, TradeEvidenceRow

_HURDLE: Final = HurdleParams()
_DAY_HOURS: Final = 24.0
_STOP: Final = "stop"
_STOP_FAILURE: Final = MarginLimits().stop_failure_probability


class Results(NamedTuple):
    """Quote in all, and the mean of the worst 1 % of trades; `static_...` is what the shadows made."""

    pnl: float
    static_pnl: float
    worst_percent_mean: float
    static_worst_percent_mean: float


class GoodAfterBad(NamedTuple):
    """Margin added, what of it was lost, its share (NaN: nothing was added), adds against the strategy."""

    added: float
    lost: float
    lost_share: float
    adds_without_reentry: int


class Capital(NamedTuple):
    """Quote-days locked, in all and by the shadows; what was freed, and the share of it that others used.

    `pnl_per_1000_quote_days`: the result per 1,000 quote locked for a day. NaN: nothing was.
    """

    margin_quote_days: float
    static_margin_quote_days: float
    freed_quote_days: float
    redeployed_share: float
    pnl_per_1000_quote_days: float


class Defence(NamedTuple):
    """What closed the trades, and how far beyond the stop those closed by it were, fractions of its price."""

    closed_by: dict[str, int]
    static_closed_by: dict[str, int]
    beyond_stop_median: float
    beyond_stop_p99: float
    beyond_stop_most: float
    stop_gap_short_minutes: float


class Operations(NamedTuple):
    """How near liquidation came, in prices and in hourly standard deviations, and what the moves were.

    `emergencies`: adds that waited for nothing, of all positions, also those still open.
    """

    least_distance: float
    least_distance_sigma_hours: float
    near_miss_minutes: float
    moves: int
    moves_per_day: float
    moves_refused: int
    stale_holds: int
    emergencies: int


class Day(NamedTuple):
    """The trades that ended on one UTC day (its first millisecond), quote in all."""

    day_ms: int
    trades: int
    pnl: float
    static_pnl: float
    liquidations: int
    static_liquidations: int


class Findings(NamedTuple):
    """All metrics of the ended positions of a database, of one symbol or of all."""

    trades: int
    policies: dict[str, int]
    first_ms: int
    last_ms: int
    results: Results
    difference: PairedDifference
    rescues: Rescues
    good_after_bad: GoodAfterBad
    capital: Capital
    dead_weight: DeadWeight
    calibration: Calibration
    defence: Defence
    operations: Operations
    envelope: Envelope
    days: tuple[Day, ...]


def findings(path: Path, symbol: str | None = None) -> Findings:
    """Return what the database at `path` has of evidence. UserError: no database."""
    with open_reader(path) as reader:
        return findings_of(reader, symbol)


def findings_of(reader: Reader, symbol: str | None = None) -> Findings:
    """Return what `reader` sees of evidence."""
    rows = trade_evidence(reader, symbol)
    told = forecasts(reader, symbol)
    pnl, static = _column(rows, "pnl_quote"), _column(rows, "shadow_pnl_quote")
    return Findings(
        len(rows),
        dict(Counter(row.policy for row in rows)),
        min((row.opened_ms for row in rows), default=0),
        max((row.closed_ms for row in rows), default=0),
        Results(sum(pnl), sum(static), worst_mean(pnl), worst_mean(static)),
        paired_difference(without_noise(np.subtract(pnl, static)), [week_of(row.opened_ms) for row in rows]),
        rescues(map(_ending, rows)),
        _good_after_bad(rows),
        _capital(rows),
        _dead_weight(rows, ledger_moves(reader, symbol), stored_markets(reader)),
        calibration([one.probability for one in told], [one.touched for one in told]),
        _defence(rows),
        _operations(rows, emergencies(reader, symbol)),
        envelope(
            Committed(at.ts_ms, float(at.committed_quote), float(at.wallet_quote)) for at in wallets(reader)
        ),
        _days(rows),
    )


def _column(rows: Sequence[TradeEvidenceRow], name: str) -> list[float]:
    return [float(getattr(row, name)) for row in rows]


def _total(rows: Sequence[TradeEvidenceRow], name: str) -> float:
    return sum(_column(rows, name), 0.0)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else math.nan


def _ending(row: TradeEvidenceRow) -> Ending:
    return Ending(row.liquidated, row.shadow_liquidated, float(row.pnl_quote), float(row.shadow_pnl_quote))


def _good_after_bad(rows: Sequence[TradeEvidenceRow]) -> GoodAfterBad:
    added, lost = _total(rows, "added_quote"), _total(rows, "added_lost_quote")
    return GoodAfterBad(added, lost, _ratio(lost, added), sum(row.adds_without_reentry for row in rows))


def _capital(rows: Sequence[TradeEvidenceRow]) -> Capital:
    ours, static, used = (
        _total(rows, name) / _DAY_HOURS
        for name in ("margin_quote_hours", "shadow_margin_quote_hours", "released_redeployed_quote_hours")
    )
    freed = sum(
        max(float(row.shadow_margin_quote_hours - row.margin_quote_hours), 0.0) / _DAY_HOURS for row in rows
    )
    return Capital(
        ours, static, freed, _ratio(used, freed), 1_000.0 * _ratio(_total(rows, "pnl_quote"), ours)
    )


def _dead_weight(
    rows: Sequence[TradeEvidenceRow], moves: Sequence[LedgerMove], markets: Mapping[str, StoredMarket]
) -> DeadWeight:
    ended = {row.position_id for row in rows}
    of_ended = (_move(one, markets) for one in moves if one.position_id in ended)
    counted = [move for move in of_ended if move is not None]
    extra = _total(rows, "margin_quote_hours") - _total(rows, "shadow_margin_quote_hours")
    return dead_weight(counted, extra, _HURDLE.annual_hurdle)


def _move(one: LedgerMove, markets: Mapping[str, StoredMarket]) -> Move | None:
    """The move for the ledger, None when its odds were not kept; the costs are the hurdle policy's.

    Every position of this bot has a stop short of liquidation, so only a stop that fails lets the mark on.
    """
    before, after = one.liquidation_probability_before, one.liquidation_probability_after
    if before is None or after is None or one.notional_quote_before is None or one.until_ms is None:
        return None
    notional = float(one.notional_quote_before)
    tiers = stored_market(markets, one.symbol).instrument.tiers
    rate = float(tiers.maintenance_margin_rate[tier_index(tiers, notional)])
    waste = rate * _HURDLE.forfeited_share + _HURDLE.clearance_fee + _HURDLE.slippage
    return Move(_STOP_FAILURE * waste * notional, before, after, max(one.until_ms - one.ts_ms, 0) / DAY_MS)


def _defence(rows: Sequence[TradeEvidenceRow]) -> Defence:
    beyond = [row.loss_beyond_stop_fraction for row in rows if row.closed_by == _STOP]
    median, most_of, most = (
        np.quantile(beyond, (0.5, 0.99, 1.0)).tolist() if beyond else (math.nan, math.nan, math.nan)
    )
    return Defence(
        dict(Counter(row.closed_by for row in rows)),
        dict(Counter(row.shadow_closed_by for row in rows)),
        median,
        most_of,
        most,
        sum(row.stop_beyond_liquidation_ms for row in rows) / 60_000.0,
    )


def _operations(rows: Sequence[TradeEvidenceRow], emergency_adds: int) -> Operations:
    moves, held_ms = sum(row.moves for row in rows), sum(row.closed_ms - row.opened_ms for row in rows)
    return Operations(
        _least(row.least_distance for row in rows),
        _least(row.least_distance_sigma_hours for row in rows),
        sum(row.near_miss_ms for row in rows) / 60_000.0,
        moves,
        _ratio(moves, held_ms / DAY_MS),
        sum(row.moves_refused for row in rows),
        sum(row.stale_holds for row in rows),
        emergency_adds,
    )


def _days(rows: Sequence[TradeEvidenceRow]) -> tuple[Day, ...]:
    """Every day on which a trade ended, in order; a day without one has no row."""
    by_day: dict[int, list[TradeEvidenceRow]] = {}
    for row in rows:
        by_day.setdefault(row.closed_ms - row.closed_ms % DAY_MS, []).append(row)
    return tuple(_day(day_ms, by_day[day_ms]) for day_ms in sorted(by_day))


def _day(day_ms: int, rows: Sequence[TradeEvidenceRow]) -> Day:
    return Day(
        day_ms,
        len(rows),
        _total(rows, "pnl_quote"),
        _total(rows, "shadow_pnl_quote"),
        sum(row.liquidated for row in rows),
        sum(row.shadow_liquidated for row in rows),
    )


def _least(values: Any) -> float:
    return min((value for value in values if value is not None), default=math.nan)
