"""Machine code that an image brought along is found although its folder may not be written."""

import os
from pathlib import Path
from typing import Any

import numba.core.config
import pytest

from bot.backtest.kernel import kept_code

config: Any = numba.core.config


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an installation that holds code, and in which nobody may write."""
    beside, real = tmp_path / "installed" / "__pycache__", os.access
    beside.mkdir(parents=True)
    (beside / "loop.nbi").write_bytes(b"index")
    (beside / "loop.1.nbc").write_bytes(b"code")
    monkeypatch.setattr(kept_code, "_BESIDE", beside)
    monkeypatch.setattr(os, "access", lambda path, mode: path != beside.parent and real(path, mode))
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return beside


def test_it_is_brought_to_where_numba_looks(made: Path, tmp_path: Path) -> None:
    kept_code.bring_made_code("0123456789abcdef")
    found = {file.name: file.read_bytes() for file in Path(config.CACHE_DIR).rglob("*") if file.is_file()}
    assert found == {"loop.nbi": b"index", "loop.1.nbc": b"code"}
    assert Path(config.CACHE_DIR).parent == tmp_path / "cache"


def test_what_was_compiled_since_stays_and_older_sources_go(made: Path, tmp_path: Path) -> None:
    kept_code.bring_made_code("a" * 16)
    older = Path(config.CACHE_DIR)
    next(older.rglob("*.nbi")).write_bytes(b"of this processor")
    config.CACHE_DIR = ""
    kept_code.bring_made_code("a" * 16)
    assert next(older.rglob("*.nbi")).read_bytes() == b"of this processor"
    config.CACHE_DIR = ""
    kept_code.bring_made_code("b" * 16)
    assert not older.exists()


def test_nothing_moves_where_the_sources_can_be_written_or_a_folder_was_named(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "named"))
    kept_code.bring_made_code("a" * 16)
    assert Path(config.CACHE_DIR) == tmp_path / "named"
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(kept_code, "_BESIDE", tmp_path / "__pycache__")
    kept_code.bring_made_code("a" * 16)
    assert not config.CACHE_DIR
    assert not (tmp_path / "cache").exists()
