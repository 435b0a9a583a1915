"""The kernel's books and market made of an engine, a venue, a history and what the strategy said of it."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.estimates_table import estimates_table, sound_rows
from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Floats, Limits, Tables, Wholes
from bot.backtest.kernel.market import Played
from bot.backtest.kernel.policy_codes import CODES, numbers_of
from bot.backtest.kernel.record import books_in, fill, record_of
from bot.backtest.recital import Told
from bot.core.candles import Candles
from bot.core.instrument import Instrument
from bot.core.profile import MarginRules
from bot.core.tiers import Tiers
from bot.engine.engine import Engine
from bot.errors import UserError
from bot.risk.derisk_case import derisk_limits
from bot.risk.entry_judgement import stress_caps
from bot.sim.config import VenueConfig, jitters_of
from bot.sim.replay import DEFAULT_MAX_STEP
from bot.sim.series import MarketHistory, Series
from bot.sim.venue import SimulatedVenue

_ORDERS_PER_ENTRY: Final = 64
_MOVES_PER_ENTRY: Final = 16
_HOUR_MS: Final = 3_600_000


def limits_of(engine: Engine) -> Limits:
    """Return what the engine's risk manager decides by."""
    known = engine.desk.risk.settings
    return Limits(
        CODES[known.policy],
        numbers_of(known.params),
        known.margin,
        known.entry,
        known.bracket,
        derisk_limits(known.margin),
        stress_caps(known.entry),
    )


def played_of(engine: Engine, history: MarketHistory, told: Mapping[str, Told]) -> Played:
    """Return the bars, and what was said and known at each closed candle."""
    bars = (history.end_ms - history.start_ms) // history.timeframe_ms
    symbols, candle_ms = len(history.series), engine.desk.timeframe_ms
    marks, lasts = np.zeros((symbols, bars, 4)), np.zeros((symbols, bars, 4))
    is_there = np.zeros((symbols, bars), np.uint8)
    for s, series in enumerate(history.series):
        _fill_bars(series, history, marks[s], lasts[s], is_there[s])
    first_close_ms = -history.start_ms % candle_ms or candle_ms
    said, estimates, rows = _said(engine, history, told, first_close_ms)
    due, due_values = _due(history)
    candle_bars = candle_ms // history.timeframe_ms
    first_bars = first_close_ms // history.timeframe_ms
    candles = _candles(marks, is_there, first_bars, candle_bars, rows)
    _tell(candles, rows, said, estimates)
    return Played(
        history.start_ms,
        history.timeframe_ms,
        bars,
        candle_ms,
        marks,
        lasts,
        is_there,
        due,
        due_values,
        rows,
        said,
        estimates,
        first_close_ms,
        candle_bars,
        candles,
    )


def record_for(
    engine: Engine, venue: SimulatedVenue, names: Sequence[str], limits: Limits
) -> NDArray[np.void]:
    """Return the books of an account that was just paid in, in a record of one of a few sizes.

    `names`: the symbols, in the order of the books.
    """
    state, symbols = venue.state, len(names)
    rows = max(len(each.tiers.notional_cap) for each in state.instruments.values())
    record = record_of(_room_for(symbols, 4), _room_for(rows, 16), limits)
    b = books_in(record)
    _open_account(b, engine, venue)
    b.m[c.SYMBOLS] = symbols
    for s, instrument in enumerate(state.instruments[name] for name in names):
        _know(b, s, instrument, state.config)
        _stack(b.tiers[s], instrument.tiers)
        fill(record["rules"][0][s], _padded(state.rules[instrument.symbol], b.tiers[s]))
        b.n[s, c.SET_LEVERAGE] = b.n[s, c.BOOK_LEVERAGE] = state.leverage[instrument.symbol]
    return record


