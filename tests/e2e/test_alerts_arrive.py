"""Alerts of a real process: a service that hangs, a kill, and the next start delivers what was owed."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.replay_files import environment

ROOT = Path(__file__).resolve().parents[2]
CANARY = "CanaryToken0123456789"


class Service(ThreadingHTTPServer):
    """A webhook on loopback that answers nobody until `answers` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.got: list[dict[str, Any]] = []
        self.answers = threading.Event()
        self.was_asked = threading.Event()


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        service = self.server
        assert isinstance(service, Service)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        service.was_asked.set()
        if not service.answers.is_set():
            service.answers.wait()
            return
        service.got.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name at the base
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield made
        made.answers.set()
        made.shutdown()
        thread.join()


def trading(database: Path, service: Service, log: Path, *words: str) -> "subprocess.Popen[bytes]":
    """Start a bot whose first position is an emergency by its settings."""
    route = "RINGFENCE__ALERTS__ROUTES__HOOK__APPRISE_URL"
    settings = {
        route: f"json://127.0.0.1:{service.server_port}/{CANARY}",
        "RINGFENCE__ALERTS__DISTANCE_LEVELS": "0.95",
        "RINGFENCE__WEB__ENABLED": "false",
        "RINGFENCE__LOG__LEVEL": "debug",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "bot", "trade", "--headless", "--db", str(database), *words]
    with log.open("ab") as stream:
        return subprocess.Popen(command, cwd=ROOT, env=environment(**settings), stdout=stream, stderr=stream)


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def test_what_a_hanging_service_and_a_kill_kept_back_is_delivered_by_the_next_start(
    tmp_path: Path, service: Service
) -> None:
    database, log = tmp_path / "paper.db", tmp_path / "log"
    killed = trading(database, service, log)
    assert service.was_asked.wait(60)
    events = "SELECT max(id) FROM event"
    before = rows(database, events)[0][0]
    until = time.monotonic() + 60
    while rows(database, events)[0][0] <= before:  # trading goes on while the service hangs
        assert time.monotonic() < until
        time.sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    owed = rows(database, "SELECT title FROM alert_delivery WHERE status = 'waiting' ORDER BY created_ms")
    assert owed
    service.answers.set()
    assert trading(database, service, log, "--for", "2s").wait() == 0
    told = [each["title"] for each in service.got]
    assert {title for (title,) in owed} <= set(told)
    assert told[0].startswith("CRITICAL ")
    assert told[0].endswith("[paper]")
    assert rows(database, "SELECT DISTINCT status FROM alert_delivery") == [("delivered",)]
    assert len(told) == len({each["message"] for each in service.got}), "once each"
    written = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert CANARY.encode() not in written
