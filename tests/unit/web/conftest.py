"""A paper session that stands still with two positions and one margin move, and clients of its pages."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from bot.app import Application
from bot.cli.calculators.forms import CalculatorForms
from bot.commands.orders import Orders
from bot.core.event import MarginMoved
from bot.ports import Commit
from bot.settings import Flag, Settings, load
from bot.web.application import application
from bot.web.attempts import Attempts
from bot.web.boards import Boards
from bot.web.guards import Guards
from bot.web.lag import LagMeter
from bot.web.office import Office
from bot.web.sessions import Sessions
from bot.web.stream import Broadcast
from bot.web.vault import Vault
from tests.unit.web.asgi_client import Client

NOW_MS = 1_800_000_000_000


class Bot:
    """The session, and what it committed."""

    def __init__(self, folder: Path, strategies: Path) -> None:
        self.commits: list[Commit] = []
        self.moves = 0
        flags = {
            "run.db": folder / "bot.db",
            "run.speed": "max",
            "strategy.directory": strategies,
            "margin.policy": "hurdle",  # its ladder has adds and releases
            "web.port": 0,
        }
        self.settings = load(None, tuple(Flag(key, key, value) for key, value in flags.items()))
        self.application = Application(self.settings, self._observe)

    def _observe(self, commit: Commit) -> None:
        self.commits.append(commit)
        self.moves += sum(isinstance(note, MarginMoved) for note in commit.notes)
        # A commit later the ladder is laid anew.
        if self.moves and not any(isinstance(note, MarginMoved) for note in commit.notes):
            self.application.stop()

    async def trade(self) -> None:
        await self.application.meet()
        await self.application.open()
        await self.application.run()


@pytest.fixture(scope="session")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """Trade until margin is moved for the first time; nothing of it changes afterwards."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    made = Bot(tmp_path_factory.mktemp("bot"), Path(__file__).resolve().parents[3] / "strategies")
    asyncio.run(made.trade())
    structlog.configure(**before)
    yield made
    asyncio.run(made.application.leave())


class Unheard:
    """A logger that says nothing."""

    def info(self, *_: object, **__: object) -> None: ...

    warning = error = info


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def office_for(bot: Bot, clock: Seconds) -> Iterator[Callable[[Settings], Office]]:
    """Return a maker of offices of the session under other settings."""
    made: list[Office] = []

    def make(settings: Settings) -> Office:
        broadcast, lag = Broadcast(NOW_MS), LagMeter()
        boards = Boards(bot.application, broadcast, lambda: NOW_MS, lag.newest_ms)
        for commit in bot.commits:
            boards.hear(commit)
        forms = CalculatorForms()
        orders = Orders(bot.application.path, bot.application.engine.state, clock, lambda: NOW_MS)
        guards = Guards(settings, Vault(bot.application.path), Sessions(clock), Attempts(clock))

        office = Office(
            *(bot.application, settings, broadcast, boards, lag, forms, guards, orders),
            *(Unheard(), lambda: NOW_MS, NOW_MS),
        )
        made.append(office)
        return office

    yield make
    for office in made:
        office.close()


@pytest.fixture
def office(bot: Bot, office_for: Callable[[Settings], Office]) -> Office:
    """Return the office of the session as it is."""
    return office_for(bot.settings)


@pytest.fixture
def client(office: Office) -> Client:
    """Return a client of the session's pages."""
    return Client(application(office))
