"""How many signed requests a second one core of the embedded exchange answers, changes persisted."""

import hmac
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET
from tests.bench.conftest import Measure

pytestmark = pytest.mark.bench

_REQUESTS = 2_000
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Line:
    """One kept-alive connection that signs and waits for each reply."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._file = self._socket.makefile("rb")

    def ask(self, method: str, path: str, **params: Any) -> bytes:
        query = urlencode({**params, "timestamp": int(time.time() * 1000), "recvWindow": 60_000})
        signature = hmac.digest(PAPER_SECRET.encode(), query.encode(), "sha256").hex()
        head = f"{method} /fapi/{path}?{query}&signature={signature} HTTP/1.1"
        named = f"Host: x\r\nX-MBX-APIKEY: {PAPER_KEY}\r\nContent-Length: 0"
        self._socket.sendall(f"{head}\r\n{named}\r\n\r\n".encode())
        status = self._file.readline()
        length = 0
        while (line := self._file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = self._file.read(length)
        assert status.split()[1] == b"200", body
        return body

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[tuple[int, Line]]:
    """Start an exchange with a position; yield its process id and a connection."""
    command = [sys.executable, "-m", "bot", "exchange", "serve", "--port", "0", "--symbols", "BTC/USDT:USDT"]
    limits = ["--weight-limit", "1000000000", "--order-limit", "1000000000", "--speed", "1x"]
    process = subprocess.Popen(
        [*command, *limits, "--state", str(tmp_path / "exchange.state")], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", said)
        assert found is not None, said
        line = Line(int(found[1]))
        line.ask("POST", "v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
        line.ask("POST", "v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.05")
        yield process.pid, line
        line.close()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        process.stderr.close()


def test_bench_signed_requests(benchmark: Any, exchange: tuple[int, Line], measured: Measure) -> None:
    process_id, line = exchange
    figures = {}
    for name, ask in (("reads", _read), ("changes, each persisted", _change)):
        before = _cpu_seconds(process_id)
        for number in range(_REQUESTS):
            ask(line, number)
        figures[name] = _REQUESTS / (_cpu_seconds(process_id) - before)
    benchmark.pedantic(_read, (line, 0), rounds=100)
    benchmark.extra_info.update(figures)
    for name, value in figures.items():
        measured(f"embedded exchange: signed {name}, per second of CPU", value, "req/s", at_least=1_000)


def _read(line: Line, number: int) -> None:
    paths = ("v3/positionRisk", "v3/account", "v1/openOrders", "v1/openAlgoOrders")
    line.ask("GET", paths[number % 4], symbol="BTCUSDT")


def _change(line: Line, _number: int) -> None:
    line.ask("POST", "v1/positionMargin", symbol="BTCUSDT", amount="0.01", type=1)


def _cpu_seconds(process_id: int) -> float:
    """Return the user and system time of another process."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
