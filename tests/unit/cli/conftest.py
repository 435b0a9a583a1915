"""A command line in an empty working directory, a stand-in for the session, and a real session's database."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from bot.app import Application
from bot.cli.main import run
from bot.engine.state import Holding, State
from bot.ports import Commit
from bot.settings import Flag, Settings, load


class Outcome(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Path:
    """An empty working directory, the project's strategies, and no settings from outside."""
    for name in [name for name in os.environ if name.upper().startswith("RINGFENCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RINGFENCE__STRATEGY__DIRECTORY", str(root / "strategies"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ringfence(workplace: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run one command line in process and return what it left."""

    def command(*arguments: str) -> Outcome:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return command


class FakeApplication:
    """Remembers the settings it was started with; what it does instead of trading is given."""

    def __init__(self) -> None:
        self.settings: Any = None
        self.work: Callable[[Any], int] = lambda _settings: 0

    def trade_on(self, settings: Any, is_watched: bool, _confirm: Any, announce: Callable[[], None]) -> int:
        assert not is_watched, "no terminal, no live view"
        self.settings = settings
        announce()
        return self.work(settings)


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> FakeApplication:
    """Stand in for the session, whose own tests run real ones."""
    fake = FakeApplication()
    module = ModuleType("bot.cli.session")
    setattr(module, "trade_on", fake.trade_on)  # noqa: B010  the module is made here, it has no such name
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return fake


class PaperSession(NamedTuple):
    """The database of a real session that was stopped, its settings, and the state it ended with."""

    path: Path
    settings: Settings
    state: State


@pytest.fixture(scope="session")
def paper_session(tmp_path_factory: pytest.TempPathFactory, root: Path) -> PaperSession:
    """Trade on the synthetic market until two positions are open, margin was moved and a trade closed."""
    path = tmp_path_factory.mktemp("session") / "paper.db"
    # Of many seeds this one comes there soonest.
    session = {"run.db": path, "run.speed": "max", "run.seed": 26}
    flags = {**session, "strategy.directory": root / "strategies"}
    settings = load(None, tuple(Flag(key, key, value) for key, value in flags.items()))

    def observe(_commit: Commit) -> None:
        state = application.engine.state
        moved = any(held.added_quote for held in _holdings(state))
        if moved and len(state.positions()) == 2 and state.tally.trades:
            application.stop()

    application = Application(settings, observe)
    asyncio.run(_live(application))
    return PaperSession(path, settings, application.engine.state)


async def _live(application: Application) -> None:
    try:
        await application.meet()
        await application.open()
        await application.run()
    finally:
        await application.leave()


def _holdings(state: State) -> list[Holding]:
    return [market.holding for market in state.markets.values() if market.holding is not None]


def files_in(folder: Path) -> list[str]:
    """Return every file and folder below `folder`."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def assert_one_paragraph(outcome: Outcome) -> None:
    """An error is one line on standard error that names the program, and nothing on standard output."""
    assert outcome.err.startswith("ringfence: ")
    assert outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
