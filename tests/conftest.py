"""What every test folder shares: a reproducible hypothesis profile and the optional shared data."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

settings.register_profile("ringfence", derandomize=True, deadline=None)
settings.load_profile("ringfence")

_ROOT = Path(__file__).resolve().parent.parent
_ABSENT = "shared data is absent"
_MEMORY = Path("/dev/shm")
_MEMORY_NEEDED_BYTES = 2 * 1024**3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--golden-dir", default=None, metavar="DIR", help="run the golden checks on every case of DIR only"
    )
    parser.addoption(
        "--traced",
        action="append",
        default=[],
        metavar="DIR",
        help="with --cov, measure the tests of DIR only (may be repeated): a tracer trebles their time",
    )


def pytest_configure() -> None:
    """Put folders of tests in memory if there is room: a database waits for the disk at each commit."""
    if _is_roomy_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def _is_roomy_memory() -> bool:
    """Return whether there is a file system in memory, large enough, on which a program can be run."""
    if not os.access(_MEMORY, os.W_OK) or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(_MEMORY).free >= _MEMORY_NEEDED_BYTES


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --golden-dir import nothing but the golden tests: ten seconds for one case otherwise."""
    if config.getoption("--golden-dir") is None:
        return None
    golden = _ROOT / "tests" / "golden"
    return None if collection_path.is_relative_to(golden) or golden.is_relative_to(collection_path) else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    named: list[str] = config.getoption("--traced") or []
    folders = [_ROOT / folder for folder in named]
    for item in items:
        if folders and not any(item.path.is_relative_to(folder) for folder in folders):
            item.add_marker("no_cover")


def shared_folder() -> Path | None:
    """Return the folder with the shared market data, or None: RINGFENCE_SHARED first, then ../shared."""
    named = os.environ.get("RINGFENCE_SHARED")
    folder = Path(named) if named else _ROOT.parent / "shared"
    return folder if folder.is_dir() else None


@pytest.fixture(autouse=True)
def logs_of_its_own() -> Iterator[None]:
    """A test that sends log lines to a stream of its own leaves no closed one behind for the next."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Locks of accounts are kept apart from those of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of this checkout."""
    return _ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the shared folder, or skip the test and count it in the closing summary."""
    folder = shared_folder()
    if folder is None:
        pytest.skip(f"{_ABSENT}: neither RINGFENCE_SHARED nor ../shared names a folder")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = sum(_ABSENT in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.write_line(f"{skipped} tests skipped because {_ABSENT} (../shared)")
