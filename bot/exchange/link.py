"""One connection to a venue: every ccxt call goes through here, with its urgency, and fails by meaning."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import ccxt

from bot.errors import Fatal, Transient, Unavailable
from bot.exchange.hindrances import Hindrances
from bot.exchange.lane import Urgency, urgency_now
from bot.exchange.outcomes import as_error, outcome_of_error
from bot.exchange.retry import retried
from bot.ports import Clock

Result = TypeVar("Result")
Call = Callable[[], Awaitable[Result]]

# What ccxt's generated parsers raise besides its own errors, and what a connection raises.
_CALL_ERRORS: Final = (
    ccxt.BaseError,
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
)
_MOST_SENDS: Final = 3
_WAIT_SECONDS: Final = 0.25


class Link:
    """`client` is the ccxt client, whose requests already pass the lane and the host guard.

    `is_starting`: nothing is known to be protected yet, so that every request is urgent.
    """

    def __init__(self, client: Any, ccxt_id: str, clock: Clock, hindrances: Hindrances | None = None) -> None:
        self.client, self.ccxt_id, self.clock = client, ccxt_id, clock
        self.hindrances = hindrances or Hindrances(clock)
        self.is_starting = False

    async def read(self, call: Call[Result], urgency: Urgency = Urgency.POLL) -> Result:
        """Return the call's result, tried again while the failure is passing.

        Raises Unavailable, Rejected(code, message) or Fatal.
        """
        try:
            found = await retried(lambda: self._once(call, False, urgency), self.clock)
        except Unavailable as error:
            self.hindrances.unavailable(str(error))
            raise
        self.hindrances.answered()
        return found

    async def write(self, call: Call[Result], urgency: Urgency) -> Result:
        """Send a change. It is sent again only after proof that the venue threw it away unread.

        Raises OutcomeUnknown, Rejected(code, message), Fatal (an answer), or Transient: nothing was done.
        """
        try:
            return await self._sent(call, urgency)
        except Fatal as error:
            error.is_answer = True
            raise

    async def _sent(self, call: Call[Result], urgency: Urgency) -> Result:
        for _ in range(_MOST_SENDS - 1):
            try:
                return await self._once(call, True, urgency)
            except Transient:
                await self.clock.sleep(_WAIT_SECONDS)
        return await self._once(call, True, urgency)

    async def _once(self, call: Call[Result], is_write: bool, urgency: Urgency) -> Result:
        token = urgency_now.set(Urgency.URGENT if self.is_starting else urgency)
        try:
            return await call()
        except _CALL_ERRORS as error:
            if isinstance(error, ccxt.InvalidNonce):
                await self._set_clock()
            raise as_error(outcome_of_error(error, self.ccxt_id, is_write)) from None
        finally:
            urgency_now.reset(token)

    async def _set_clock(self) -> None:
        """Learn how far the host's clock is from the venue's; signed requests carry the venue's time."""
        try:
            await self.client.load_time_difference()
        except _CALL_ERRORS as error:
            raise as_error(outcome_of_error(error, self.ccxt_id, False)) from None
