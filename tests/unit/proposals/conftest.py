"""A paper session's database with a lock and a fresh heartbeat, as beside a bot that runs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.clock import WallClock
from bot.liveness import beat
from bot.store.lock import DatabaseLock
from tests.unit.cli.conftest import paper_session

__all__ = ["paper_session"]


@pytest.fixture
def now_ms() -> int:
    """Return the wall time at which the test began."""
    return WallClock().now_ms()


@pytest.fixture
def path(tmp_path: Path, paper_session: Any) -> Path:
    """Copy the database of the real session, as if it had been written to this instant."""
    shutil.copy(paper_session.path, tmp_path / "paper.db")
    os.utime(tmp_path / "paper.db")
    return tmp_path / "paper.db"


@pytest.fixture
def running(path: Path) -> Iterator[Path]:
    """Return the database while its lock is held and its heartbeat is fresh."""
    with DatabaseLock(path):
        beat(path)
        yield path


@pytest.fixture
def symbol(paper_session: Any) -> str:
    """Return a symbol whose position is open in the session."""
    return paper_session.state.positions()[0].symbol
