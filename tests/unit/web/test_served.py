"""One real run: the pages are there once what is held is protected, and hold nobody up when the bot ends."""

import http.client
import json
import logging
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import pytest

from bot.web.front import _logged_by
from bot.web.listening import listen

WEB = {"fastapi", "uvicorn", "starlette", "argon2"}


@contextmanager
def trading(folder: Path, root: Path, *flags: str) -> "Iterator[subprocess.Popen[str]]":
    """Run a headless session on the synthetic market; its log and its imports are lines of stderr."""
    command = [sys.executable, "-X", "importtime", "-m", "bot", "trade", "--headless", *flags]
    process = subprocess.Popen(
        [*command, "--db", str(folder / "bot.db")], cwd=root, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(lines: IO[str], event: str) -> tuple[dict[str, str], set[str]]:
    """Return the log line that says `event`, and the packages that were imported before it."""
    imported: set[str] = set()
    for line in lines:
        if line.startswith("import time:"):
            imported.add(line.rpartition("|")[2].strip().partition(".")[0])
        elif f'"event":"{event}"' in line:
            return json.loads(line), imported
    raise AssertionError(f"the session ended without {event}")


def test_the_pages_come_after_protection_and_end_with_the_session(tmp_path: Path, root: Path) -> None:
    with trading(tmp_path, root) as process:
        assert process.stderr is not None
        listening, _ = until(process.stderr, "web.listening")
        _, imported = until(process.stderr, "run.recovered")
        assert not imported & WEB, "a web framework was imported before the start was done"
        port = int(listening["port"])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as asked:
            asked.request("GET", "/api/board")  # waits until the pages stand
            board = json.loads(asked.getresponse().read())
            assert board["mode"] == "paper"
            headers = {"Content-Type": "application/json", "Idempotency-Key": "1"}
            asked.request("POST", "/api/commands", b'{"verb": "halt"}', headers)
            told = json.loads(asked.getresponse().read())
            until(process.stderr, "entries.halted")
            asked.request("GET", f"/api/commands/{told['command_id']}")
            assert json.loads(asked.getresponse().read())["state"] == "done"
            asked.request("GET", "/api/board")
            board = json.loads(asked.getresponse().read())
            assert [cause["cause"] for cause in board["guard"]["causes"]] == ["person"]
            asked.request("GET", "/health")
            assert json.loads(asked.getresponse().read())["status"] == "halted"
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as open_stream:
            open_stream.request("GET", "/api/stream")
            events = open_stream.getresponse()
            first = b"".join(events.readline() for _ in range(5)).decode()
            assert re.search(r"id: \d+\nevent: board\ndata: \{", first)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            until(process.stderr, "run.ended")
            assert process.wait(30) == 0
            assert time.monotonic() - began < 20.0


def test_a_busy_port_is_left_alone_and_the_next_one_taken_on_paper() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        taken = busy.getsockname()[1]
        with listen("127.0.0.1", taken, may_take_next=True) as found:
            assert found.getsockname()[1] > taken
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", taken, may_take_next=False)


@pytest.fixture
def root() -> Path:
    return Path(__file__).resolve().parents[3]


def test_a_client_that_never_reads_makes_the_system_keep_little() -> None:
    with listen("127.0.0.1", 0, may_take_next=False) as found:
        assert found.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 65_536


def test_the_servers_log_is_ours_only_while_it_serves() -> None:
    own = logging.getLogger("uvicorn")
    before = list(own.handlers), own.propagate
    with _logged_by(None):
        assert [type(each).__name__ for each in own.handlers] == ["_Lines"]
    assert (own.handlers, own.propagate) == before
