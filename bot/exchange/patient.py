"""An exchange that does not give up in the middle: failures of a passing kind are waited for and resolved.

The loop that uses it knows refusals and success only. A request of unknown fate is looked up until the venue
answers; one that surely was not done is sent again if it protects, and given up if it has become stale.
"""

from collections.abc import Mapping
from typing import Final

from bot.core.event import Refused, VenueEvent
from bot.core.instrument import Instrument
from bot.core.intent import AddMargin, Intent, PlaceStop, PlaceTrailingStop, ReducePosition
from bot.errors import OutcomeUnknown, Transient, Unavailable
from bot.ports import Account, Clock, Exchange

_PROTECTING: Final = (AddMargin, PlaceStop, PlaceTrailingStop, ReducePosition)
_STALE_MS: Final = 10_000
_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 5.0


class PatientExchange:
    """Wraps an exchange over a network; its requests raise Fatal only, or UserError for bad input."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange, self._clock = exchange, clock

    async def instruments(self) -> Mapping[str, Instrument]:
        """Return the exchange's instruments."""
        return await self._exchange.instruments()

    async def account(self) -> Account:
        """Return the exchange's truth, waiting until it answers."""
        waits = Waits(self._clock)
        while True:
            try:
                return await self._exchange.account()
            except (Transient, Unavailable):
                await waits.next()

    async def execute(self, intent: Intent) -> tuple[VenueEvent, ...]:
        """Perform the intent at most once; a refusal of code "unavailable" says that it was given up."""
        began_ms = self._clock.now_ms()
        waits = Waits(self._clock)
        while True:
            try:
                return await self._exchange.execute(intent)
            except Transient as error:
                message = str(error)
            except (OutcomeUnknown, Unavailable) as error:
                message = str(error)
                found = await self.outcome_of(intent)
                if found is not None:
                    return found
            is_stale = self._clock.now_ms() - began_ms > _STALE_MS
            if is_stale and not isinstance(intent.action, _PROTECTING):
                return (_given_up(intent, message),)
            await waits.next()

    async def outcome_of(self, intent: Intent) -> tuple[VenueEvent, ...] | None:
        """Return what an earlier send did, asking until the exchange answers."""
        waits = Waits(self._clock)
        while True:
            try:
                return await self._exchange.outcome_of(intent)
            except (OutcomeUnknown, Transient, Unavailable):
                await waits.next()


class Waits:
    """Growing pauses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seconds = _FIRST_WAIT_SECONDS

    async def next(self) -> None:
        """Wait, and longer the next time."""
        await self._clock.sleep(self._seconds)
        self._seconds = min(2.0 * self._seconds, _LONGEST_WAIT_SECONDS)


def _given_up(intent: Intent, message: str) -> Refused:
    text = f"not done, and too late to do it now: {message}"
    return Refused(intent.ts_ms, intent.action.symbol, intent.client_id, "unavailable", text)
