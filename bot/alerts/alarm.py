"""Alerts of a running session: hears every commit, looks at the state each second, writes down, sends.

It reads the engine and sends nothing to the venue; what fails here is logged and ends no trading.
"""

import asyncio
import copy
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bot.alerts.choice import levels_of, rules_of
from bot.alerts.courier import Courier, Parcel, Send
from bot.alerts.router import Acknowledged, Happening, Looked, Over, Raised, route
from bot.alerts.sources import HEARD, happenings, late_start
from bot.alerts.state import NOTHING, RouterState, from_json, to_json
from bot.alerts.texts import Setting
from bot.alerts.watch import Watch
from bot.core.alert import Alert
from bot.core.event import Event
from bot.engine.desk import Desk
from bot.errors import RingfenceError
from bot.ports import Clock, Commit
from bot.settings.alerts import Alerts
from bot.store.acknowledgements import AcknowledgementFiles
from bot.store.alerts import AlertBook, Page

_LOOK_SECONDS: Final = 1.0
_LAST_SECONDS: Final = 3.0
_START_MS: Final = 60_000
_MOST_HEARD: Final = 10_000
_MOST_UNWRITTEN: Final = 2_000


class Alarm:
    """Tells what happens to one session. `hear` from its first commit on, `keep` while it runs, then `close`.

    `is_settled`: whether the engine's state is that of a session that runs; before, only commits are told.
    """

    def __init__(
        self,
        choice: Alerts,
        desk: Desk,
        book: AlertBook,
        database: Path,
        setting: Setting,
        sends: Mapping[str, Send],
        clock: Clock,
        logger: Any,
        is_settled: Callable[[], bool],
    ) -> None:
        self._is_settled, self._was_settled, self._began_ms = is_settled, False, clock.now_ms()
        self._rules, self._desk, self._book, self._setting = rules_of(choice), desk, book, setting
        self._files, self._clock, self._logger = AcknowledgementFiles(database), clock, logger
        self._courier = Courier(sends, clock, logger)
        self._heard: deque[Event] = deque(maxlen=_MOST_HEARD)
        self._page = _Draft()
        self._is_failing = False
        known = book.recall()
        memory = known.memory if known is not None else {}
        self._state: RouterState = from_json(memory["router"]) if known is not None else NOTHING
        self._watch = Watch(desk, levels_of(choice), setting, memory.get("watch", {}))
        self._written = copy.deepcopy(memory)
        if known is None:
            self._write(self._began_ms)  # from here on nothing is passed over
        else:
            self._heard.extend(book.events_after(known.event_id, HEARD))
            self._courier.take(Parcel(each.delivery, each.attempts) for each in book.waiting())
            book.forget_oldest()

    def hear(self, commit: Commit) -> None:
        """Remember what a commit holds; nothing else, for the loop waits."""
        self._heard.extend(each for each in (*commit.events, *commit.notes) if isinstance(each, HEARD))

    async def keep(self) -> None:
        """Look every second until cancelled."""
        while True:
            self.look()
            await self._clock.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """Find what is worth telling, write it down, and begin to send it."""
        now_ms = self._clock.now_ms()
        for happening in self._found(now_ms):
            self._route(happening, now_ms)
        self._route(Looked(), now_ms)
        self._write(now_ms)
        self._courier.look()

    async def close(self) -> None:
        """Tell the last, wait for a moment until it is told, and write down what was."""
        self.look()
        patience = asyncio.ensure_future(self._clock.sleep(_LAST_SECONDS))
        while self._courier.is_busy() and not patience.done():
            await asyncio.sleep(0.01)
        patience.cancel()
        self._courier.stop()
        self._write(self._clock.now_ms())

    def _found(self, now_ms: int) -> Iterator[Happening]:
        events = tuple(self._heard)
        self._heard.clear()
        yield from happenings(events, self._desk.state, self._setting)
        self._was_settled = self._was_settled or self._is_settled()
        if self._was_settled:
            yield from self._watch.look(self._state.standing, now_ms)
        elif now_ms - self._began_ms >= _START_MS:
            yield late_start(self._began_ms, now_ms, self._setting)
        for alert_id in self._files.waiting():
            key = self._book.key_of(alert_id)
            self._page.files.append(alert_id)
            if key is not None:
                yield Acknowledged(key)

    def _route(self, happening: Happening, now_ms: int) -> None:
        match happening:
            case Raised(alert) if not self._is_worth(alert):
                return
            case Raised(alert):
                self._page.alerts.append(alert)
            case Over(key, _, _):
                self._page.over.append(key)
            case Acknowledged(key):
                self._page.acknowledged.append(key)
            case Looked():
                pass
        self._state, deliveries = route(self._rules, self._state, happening, now_ms)
        self._page.deliveries.extend(deliveries)
        self._courier.take(Parcel(delivery) for delivery in deliveries)

    def _is_worth(self, alert: Alert) -> bool:
        """Return whether an alert is kept: what only informs and goes nowhere is in the journal anyway."""
        return alert.grade != "info" or any(rule.takes(alert) for rule in self._rules.routes)

    def _write(self, now_ms: int) -> None:
        """Write down what is new, before anything of it is sent; where that fails it is sent all the same."""
        self._page.outcomes.extend(self._courier.outcomes())
        memory = {"router": to_json(self._state), "watch": copy.deepcopy(self._watch.memory)}
        if self._page.is_empty() and memory == self._written:
            return
        try:
            self._book.write(self._page.page(now_ms, memory))
        except RingfenceError as error:
            if not self._is_failing:
                self._logger.warning("alert.unwritten", message=str(error))
            self._is_failing = True
            self._page.shorten()
            return
        self._is_failing = False
        self._written = memory
        for alert_id in self._page.files:
            self._files.done(alert_id)
        self._page = _Draft()


class _Draft:
    """What waits to be written."""

    def __init__(self) -> None:
        self.alerts: list[Any] = []
        self.deliveries: list[Any] = []
        self.outcomes: list[Any] = []
        self.over: list[str] = []
        self.acknowledged: list[str] = []
        self.files: list[str] = []

    def _lists(self) -> tuple[list[Any], ...]:
        return self.alerts, self.deliveries, self.outcomes, self.over, self.acknowledged

    def is_empty(self) -> bool:
        return not any((*self._lists(), self.files))

    def page(self, now_ms: int, memory: dict[str, Any]) -> Page:
        return Page(now_ms, *map(tuple, self._lists()), memory)  # type: ignore[arg-type]

    def shorten(self) -> None:
        """Forget the oldest of what could not be written for long."""
        for each in (*self._lists(), self.files):
            del each[:-_MOST_UNWRITTEN]
