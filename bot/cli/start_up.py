"""What differs until trading begins: signals end it in order, as nothing was sent yet; garbage may wait."""

import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Final, NoReturn

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


class StoppedEarly(BaseException):
    """A signal came before trading began. No error and no SystemExit: those of a strategy are contained."""


@contextmanager
def start_of_trading() -> Iterator[None]:
    """Both of what differs."""
    with stoppable_start(), quick_imports():
        yield


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


@contextmanager
def quick_imports() -> Iterator[None]:
    """Collect no garbage until `gc.enable` or the end: a quarter of the time that ccxt and SQL take."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
