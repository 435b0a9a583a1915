"""The README's first steps on an exchange: both commands as they stand there, each in its own process."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.e2e.replay_files import start

ROOT = Path(__file__).resolve().parents[2]
PORT = "8770"


def commands() -> tuple[list[str], dict[str, str], list[str]]:
    """Return the README's command that serves, the variables it exports, and the one that trades."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Real exchanges")[1].split("\n## ")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", section, re.S) for line in block.splitlines()]
    serve = next(line for line in lines if "exchange serve" in line)
    trade = next(line for line in lines if "--base-url" in line)
    export = next(line for line in lines if line.startswith("export "))
    variables = dict(word.split("=", 1) for word in export.split()[1:])
    return serve.split()[1:], variables, trade.split()[1:]


def trade_until_closed(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Trade until a position was opened and closed, or to the end; return exit code and all that was said."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if '"event":"position.closed"' in line:
            process.send_signal(signal.SIGTERM)
    process.stdout.close()
    return process.wait(), "".join(said)


def test_the_readmes_commands_trade_over_ccxt_on_an_exchange_of_ones_own(tmp_path: Path) -> None:
    serve, keys, trade = commands()
    # Ten times its pace, and waiting for the bot: hours of its market pass while the test can wait.
    serve = [*serve[: serve.index("--for")], "--speed", "600x", "--quiet-ms", "10"]
    serve[serve.index(PORT)] = "0"
    exchange = start([sys.executable, "-m", "bot", *serve], ROOT)
    assert exchange.stderr is not None
    found = re.search(r"127\.0\.0\.1:(\d+)", exchange.stderr.readline())
    assert found is not None
    trade = [word.replace(PORT, found[1]) for word in trade]
    fresh = {"RINGFENCE__MARGIN__LIMITS__MAX_MARK_AGE_MS": "60000"}
    environment = os.environ | keys | fresh | {"PYTHONPATH": str(ROOT)}
    for number, seconds in ((1, "250s"), (2, "2s")):
        summary = tmp_path / f"{number}.json"
        trade[trade.index("--for") + 1] = seconds
        bot = [sys.executable, "-m", "bot", *trade, "--db", str(tmp_path / "bot.db"), "--summary"]
        code, said = trade_until_closed([*bot, str(summary)], environment)
        assert code == 0, said[-3000:]
        told = summary.read_text(encoding="utf-8")
        assert '"invariant_violations": 0' in told
        assert '"max_unprotected_ms": 0' in told
        assert keys["RINGFENCE__EXCHANGE__SECRET"] not in told + said
    with sqlite3.connect(tmp_path / "bot.db") as database:
        opened = database.execute("SELECT count(*) FROM event WHERE kind = 'PositionOpened'").fetchone()
    assert opened[0] > 0, "the example shows no position"
    exchange.send_signal(signal.SIGTERM)
    assert exchange.wait() == 0
    exchange.stderr.close()
