"""Reads are tried again with backoff; writes never are: their outcome is read instead."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import tenacity

from bot.errors import Transient, Unavailable
from bot.ports import Clock

_ATTEMPTS: Final = 4
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 2.0

Result = TypeVar("Result")


async def retried(read: Callable[[], Awaitable[Result]], clock: Clock) -> Result:
    """Return what `read` returns, trying again after Transient. Unavailable when it stays away."""
    try:
        return await read()
    except Transient as error:
        return await _retried_after(error, read, clock)


async def _retried_after(first: Transient, read: Callable[[], Awaitable[Result]], clock: Clock) -> Result:
    """Take `first` for the first attempt: the machinery costs as much as a small read, and few need it."""
    failures = [first]
    retrying = tenacity.AsyncRetrying(
        sleep=clock.sleep,
        stop=tenacity.stop_after_attempt(_ATTEMPTS),
        wait=tenacity.wait_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
        retry=tenacity.retry_if_exception_type(Transient),
        reraise=True,
    )

    async def attempt() -> Result:
        if failures:
            raise failures.pop()
        return await read()

    try:
        return await retrying(attempt)
    except Transient as error:
        raise Unavailable(str(error)) from None
