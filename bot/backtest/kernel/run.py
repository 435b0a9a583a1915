"""One compiled backtest: what the kernel cannot play is refused by name, the rest becomes a result."""

from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.estimates_table import estimates_table
from bot.backtest.kernel import columns as c
from bot.backtest.kernel import status
from bot.backtest.kernel.books import Books, Floats, Tables, equity_of
from bot.backtest.kernel.candles import know
from bot.backtest.kernel.machine_code import Play, compiled_play
from bot.backtest.kernel.market import Market, Played
from bot.backtest.kernel.market_setting import market_of, played_of
from bot.backtest.kernel.policy_codes import CODES
from bot.backtest.kernel.recorder import account_row, take_out, trade_row
from bot.backtest.kernel.setting_up import first_rows, limits_of, record_for, tables_for
from bot.backtest.recital import Told
from bot.backtest.recorder import shadows_of
from bot.backtest.result import Account, Counts, Moves, Result, Shadows, Trades
from bot.backtest.shadow_lane import Lane
from bot.backtest.shadow_replay import TRAILING, ShadowReplay, measured
from bot.backtest.told_rows import rows_of
from bot.engine.engine import Engine
from bot.errors import UserError
from bot.risk.reasons import REASONS
from bot.sim.series import MarketHistory
from bot.sim.venue import SimulatedVenue

_STILL_OPEN: Final = len(c.CAUSES)
_CAUSES: Final = (*c.CAUSES, "open", TRAILING)
_MOST_ROOM: Final = 4_096
_MOVE_REASONS: Final = {
    c.DERISK_ADD: "derisk_add",
    c.BROUGHT_BACK: "derisk_restore",
    c.ALLOCATION: "allocation",
}


class KernelRun:
    """One run over one history: prepared once, played as often as wanted, one after the other."""

    def __init__(
        self,
        engine: Engine,
        venue: SimulatedVenue,
        history: MarketHistory,
        told: Mapping[str, Told],
        market: Market | None = None,
    ) -> None:
        """`market`: of this history, where it is known already. UserError: what the kernel does not do."""
        if refusal := refusal_of(engine, venue):
            raise UserError(f"The kernel does not {refusal}. Nothing was simulated. Use --engine exact.")
        self._engine, self._venue, self._history = engine, venue, history
        self.limits = limits_of(engine)
        names = [series.symbol for series in history.series]
        self._record, self._books = record_for(engine, venue, names, self.limits)
        self._begun = self._record.copy()
        self._tell(told, market or _market_of(engine, history, told), engine.desk.strategy.warmup)

    def told_otherwise(self, told: Mapping[str, Told], market: Market, warmup: int) -> "KernelRun":
        """Return the run of another strategy by the same rules. It shares the books: one at a time."""
        other = copy(self)
        other._tell(told, market, warmup)
        return other

    def _tell(self, told: Mapping[str, Told], market: Market, warmup: int) -> None:
        said = [told[series.symbol] for series in self._history.series]
        self.played = played_of(market, said, warmup)
        self._first = first_rows(self._history, told, self._engine.desk.timeframe_ms)

    def run(self, loop: Play | None = None, *, follows: bool = False) -> Result:
        """Play it, by `loop` where one is given. UserError: something came up that the kernel does not do.

        `follows`: the result tells how each trade would have ended on its first margin.
        """
        played_by, room = loop or compiled_play(), 1
        while True:
            record, tables = self.start(), tables_for(self._venue, self.played, room, follows=follows)
            self._books.m[c.FOLLOWS] = int(follows)
            played_by(record, self.played, self.limits, tables)
            code = int(self._books.m[c.FAILED])
            if code != status.NO_ROOM or room >= _MOST_ROOM:
                break
            room *= 8
        if code != status.FINE:
            raise UserError(
                f"The kernel cannot finish this backtest: {status.WORDS.get(code, 'its tables are full')}. "
                "Nothing was written. Play it with --engine exact."
            )
        return self._result(self._books, tables)

    def start(self) -> NDArray[np.void]:
        """Return the books, which are this run's only ones, as they are at the beginning."""
        self._record.view(np.uint8)[:] = self._begun.view(np.uint8)
        for s, row in enumerate(self._first):
            if row >= 0:
                know(self._books, self.played.estimates, s, row)
        return self._record

    def _result(self, b: Books, tables: Tables) -> Result:
        history, trades = self._history, tables.trades[: b.m[c.TRADES]]
        moves, reasons = _named(tables.moves[: b.m[c.MOVES]])
        account_row(b, history.end_ms)
        take_out(b, tables)  # there is room for one more: what waited is taken out already
        return Result(
            engine="kernel",
            symbols=tuple(series.symbol for series in history.series),
            causes=_CAUSES,
            reasons=reasons,
            timeframe_ms=self._engine.desk.timeframe_ms,
            detail_ms=history.timeframe_ms,
            start_ms=history.start_ms,
            end_ms=history.end_ms,
            deposit_quote=self._venue.state.free_quote,
            wallet_quote=float(equity_of(b)),
            trades=_table(Trades, trades),
            open_trades=_table(Trades, _still_open(b, history.end_ms)),
            moves=_table(Moves, moves),
            account=_table(Account, tables.accounts[: b.m[c.ACCOUNTS]]),
            counts=_counts(b, self.played),
            shadows=self._shadows(b, tables),
        )

    def _shadows(self, b: Books, tables: Tables) -> Shadows | None:
        """Return the shadow of each trade; None where what they are found by was not written down."""
        if b.m[c.FOLLOWS] == 0:
            return None
        instruments, policy = self._venue.state.instruments, self._engine.desk.risk.policy
        lanes = [
            Lane(
                number,
                series.symbol,
                self._venue.state.rules[series.symbol],
                instruments[series.symbol].taker_fee_rate,
                self.played,
            )
            for number, series in enumerate(self._history.series)
        ]
        known = ShadowReplay(lanes, policy).follow(rows_of(tables.story[: b.m[c.STORY]]))
        ended = tables.trades[: b.m[c.TRADES], 0].astype(np.int64).tolist()
        return measured(shadows_of([known.get(position_id) for position_id in ended], _CAUSES.index))


