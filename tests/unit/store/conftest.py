"""An empty journal on disk and in memory, and a maker of database files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.ports import Commit
from bot.store.database import open_journal
from bot.store.journal import SqliteJournal
from bot.store.memory import memory_journal
from tests.unit.store.story import BINDING, DEPOSIT, RUN, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ringfence.db"


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest, path: Path) -> Iterator[SqliteJournal]:
    """An empty journal with a run and a deposit, once on disk and once in memory."""
    opened = open_journal(path, BINDING) if request.param == "file" else memory_journal(BINDING)
    opened.start_run(RUN)
    opened.set_deposit(DEPOSIT)
    yield opened
    opened.close()


@pytest.fixture
def database(path: Path) -> Callable[[list[Commit]], Path]:
    """Return a function that makes a database file holding the given commits."""

    def make(commits: list[Commit]) -> Path:
        opened = open_journal(path, BINDING)
        opened.start_run(RUN)
        opened.set_deposit(DEPOSIT)
        write(opened, commits)
        opened.close()
        return path

    return make
