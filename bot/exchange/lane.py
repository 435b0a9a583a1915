"""Who may send a request next: protection first, within the venue's request weight.

ccxt's own throttler is first in, first out and credits no idle time: a margin add behind one order waited
200 ms. Here a request takes its turn by urgency; a part of the weight is kept for the urgent ones, and
polls are few at a time and apart, so that they do not crowd the connection.
"""

import asyncio
import heapq
from bisect import insort
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from enum import IntEnum
from typing import Any, Final, NamedTuple

from bot.ports import Clock

DEFAULT_BLOCK_MS: Final = 10_000


class Urgency(IntEnum):
    """URGENT: stops, reduces, margin adds and what they must read. PROOF: whether a stop rests still.

    NORMAL: other writes, and what was told. POLL: the rest.
    """

    URGENT = 0
    PROOF = 1
    NORMAL = 2
    POLL = 3


urgency_now: ContextVar[Urgency] = ContextVar("urgency_now", default=Urgency.POLL)
_began_ms: ContextVar[int | None] = ContextVar("began_ms", default=None)  # when the request got its turn


_MINUTE_MS: Final = 60_000
_BANNED: Final = 418
# Replies are read one after the other, so a poll under way delays an urgent request. Apart by this much,
# polls are seldom under way on a quick line, and 20 a second are as many as the venues' limits sustain.
_POLLS_APART_MS: Final = 50
_LONG_WAIT_MS: Final = 1_000  # what is worth a word
_KEPT_FROM_PROOF: Final = 0.25  # of the reserve: a stop that is missed has to be placed as well
_TURN_LATE_MS: Final = 1_000  # a venue's clock is not ours, and replies take their time


class Budget(NamedTuple):
    """Request weight per window; `reserve` of it only for urgent requests; polls in flight at once.

    `block_ms`: how long nothing is sent after a refusal for the rate that says no time. `kept_for_news`: what
    polls leave of the rest, for entries and for looking at what was told.
    """

    weight: float
    window_ms: int
    reserve: float
    most_polls: int
    block_ms: int = DEFAULT_BLOCK_MS
    kept_for_news: float = 0.0

    def granted(self, weight_per_minute: int) -> "Budget":
        """Return the budget of an account that was granted another weight; 0: the same."""
        if weight_per_minute == 0:
            return self
        factor = weight_per_minute * self.window_ms / (_MINUTE_MS * self.weight)
        return self._replace(
            weight=self.weight * factor,
            reserve=self.reserve * factor,
            kept_for_news=self.kept_for_news * factor,
        )

    def allowed(self, urgency: Urgency) -> float:
        """Return how much of the weight requests of this urgency may spend."""
        if urgency is Urgency.URGENT:
            return self.weight
        if urgency is Urgency.PROOF:
            return self.weight - _KEPT_FROM_PROOF * self.reserve
        kept_for_news = self.kept_for_news if urgency is Urgency.POLL else 0.0
        return self.weight - self.reserve - kept_for_news


