"""Pace per endpoint, for venues that count each of theirs alone instead of a weight over all."""

from collections import defaultdict, deque
from typing import Final, NamedTuple

from bot.exchange.lane import Urgency, urgency_now
from bot.ports import Clock

_UNURGENT_SHARE: Final = 0.6  # the rest of each endpoint's requests is kept for urgent ones


class EndpointRate(NamedTuple):
    """`most` requests of weight 1 in every `window_ms`; of weight 2 half as many. 0: not counted so."""

    most: int
    window_ms: int


UNCOUNTED: Final = EndpointRate(0, 0)


class EndpointPaces:
    """Lets a request wait until its endpoint has room, so that the venue need not refuse it."""

    def __init__(self, clock: Clock, rate: EndpointRate) -> None:
        self._clock, self._rate = clock, rate
        self._sent: defaultdict[str, deque[int]] = defaultdict(deque)

    async def turn(self, endpoint: str, weight: float) -> None:
        """Return when a request of this weight may go out; it counts from then on."""
        if not self._rate.most or weight <= 0.0:
            return
        most = max(int(self._rate.most / weight), 1)
        if urgency_now.get() is not Urgency.URGENT:
            most = max(int(most * _UNURGENT_SHARE), 1)
        while (wait_ms := self._wait_ms(self._sent[endpoint], most)) > 0:
            await self._clock.sleep(wait_ms / 1000.0)
        self._sent[endpoint].append(self._clock.now_ms())

    def _wait_ms(self, sent: deque[int], most: int) -> int:
        now_ms = self._clock.now_ms()
        while sent and sent[0] <= now_ms - self._rate.window_ms:
            sent.popleft()
        return 0 if len(sent) < most else sent[len(sent) - most] + self._rate.window_ms - now_ms