def tables_for(venue: SimulatedVenue, p: Played, room: int) -> Tables:
    """Return empty tables; `room` times the usual rows fit."""
    entries, config = int(np.count_nonzero(p.said[:, 0])) + 1, venue.state.config
    orders = c.LATENCY_SLOTS + room * _ORDERS_PER_ENTRY * entries if config.latency_jitter_ms else 1
    return Tables(
        np.zeros((entries, c.TRADE_COLUMNS)),
        np.zeros((room * _MOVES_PER_ENTRY * entries, c.MOVE_COLUMNS)),
        np.zeros((p.bars * p.bar_ms // _HOUR_MS + 3, c.ACCOUNT_COLUMNS)),
        np.array(jitters_of(config, orders), np.int64) + config.latency_ms,
    )


def first_rows(history: MarketHistory, told: Mapping[str, Told], candle_ms: int) -> list[int]:
    """Return the row in `said` of the last candle before the range of each symbol, -1 where there is none."""
    rows, first = [], 0
    for series in history.series:
        times = told[series.symbol].candles.open_ms
        before = int(np.searchsorted(times, history.start_ms - candle_ms, side="right")) - 1
        rows.append(first + before if before >= 0 else -1)
        first += len(times)
    return rows


def _room_for(count: int, least: int) -> int:
    """Return the first of `least`, four times that, and so on, that is enough: each size is compiled anew."""
    return least if count <= least else _room_for(count, 4 * least)


def _open_account(b: Books, engine: Engine, venue: SimulatedVenue) -> None:
    limits, config, caps = engine.desk.limits, venue.state.config, engine.desk.risk.settings.caps
    free = venue.state.free_quote
    b.a[[c.FREE, c.BOOK_FREE, c.DAY_START_EQUITY]] = free
    b.a[c.HALF_SPREAD], b.a[c.IMPACT] = config.half_spread_fraction, config.impact_fraction
    b.a[c.MAX_STEP], b.a[c.CUT_ABOVE] = DEFAULT_MAX_STEP, caps.cut_above
    b.a[c.DAILY_LOSS], b.a[c.DRAWDOWN] = limits.daily_loss_fraction, limits.drawdown_fraction
    b.a[c.COLLAR] = limits.price_collar_fraction
    b.m[c.LATENCIES_FROM] = -c.LATENCY_SLOTS
    b.m[c.NEXT_POSITION_ID], b.m[c.TIMEFRAME_MS] = 1, engine.desk.timeframe_ms
    b.m[c.MAX_AGE_MS], b.m[c.CUT_COOLDOWN_MS] = engine.desk.max_mark_age_ms, caps.cut_cooldown_ms
    b.m[c.LATENCY_MS], b.m[c.JITTER_MS] = config.latency_ms, config.latency_jitter_ms
    b.m[c.MESSAGES_LIMIT], b.m[c.ORDERS_LIMIT] = limits.messages_per_minute, limits.orders_per_minute
    b.m[c.REFUSALS_LIMIT], b.m[c.STALE_LIMIT_MS] = limits.max_refusals, limits.stale_data_ms
    b.n[:, [c.STALE_SINCE_MS, c.KNOWN_ROW]] = -1


def _padded(rules: MarginRules, tiers: Floats) -> MarginRules:
    return rules._replace(tiers=Tiers(tiers[0], tiers[1], tiers[2], tiers[3], tiers[4]))


def _know(b: Books, s: int, instrument: Instrument, config: VenueConfig) -> None:
    f = b.f[s]
    f[c.TICK_SIZE], f[c.QUANTITY_STEP] = instrument.tick_size, instrument.quantity_step
    f[c.MIN_QUANTITY], f[c.MIN_NOTIONAL] = instrument.min_quantity, instrument.min_notional_quote
    f[c.MARGIN_STEP], f[c.TAKER_FEE] = instrument.margin_step_quote, instrument.taker_fee_rate
    f[c.LIQUIDATION_FEE], f[c.MAX_LEVERAGE] = instrument.liquidation_fee_rate, instrument.max_leverage
    f[c.DEPTH] = config.depth_quote[instrument.symbol]


def _stack(rows: Floats, table: Tiers) -> None:
    """Keep a tier table; rows of no width lead it, which no notional falls into."""
    lead = rows.shape[1] - len(table.notional_cap)
    for column, values in enumerate(table):
        rows[column, :lead] = values[0] if column > 1 else 0.0
        rows[column, lead:] = values


def _fill_bars(
    series: Series, history: MarketHistory, marks: Floats, lasts: Floats, is_there: NDArray[np.uint8]
) -> None:
    last, mark = series.candles, series.candles if series.mark is None else series.mark
    inside = np.flatnonzero((last.open_ms >= history.start_ms) & (last.open_ms < history.end_ms))
    bars = (last.open_ms[inside] - history.start_ms) // history.timeframe_ms
    for target, candles in ((marks, mark), (lasts, last)):
        for column, values in enumerate((candles.open, candles.high, candles.low, candles.close)):
            target[bars, column] = values[inside]
    is_there[bars] = 1


def _candles(marks: Floats, is_there: NDArray[np.uint8], first: int, size: int, rows: Wholes) -> Floats:
    """The least and the largest mark within each closing candle, its last, and whether all bars are there."""
    symbols, count = rows.shape
    candles = np.zeros((symbols, count, c.CANDLE_COLUMNS))
    skipped = 0 if first == size else 1  # the first candle began before the range
    begin, groups = first if skipped else 0, count - skipped
    bars, shape = slice(begin, begin + groups * size), (symbols, groups, size)
    candles[:, skipped:, c.G_LOW] = marks[:, bars, 2].reshape(shape).min(axis=2)
    candles[:, skipped:, c.G_HIGH] = marks[:, bars, 1].reshape(shape).max(axis=2)
    candles[:, skipped:, c.G_MARK] = marks[:, bars, 3].reshape(shape)[:, :, -1]
    are_there = is_there[:, bars].reshape(shape).all(axis=2)
    candles[:, skipped:, c.G_IS_WHOLE] = are_there & (rows[:, skipped:] >= 0)
    return candles


def _tell(candles: Floats, rows: Wholes, said: Floats, estimates: Floats) -> None:
    """Write beside each closing candle what was said and known of it."""
    if not len(said):
        return
    words, known = said[rows], estimates[rows]
    sigma, is_warm = known[:, :, 0], words[:, :, 5] != 0.0
    candles[:, :, c.G_SIGMA] = np.where(np.isfinite(sigma), sigma, 0.0)
    candles[:, :, c.G_IS_WILD] = known[:, :, 5]
    candles[:, :, c.G_ENTERS], candles[:, :, c.G_LEAVES] = words[:, :, 0] * is_warm, words[:, :, 1] * is_warm
    candles[:, :, c.G_DIRECTION], candles[:, :, c.G_ROW] = words[:, :, 2], rows


def _said(
    engine: Engine, history: MarketHistory, told: Mapping[str, Told], first_close_ms: int
) -> tuple[Floats, Floats, Wholes]:
    candle_ms = engine.desk.timeframe_ms
    closes = np.arange(history.start_ms + first_close_ms, history.end_ms + 1, candle_ms, dtype=np.int64)
    rows = np.full((len(history.series), len(closes)), -1, np.int64)
    said, known, first = [], [], 0
    for s, series in enumerate(history.series):
        each = told[series.symbol]
        _refuse_broken(series.symbol, each.candles)
        said.append(_words(each, engine.desk.strategy.warmup))
        known.append(_estimates(engine, series.symbol, each))
        times = each.candles.open_ms
        found = np.minimum(np.searchsorted(times, closes - candle_ms), max(len(times) - 1, 0))
        is_closed = times[found] == closes - candle_ms if len(times) else np.zeros(len(closes), np.bool_)
        rows[s, is_closed] = first + found[is_closed]
        first += len(times)
    return np.concatenate(said), np.concatenate(known), rows


def _refuse_broken(symbol: str, candles: Candles) -> None:
    if not sound_rows(candles).all():
        raise UserError(
            f"The kernel does not play candles whose prices do not fit together, and {symbol} has some. "
            'Nothing was simulated. Look at them with "ringfence data check", or use --engine exact.'
        )


def _words(told: Told, warmup: int) -> Floats:
    signals, count = told.signals, len(told.candles.open_ms)
    is_warm = np.arange(1, count + 1) >= warmup
    columns = (
        signals.entries,
        signals.exits,
        signals.direction,
        signals.strength,
        signals.stop_distance,
        is_warm,
    )
    return np.column_stack([np.asarray(column, np.float64) for column in columns])


def _estimates(engine: Engine, symbol: str, told: Told) -> Floats:
    if told.estimates is not None:
        return np.asarray(told.estimates, np.float64)
    window: int = engine.state.markets[symbol].window.size
    candles: Candles = told.candles
    return estimates_table(candles, engine.desk.timeframe_ms, window)


def _due(history: MarketHistory) -> tuple[Wholes, Floats]:
    """Settlements, then gaps, by symbol; sorted by time."""
    found: list[tuple[int, int, int, float]] = []
    for s, series in enumerate(history.series):
        pairs = zip(series.funding.ts_ms.tolist(), series.funding.rate.tolist(), strict=True)
        found += [(ts_ms, s, 0, rate) for ts_ms, rate in pairs]
    for s, series in enumerate(history.series):
        found += [(gap.from_ms, s, 1, float(gap.until_ms)) for gap in series.gaps]
    inside = sorted(
        (each for each in found if history.start_ms <= each[0] < history.end_ms), key=lambda each: each[0]
    )
    due = np.array([each[:3] for each in inside], np.int64).reshape(len(inside), 3)
    return due, np.array([each[3] for each in inside], np.float64)