def refusal_of(engine: Engine, venue: SimulatedVenue) -> str:
    """Return what the kernel does not do of an engine's settings, "" when it does all of it."""
    known = engine.desk.risk.settings
    if known.policy not in CODES:
        return f"know the margin policy {known.policy} (margin.policy)"
    if any(each.is_inverse for each in venue.state.instruments.values()):
        return "trade contracts that are settled in their base coin"
    if max(_rates(engine)) > c.TIME_SLOTS - 2:
        names = "halts.messages_per_minute, halts.orders_per_minute, halts.max_refusals"
        return f"count to more than {c.TIME_SLOTS - 2} ({names})"
    return ""


def _market_of(engine: Engine, history: MarketHistory, told: Mapping[str, Told]) -> Market:
    desk, tables = engine.desk, []
    for series in history.series:
        each, window = told[series.symbol], engine.state.markets[series.symbol].window.size
        table = each.estimates
        tables.append(estimates_table(each.candles, desk.timeframe_ms, window) if table is None else table)
    candles = {symbol: each.candles for symbol, each in told.items()}
    return market_of(history, desk.timeframe_ms, candles, np.concatenate(tables))


def _rates(engine: Engine) -> tuple[int, int, int]:
    limits = engine.desk.limits
    return limits.messages_per_minute, limits.orders_per_minute, limits.max_refusals


def _named(moves: Floats) -> tuple[Floats, tuple[str, ...]]:
    """Return the moves with the place of their reason among the names that occur, and those names."""
    codes, numbers = moves[:, 3].astype(np.int64).tolist(), {}
    places = {
        code: numbers.setdefault(_MOVE_REASONS.get(code) or REASONS[code], len(numbers))
        for code in dict.fromkeys(codes)  # in the order in which they first occur
    }
    found = moves.copy()
    found[:, 3] = [places[code] for code in codes]
    return found, tuple(numbers)


def _still_open(b: Books, end_ms: int) -> Floats:
    """Return the rows of positions that did not end, valued at the newest marks."""
    held = np.flatnonzero(b.n[:, c.HOLDS])
    rows = []
    for s in held[np.argsort(b.n[held, c.POSITION_ID])].tolist():
        f, side = b.f[s], b.n[s, c.HOLD_SIDE]
        pnl = f[c.REALISED] + side * f[c.QUANTITY] * (f[c.MARK] - f[c.ENTRY_PRICE])
        b.m[c.TRADES_WAITING] = 0
        trade_row(b, s, end_ms, _STILL_OPEN, f[c.MARK], pnl)
        rows.append(b.trades[0].copy())
    return np.array(rows).reshape(len(rows), c.TRADE_COLUMNS)


def _counts(b: Books, p: Played) -> Counts:
    m = b.m.tolist()
    return Counts(
        int(np.count_nonzero(p.is_there.view(np.bool_))),
        m[c.LIQUIDATIONS],
        m[c.STOPS_FILLED],
        m[c.TARGETS_FILLED],
        m[c.VOLATILITY_CUTS],
        m[c.DERISKED_CUTS],
        m[c.DERISK_CLOSES],
        m[c.ENTRIES_REFUSED],
    )


def _table(kind: Any, rows: Floats) -> Any:
    columns = np.ascontiguousarray(rows.T)
    return kind(
        *(
            each.astype(np.int64) if is_whole else each
            for each, is_whole in zip(columns, _wholes(kind), strict=True)
        )
    )


@lru_cache(maxsize=4)
def _wholes(kind: Any) -> tuple[bool, ...]:
    """Which columns of a table hold whole numbers."""
    return tuple("int64" in str(kind.__annotations__[name]) for name in kind._fields)
