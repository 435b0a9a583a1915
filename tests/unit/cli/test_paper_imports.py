"""What paper trading must not import: every module costs start-up time and memory for the whole run."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def imported(root: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the packages that a short session on the synthetic market has imported something of."""
    database = tmp_path_factory.mktemp("paper") / "paper.db"
    flags = ["--speed", "max", "--for", "0.05s", "--headless", "--no-web", "--db", str(database)]
    command = [sys.executable, "-X", "importtime", "-m", "bot", "trade", *flags]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    rows = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    modules = (row.rpartition("|")[2].strip() for row in rows)
    # A package alone may be an import that was tried and failed.
    return {package for package, dot, _ in (module.partition(".") for module in modules) if dot}


def test_paper_trading_on_the_synthetic_market_imports_no_more_than_it_uses(imported: set[str]) -> None:
    assert {"sqlalchemy", "structlog", "talib"} <= imported
    assert not imported & {"polars", "pandas", "alembic", "ccxt", "numba", "tenacity"}
    assert not imported & {"fastapi", "uvicorn", "starlette", "argon2"}
