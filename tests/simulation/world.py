"""One simulated world: a clock, a network, an exchange with its market, bots, and what is watched in it."""

import asyncio
import gc
import hashlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any, Final

from bot import logs
from bot.ports import Commit
from tests.simulation.bots import Bot, simulated_edges
from tests.simulation.exchanges import SimulatedExchange, symbol_at
from tests.simulation.invariants import Watch
from tests.simulation.loop import VirtualLoop
from tests.simulation.manners import Manners
from tests.simulation.market import MarketPlan, SmallMarket
from tests.simulation.network import Network
from tests.simulation.news import News
from tests.simulation.process import Killed
from tests.simulation.wall import VenueClock, Wall, on_the_wall

FIRST_PRICES: Final = {"BTC/USDT:USDT": 50_000.0, "ETH/USDT:USDT": 2_500.0, "SOL/USDT:USDT": 150.0}
BOUNDARY_MS: Final = 1_738_022_400_000  # midnight: a funding instant
_SETTINGS: Final = {
    "feed.timeframe": "1m",
    "entry.buffer_sigmas": 0.1,
    "entry.risk_fraction": 0.004,
    "entry.risk_cap_fraction": 10.0,
    "entry.cascade_cap_fraction": 1.0,
    "entry.portfolio_cap_fraction": 0.75,
    "entry.min_reward_to_risk": 0.0,
    "entry.stop_slippage": 0.0,
    "entry.daily_loss_fraction": 1.0,
    "margin.limits.add_cooldown_ms": 5_000,
    "margin.limits.release_cooldown_ms": 20_000,
    "margin.limits.min_step_quote": 1.0,
    "margin.limits.min_step_fraction": 0.001,
    "log.level": "error",
}


_MOST_ROUNDS_OF_UNWINDING: Final = 30


def _task_number(task: "asyncio.Task[Any]") -> int:
    return int(task.get_name().rpartition("-")[2])


