"""The kernel's books made of an engine and a venue, and the tables that the result is written to."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Floats, Limits, Tables
from bot.backtest.kernel.market import ENTERS, Played
from bot.backtest.kernel.policy_codes import CODES, numbers_of
from bot.backtest.kernel.record import books_in, fill, record_of
from bot.backtest.recital import Told
from bot.core.instrument import Instrument
from bot.core.profile import MarginRules
from bot.core.tiers import Tiers
from bot.engine.engine import Engine
from bot.risk.derisk_case import derisk_limits
from bot.risk.entry_judgement import stress_caps
from bot.risk.rebalance import places_by_name
from bot.sim.config import VenueConfig, jitters_of
from bot.sim.replay import DEFAULT_MAX_STEP
from bot.sim.series import MarketHistory
from bot.sim.venue import SimulatedVenue

_ORDERS_PER_ENTRY: Final = 64
_MOVES_PER_ENTRY: Final = 16
_CHANGES_PER_ENTRY: Final = 32
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
        known.allocation,
    )


def record_for(
    engine: Engine, venue: SimulatedVenue, names: Sequence[str], limits: Limits
) -> tuple[NDArray[np.void], Books]:
    """Return a record of one of a few sizes, and the books in it: of an account that was just paid in.

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
    b.n[places_by_name(list(names)), c.NAME_RANK] = np.arange(symbols)
    return record, b


def tables_for(venue: SimulatedVenue, p: Played, room: int, *, follows: bool) -> Tables:
    """Return tables in which nothing is written yet; `room` times the usual rows fit.

    `follows`: what shadows are found by is written down too.
    """
    entries, config = int(np.count_nonzero(p.words & ENTERS)) + 1, venue.state.config
    orders = c.LATENCY_SLOTS + room * _ORDERS_PER_ENTRY * entries if config.latency_jitter_ms else 1
    changes = room * _CHANGES_PER_ENTRY * entries + len(p.due) if follows else 0
    return Tables(
        np.empty((entries, c.TRADE_COLUMNS)),
        np.empty((room * _MOVES_PER_ENTRY * entries, c.MOVE_COLUMNS)),
        np.empty((p.bars * p.bar_ms // _HOUR_MS + 4, c.ACCOUNT_COLUMNS)),
        np.empty((changes, c.STORY_COLUMNS)),
        np.array(jitters_of(config, orders), np.int64) + config.latency_ms,
    )


def first_rows(history: MarketHistory, told: Mapping[str, Told], candle_ms: int) -> list[int]:
    """Return the row of the last candle before the range of each symbol, -1 where there is none."""
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
