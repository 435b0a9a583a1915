"""Trying every route: one message each, and what came of it."""

from collections.abc import Mapping
from typing import NamedTuple

from bot.alerts.sinks import Sink
from bot.clock import WallClock
from bot.core.alert import Delivery
from bot.core.timerange import utc_second_text

_TITLE = "Test of an alert route"


class Tried(NamedTuple):
    """What came of one message; `reason` is "" where the service took it."""

    route: str
    reason: str

    @property
    def words(self) -> str:
        """Return it as half a sentence."""
        return f"NOT delivered: {self.reason}" if self.reason else "delivered; look whether it has arrived"


def tried(sinks: Mapping[str, Sink]) -> list[Tried]:
    """Send one message to each service, one after the other."""
    return [Tried(name, sink.send(_message(name))) for name, sink in sinks.items()]


def _message(route: str) -> Delivery:
    now_ms = WallClock().now_ms()
    body = (
        f"This is the route {route}: alerts of Ringfence arrive here. Nothing has happened, and nothing is "
        f"to be done.\n\n{utc_second_text(now_ms)} UTC."
    )
    return Delivery(f"test-{route}-{now_ms}", "", route, "test", "info", _TITLE, body, now_ms)
