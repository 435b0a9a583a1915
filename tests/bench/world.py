"""Whole sessions for the benches, wired as the program wires them."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bot.app import Application
from bot.core.candles import Candles
from bot.core.event import MarketEvent, MarkPrice, VenueEvent
from bot.core.intent import AddMargin, Intent, ReleaseMargin
from bot.engine.engine import Engine
from bot.engine.outbox import NOTHING
from bot.engine.state import Holding, Market
from bot.ports import Commit, Json, MarketFeed
from bot.settings import Settings
from bot.settings.model import Feed, Margin, Run, StrategyChoice

ROOT = Path(__file__).resolve().parents[2]
SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")


def settings_of(database: Path, feed: Feed | None = None, margin: Margin | None = None) -> Settings:
    """Return the defaults at full speed, with a new database."""
    return Settings(
        run=Run(db=database, speed=math.inf, headless=True),
        feed=feed or Feed(symbols=SYMBOLS),
        strategy=StrategyChoice(directory=ROOT / "strategies"),
        margin=margin or Margin(),
    )


class StoppedWhen:
    """Runs an application until `is_enough(commit)` says so after a commit, or its feed ends."""

    def __init__(self, settings: Settings) -> None:
        self.commits: list[Commit] = []
        self.application = Application(settings, self.observe)

    def observe(self, commit: Commit) -> None:
        self.commits.append(commit)
        if self.is_enough():
            self.application.stop()

    def is_enough(self) -> bool:
        """Return whether the session has shown what the bench needs."""
        return False

    def run(self) -> None:
        """Run the session to its end."""
        asyncio.run(self._live())

    async def _live(self) -> None:
        try:
            await self.application.meet()
            await self.application.open()
            await self.application.run()
        finally:
            await self.application.leave()


class UntilHeld(StoppedWhen):
    """Stops soon after a position is open with its stop in place."""

    def is_enough(self) -> bool:
        return any(_is_settled(market.holding) for market in self.markets())

    def markets(self) -> tuple[Market, ...]:
        return tuple(self.application.engine.state.markets.values())

    def sleeping(self) -> tuple[Engine, Market]:
        """Return the engine and a market whose mark touches no rung of its open position."""
        engine = self.application.engine
        for market in self.markets():
            if _is_settled(market.holding) and _is_asleep(engine, market):
                return engine, market
        raise LookupError("no position sleeps between its rungs")


def _is_settled(holding: Holding | None) -> bool:
    return holding is not None and holding.is_filled and holding.stop is not None and not holding.is_closing


def _is_asleep(engine: Engine, market: Market) -> bool:

    state = engine.state
    mark = MarkPrice(state.now_ms, market.instrument.symbol, market.mark, market.last)
    state.in_flight.clear()
    engine.step(mark)
    return engine.step(mark) is NOTHING


class TimedMoves:
    """A feed that times how long the session takes over each event that moved margin."""

    def __init__(self, feed: MarketFeed) -> None:
        self._feed = feed
        self.is_move = False
        self.seconds: list[float] = []

    async def events(self) -> AsyncIterator[MarketEvent | VenueEvent]:
        async for event in self._feed.events():
            self.is_move = False
            began = time.perf_counter()
            yield event
            if self.is_move:
                self.seconds.append(time.perf_counter() - began)

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        return await self._feed.history(symbol, timeframe_ms, count)

    def cursor(self) -> Json:
        return self._feed.cursor()


class UntilMoved(StoppedWhen):
    """Stops after `moves` margin moves; `timed.seconds` holds how long each took, end to end."""

    def __init__(self, settings: Settings, moves: int) -> None:
        self._moves = moves
        super().__init__(settings)

    async def _live(self) -> None:
        await self.application.meet()
        await self.application.open()
        session = self.application.session
        self.timed = TimedMoves(session._feed)
        session._feed = self.timed
        await self.application.run()
        await self.application.leave()

    def observe(self, commit: Commit) -> None:
        self.timed.is_move |= any(_is_margin(intent) for intent in commit.intents)
        super().observe(commit)

    def is_enough(self) -> bool:
        return len(self.timed.seconds) >= self._moves


def _is_margin(intent: Intent) -> bool:
    return isinstance(intent.action, AddMargin | ReleaseMargin)


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    ordered: list[Any] = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
