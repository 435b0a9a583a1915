"""A strategy that never answers ends the process; the next one guards what is open and asks it no more."""

import json
import sys
from pathlib import Path

import pytest

from bot.watchdog import HUNG_EXIT
from tests.e2e.replay_files import run, trade_command, write_candles

STRATEGY = """
import time

from bot.core.candles import Candles
from bot.strategy import Signals, Strategy, no_signals


class Hanging(Strategy):
    timeframe = "1m"
    asked = 0

    @property
    def warmup(self) -> int:
        return 5

    def signals(self, candles: Candles) -> Signals:
        type(self).asked += 1
        if type(self).asked > 40:
            {hang}
        told = no_signals(len(candles.close))
        told.entries[-1], told.direction[-1], told.stop_distance[-1] = True, 1, 0.02
        return told
"""


@pytest.mark.parametrize("hang", ["time.sleep(600)", "while True: pass"])
def test_a_hanging_strategy_ends_the_process_and_is_not_asked_by_the_next(
    hang: str, tmp_path: Path, root: Path
) -> None:
    timerange = write_candles(tmp_path, 11, 1)
    file, database, summary = tmp_path / "hanging.py", tmp_path / "my.db", tmp_path / "out.json"
    file.write_text(STRATEGY.format(hang=hang))
    command = trade_command(tmp_path, timerange, database, summary, "--strategy", str(file))
    (tmp_path / "limit.toml").write_text("[strategy]\nanswer_ms = 1000\n")
    command += ["--config", str(tmp_path / "limit.toml")]
    ended = run(command, root, timeout=60)
    assert ended.returncode == HUNG_EXIT, ended.stderr
    assert "strategy.hung" in ended.stderr
    assert "hanging.py" in ended.stderr.split("Thread", 1)[1]
    again = run(command, root, timeout=60)
    assert again.returncode == 0, again.stderr
    told = json.loads(summary.read_text())
    assert told["open_positions"] + told["trades"] > 0
    status = run([sys.executable, "-m", "bot", "status", "--db", str(database), "--json"], root)
    halts = json.loads(status.stdout)["halts"]
    assert halts["strategy_hung"]["level"] == "NO_ENTRY"
    assert "did not answer for 1 s" in halts["strategy_hung"]["message"]
    assert not list(tmp_path.glob("*.command"))
