"""A process killed with SIGKILL while it commits leaves a whole database: a prefix of its commits."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.store import queries
from bot.store.database import open_journal
from bot.store.maintenance import check
from tests.unit.store.story import BINDING

KILL_AFTER_LINES = (1, 5, 23, 60)
WRITER = """
import sys
from pathlib import Path
from bot.core.event import OrderAccepted
from bot.ports import Checkpoint, Commit, Resolution
from bot.store.database import open_journal
from tests.unit.store.story import BINDING, BTC, RUN, add_margin

journal = open_journal(Path(sys.argv[1]), BINDING)
journal.start_run(RUN)
recovered = journal.recover()
step = 0 if recovered is None else recovered.checkpoint.engine["step"]
resolutions = () if recovered is None else tuple(Resolution(i.seq, "done", "") for i in recovered.pending)
while True:
    step += 1
    accepted = OrderAccepted(step, BTC, f"c{step}", "stop")
    cut = Checkpoint({"step": step, "ballast": "x" * 8000}, {}, {})
    journal.commit(Commit(step, (accepted,), (add_margin(step),), resolutions, (), cut))
    resolutions = (Resolution(step, "done", ""),)
    print(step, flush=True)
"""


def commit_until_killed(path: Path, root: Path, lines: int) -> int:
    """Run the writer, kill it after it told of `lines` commits; return the last commit it told of."""
    command = [sys.executable, "-c", WRITER, str(path)]
    writer = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(lines)][-1]
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate()
    whole_lines = rest.splitlines(keepends=True)
    return int(whole_lines[-1]) if whole_lines and whole_lines[-1].endswith("\n") else told


@pytest.mark.timeout(120)
def test_a_killed_writer_leaves_a_prefix_of_its_commits_and_can_continue(path: Path, root: Path) -> None:
    for lines in KILL_AFTER_LINES:
        told = commit_until_killed(path, root, lines)
        assert check(path) == []
        journal = open_journal(path, BINDING)
        recovered = journal.recover()
        with journal.read() as reader:
            events = queries.journal(reader, limit=-1)
            intents = queries.intents(reader, limit=-1)
        journal.close()
        assert recovered is not None
        step = recovered.checkpoint.engine["step"]
        assert step in (told, told + 1)  # the last commit may not have been told yet
        assert [event.ts_ms for event in reversed(events)] == list(range(1, step + 1))
        assert [intent.seq for intent in reversed(intents)] == list(range(1, step + 1))
        assert [intent.seq for intent in recovered.pending] == [step]
