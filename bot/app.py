"""The composition root: settings in, a wired application out. The only module that names adapters.

`Application` writes nothing until `open`: bad input is refused before any file is touched.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from bot import __version__
from bot.clock import WallClock
from bot.core.codec import from_json
from bot.core.event import MarginMoved
from bot.core.instrument import Instrument, margin_rules
from bot.core.profile import VenueProfile, venue_profile
from bot.core.timeframe import timeframe_ms, timeframe_text
from bot.engine.beliefs import lift_halt, refuse_broken
from bot.engine.desk import Desk
from bot.engine.engine import ESTIMATE_WINDOW_MS, MOST_CANDLES, Engine
from bot.engine.outbox import Outbox
from bot.engine.reconcile import begin, resume
from bot.engine.run import Session
from bot.engine.state import Market, State, restore
from bot.engine.window import CandleWindow
from bot.errors import UserError
from bot.identity import database_path, identity
from bot.plugins import load_strategy, strategy_key
from bot.ports import Commit, Recovered
from bot.risk.manager import RiskManager
from bot.settings import Settings, config_hash, effective
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.feed import VenueFeed
from bot.sim.market import ORIGIN_MS, SyntheticMarket
from bot.sim.replay import ReplayMarket
from bot.sim.source import MarketSource
from bot.sim.venue import SimulatedVenue
from bot.store.database import Binding, open_journal
from bot.store.journal import Run
from bot.store.lock import DatabaseLock
from bot.store.queries import journal
from bot.store.reader import open_reader

QUOTE: Final = "USDT"
_CLIENT_ID_PREFIX: Final = "RFP"

Observer = Callable[[Commit], None]


class Application:
    """One wired paper session."""

    def __init__(self, settings: Settings, observe: Observer) -> None:
        """Wire everything. UserError: a strategy, an instrument or data that cannot be used."""
        self.settings = settings
        self._observe = observe
        self._began = time.monotonic()
        choice = settings.strategy
        self.strategy = load_strategy(
            choice.name, choice.directory, choice.params.get(strategy_key(choice.name), {})
        )
        self.timeframe_name = settings.feed.timeframe or self.strategy.timeframe
        self.instruments = {symbol: instrument_for(symbol) for symbol in settings.feed.symbols}
        self.profile = venue_profile(settings.venue.profile, 0.0)
        self.venue = _venue(settings, self.instruments, self.profile)
        self.source, self.played, self.notices, self._start_ms = _source(
            settings, timeframe_ms(self.timeframe_name), self.venue
        )
        self.feed = VenueFeed(self.source, self.venue, WallClock(), settings.run.speed)
        self.engine = self._engine()
        self.path = database_path(settings)
        self._lock = DatabaseLock(self.path)
        self._undo = ExitStack()
        self.is_running = False
        self.started_market_ms = 0

    @property
    def strategy_name(self) -> str:
        """Return the strategy's name as the user gave it."""
        return self.settings.strategy.name

    def open(self) -> None:
        """Take the database; continue from it, or begin with a fresh account. UserError: not possible."""
        asyncio.run(self._warm_up(must_work=not self.path.exists()))
        self.path.parent.mkdir(exist_ok=True)
        binding = Binding(f"simulated {self.settings.venue.profile}", "paper", identity(self.settings))
        with ExitStack() as undo:
            if not self._lock.exists():
                undo.callback(self._lock.remove)
            self._lock.acquire()
            undo.callback(self._lock.release)
            self.journal = open_journal(self.path, binding)
            undo.pop_all()
        self._undo.callback(self._lock.release)
        self._undo.callback(self.journal.close)
        self.session = Session(
            self.engine, self.feed, self.venue, self.journal, self.venue.snapshot, self._observe
        )

    async def run(self) -> None:
        """Trade until the feed ends or `stop` is called; resting stops stay at the venue."""
        recovered = self.journal.recover()
        self.journal.start_run(self._run_record())
        if recovered is None:
            await self._begin()
        else:
            self._restore(recovered)
            await self._warm_up(must_work=False)
            lift_halt(self.engine.desk, self.strategy_name)
            await resume(self.session, self.venue, recovered)
        self.started_market_ms = self.engine.state.now_ms
        self.is_running = True
        await self.session.run()
        self.is_running = False
        self.journal.end_run(WallClock().now_ms())

    def stop(self) -> None:
        """End after the event in hand."""
        self.session.stop()

    def close(self) -> None:
        """Give the database back. May be called twice, and when `open` failed."""
        self._undo.close()

    def recent_moves(self) -> tuple[MarginMoved, ...]:
        """Return the last margin moves that this database holds, oldest first."""
        with open_reader(self.path) as reader:
            entries = [entry for entry in journal(reader, limit=1000) if entry.kind == "MarginMoved"]
        return tuple(from_json(entry.body) for entry in reversed(entries))

    def wall_seconds(self) -> float:
        """Return the wall time since this application was built."""
        return time.monotonic() - self._began

    async def _begin(self) -> None:
        account = await self.venue.account()
        begin(self.engine, account, self._start_ms)
        self.journal.set_deposit(account.wallet_quote)
        self.journal.put_instruments(self.instruments.values())
        self.session.commit(Commit(self.engine.state.now_ms))

    def _restore(self, recovered: Recovered) -> None:
        was_ms, is_ms = recovered.checkpoint.engine["timeframe_ms"], self.engine.desk.timeframe_ms
        if was_ms != is_ms:
            raise UserError(
                f"The database {self.path} continues a session on {timeframe_text(was_ms)} candles, but this "
                f"start asks for {timeframe_text(is_ms)} ones (strategy {self.strategy_name}). Give "
                f"--timeframe {timeframe_text(was_ms)}, or name another database with --db."
            )
        self.venue.restore(recovered.checkpoint.venue)
        self.feed.seek(recovered.checkpoint.feed)
        restore(self.engine.state, recovered.checkpoint.engine)

    async def _warm_up(self, *, must_work: bool) -> None:
        for symbol, market in self.engine.state.markets.items():
            candles = await self.feed.history(symbol, self.engine.desk.timeframe_ms, market.window.size)
            self.engine.warm_up(symbol, candles)
            if must_work:
                refuse_broken(self.strategy, self.strategy_name, market.window)

    def _engine(self) -> Engine:
        settings, step_ms = self.settings, timeframe_ms(self.timeframe_name)
        size = max(self.strategy.warmup, min(ESTIMATE_WINDOW_MS // step_ms, MOST_CANDLES))
        state = State(
            {
                symbol: Market(instrument, margin_rules(instrument, self.profile), CandleWindow(size))
                for symbol, instrument in self.instruments.items()
            },
            timeframe_ms=step_ms,
        )
        limits = settings.margin.limits
        risk = RiskManager(
            settings.margin.policy, settings.margin.policy_params, limits, settings.entry, settings.brackets
        )
        outbox = Outbox(state, _CLIENT_ID_PREFIX)
        desk = Desk(state, risk, self.strategy, outbox, step_ms, limits.max_mark_age_ms)
        return Engine(desk)

    def _run_record(self) -> Run:
        settings = self.settings
        return Run(
            started_ms=WallClock().now_ms(),
            mode="paper",
            seed=settings.run.seed,
            config_hash=config_hash(settings),
            config=json.dumps(effective(settings), sort_keys=True),
            version=__version__,
            strategy=self.strategy_name,
            policy=settings.margin.policy,
            feed=identity(settings),
        )


def _venue(settings: Settings, instruments: dict[str, Instrument], profile: VenueProfile) -> SimulatedVenue:
    chosen = settings.venue
    config = VenueConfig(
        half_spread_fraction=chosen.half_spread_fraction,
        impact_fraction=chosen.impact_fraction,
        depth_quote=dict.fromkeys(instruments, chosen.depth_quote),
        latency_ms=chosen.latency_ms,
        latency_jitter_ms=chosen.latency_jitter_ms,
        seed=settings.run.seed,
    )
    return SimulatedVenue(instruments, profile, config, chosen.deposit_quote)


def _source(
    settings: Settings, step_ms: int, venue: SimulatedVenue
) -> tuple[MarketSource, str, tuple[str, ...], int]:
    """Return the source, what it plays in words, what its user should know, and when it begins."""
    feed = settings.feed
    if feed.kind == "synthetic":
        source = SyntheticMarket(settings.run.seed, feed.symbols, step_ms, feed.tick_ms)
        return source, "", (), ORIGIN_MS
    if feed.data is None:
        raise UserError("A replay needs candles: name their folder with --data (feed.data).")
    from bot.backtest.history import load_history  # noqa: PLC0415  polars is needed by replays only

    history = load_history(feed.data, feed.symbols, feed.timerange, step_ms, allow_gaps=feed.allow_gaps)
    source = ReplayMarket(history, step_ms, venue.position_side)
    return source, history.played, history.notices, history.start_ms
