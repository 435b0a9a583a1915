"""One compiled backtest: what the kernel cannot play is refused by name, the rest becomes a result."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from bot.backtest.kernel import columns as c
from bot.backtest.kernel import status
from bot.backtest.kernel.books import Books, Floats
from bot.backtest.kernel.candles import learn
from bot.backtest.kernel.loop import play
from bot.backtest.kernel.machine_code import compiled_play
from bot.backtest.kernel.market import Played
from bot.backtest.kernel.policy_codes import CODES
from bot.backtest.kernel.recorder import account_row, trade_row
from bot.backtest.kernel.setting_up import books_of, first_rows, limits_of, played_of
from bot.backtest.recital import Told
from bot.backtest.result import Account, Counts, Moves, Result, Trades
from bot.engine.engine import Engine
from bot.errors import UserError
from bot.risk.reasons import REASONS
from bot.sim.series import MarketHistory
from bot.sim.venue import SimulatedVenue

_STILL_OPEN: Final = len(c.CAUSES)
_MOST_ROOM: Final = 4_096
_MOVE_REASONS: Final = {c.DERISK_ADD: "derisk_add", c.BROUGHT_BACK: "derisk_restore"}


class KernelRun:
    """One run over one history: prepared once, played as often as wanted."""

    def __init__(
        self, engine: Engine, venue: SimulatedVenue, history: MarketHistory, told: Mapping[str, Told]
    ) -> None:
        """UserError: a setting needs what the kernel does not do."""
        refuse_unknown(engine, venue)
        self._engine, self._venue, self._history, self._told = engine, venue, history, told
        self.limits = limits_of(engine)
        self.played = played_of(engine, history, told)
        self._first = first_rows(history, told, engine.desk.timeframe_ms)

    def run(self, compile_: Callable[[Any], Any] | None = None) -> Result:
        """Play it. UserError: something came up on the way that the kernel does not do."""
        loop = compiled_play() if compile_ is None else compile_(play)
        room = 1
        while True:
            b = self._books(room)
            loop(b, self.played, self.limits)
            code = int(b.m[c.FAILED])
            if code != status.NO_ROOM or room >= _MOST_ROOM:
                break
            room *= 8
        if code != status.FINE:
            raise UserError(
                f"The kernel cannot finish this backtest: {status.WORDS.get(code, 'its tables are full')}. "
                "Nothing was written. Play it with --engine exact."
            )
        return self._result(b)

    def _books(self, room: int) -> Books:
        b = books_of(self._engine, self._venue, self.played, room)
        for s, row in enumerate(self._first):
            if row >= 0:
                learn(b, self.played, s, row)
        return b

    def _result(self, b: Books) -> Result:
        history, symbols = self._history, tuple(series.symbol for series in self._history.series)
        closed = int(b.m[c.TRADES])
        opened = _still_open(b, history.end_ms)
        names = (*c.CAUSES, "open")
        reasons = [
            _MOVE_REASONS.get(int(code), "") or REASONS[int(code)] for code in b.moves[: b.m[c.MOVES], 3]
        ]
        known = tuple(dict.fromkeys(reasons))
        moves = b.moves[: b.m[c.MOVES]].copy()
        moves[:, 3] = [known.index(reason) for reason in reasons]
        return Result(
            engine="kernel",
            symbols=symbols,
            causes=names,
            reasons=known,
            timeframe_ms=self._engine.desk.timeframe_ms,
            detail_ms=history.timeframe_ms,
            start_ms=history.start_ms,
            end_ms=history.end_ms,
            deposit_quote=self._venue.state.free_quote,
            wallet_quote=_wallet(b),
            trades=_table(Trades, b.trades[:closed]),
            open_trades=_table(Trades, opened),
            moves=_table(Moves, moves),
            account=_table(
                Account, np.vstack((b.accounts[: b.m[c.ACCOUNTS]], _account_now(b, history.end_ms)))
            ),
            counts=_counts(b, self.played),
            shadows=None,
        )


def refuse_unknown(engine: Engine, venue: SimulatedVenue) -> None:
    """Raise UserError that names what the kernel does not do."""
    known = engine.desk.risk.settings
    found = ""
    if known.policy not in CODES:
        found = f"the margin policy {known.policy} (margin.policy)"
    elif engine.desk.risk.is_allocating:
        found = "one margin budget over all positions (margin.allocation.budget_fraction)"
    elif any(each.is_inverse for each in venue.state.instruments.values()):
        found = "contracts settled in their base coin"
    if found:
        raise UserError(
            f"The kernel does not do {found}. Nothing was simulated. Use --engine exact, or change the "
            "setting."
        )


def _wallet(b: Books) -> float:
    held = b.f[b.n[:, c.HOLDS] != 0, c.WALLET]
    return float(b.a[c.FREE] + sum(held.tolist()))


def _still_open(b: Books, end_ms: int) -> Floats:
    """Write the rows of positions that did not end, valued at the newest marks, and return them."""
    rows = Books(*b)._replace(trades=np.zeros((len(b.f), b.trades.shape[1])))
    closed, b.m[c.TRADES] = b.m[c.TRADES], 0
    held = np.flatnonzero(b.n[:, c.HOLDS])
    for s in held[np.argsort(b.n[held, c.POSITION_ID])].tolist():
        f, side = b.f[s], b.n[s, c.HOLD_SIDE]
        pnl = f[c.REALISED] + side * f[c.QUANTITY] * (f[c.MARK] - f[c.ENTRY_PRICE])
        trade_row(rows, s, end_ms, _STILL_OPEN, f[c.MARK], pnl)
    count, b.m[c.TRADES] = b.m[c.TRADES], closed
    return rows.trades[:count]


def _account_now(b: Books, end_ms: int) -> Floats:
    one = Books(*b)._replace(accounts=np.zeros((1, b.accounts.shape[1])))
    kept, b.m[c.ACCOUNTS] = b.m[c.ACCOUNTS], 0
    account_row(one, end_ms)
    b.m[c.ACCOUNTS] = kept
    return one.accounts


def _counts(b: Books, p: Played) -> Counts:
    m = b.m.tolist()
    return Counts(
        int(np.count_nonzero(p.is_there)),
        m[c.LIQUIDATIONS],
        m[c.STOPS_FILLED],
        m[c.TARGETS_FILLED],
        m[c.VOLATILITY_CUTS],
        m[c.DERISKED_CUTS],
        m[c.DERISK_CLOSES],
        m[c.ENTRIES_REFUSED],
    )


def _table(kind: Any, rows: Floats) -> Any:
    whole = np.dtype(np.int64)
    columns = []
    for number, name in enumerate(kind._fields):
        is_whole = "int64" in str(kind.__annotations__[name])
        columns.append(rows[:, number].astype(whole) if is_whole else rows[:, number].copy())
    return kind(*columns)
