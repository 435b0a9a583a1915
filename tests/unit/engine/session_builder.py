"""A whole session over a made-up market: loop, feed, venue and journal, built anew after every death."""

import asyncio
from collections.abc import Callable
from sqlite3 import Connection
from typing import Any, Final

import numpy as np

from bot.clock import WallClock
from bot.core.candles import Candles
from bot.core.intent import Intent
from bot.core.signal import Signals
from bot.engine.engine import Engine
from bot.engine.reconcile import begin, resume
from bot.engine.run import Session
from bot.engine.state import restore
from bot.ports import Commit
from bot.risk.limits import MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from bot.sim.feed import VenueFeed
from bot.sim.replay import ReplayMarket
from bot.sim.series import Funding, MarketHistory, Series
from bot.sim.venue import SimulatedVenue
from bot.store.database import Binding, fill_new
from bot.store.journal import Run, SqliteJournal
from bot.strategy import Strategy, build_signals
from tests.unit.engine.desk_builder import MINUTE_MS, START_MS, A, B, engine_for, venue_for

WARM_BARS: Final = 60
_BINDING = Binding("simulated", "paper", "test")
RUN = Run(0, "paper", 1, "hash", "{}", "0", "coin", "distance_band", "made up")
_LIMITS = MarginLimits(
    add_cooldown_ms=60_000, release_cooldown_ms=180_000, min_step_quote=1.0, min_step_fraction=0.001
)
_WALL_COLUMNS: Final = {"run_id", "started_ms", "ended_ms", "chain"}  # the chain names the run
_WALL_TABLES: Final = {"run", "checkpoint"}


class Killed(BaseException):
    """The process is gone: nothing may catch this and go on."""


class Coin(Strategy):
    """Enters on about every fifth candle and leaves on every eleventh, by the digits of the close."""

    timeframe = "1m"

    @property
    def warmup(self) -> int:
        return 5

    def signals(self, candles: Candles) -> Signals:
        digits = np.floor(candles.close * 1e6).astype(np.int64)
        enters, is_up = digits % 5 == 0, digits % 2 == 0
        leaves = digits % 11 == 0
        return build_signals(
            enters & is_up, enters & ~is_up, long_exits=leaves, short_exits=leaves, stop_distance=0.02
        )


