"""A command line in an empty working directory, and a stand-in for the application behind it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from bot.cli.main import run


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
        self.plan: list[dict[str, Any]] = []

    def trade_on(self, settings: Any, is_watched: bool) -> int:
        assert not is_watched, "no terminal, no live view"
        self.settings = settings
        return self.work(settings)

    def margin_plan(self, settings: Any) -> list[dict[str, Any]]:
        self.settings = settings
        return self.plan


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> FakeApplication:
    """Stand in for the session and the plan, whose own tests run real ones."""
    fake = FakeApplication()
    for name, offered in (("bot.cli.session", "trade_on"), ("bot.app", "margin_plan")):
        module = ModuleType(name)
        setattr(module, offered, getattr(fake, offered))
        monkeypatch.setitem(sys.modules, name, module)
    return fake


def files_in(folder: Path) -> list[str]:
    """Return every file and folder below `folder`."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def assert_one_paragraph(outcome: Outcome) -> None:
    """An error is one line on standard error that names the program, and nothing on standard output."""
    assert outcome.err.startswith("ringfence: ")
    assert outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
