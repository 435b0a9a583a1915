"""The README's doctor and download commands as they stand there, against an exchange in its own process."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.replay_files import start

ROOT = Path(__file__).resolve().parents[2]
PORT = "8770"
KEY, SECRET = "ringfence-paper-key", "ringfence-paper-secret"

STRATEGIES = {"RINGFENCE__STRATEGY__DIRECTORY": str(ROOT / "strategies")}

Run = Callable[..., subprocess.CompletedProcess[str]]


def command(verb: str) -> list[str]:
    """Return the words of the README's command of a verb, without the program."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"ringfence {verb} --venue")).split()[1:]


@pytest.fixture
def port() -> Iterator[str]:
    """Serve on a free port."""
    words = ["-m", "bot", "exchange", "serve", "--port", "0", "--speed", "600x", "--control"]
    exchange = start([sys.executable, *words], ROOT)
    assert exchange.stderr is not None
    found = re.search(r"127\.0\.0\.1:(\d+)", exchange.stderr.readline())
    assert found is not None
    yield found[1]
    exchange.send_signal(signal.SIGTERM)
    assert exchange.wait() == 0
    exchange.stderr.close()


@pytest.fixture
def run(port: str, tmp_path: Path) -> Run:
    """Run a command in an empty folder with the keys in the environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE")}

    def ran(words: list[str], secret: str = SECRET) -> subprocess.CompletedProcess[str]:
        keys = {"RINGFENCE__EXCHANGE__API_KEY": KEY, "RINGFENCE__EXCHANGE__SECRET": secret}
        return subprocess.run(
            [sys.executable, "-m", "bot", *(word.replace(PORT, port) for word in words)],
            cwd=tmp_path,
            env=kept | keys | {"PYTHONPATH": str(ROOT), **STRATEGIES},
            capture_output=True,
            text=True,
            check=False,
        )

    return ran


def test_the_doctor_finds_an_exchange_of_ones_own_fit_and_shows_no_secret(run: Run, tmp_path: Path) -> None:
    done = run(command("doctor"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "may not withdraw" in done.stdout
    refused = run(command("doctor"), secret="a-canary-of-a-secret")
    assert refused.returncode == 1
    assert "refuses the key" in refused.stdout
    assert not any(word in refused.stdout + refused.stderr for word in ("canary", KEY, "signature="))
    assert list(tmp_path.iterdir()) == [], "the doctor writes nothing"


def test_what_was_downloaded_is_replayed(run: Run, tmp_path: Path) -> None:
    done = run(command("download-data"))
    assert done.returncode == 0, done.stdout + done.stderr
    again = run(command("download-data"))
    assert again.returncode == 0
    assert re.search(r"BTCUSDT_1m\.parquet +2,?880 +0 ", again.stdout), again.stdout
    assert re.search(r"BTCUSDT_funding\.parquet +6 ", again.stdout), again.stdout
    replay = "trade --feed replay --data candles --timerange 20241230-20250101 --speed max --headless"
    played = run([*replay.split(), "--db", "replay.db", "--summary", "out.json"])
    assert played.returncode == 0, played.stderr[-2000:]
    assert '"invariant_violations": 0' in (tmp_path / "out.json").read_text(encoding="utf-8")
