"""The exchange, the bot on it, and what is known about both from outside."""

import asyncio
from pathlib import Path
from typing import Final

from bot.clock import WallClock
from bot.exchange.connect import Credentials, connect
from bot.exchange.hosts import Access
from bot.sim.server.auth import PAPER_KEY, PAPER_PASSPHRASE, PAPER_SECRET
from tests.e2e.rehearsal import Bot, Exchange
from tests.kills.truth import Truth
from tests.simulation.exchanges import CCXT_ID

SYMBOLS: Final = ("BTC/USDT:USDT", "ETH/USDT:USDT")
_DEPOSIT_QUOTE: Final = 100_000.0
_STRATEGIES: Final = Path(__file__).resolve().parents[1] / "simulation" / "strategies"
# Something is always held and always moves; no limit of a day or a drawdown ends that.
_HABITS: Final = """
[feed]
timeframe = "1m"
[strategy]
name = "every_minute"
directory = "{strategies}"
[strategy.params.every_minute]
hold = {hold}
salt = {salt}
stop = 0.004
[entry]
buffer_sigmas = 0.1
risk_fraction = 0.002
risk_cap_fraction = 10.0
cascade_cap_fraction = 1.0
portfolio_cap_fraction = 0.75
min_reward_to_risk = 0.0
stop_slippage = 0.0
daily_loss_fraction = 1.0
[brackets]
trail_activate_r = 0.2
trail_distance_r = 0.5
[margin]
policy = "distance_band"
[margin.params.distance_band]
low = 0.97
high = 1.03
[margin.limits]
add_cooldown_ms = 5000
release_cooldown_ms = 20000
min_step_quote = 1.0
min_step_fraction = 0.001
[halts]
daily_loss_fraction = 0.0
drawdown_fraction = 0.0
orders_per_minute = 0
messages_per_minute = 0
"""


class Rig:
    """Both processes in a folder, where a second rig goes on after the first."""

    def __init__(self, folder: Path, dialect: str, seed: int, pace: float) -> None:
        self.dialect = dialect
        named = ",".join(SYMBOLS)
        habits = folder / "bot.toml"
        habits.write_text(_HABITS.format(strategies=_STRATEGIES, hold=(5, 7, 11)[seed % 3], salt=seed))
        market = ("--dialect", dialect, "--symbols", named, "--seed", str(seed), "--speed", f"{pace:g}x")
        self.exchange = Exchange(folder, *market, "--deposit", f"{_DEPOSIT_QUOTE:g}")
        more = ("--config", str(habits))
        self.bot = Bot(folder, self.exchange.port, named, *more, venue=CCXT_ID[dialect], pace=pace)
        self.truth = Truth(self.exchange.state, dialect, SYMBOLS, _DEPOSIT_QUOTE)
        self._read = 0

    def start(self) -> None:
        """Start the bot, with a log of which only what it says from now on is heard."""
        self._read = self.bot.log.stat().st_size if self.bot.log.exists() else 0
        self.bot.start()

    def has_said(self, event: str) -> bool:
        """Return whether the bot of now has logged this event."""
        with self.bot.log.open("rb") as log:
            log.seek(self._read)
            return f'"event":"{event}"'.encode() in log.read()

    def last_words(self) -> str:
        """Return the end of what the bot of now has logged."""
        with self.bot.log.open("rb") as log:
            log.seek(self._read)
            return log.read()[-1_500:].decode()

    def cancel_stops(self) -> int:
        """Cancel every stop at the exchange, by request; return how many are gone.

        The market stands still meanwhile, or one of them might be triggered first.
        """
        self.exchange.order("pause")
        self.truth.look()
        before = len(self.truth.stops())
        if before:
            asyncio.run(self._cancelled())
            self.truth.look()
        self.exchange.order("resume")
        return before - len(self.truth.stops())

    async def _cancelled(self) -> None:
        keys = Credentials(PAPER_KEY, PAPER_SECRET, PAPER_PASSPHRASE)
        access = Access("loopback", f"http://127.0.0.1:{self.exchange.port}")
        made = connect(CCXT_ID[self.dialect], access, keys, SYMBOLS, WallClock(), 1_000_000)
        client, dialect = made.link.client, made.gateway.dialect
        try:
            await client.load_markets()
            for stop in self.truth.stops():
                await dialect.cancel(client, stop.symbol, stop.client_id, True)
        finally:
            await made.close()