class Lane:
    """Turns by urgency. Nothing is sent while the venue has told us to wait, urgent or not.

    `blocked` is told of each such refusal: whether it is a ban, and until when. `slowed` is told of each long
    wait for weight: how long, what this window has cost, and what of it may be spent.
    """

    def __init__(
        self,
        clock: Clock,
        budget: Budget,
        blocked: Callable[[bool, int], None] | None = None,
        slowed: Callable[[int, float, float], None] | None = None,
    ) -> None:
        self._clock, self._budget, self._told_of_block, self._told_of_wait = clock, budget, blocked, slowed
        self._waiting: list[tuple[int, int, float, asyncio.Future[None]]] = []
        self._spent: deque[tuple[int, float]] = deque()
        self._total = 0.0
        self._number = 0
        self._in_flight = 0
        self._polled_ms = -_POLLS_APART_MS
        self._blocked_until_ms = 0
        self._alarm: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(self, weight: float) -> AsyncGenerator[None, None]:
        """Wait for a turn of the current urgency and hold it while the request is under way."""
        urgency = urgency_now.get()
        await self._enter(urgency, min(weight, self._allowed(urgency)))
        token = _began_ms.set(self._clock.now_ms())
        try:
            yield
        finally:
            _began_ms.reset(token)
            if urgency is Urgency.POLL:
                self._in_flight -= 1
            self._pump()

    def block(self, wait_ms: int, *, is_ban: bool = False) -> None:
        """Send nothing for `wait_ms`: the venue answered 429, or 418, which is a ban."""
        self._blocked_until_ms = max(self._blocked_until_ms, self._clock.now_ms() + wait_ms)
        if self._told_of_block is not None:
            self._told_of_block(is_ban, self._blocked_until_ms)

    def blocked_ms(self) -> int:
        """Return how long nothing may be sent; 0 when it may."""
        return max(self._blocked_until_ms - self._clock.now_ms(), 0)

    def observe(self, status: int, headers: Mapping[str, Any], used_weight_header: str) -> None:
        """Learn from a reply: Retry-After, and weight that others on this address have used."""
        low = {name.lower(): value for name, value in headers.items()}
        if status in (_BANNED, 429):
            wait_ms = _retry_after_ms(low.get("retry-after"), self._budget.block_ms)
            self.block(wait_ms, is_ban=status == _BANNED)
        used = _number(low.get(used_weight_header.lower()))
        self._forget()
        if used > self._total:
            self._spend_unseen(used - self._total)

    @property
    def spent_weight(self) -> float:
        """What this window has cost so far."""
        self._forget()
        return self._total

    async def _enter(self, urgency: Urgency, weight: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._waiting, (urgency, self._number, weight, turn))
        self._pump()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and urgency is Urgency.POLL:
                self._in_flight -= 1
            raise

    def _pump(self) -> None:
        """Grant turns from the most urgent on, as long as weight and connections allow."""
        while self._waiting:
            urgency, _, weight, turn = self._waiting[0]
            if turn.cancelled():
                heapq.heappop(self._waiting)
                continue
            if urgency == Urgency.POLL and self._in_flight >= self._budget.most_polls:
                return
            wait_ms = self._wait_ms(Urgency(urgency), weight)
            if urgency == Urgency.POLL:
                wait_ms = max(wait_ms, self._polled_ms + _POLLS_APART_MS - self._clock.now_ms())
            if wait_ms > 0:
                self._say_waiting(Urgency(urgency), wait_ms)
                self._set_alarm(wait_ms)
                return
            heapq.heappop(self._waiting)
            self._spend(weight)
            if urgency == Urgency.POLL:
                self._in_flight += 1
                self._polled_ms = self._clock.now_ms()
            turn.set_result(None)

    def _wait_ms(self, urgency: Urgency, weight: float) -> int:
        now_ms = self._clock.now_ms()
        if now_ms < self._blocked_until_ms:
            return self._blocked_until_ms - now_ms
        self._forget()
        excess = self._total + weight - self._allowed(urgency)
        for spent_ms, cost in self._spent:
            if excess <= 0.0:
                return 0
            excess -= cost
            if excess <= 0.0:
                return max(spent_ms + self._budget.window_ms - now_ms, 1)
        return 0

    def _allowed(self, urgency: Urgency) -> float:
        return self._budget.allowed(urgency)

    def _spend(self, weight: float) -> None:
        self._spent.append((self._clock.now_ms(), weight))
        self._total += weight

    def _spend_unseen(self, weight: float) -> None:
        """Book what others on this address spent in the venue's window, which ends with the minute.

        A reply that the turn of the minute overtook tells of the window in which it was asked for.
        """
        began_ms = _began_ms.get()
        asked_ms = self._clock.now_ms() if began_ms is None else began_ms
        since_turn_ms = (asked_ms - _TURN_LATE_MS) % self._budget.window_ms
        insort(self._spent, (asked_ms - since_turn_ms, weight))
        self._total += weight

    def _say_waiting(self, urgency: Urgency, wait_ms: int) -> None:
        if self._told_of_wait is not None and wait_ms > _LONG_WAIT_MS and not self.blocked_ms():
            self._told_of_wait(wait_ms, self._total, self._allowed(urgency))

    def _forget(self) -> None:
        begin_ms = self._clock.now_ms() - self._budget.window_ms
        while self._spent and self._spent[0][0] <= begin_ms:
            self._total -= self._spent.popleft()[1]
        if not self._spent:
            self._total = 0.0

    def _set_alarm(self, wait_ms: int) -> None:
        if self._alarm is not None and self._alarm is not asyncio.current_task():
            self._alarm.cancel()
        self._alarm = asyncio.create_task(self._wake_after(wait_ms))

    async def _wake_after(self, wait_ms: int) -> None:
        await self._clock.sleep(wait_ms / 1000.0)
        self._alarm = None
        self._pump()


def _retry_after_ms(value: Any, default_ms: int) -> int:
    seconds = _number(value)
    return round(seconds * 1000.0) if seconds > 0.0 else default_ms


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