def _tell_of_living(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say what the bot would say, except of what the dead have left undone."""
    if not isinstance(context.get("exception"), Killed):
        logs.tell_of_error(loop, context)


class World:
    """`plan` may be changed by a fault before `build`."""

    def __init__(self, seed: int, dialect: str, folder: Path, symbols: tuple[str, ...], seconds: int) -> None:
        self.seed, self.dialect, self.folder = seed, dialect, folder
        self.symbols = tuple(symbol_at(dialect, symbol) for symbol in symbols)
        self.seconds_planned = seconds
        self.random = Random(f"{seed} {dialect}")
        self.loop = VirtualLoop(Random(self.random.getrandbits(64)))
        self.loop.set_exception_handler(_tell_of_living)
        self.plan = MarketPlan(self.symbols, tuple(FIRST_PRICES[symbol] for symbol in symbols), seconds)
        # The funding instant falls into the run.
        minutes = self.random.randint(1, max(seconds // 60 - 1, 2))
        self.settles_s = 60.0 * minutes + 12.0
        self.began_ms = BOUNDARY_MS - 60_000 * minutes - 12_000
        self.time_zone = "UTC"
        self.wall = Wall(self.loop, self.began_ms)
        self.network = Network(self.loop, Random(self.random.getrandbits(64)), self.wall.venue_ms)
        self.network.on_failure = self._has_failed
        self.settings: dict[str, Any] = dict(_SETTINGS)
        self._draw_habits()
        self.depth_quote = 250_000.0
        self.is_cross_at_first = False
        self.on_start: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.bots: list[Bot] = []
        self.errors: list[str] = []
        self.violations: list[str] = []
        self._trace = hashlib.sha256()
        self.trace_lines: list[str] | None = None
        self.touched_by_hand: set[str] = set()
        self.incomparable: set[str] = set()
        self.findings: list[
            Callable[[World], str]
        ] = []  # what a fault finds wrong in the end; "" for nothing
        self.fired: list[str] = []
        self.bound_ms = 30_000
        self._open_faults = 0
        self._faults: list[asyncio.Task[Any]] = []
        self._calm_since_ms = self.began_ms
        self._tasks: set[asyncio.Task[Any]] = set()
        self.exchange: SimulatedExchange
        self.watch: Watch
        self.manners: Manners
        self.news: News

    @property
    def bot(self) -> Bot:
        """Return the first bot."""
        return self.bots[0]

    def seconds(self) -> float:
        """Return the virtual seconds since the world began."""
        return self.loop.time()

    def note(self, what: str, detail: str) -> None:
        """Add a line to the trace, by which two runs are compared."""
        line = f"{self.loop.time():.6f} {what} {detail}"
        self._trace.update(line.encode() + b"\n")
        if self.trace_lines is not None:
            self.trace_lines.append(line)

    def trace_hash(self) -> str:
        """Return the trace as one word."""
        return self._trace.hexdigest()

    def violate(self, name: str, message: str, error: BaseException | None = None) -> None:
        """Note that an invariant does not hold."""
        del error
        line = f"{name} at {self.seconds():.3f}s: {message}"
        self.violations.append(line)
        self.note("violation", line)

    def _draw_habits(self) -> None:
        """Let every seed trade in another way, so that each is good at reaching something else."""
        random, settings, prefix = self.random, self.settings, "strategy.params.every_minute"
        settings[f"{prefix}.salt"] = random.randint(0, 1_000_000)
        settings[f"{prefix}.hold"] = random.choice((2, 3, 90))
        settings[f"{prefix}.stop"] = random.choice((0.003, 0.006, 0.012))
        settings["brackets.trail_activate_r"] = random.choice((0.0, 0.2, 0.5))
        settings["brackets.trail_distance_r"] = random.choice((0.5, 0.8))
        self.plan.sigma_per_second = random.choice((0.00025, 0.0004))

    def move_to(self, boundary_ms: int, time_zone: str) -> None:
        """Let the world be at another funding instant, and its hosts in a zone (POSIX); before `build`."""
        self.began_ms += boundary_ms - BOUNDARY_MS
        self.wall.began_ms = self._calm_since_ms = self.began_ms
        self.time_zone = time_zone

    # --- faults -----------------------------------------------------------------------------------

    def fault_fires(self, what: str) -> None:
        """Note that a fault does something now."""
        self.fired.append(what)
        self.note("fault", what)
        self._calm_since_ms = self.wall.venue_ms()

    def fault_begins(self, what: str) -> None:
        """Note a fault that lasts; until it ends nothing is demanded."""
        self.fault_fires(what)
        self._open_faults += 1

    def fault_ends(self) -> None:
        """Note that it is over."""
        self._open_faults = max(self._open_faults - 1, 0)  # it may end after everything was calmed
        self._calm_since_ms = self.wall.venue_ms()

    def calm_since_ms(self) -> int:
        """Return since when there was no fault and the bot was alive; now while there is one."""
        if self._open_faults or not all(bot.is_running for bot in self.bots if not bot.is_second):
            self._calm_since_ms = self.wall.venue_ms()
        return self._calm_since_ms

    def calm(self) -> None:
        """End every fault."""
        self.network.disturbances.clear()
        self.network.message_disturbances.clear()
        self.network.is_down = False
        self.wall.skew_ms = 0.0
        self.exchange.faults.clear()
        self.network.watchers[:] = [self.watch.hear_call, self.manners.hear_call, self.news.hear_call]
        for bot in self.bots:
            bot.restart_seconds, bot.kill_next_at_step = 1.0, 0
            bot.life.process.kill_at_step = 0
            bot.borders[:] = bot.borders[:1]
        for task in [task for task in self._tasks if task in self._faults]:
            task.cancel()
        if self.exchange.pump.is_paused:
            self.exchange.pump.resume()
        self._open_faults = 0
        self._calm_since_ms = self.wall.venue_ms()

    # --- life -------------------------------------------------------------------------------------

    def build(self) -> None:
        """Make the market and the exchange; to be called once the plan stands."""
        market = SmallMarket(self.plan, Random(self.random.getrandbits(64)), self.began_ms)
        self.exchange = SimulatedExchange(
            self.dialect, market, self.symbols, VenueClock(self.wall), self.depth_quote
        )
        self.network.application = self.exchange.application
        self.watch = Watch(self)
        self.manners = Manners(self)
        self.news = News(self)
        if self.is_cross_at_first and self.dialect != "okx":
            for symbol in self.symbols:
                self.exchange.server.force_margin_mode(symbol, is_isolated=False)

    def add_bot(self, name: str, database: Path | None = None) -> Bot:
        """Add a bot; its supervisor starts with `run`, or at once when the world runs already."""
        made = Bot(self, name, database or self.folder / f"{name}.db", dict(self.settings))
        made.borders.append(self._hear_commit)
        self.bots.append(made)
        return made

    def _hear_commit(self, where: str, commit: Commit, _: object) -> None:
        self.watch.hear_commit(where, commit)
        self.manners.hear_commit(where, commit)
        self.news.hear_commit(where, commit)

    def spawn(self, work: Any) -> "asyncio.Task[Any]":
        """Run something in the world."""
        task = self.loop.create_task(work, context=self.network.context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._failed)
        return task

    def _failed(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._has_failed(error)

    def _has_failed(self, error: BaseException) -> None:
        self.violate("WORLD", f"{type(error).__name__}: {error}", error)

    def run(self, story: Any) -> None:
        """Run the coroutine `story` to its end, with everything around it."""
        asyncio.set_event_loop(self.loop)
        try:
            with on_the_wall(self.wall, self.time_zone), simulated_edges(self):
                try:
                    self.loop.run_until_complete(self._run(story))
                finally:
                    self._end()
        finally:
            asyncio.set_event_loop(None)

    async def _run(self, story: Any) -> None:
        self.spawn(self.exchange.run())
        self._faults = [self.spawn(begin()) for begin in self.on_start]
        await story

    async def _unwind(self) -> None:
        """Cancel whatever still runs, so that nothing is finalised at a random moment later."""
        for _ in range(_MOST_ROUNDS_OF_UNWINDING):
            others = sorted(asyncio.all_tasks(self.loop) - {asyncio.current_task()}, key=_task_number)
            if not others:
                return
            for task in others:
                task.cancel()
            self.loop.take_up_dropped()
            await asyncio.wait(others, timeout=1.0)

    def _end(self) -> None:
        for bot in self.bots:
            bot.is_wanted = False
            for life in bot.lives:
                life.process.finish()
        self.loop.on_instant = None
        self.loop.take_up_dropped()
        self.loop.run_until_complete(self._unwind())
        for bot in self.bots:
            for life in bot.lives:
                for each in life.process.belongings:
                    if hasattr(each, "session"):
                        each.session = None
                life.process.belongings.clear()
        self.bots.clear()
        gc.collect()
        self.loop.close()
