"""Signals before the event loop has handlers of its own: an orderly end, because nothing was sent yet."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Final, NoReturn

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


class StoppedEarly(BaseException):
    """A signal came before trading began. No error and no SystemExit: those of a strategy are contained."""


@contextmanager
def stoppable_start() -> Iterator[None]:
    """Raise StoppedEarly on SIGINT and SIGTERM, until the event loop replaces these handlers.

    Only the main thread may have handlers; in another one nothing changes.
    """
    if current_thread() is not main_thread():
        yield
        return
    before = {number: signal.signal(number, _stop) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(_number: int, _frame: object) -> NoReturn:
    raise StoppedEarly
