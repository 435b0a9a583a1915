"""The ccxt that keys are given to is the locked one, and what runs at every start of Python is listed."""

import sys
from pathlib import Path
from typing import Any

import pytest

from bot import installed, real
from bot.cli import diagnosis
from bot.errors import UserError
from bot.installed import CCXT_VERSION, StartFile, changed_files, check_ccxt, foreign_start_files
from bot.settings.model import Exchange, Run, Settings

RUNS_CODE = "import os; os.environ['PLANTED'] = '1'\n"


@pytest.fixture
def site_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of packages that is this folder alone."""
    monkeypatch.setattr(installed.site, "getsitepackages", lambda: [str(tmp_path)])
    monkeypatch.setattr(installed.site, "ENABLE_USER_SITE", False)
    return tmp_path


def package(folder: Path, name: str, *files: str, needs: str = "") -> None:
    """Install `files` there as those of a package."""
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    needed = f"Requires-Dist: {needs}\n" if needs else ""
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needed}")
    (about / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_the_version_is_that_of_the_lock(root: Path) -> None:
    lock = (root / "requirements" / "base.lock").read_text(encoding="utf-8")
    assert f"\nccxt=={CCXT_VERSION} \\" in lock


def test_what_is_installed_here_passes() -> None:
    check_ccxt()
    assert list(changed_files("ccxt")) == []


def other_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "CCXT_VERSION", "4.5.1")


def not_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "_distribution", lambda _name: None)


@pytest.mark.parametrize(
    ("break_it", "says"),
    [(other_version, "tested with 4.5.1"), (not_a_package, "ccxt is not installed as a package")],
)
def test_another_ccxt_is_refused(break_it: Any, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it(monkeypatch)
    with pytest.raises(UserError, match=says):
        check_ccxt()
    assert diagnosis._ccxt().verdict == "wrong"


def test_a_ccxt_that_stands_in_front_of_the_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ccxt.py").write_text("")
    monkeypatch.delitem(sys.modules, "ccxt")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        UserError, match=r"would be imported from .*ccxt\.py, which is not the installed package"
    ):
        check_ccxt()


async def test_live_trading_asks_before_it_gives_a_key_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Connected(Exception):
        """The keys were given to ccxt."""

    def connect(*_: object) -> None:
        raise Connected

    monkeypatch.setattr(real, "connect", connect)
    other_version(monkeypatch)
    exchange = Exchange(name="binanceusdm", allow_live=True)
    with pytest.raises(UserError, match="It gets your keys; nothing was started"):
        await real.real_edges(Settings(run=Run(mode="live"), exchange=exchange), 60_000)
    with pytest.raises(Connected):
        await real.real_edges(Settings(run=Run(mode="testnet"), exchange=exchange), 60_000)


def test_a_changed_and_a_lost_file_of_a_package_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "planted")
    for name in ("kept", "changed", "lost"):
        (tmp_path / f"{name}.py").write_text(name)
    record = [
        f"{name}.py,sha256={installed._record_hash(tmp_path / f'{name}.py')},"
        for name in ("kept", "changed", "lost")
    ]
    (tmp_path / "planted-1.0.dist-info" / "RECORD").write_text("\n".join(record))
    (tmp_path / "changed.py").write_text("else")
    (tmp_path / "lost.py").unlink()
    monkeypatch.syspath_prepend(tmp_path)
    assert [path.name for path in changed_files("planted")] == ["changed.py", "lost.py"]


def test_a_file_that_runs_at_every_start_is_listed_with_who_brought_it(
    site_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nobody", "stranger", "ours"):
        (site_folder / f"{name}.pth").write_text(RUNS_CODE)
    (site_folder / "only_a_folder.pth").write_text("/somewhere\n# import this\n")
    package(site_folder, "a-stranger", "stranger.pth")
    package(site_folder, "needed", "ours.pth")
    package(site_folder, "ringfence", needs="Needed (>=1) ; python_version > '3'")
    monkeypatch.setattr(sys, "path", [str(site_folder)])
    installed._locked.cache_clear()
    try:
        assert foreign_start_files() == (
            StartFile(site_folder / "nobody.pth", ""),
            StartFile(site_folder / "stranger.pth", "a-stranger"),
        )
    finally:
        monkeypatch.undo()
        installed._locked.cache_clear()


def test_a_sitecustomize_is_listed(site_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site_folder / "sitecustomize.py").write_text("")
    monkeypatch.delitem(sys.modules, "sitecustomize", raising=False)
    monkeypatch.syspath_prepend(site_folder)
    found = [each for each in foreign_start_files() if each.path.parent == site_folder]
    assert found == [StartFile(site_folder / "sitecustomize.py", "")]
    assert "no installed package owns it" in found[0].words
    assert any(found[0].words in notice for notice in real.start_file_notices())
    assert any(found[0].words in each.finding for each in diagnosis._start_files())


def test_an_environment_without_any_is_said_to_have_none(
    site_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "_CUSTOMS", ())
    assert foreign_start_files() == ()
    assert [each.verdict for each in diagnosis._start_files()] == ["ok"]
