"""A bot and the exchange it trades on, as two processes that may be killed, and what each of them knows."""

import hmac
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bot.sim.server.auth import PAPER_KEY, PAPER_PASSPHRASE, PAPER_SECRET
from tests.e2e.replay_files import environment

ROOT = Path(__file__).resolve().parents[2]
_LIMITS = ("--weight-limit", "1000000", "--order-limit", "100000")


class Exchange:
    """`ringfence exchange serve` on a port that it keeps through its deaths."""

    def __init__(self, folder: Path, *market: str) -> None:
        """`market`: the flags that say which market it plays, how fast, in whose dialect."""
        self._folder = folder
        self.state = folder / "exchange.state"
        self._command = [
            *(sys.executable, "-m", "bot", "exchange", "serve", *market, "--quiet-ms", "10"),
            *("--state", str(self.state), "--control", "--paused", *_LIMITS),
        ]
        # A bot's database belongs to one address.
        kept = folder / "exchange.port"
        self.port = int(kept.read_text()) if kept.exists() else 0
        self.live()
        kept.write_text(str(self.port))

    def live(self) -> None:
        """Start, or start again where it was killed; the market stands still until `resume`."""
        with (self._folder / "exchange.log").open("a") as log:
            self._process = subprocess.Popen(
                [*self._command, "--port", str(self.port)],
                cwd=ROOT,
                env=environment(),
                stderr=subprocess.PIPE,
                stdout=log,
                text=True,
            )
        assert self._process.stderr is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", self._process.stderr.readline())
        assert found is not None
        self.port = int(found[1])

    def die(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End at once, in the middle of whatever it does."""
        self._process.send_signal(number)
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def order(self, what: str) -> None:
        """Say `pause` or `resume` to the market."""
        self._ask("POST", f"/control/{what}")

    def progress(self) -> tuple[int, bool]:
        """Return the market's time and whether the recorded market is over."""
        told = self._ask("GET", "/control/")
        return told["market_ms"], told["is_at_end"]

    def signed(self, path: str, **params: Any) -> Any:
        """Return the exchange's own answer to a signed question."""
        query = urlencode({**params, "timestamp": int(time.time() * 1000), "recvWindow": 60_000})
        signature = hmac.digest(PAPER_SECRET.encode(), query.encode(), "sha256").hex()
        return self._ask("GET", f"/fapi/{path}?{query}&signature={signature}", {"X-MBX-APIKEY": PAPER_KEY})

    def _ask(self, method: str, path: str, headers: dict[str, str] | None = None) -> Any:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request(method, path, headers=headers or {})
        answer = json.loads(line.getresponse().read(), parse_float=Decimal)
        line.close()
        return answer


class Bot:
    """`ringfence trade` on that exchange, always with the same database."""

    def __init__(
        self,
        folder: Path,
        port: int,
        symbols: str,
        *more: str,
        venue: str = "binanceusdm",
        pace: float = 60_000,
    ) -> None:
        """`pace`: market seconds in one of ours; `more`: further flags."""
        self.database, self.log = folder / "bot.db", folder / "bot.log"
        self._folder = folder
        self._command = [
            *(sys.executable, "-m", "bot", "trade", "--venue", venue),
            *("--base-url", f"http://127.0.0.1:{port}", "--symbols", symbols, "--headless"),
            *("--db", str(self.database), "--summary", str(folder / "summary.json"), *more),
        ]
        self._environment = environment(
            RINGFENCE__EXCHANGE__API_KEY=PAPER_KEY,
            RINGFENCE__EXCHANGE__SECRET=PAPER_SECRET,
            RINGFENCE__EXCHANGE__PASSWORD=PAPER_PASSPHRASE,
            RINGFENCE__EXCHANGE__WEIGHT_PER_MINUTE="1000000",
            # A second of ours is hours of this market: what is fresh is counted in minutes.
            RINGFENCE__MARGIN__LIMITS__MAX_MARK_AGE_MS="60000",
            RINGFENCE__HALTS__STALE_DATA_MS="0",
            RINGFENCE__EXCHANGE__PACE=str(pace),
        )

    def live(self, *more: str) -> None:
        """Start, or continue after a death; returns when it trades."""
        before = self.log.stat().st_size if self.log.exists() else 0
        self.start(*more)
        wait_until(lambda: '"run.configured"' in self.log.read_text()[before:] or not self.is_alive())
        assert self.is_alive(), self.log.read_text()[-3000:]

    def start(self, *more: str) -> None:
        """Start, or continue after a death; returns at once."""
        with self.log.open("a") as stream:
            self._process = subprocess.Popen(
                [*self._command, *more], cwd=ROOT, env=self._environment, stderr=stream, stdout=stream
            )

    def processor_seconds(self) -> float:
        """Return what the living process has used of a processor; 0.0 where the system does not say."""
        told = Path(f"/proc/{self._process.pid}/stat")
        if not told.exists():
            return 0.0
        user, system = told.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def die(self, number: signal.Signals = signal.SIGKILL) -> int:
        """End, at once or by the door; return the exit code."""
        self._process.send_signal(number)
        return self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal and do not wait."""
        self._process.send_signal(number)

    def wait_for_end(self) -> int:
        """Return the exit code when it has ended."""
        return self._process.wait()

    def end(self) -> None:
        """Leave no process behind."""
        self._process.kill()
        self._process.wait()

    def wait(self) -> None:
        """Return when it has ended by itself."""
        assert self._process.wait() == 0

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the database answers."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            return connection.execute(query).fetchall()

    def summary(self) -> dict[str, Any]:
        """Return the totals of the last life that ended by the door."""
        return json.loads((self._folder / "summary.json").read_text())


def wait_until(is_so: Any, seconds: float = 1_200.0) -> None:
    """Return when it is so. Two processes are watched from outside: there is nothing else to wait on."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def venue_symbol(symbol: str) -> str:
    """Return the exchange's name of a unified symbol."""
    return symbol.partition(":")[0].replace("/", "")


def known_to_exchange(exchange: Exchange, symbols: list[str]) -> dict[str, Any]:
    """Return positions, orders, fills, margin moves and money as the exchange tells them."""
    told: dict[str, Any] = {"positions": set(), "orders": set(), "fills": set(), "margin": []}
    for row in exchange.signed("v3/positionRisk"):
        wallet = row["isolatedWallet"]
        told["positions"].add((row["symbol"], *map(Decimal, (row["positionAmt"], row["entryPrice"], wallet))))
    for row in exchange.signed("v1/openAlgoOrders"):
        told["orders"].add((row["clientAlgoId"], Decimal(row["triggerPrice"])))
    told["orders"] |= {(row["clientOrderId"], Decimal(0)) for row in exchange.signed("v1/openOrders")}
    for symbol in symbols:
        name = venue_symbol(symbol)
        for row in exchange.signed("v1/userTrades", symbol=name, fromId=0, limit=1_000):
            numbers = (row["price"], row["qty"], row["commission"], row["realizedPnl"])
            told["fills"].add((name, int(row["id"]), *map(Decimal, numbers)))
        moves = exchange.signed("v1/positionMargin/history", symbol=name, limit=500)
        signs = {1: 1, 2: -1}
        told["margin"] += [(name, signs[int(row["type"])] * Decimal(row["amount"])) for row in moves]
    told["margin"].sort()
    told["free"] = next(
        Decimal(row["availableBalance"])
        for row in exchange.signed("v3/account")["assets"]
        if row["asset"] == "USDT"
    )
    return told


def known_to_bot(bot: Bot) -> dict[str, Any]:
    """Return the same from the bot's database."""
    positions = bot.rows("SELECT symbol, side, quantity, entry_price, isolated_wallet FROM holding")
    orders = bot.rows(
        "SELECT client_id, coalesce(trigger_price, '0') FROM \"order\" "
        "WHERE status IN ('pending', 'open', 'partially_filled')"
    )
    fills = bot.rows("SELECT symbol, trade_id, price, quantity, fee_quote, realised_pnl_quote FROM fill")
    margin = bot.rows("SELECT symbol, amount_quote FROM margin_adjustment")
    return {
        "positions": {
            (venue_symbol(symbol), side * Decimal(quantity), Decimal(entry), Decimal(wallet))
            for symbol, side, quantity, entry, wallet in positions
        },
        "orders": {(client_id, Decimal(price)) for client_id, price in orders},
        "fills": {(venue_symbol(symbol), number, *map(Decimal, more)) for symbol, number, *more in fills},
        "margin": sorted((venue_symbol(symbol), Decimal(amount)) for symbol, amount in margin),
        "free": Decimal(bot.rows("SELECT free_quote FROM account")[0][0]),
    }
