"""A bot on its simulated host: the real application, started again by a supervisor whenever it ends."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import bot.app
import bot.real
from bot.app import Application
from bot.errors import RingfenceError
from bot.ports import Commit
from bot.settings import Flag, Settings, load
from bot.sim.server.auth import (
    PAPER_AGENT_KEY,
    PAPER_KEY,
    PAPER_PASSPHRASE,
    PAPER_SECRET,
    PAPER_WALLET,
)
from bot.store.account_lock import STATE_VARIABLE
from tests.simulation.exchanges import CCXT_ID
from tests.simulation.process import Killed, Process, current_process, enter
from tests.simulation.storage import Border, Image, WatchedJournal

if TYPE_CHECKING:
    from tests.simulation.world import World

_STRATEGY: Final = Path(__file__).parent / "strategies" / "every_minute.py"
_RESTART_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 8.0


class Life:
    """One process from start to end."""

    def __init__(self, process: Process, application: Application) -> None:
        self.process, self.application = process, application
        self.task: asyncio.Task[None] | None = None
        self.started_ms = 0
        self.error: BaseException | None = None


class Bot:
    """What a supervisor keeps alive on one database. `borders` are told of every commit."""

    def __init__(self, world: "World", name: str, database: Path, settings: dict[str, Any]) -> None:
        self.world, self.name, self.database = world, name, database
        self.settings = settings
        self.borders: list[Border] = []
        self.commits: list[Commit] = []
        self.lives: list[Life] = []
        self.on_start: list[Callable[[Life], None]] = []
        self.is_wanted, self.is_second = True, False
        self.tear: Image | None = None
        self.restart_seconds = _RESTART_SECONDS
        self.kill_next_at_step = 0
        self._ended: asyncio.Event | None = None

    @property
    def life(self) -> Life:
        """Return the newest process."""
        return self.lives[-1]

    @property
    def is_running(self) -> bool:
        """Whether it is alive and trades."""
        return bool(self.lives) and not self.life.process.is_dead and self.life.application.is_running

    async def supervise(self) -> None:
        """Start it, and again after every end, for as long as it is wanted."""
        while self.is_wanted:
            self._start()
            await self._over()
            self._bury()
            await asyncio.sleep(self._pause_seconds())

    def _pause_seconds(self) -> float:
        """Return how long the supervisor waits: longer and longer for one that never comes up."""
        failed = 0
        for life in reversed(self.lives):
            if life.error is None:
                break
            failed += 1
        return min(
            self.restart_seconds * 2.0 ** max(failed - 1, 0),
            max(self.restart_seconds, _LONGEST_PAUSE_SECONDS),
        )

    def kill(self) -> None:
        """SIGKILL."""
        if self.lives:
            self.life.process.die()

    def terminate(self) -> None:
        """SIGTERM: handled once the session is open; before, it ends the process as any program."""
        if not self.lives or self.life.process.is_dead:
            return
        if hasattr(self.life.application, "session"):
            self.life.application.stop()
        else:
            self.kill()

    def _start(self) -> None:
        world = self.world
        process = Process(f"{self.name}{len(self.lives)}")
        process.kill_at_step, self.kill_next_at_step = self.kill_next_at_step, 0
        life = Life(process, Application(self._loaded(), self._observe))
        life.started_ms = world.wall.venue_ms()
        self.lives.append(life)
        for change in self.on_start:
            change(life)
        self._ended = asyncio.Event()
        process.on_death.append(self._ended.set)
        context = copy_context()
        context.run(enter, process)
        life.task = world.loop.create_task(self._live(life), context=context)
        world.note("start", process.name)

    async def _live(self, life: Life) -> None:
        application = life.application
        try:
            with suppress(Killed):
                try:
                    await application.meet()
                    await application.open()
                    life.process.check()
                    await application.run()
                finally:
                    await application.leave()
        except (RingfenceError, OSError) as error:
            life.error = error
        except Exception as error:  # noqa: BLE001  whatever ends a bot is a finding
            life.error = error
            self.world.violate("CRASH", f"{type(error).__name__}: {error}", error)
        finally:
            if self._ended is not None:
                self._ended.set()

    async def _over(self) -> None:
        if self._ended is not None:
            await self._ended.wait()

    def _bury(self) -> None:
        """Give back what the kernel would: the lock, the database's descriptor, the sockets."""
        life, application = self.life, self.life.application
        life.process.die()
        self.world.note("end", f"{life.process.name} {type(life.error).__name__ if life.error else ''}")
        if life.error is not None:
            self.world.errors.append(f"{self.world.seconds():.3f} {life.error}")
        with suppress(Exception):
            application._lock.release()
            application._release_account()
        journal = getattr(application, "journal", None)
        if journal is not None:
            self._close(journal)

    def _close(self, journal: Any) -> None:
        """Close the database; when the power failed, put back what was on the disk then."""
        if self.tear is None:
            journal.close()
            return
        found, self.tear = {self.database: self.database.read_bytes()} | self.tear, None
        journal.close()
        for path, content in found.items():
            path.write_bytes(content)

    def _observe(self, commit: Commit) -> None:
        self.commits.append(commit)

    def _loaded(self) -> Settings:
        flags = {
            "exchange.name": CCXT_ID[self.world.dialect],
            "exchange.base_url": "http://127.0.0.1:1",
            "exchange.pace": 1.0,
            "exchange.api_key": PAPER_KEY,
            "exchange.secret": PAPER_SECRET,
            "exchange.password": PAPER_PASSPHRASE,
            "exchange.wallet_address": PAPER_WALLET,
            "exchange.private_key": PAPER_AGENT_KEY,
            "run.mode": "testnet",
            "feed.symbols": ",".join(self.world.symbols),
            "strategy.name": _STRATEGY.stem,
            "strategy.directory": str(_STRATEGY.parent),
            **self.settings,
        }
        loaded = _loaded(tuple(Flag(key, key, value) for key, value in flags.items()))
        run = loaded.run.model_copy(update={"db": self.database})
        return loaded.model_copy(update={"run": run})


@lru_cache(maxsize=64)
def _loaded(flags: tuple[Flag, ...]) -> Settings:
    return load(None, flags)


@contextmanager
def simulated_edges(world: "World") -> Iterator[None]:
    """Let every application of this process reach the simulated network and database instead of real ones."""
    connect, secrets, open_journal = bot.real.connect, bot.real.secrets, bot.app.open_journal

    def connected(*args: Any, **more: Any) -> Any:
        made = connect(*args, **more)
        process = current_process()
        assert process is not None
        client = made.link.client
        client.own_session, client.session = False, world.network.session(process)
        client.ssl_context = False
        process.belongings.append(client)
        return made

    def opened(path: Path, binding: Any) -> Any:
        process = current_process()
        assert process is not None
        owner = next(each for each in world.bots if each.database == path and each.life.process is process)
        return WatchedJournal(open_journal(path, binding), process, owner.borders)

    level, state_home = logging.getLogger().level, os.environ.get(STATE_VARIABLE)
    os.environ[STATE_VARIABLE] = str(world.folder / "state")
    bot.real.connect, bot.real.secrets, bot.app.open_journal = connected, _Tokens(world.random), opened
    try:
        yield
    finally:
        bot.real.connect, bot.real.secrets, bot.app.open_journal = connect, secrets, open_journal
        logging.getLogger().setLevel(level)
        if state_home is None:
            del os.environ[STATE_VARIABLE]
        else:
            os.environ[STATE_VARIABLE] = state_home


class _Tokens:
    """Random tokens that the seed draws."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def token_hex(self, count: int) -> str:
        return self._random.randbytes(count).hex()
