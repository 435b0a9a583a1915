"""Moves the market on at its pace; pauses, and goes on by hand."""

import asyncio
from collections.abc import Callable, Generator
from typing import Final

from bot.core.event import MarkPrice
from bot.ports import Clock
from bot.sim.pace import Pace
from bot.sim.server.exchange import EmbeddedExchange

_BATCH: Final = 64
_BATCH_BY_HAND: Final = 256
_MOST_WAITING: Final = 256
_SHORT_SECONDS: Final = 0.002


class Pump:
    """`speed` is market seconds per wall second, math.inf as fast as listeners take it.

    With `quiet_ms` the market stands still until its account asked nothing for so long: at thousands of times
    the real speed a bot that needs ten milliseconds would else be minutes late.
    """

    def __init__(self, exchange: EmbeddedExchange, clock: Clock, speed: float, quiet_ms: int = 0) -> None:
        self._exchange, self._clock, self._quiet_ms = exchange, clock, quiet_ms
        self._pace = Pace(clock, speed)
        self._may_run = asyncio.Event()
        self._may_run.set()
        self.is_at_end = False
        self._by_hand = 0

    @property
    def is_paused(self) -> bool:
        return not self._may_run.is_set()

    def pause(self) -> None:
        """Let the market stand still until `resume`."""
        self._may_run.clear()

    def resume(self) -> None:
        """Go on."""
        self._may_run.set()

    async def run(self, waiting: Callable[[], int]) -> None:
        """Play the market to its end; `waiting` tells how far the slowest listener is behind."""
        exchange, count, last_ms = self._exchange, 0, -1
        while (event := exchange.peek()) is not None:
            if event.ts_ms != last_ms or count >= _BATCH:
                exchange.commit()
                count, last_ms = 0, event.ts_ms
                await self._pace.keep(event.ts_ms)
                await self._clock.sleep(0)
                while waiting() > _MOST_WAITING:
                    await self._clock.sleep(_SHORT_SECONDS)
                while self._clock.now_ms() - exchange.asked_ms < self._quiet_ms:
                    await self._clock.sleep(_SHORT_SECONDS)
                await self._may_run.wait()
            if exchange.peek() is event:  # nobody stepped by hand meanwhile
                exchange.step()
            count += 1
        exchange.commit()
        self.is_at_end = True

    def advance_ticks(self, ticks: int) -> int:
        """Apply events until `ticks` prices have come; return how many came."""
        return _result(self.tick_by_tick(ticks))

    def advance_until(self, market_ms: int) -> int:
        """Apply every event up to `market_ms`; return how many."""
        return _result(self.step_until(market_ms))

    def tick_by_tick(self, ticks: int) -> Generator[None, None, int]:
        """As `advance_ticks`, and yield now and then, what came being committed."""
        came = 0
        while came < ticks and (event := self._exchange.peek()) is not None:
            self._exchange.step()
            came += isinstance(event, MarkPrice)
            if self._is_batch_full():
                yield
        self._exchange.commit()
        return came

    def step_until(self, market_ms: int) -> Generator[None, None, int]:
        """As `advance_until`, and yield now and then, what came being committed."""
        came = 0
        while (event := self._exchange.peek()) is not None and event.ts_ms <= market_ms:
            self._exchange.step()
            came += 1
            if self._is_batch_full():
                yield
        self._exchange.commit()
        return came

    def _is_batch_full(self) -> bool:
        self._by_hand += 1
        if self._by_hand % _BATCH_BY_HAND:
            return False
        self._exchange.commit()
        return True


def _result(steps: Generator[None, None, int]) -> int:
    """Return what the steps return when they are all done."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
