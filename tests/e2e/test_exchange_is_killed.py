"""The embedded exchange as a process: killed in the middle of requests it has everything it acknowledged."""

import hmac
import http.client
import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET
from tests.e2e.replay_files import start

DEATHS = 4
DEPOSIT_QUOTE = 10_000.0  # what serve begins with; it lies before the market's time
REQUESTS = 25


class Life:
    """One process, from its start to its death."""

    def __init__(self, state: Path, root: Path) -> None:
        command = [sys.executable, "-m", "bot", "exchange", "serve", "--port", "0", "--speed", "600x"]
        more = ["--symbols", "BTC/USDT:USDT", "--weight-limit", "100000", "--state", str(state)]
        self.process = start([*command, *more], root)
        assert self.process.stderr is not None
        said = self.process.stderr.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", said)
        assert found is not None, said
        self.line = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=60)

    def send(self, method: str, path: str, **params: Any) -> None:
        query = urlencode({**params, "timestamp": int(time.time() * 1000), "recvWindow": 60_000})
        signature = hmac.digest(PAPER_SECRET.encode(), query.encode(), "sha256").hex()
        url = f"/fapi/{path}?{query}&signature={signature}"
        self.line.request(method, url, headers={"X-MBX-APIKEY": PAPER_KEY})

    def ask(self, method: str, path: str, **params: Any) -> Any:
        self.send(method, path, **params)
        return json.loads(self.line.getresponse().read())

    def end(self, number: signal.Signals) -> int:
        assert self.process.stderr is not None
        self.process.send_signal(number)
        self.process.stderr.read()
        self.process.stderr.close()
        self.line.close()
        return self.process.wait()


def request(draw: random.Random, count: int) -> tuple[str, str, dict[str, Any]]:
    """Return something to ask for; a repeated client id would be refused, so each has its own."""
    order = {"symbol": "BTCUSDT", "type": "MARKET", "newClientOrderId": f"c{count}"}
    choices: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "v1/order", {**order, "side": "BUY", "quantity": "0.02"}),
        ("POST", "v1/order", {**order, "side": "SELL", "quantity": "0.01", "reduceOnly": "true"}),
        ("POST", "v1/positionMargin", {"symbol": "BTCUSDT", "amount": f"{count}.5", "type": 1}),
    ]
    return draw.choice(choices)


def check(life: Life, known: list[Any]) -> None:
    """Everything that was acknowledged is there, once, and the money adds up."""
    orders = life.ask("GET", "v1/allOrders", symbol="BTCUSDT", limit=1000)
    moves = life.ask("GET", "v1/positionMargin/history", symbol="BTCUSDT", limit=1000)
    ids = [order["orderId"] for order in orders]
    assert len(set(ids)) == len(ids)
    by_id = {order["orderId"]: order for order in orders}
    amounts = [float(move["amount"]) for move in moves]
    for reply in known:
        if "orderId" in reply:
            assert by_id[reply["orderId"]] == reply
        elif "amount" in reply:
            assert amounts.count(reply["amount"]) == 1
    income = life.ask("GET", "v1/income", startTime=1, limit=1000)
    account = life.ask("GET", "v3/account")
    total = DEPOSIT_QUOTE + sum(float(row["income"]) for row in income if row["incomeType"] != "TRANSFER")
    assert float(account["totalWalletBalance"]) == pytest.approx(total, abs=1e-6)


def test_a_killed_exchange_continues_with_everything_it_acknowledged(tmp_path: Path, root: Path) -> None:
    draw, known, count = random.Random(5), [], 0
    state = tmp_path / "exchange.state"
    for death in range(DEATHS):
        life = Life(state, root)
        try:
            if death == 0:
                life.ask("POST", "v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
                life.ask("POST", "v1/leverage", symbol="BTCUSDT", leverage=3)
            check(life, known)
            for _ in range(draw.randint(1, REQUESTS)):
                count += 1
                method, path, params = request(draw, count)
                reply = life.ask(method, path, **params)
                known += [reply] if reply.get("code", 200) == 200 else []
            count += 1
            method, path, params = request(draw, count)
            life.send(method, path, **params)
        finally:
            assert life.end(signal.SIGKILL) == -signal.SIGKILL
    life = Life(state, root)
    check(life, known)
    assert len(known) > DEATHS
    assert life.end(signal.SIGINT) == 0


def test_a_second_process_on_the_same_state_is_refused(tmp_path: Path, root: Path) -> None:
    state = tmp_path / "exchange.state"
    life = Life(state, root)
    command = [sys.executable, "-m", "bot", "exchange", "serve", "--port", "0", "--symbols", "BTC/USDT:USDT"]
    second = subprocess.run(
        [*command, "--state", str(state)], cwd=root, capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert "in use by another ringfence process" in second.stderr
    assert "--state" in second.stderr
    assert life.end(signal.SIGINT) == 0
