"""A strategy that does not answer stops the loop it is asked in: this ends the process and says why.

Resting stops protect what is open meanwhile. Whoever restarts the process (a container, systemd) gets a bot
that obeys the order left here: it guards what is open and does not ask the strategy until a person resumes.
"""

import faulthandler
import os
import sys
import threading
from pathlib import Path
from typing import Final

from bot import logs
from bot.clock import WallClock
from bot.core.halt import NO_ENTRY
from bot.engine.desk import Question
from bot.engine.halts import HUNG_VERB
from bot.errors import UserError
from bot.ports import Command
from bot.store.commands import CommandFiles

HUNG_EXIT: Final = 3
_LOOKS: Final = 10  # within the time limit


def hung_order(strategy_name: str, answer_ms: int, now_ms: int) -> Command:
    """Return what the next process is told of a strategy that did not answer."""
    message = f"the strategy {strategy_name} did not answer for {answer_ms / 1000:g} s"
    return Command(f"{now_ms:015d}-{os.getpid()}", HUNG_VERB, NO_ENTRY, message)


class Watchdog:
    """Looks from a thread of its own how long the strategy has been thinking about one question.

    It counts its own looks, not the clock: a process that was suspended has not been thinking.
    """

    def __init__(self, question: Question, strategy_name: str, path: Path, answer_ms: int) -> None:
        self._question, self._name, self._path = question, strategy_name, path
        self._answer_ms = answer_ms
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()

    def _watch(self) -> None:
        seen, looks = 0, 0
        while not self._is_over.wait(self._answer_ms / 1000.0 / _LOOKS):
            number = self._question.number if self._question.is_open else 0
            looks = looks + 1 if number and number == seen else 0
            seen = number
            if looks >= _LOOKS:
                self._end()

    def _end(self) -> None:
        """Leave the order for the next process, show where every thread stands, and end this one."""
        logs.logger().critical("strategy.hung", strategy=self._name, answer_ms=self._answer_ms)
        if self._path.exists():
            self._leave(hung_order(self._name, self._answer_ms, WallClock().now_ms()))
        faulthandler.dump_traceback(sys.stderr)
        sys.stderr.flush()
        os._exit(HUNG_EXIT)

    def _leave(self, command: Command) -> None:
        try:
            CommandFiles(self._path).send(command)
        except UserError as error:
            logs.logger().critical("strategy.hung", message=str(error))