def market_history(seed: int, bars: int) -> MarketHistory:
    """Return a volatile market of two symbols with funding every twenty minutes."""
    random = np.random.default_rng(seed)
    series = []
    for symbol in (A, B):
        count = WARM_BARS + bars
        moves = 0.0025 * random.standard_t(3, count)
        close = 100.0 * np.exp(np.cumsum(moves))
        open_ = np.concatenate(([100.0], close[:-1]))
        reach = 1.0 + 0.002 * random.random((2, count))
        open_ms = START_MS + MINUTE_MS * np.arange(-WARM_BARS, bars, dtype=np.int64)
        high, low = np.maximum(open_, close) * reach[0], np.minimum(open_, close) / reach[1]
        candles = Candles(open_ms, open_, high, low, close, np.ones(count), np.zeros(count))
        due = START_MS + 20 * MINUTE_MS * np.arange(1, bars // 20, dtype=np.int64)
        funding = Funding(due, 0.002 * random.standard_normal(due.size))
        series.append(Series(symbol, candles, None, funding, ()))
    return MarketHistory(MINUTE_MS, START_MS, START_MS + bars * MINUTE_MS, tuple(series), ())


class Memory:
    """A database that outlives its processes; `copy` makes an equal one."""

    def __init__(self) -> None:
        self.connection = Connection(":memory:", isolation_level=None)

    def journal(self) -> SqliteJournal:
        from pathlib import Path

        return SqliteJournal(self.connection, Path(":memory:"))

    def copy(self) -> "Memory":
        twin = Memory()
        self.connection.backup(twin.connection)
        return twin


def new_memory() -> Memory:
    """Return a database with tables and nothing else."""
    memory = Memory()
    fill_new(memory.connection, _BINDING)
    return memory


class Fate:
    """When a process dies. `at(what)` is called at every boundary with its name; Killed ends the process."""

    def __init__(self, at: Callable[[str], None] = lambda _what: None) -> None:
        self.at = at


class DoomedJournal:
    """Passes everything on; dies before or after a commit when fate wills."""

    def __init__(self, journal: SqliteJournal, fate: Fate) -> None:
        self._journal, self._fate = journal, fate

    def commit(self, commit: Commit) -> None:
        self._fate.at("before commit")
        self._journal.commit(commit)
        self._fate.at("after commit")

    def recover(self) -> Any:
        return self._journal.recover()


class DoomedExchange:
    """A venue whose answer may never be heard."""

    def __init__(self, venue: SimulatedVenue, fate: Fate) -> None:
        self.venue, self._fate = venue, fate

    async def account(self) -> Any:
        return await self.venue.account()

    async def outcome_of(self, intent: Intent) -> Any:
        return await self.venue.outcome_of(intent)

    async def execute(self, intent: Intent) -> Any:
        self._fate.at("before execute")
        outcome = await self.venue.execute(intent)
        self._fate.at("after execute")
        return outcome


class Process:
    """One life of the program over `memory`; `venue` is given when it outlived the last process."""

    def __init__(
        self,
        memory: Memory,
        history: MarketHistory,
        fate: Fate | None = None,
        venue: SimulatedVenue | None = None,
        latency_ms: int = 0,
        depth: float = 3_000.0,
    ) -> None:
        fate = fate or Fate()
        self.is_venue_kept = venue is not None
        self.venue = venue or venue_for(depth=depth, latency_ms=latency_ms)
        source = ReplayMarket(history, MINUTE_MS, self.venue.position_side)
        self.feed = VenueFeed(source, self.venue, WallClock(), float("inf"))
        params = DistanceBandParams(low=0.9, high=1.1)
        self.engine: Engine = engine_for(Coin(), policy="distance_band", params=params, margin=_LIMITS)
        self.journal = memory.journal()
        self.commits: list[Commit] = []
        self.exchange = DoomedExchange(self.venue, fate)
        self.session = Session(
            self.engine,
            self.feed,
            self.exchange,  # pyright: ignore[reportArgumentType]
            DoomedJournal(self.journal, fate),
            self.venue.snapshot,
            self.commits.append,
        )

    def live(self) -> bool:
        """Run to the end of the market; False when the process died before."""
        try:
            asyncio.run(self._live())
        except Killed:
            return False
        return True

    def state(self) -> dict[str, Any]:
        """Return everything the process knows at its end."""
        return {"engine": self.engine.snapshot(), "venue": self.venue.snapshot(), "feed": self.feed.cursor()}

    async def recover(self) -> None:
        """Begin, or go on where the last process stopped; the market is not followed yet."""
        recovered = self.journal.recover()
        self.journal.start_run(RUN)
        if recovered is None:
            begin(self.engine, await self.venue.account(), 0)
            await self._warm_up()
            self.session.commit(Commit(0))
            return
        if not self.is_venue_kept:
            self.venue.restore(recovered.checkpoint.venue)
        self.feed.seek(recovered.checkpoint.feed)
        restore(self.engine.state, recovered.checkpoint.engine)
        exchange: Any = self.exchange
        await resume(self.session, exchange, recovered, None)
        await self._warm_up()

    async def _live(self) -> None:
        await self.recover()
        await self.session.run()

    async def _warm_up(self) -> None:
        for symbol, market in self.engine.state.markets.items():
            self.engine.warm_up(symbol, await self.feed.history(symbol, MINUTE_MS, market.window.size))


def tables(memory: Memory) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table but what differs: runs, checkpoints, run ids, wall times, hashes."""
    names = [
        row[0]
        for row in memory.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        if row[0] not in _WALL_TABLES and not row[0].startswith("sqlite_")
    ]
    content = {}
    for name in names:
        columns = [row[1] for row in memory.connection.execute(f'PRAGMA table_info("{name}")')]
        kept = ", ".join(f'"{column}"' for column in columns if column not in _WALL_COLUMNS)
        content[name] = memory.connection.execute(f'SELECT {kept} FROM "{name}" ORDER BY 1').fetchall()
    return content
