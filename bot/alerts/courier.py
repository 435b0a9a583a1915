"""Takes messages to their services beside the loop: one at a time on each route, tried again until taken.

A service that never answers holds up its own route only. What is under way is at most one message a route.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from bot.core.alert import Delivery, Outcome, rank
from bot.ports import Clock

Send = Callable[[Delivery], Awaitable[str]]

_FIRST_WAIT_MS: Final = 5_000
_LONGEST_WAIT_MS: Final = 900_000
_GIVE_UP_MS: Final = 86_400_000
_MOST_WAITING: Final = 200


def wait_ms(attempts: int) -> int:
    """Return how long to wait after so many failures, 1 or more: from 5 s, doubled, to 15 minutes."""
    return min(_FIRST_WAIT_MS * 2 ** min(attempts - 1, 20), _LONGEST_WAIT_MS)


class Parcel:
    """A message on its way: how often it was tried in vain, and when it may be tried again."""

    def __init__(self, delivery: Delivery, attempts: int = 0, due_ms: int = 0) -> None:
        self.delivery, self.attempts, self.due_ms = delivery, attempts, due_ms

    def place(self) -> tuple[int, int]:
        """Return what orders parcels: the gravest first, then the oldest."""
        return -rank(self.delivery.grade), self.delivery.created_ms


class Courier:
    """Delivers on the routes that `sends` has. Call everything from the loop's own thread."""

    def __init__(self, sends: Mapping[str, Send], clock: Clock, logger: Any) -> None:
        self._sends, self._clock, self._logger = sends, clock, logger
        self._parcels: dict[str, list[Parcel]] = {name: [] for name in sends}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._outcomes: list[Outcome] = []

    def take(self, parcels: Iterable[Parcel]) -> None:
        """Take messages over. Beyond 200 on a route the oldest that matter least are given up."""
        for parcel in parcels:
            waiting = self._parcels.get(parcel.delivery.route)
            if waiting is None:
                self._end(parcel, "given_up", "there is no such route any more")
                continue
            waiting.append(parcel)
            if len(waiting) > _MOST_WAITING:
                least = max(waiting, key=lambda each: (-rank(each.delivery.grade), -each.delivery.created_ms))
                waiting.remove(least)
                self._end(least, "given_up", f"more than {_MOST_WAITING} messages wait for this route")

    def look(self) -> None:
        """Begin whatever is due on routes where nothing is under way."""
        for route in self._parcels:
            self._begin(route)

    def outcomes(self) -> tuple[Outcome, ...]:
        """Return what came of messages since this was last asked."""
        told = tuple(self._outcomes)
        self._outcomes.clear()
        return told

    def is_busy(self) -> bool:
        """Return whether a message is under way, or was never tried."""
        fresh = (parcel for waiting in self._parcels.values() for parcel in waiting if not parcel.attempts)
        return bool(self._under_way) or next(fresh, None) is not None

    def stop(self) -> None:
        """Wait for nothing any more: what is under way stays undelivered here, and is tried again."""
        for task in self._under_way.values():
            task.cancel()

    def _begin(self, route: str) -> None:
        now_ms = self._clock.now_ms()
        due = [parcel for parcel in self._parcels[route] if parcel.due_ms <= now_ms]
        if route in self._under_way or not due:
            return
        parcel = min(due, key=Parcel.place)
        self._parcels[route].remove(parcel)
        self._under_way[route] = asyncio.create_task(self._try(route, parcel))

    async def _try(self, route: str, parcel: Parcel) -> None:
        reason = await self._sends[route](parcel.delivery)
        del self._under_way[route]
        parcel.attempts += 1
        if not reason:
            self._end(parcel, "delivered", "")
        elif self._clock.now_ms() - parcel.delivery.created_ms >= _GIVE_UP_MS:
            self._end(parcel, "given_up", reason)
        else:
            parcel.due_ms = self._clock.now_ms() + wait_ms(parcel.attempts)
            self._parcels[route].append(parcel)
            self._end(parcel, "waiting", reason)
        self._begin(route)

    def _end(self, parcel: Parcel, status: str, detail: str) -> None:
        delivery = parcel.delivery
        facts = {"delivery": delivery.delivery_id, "route": delivery.route, "attempts": parcel.attempts}
        self._outcomes.append(
            Outcome(delivery.delivery_id, status, parcel.attempts, self._clock.now_ms(), detail)
        )
        if status == "delivered":
            self._logger.info("alert.delivered", **facts)
        else:
            self._logger.warning("alert.undelivered", status=status, reason=detail, **facts)


def in_thread(send: Callable[[Delivery], str]) -> Send:
    """Return `send` in a thread of its own for each call: one that hangs never holds up the process's end."""

    def sending(delivery: Delivery) -> Awaitable[str]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()

        def settle(reason: str) -> None:
            if not answer.done():
                answer.set_result(reason)

        def work() -> None:
            reason = send(delivery)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, reason)

        try:
            threading.Thread(target=work, name=f"alert {delivery.route}", daemon=True).start()
        except RuntimeError:
            settle("this machine has no thread left for it")
        return answer

    return sending
