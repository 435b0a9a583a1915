"""The composition root: settings in, a wired application out. Adapters are named here and in bot/paper.py.

`Application` writes nothing until `open`: bad input is refused before any file is touched.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from bot import __version__, logs
from bot.absent import Absent
from bot.clock import WallClock
from bot.continuation import carried_over, held_beyond, held_timeframe, kept_notices, with_symbols
from bot.core.codec import from_json
from bot.core.event import MarginMoved
from bot.core.timeframe import timeframe_ms, timeframe_text
from bot.edges import Edges
from bot.engine.beliefs import halt_for, lift_halt, refuse_broken
from bot.engine.desk import Question
from bot.engine.engine import Engine
from bot.engine.invariants import check_restored
from bot.engine.outage import Outage
from bot.engine.proof import Proof
from bot.engine.reconcile import adopt_truth, begin, resume
from bot.engine.run import Session
from bot.engine.state import restore
from bot.errors import Transient, Unavailable, UserError
from bot.identity import account_name_of, database_path, identity, kept_identity
from bot.loopback import SERVED_PACE
from bot.paper import paper_edges
from bot.plugins import check_confined, check_pinned, load_strategy, strategy_key
from bot.ports import Commit, Json, Recovered
from bot.redaction import without_secrets
from bot.settings import Settings, config_hash, effective
from bot.store.account_lock import AccountLock
from bot.store.commands import CommandFiles
from bot.store.database import Binding, open_journal
from bot.store.journal import Run
from bot.store.lock import DatabaseLock
from bot.store.peek import account_name
from bot.store.queries import journal
from bot.strategy import Strategy
from bot.upkeep import Upkeep
from bot.wiring import engine_of

QUOTE: Final = "USDT"

_START_AGAIN_SECONDS: Final = 1.0

Observer = Callable[[Commit], None]


class Application:
    """One session: made of settings, opened on its venue and its database, run, left."""

    edges: Edges
    engine: Engine
    session: Session
    upkeep: Upkeep

    def __init__(self, settings: Settings, observe: Observer) -> None:
        """Load the strategy. UserError: it cannot be used."""
        self.settings = settings
        self._observe = observe
        self._began = time.monotonic()
        self.path = database_path(settings)
        self.strategy = _strategy(settings, self.path)
        self.timeframe_name = settings.feed.timeframe or self.strategy.timeframe
        self.question = Question()
        self._lock = DatabaseLock(self.path)
        name = account_name_of(settings)
        self._account = AccountLock(name, self.path) if name is not None else None
        self._undo = AsyncExitStack()
        self.is_running = False
        self._is_stopping = False
        self._reading: asyncio.Task[None] | None = None
        self.started_market_ms = self._market_ms = 0

    @property
    def strategy_name(self) -> str:
        """Return the strategy's name as the user gave it."""
        return self.settings.strategy.name

    async def meet(self) -> None:
        """Meet the venue; nothing is written. UserError: an instrument, data or account is unusable."""
        is_paper = self.settings.run.mode == "paper"
        kept = () if is_paper else held_beyond(self.path, self.settings.feed.symbols)
        edges = await _edges(with_symbols(self.settings, kept), timeframe_ms(self.timeframe_name))
        self.edges = replace(edges, notices=(*edges.notices, *kept_notices(kept)))
        self._undo.push_async_callback(self.edges.leave)
        self.engine = self._engine()
        for symbol in kept:
            self.engine.state.markets[symbol].is_leaving = True
        if not self.path.exists():
            await self._warm_up(must_work=True)

    async def open(self) -> None:
        """Take the database, after `meet`. UserError: it cannot be had."""
        self._take_database()
        edges = self.edges
        self.session = Session(
            self.engine,
            edges.feed,
            edges.exchange,
            self.journal,
            edges.snapshot,
            self._observe,
            self._outage(),
            CommandFiles(self.path),
        )
        self.upkeep = Upkeep(
            self.session, self.journal, self.path, self.settings.storage, WallClock(), logs.logger()
        )
        self._undo.callback(self.upkeep.close)

    def _outage(self) -> Outage | None:
        silence_ms, desk = self.edges.silence_ms, self.engine.desk
        read_ms, covered_ms = self.edges.read_ms, self.edges.covered_ms
        proof = Proof(desk, WallClock(), read_ms, covered_ms) if read_ms and covered_ms else None
        return Outage(desk, WallClock(), silence_ms, proof) if silence_ms else None

    def _take_database(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        with ExitStack() as undo:
            if not self._lock.exists():
                undo.callback(self._lock.remove)
            self._lock.acquire()
            undo.callback(self._lock.release)
            self._take_account()
            undo.callback(self._release_account)
            name = kept_identity(self.settings, account_name(self.path))
            binding = Binding(self.edges.venue_name, self.edges.mode, name)
            self.journal = open_journal(self.path, binding)
            undo.pop_all()
        self._undo.callback(self._lock.release)
        self._undo.callback(self._release_account)
        self._undo.callback(self.journal.close)

    def _take_account(self) -> None:
        if self._account is not None and (trouble := self._account.acquire()):
            logs.logger().warning("data.notice", notice=trouble)

    def _release_account(self) -> None:
        if self._account is not None:
            self._account.release()

    async def run(self) -> None:
        """Trade until the feed ends or `stop` is called; resting stops stay at the venue."""
        self._began = time.monotonic()
        self.journal.start_run(self._run_record())
        while not await self._start():
            if self._is_stopping:
                return
            await WallClock().sleep(_START_AGAIN_SECONDS)
        self.started_market_ms = self.engine.state.now_ms
        self._tell_halts()
        self.is_running = True
        if self._reading is None or not self._reading.cancelled():
            await self._run_cared_for()
        self.is_running = False
        self.journal.end_run(WallClock().now_ms())

    def _tell_recovered(self) -> None:
        """Say that what is held is known and has its stop."""
        held = sum(market.holding is not None for market in self.engine.state.markets.values())
        logs.logger().info("run.recovered", positions=held, seconds=round(self.wall_seconds(), 3))

    def _tell_halts(self) -> None:
        state = self.engine.state
        if state.halts:
            causes = {cause: halt.message for cause, halt in state.halts.items()}
            logs.logger().warning("halt.stands", halt_level=state.halt_level(), because=causes)

    async def _run_cared_for(self) -> None:
        keeping = asyncio.create_task(self.upkeep.keep())
        try:
            await self.session.run()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        if self.upkeep.failure is not None:
            raise self.upkeep.failure

    async def _start(self) -> bool:
        """Begin, or recover from what the journal holds; False when the venue does not answer now.

        A start that was cut off is made anew from the last checkpoint, which holds what it had settled.
        Candles come last: a venue hands out thousands slowly, and what they say of volatility up to the cut
        is in the checkpoint.
        """
        recovered = self.journal.recover()
        try:
            if recovered is None:
                await self._begin()
                self._tell_recovered()
                return True
            self._restore(recovered)
            self.session.hear()
            await resume(self.session, self.edges.exchange, recovered, self.edges.missed)
            await self.session.obey()
            self._tell_recovered()
            await self._read_candles()
        except (Transient, Unavailable) as error:
            logs.logger().warning("venue.unavailable", message=str(error), again_s=_START_AGAIN_SECONDS)
            return False
        return True

    async def _read_candles(self) -> None:
        """Warm up after a restart, unless a stop comes meanwhile: nothing hangs on it then."""
        self._reading = asyncio.create_task(self._warm_up(must_work=False))
        await asyncio.wait((self._reading,))
        if not self._reading.cancelled():
            self._reading.result()
            if not isinstance(self.strategy, Absent):
                lift_halt(self.engine.desk)

    def stop(self) -> None:
        """End after the event in hand."""
        self._is_stopping = True
        self.session.stop()
        if self._reading is not None:
            self._reading.cancel()

    async def leave(self) -> None:
        """Give the database and the venue back. May be called twice, and when `open` failed."""
        await self._undo.aclose()

    def recent_moves(self) -> tuple[MarginMoved, ...]:
        """Return the last margin moves that this database holds, oldest first."""
        with self.journal.read() as reader:
            entries = [entry for entry in journal(reader, limit=1000) if entry.kind == "MarginMoved"]
        return tuple(from_json(entry.body) for entry in reversed(entries))

    def wall_seconds(self) -> float:
        """Return the wall time since `run` was called."""
        return time.monotonic() - self._began

    async def _begin(self) -> None:
        if not self._market_ms:  # the database is there, and nothing was ever written to it
            await self._warm_up(must_work=False)
        account = await self.edges.exchange.account()
        begin(self.engine, account, self.edges.start_ms or max(self._market_ms, account.ts_ms))
        self.engine.state.epoch = self.edges.epoch
        self.journal.set_deposit(account.wallet_quote)
        self._put_instruments()
        self.session.commit(Commit(self.engine.state.now_ms))
        if account.positions:
            await adopt_truth(self.session, account)

    def _restore(self, recovered: Recovered) -> None:
        self.edges.restore(recovered.checkpoint.venue)
        self.edges.inherit(recovered.pending)
        self.edges.feed.seek(recovered.checkpoint.feed)
        fitting = self._fitting(recovered.checkpoint.engine)
        restore(self.engine.state, fitting)
        check_restored(self.engine.desk, fitting)
        self.engine.state.epoch = self.edges.epoch
        self._put_instruments()  # the venue may have changed its rules since the last start
        if isinstance(self.strategy, Absent):
            halt_for(self.engine.desk, self.strategy.why)

    def _fitting(self, engine: Json) -> Json:
        """Return the engine's last state for this session. UserError: a market of ours has other candles."""
        was_ms, is_ms = engine["timeframe_ms"], self.engine.desk.timeframe_ms
        was, now = timeframe_text(was_ms), timeframe_text(is_ms)
        if self.settings.run.mode != "paper":
            if was_ms != is_ms:
                logs.logger().warning("data.notice", notice=f"Candles were {was} and are {now} from now on.")
            return carried_over(engine, self.engine.state.markets, is_ms)
        if was_ms != is_ms:
            raise UserError(
                f"The database {self.path} continues a session on {was} candles, but this "
                f"start asks for {now} ones (strategy {self.strategy_name}). Give "
                f"--timeframe {was}, or name another database with --db."
            )
        return engine

    def _put_instruments(self) -> None:
        for symbol, instrument in self.edges.instruments.items():
            self.journal.put_instruments((instrument,), self.edges.profiles[symbol])

    async def _warm_up(self, *, must_work: bool) -> None:
        for symbol, market in self.engine.state.markets.items():
            candles = await self.edges.feed.history(symbol, self.engine.desk.timeframe_ms, market.window.size)
            self.engine.warm_up(symbol, candles)
            if len(candles.open_ms):
                newest_ms = int(candles.open_ms[-1]) + self.engine.desk.timeframe_ms
                self._market_ms = max(self._market_ms, newest_ms)
            if must_work:
                with self.question:
                    refuse_broken(self.strategy, self.strategy_name, market.window)

    def _engine(self) -> Engine:
        edges = self.edges
        return engine_of(
            self.settings,
            edges.instruments,
            edges.profiles,
            self.strategy,
            timeframe_ms(self.timeframe_name),
            edges.prefix,
            pace=_pace(self.settings),
            question=self.question,
            shown=without_secrets,
        )

    def _run_record(self) -> Run:
        settings = self.settings
        return Run(
            started_ms=WallClock().now_ms(),
            mode=self.edges.mode,
            seed=settings.run.seed,
            config_hash=config_hash(settings),
            config=json.dumps(effective(settings), sort_keys=True),
            version=__version__,
            strategy=self.strategy_name,
            policy=settings.margin.policy,
            feed=identity(settings),
        )


def _strategy(settings: Settings, path: Path) -> Strategy:
    """Return the strategy, or one that says nothing where what is open must be guarded without it."""
    choice = settings.strategy
    try:
        if settings.run.mode != "paper":
            check_confined(choice.name, choice.directory)
        check_pinned(choice.name, choice.directory, choice.sha256)
        params = choice.params.get(strategy_key(choice.name), {})
        return load_strategy(choice.name, choice.directory, params)
    except UserError as error:
        held = held_timeframe(settings, path)
        if held is None:
            raise
        return Absent(held, without_secrets(str(error)))


def _pace(settings: Settings) -> float:
    """An exchange on this machine runs its market as fast as it was told to; others share our clock."""
    exchange = settings.exchange
    return exchange.pace or (SERVED_PACE if exchange.base_url else 1.0)


async def _edges(settings: Settings, step_ms: int) -> Edges:
    if settings.run.mode == "paper" and settings.feed.kind != "live":
        return paper_edges(settings, step_ms)
    # ccxt takes a second to import, and an invented or recorded market needs none.
    if settings.run.mode == "paper":
        from bot.present import present_edges  # noqa: PLC0415

        return await present_edges(settings, step_ms)
    from bot.real import real_edges  # noqa: PLC0415

    return await real_edges(settings, step_ms)
