"""A person's orders from a page or a chat: given once by their key, left for the bot, followed until taken.

What moves money is asked twice: the first answer says what would happen and hands out a token, which the
second has to bring within a minute. What asks, and what is done at once, whoever calls decides.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from bot.commands.order import Order, OrderFault, Proposal, Taken, TaskState
from bot.engine.state import State
from bot.ports import Command
from bot.store.acknowledgements import AcknowledgementFiles
from bot.store.commands import CommandFiles

InThread = Callable[..., Awaitable[Any]]

CONFIRM_SECONDS: Final = 60.0
_STATES: Final[dict[str, TaskState]] = {"waiting": "waiting", "done": "done", "refused": "refused"}
_MOST_KEPT: Final = 1_000
_MOST_PROPOSED: Final = 200
_MOST_WAITING: Final = 50
_TOKEN_BYTES: Final = 16


class _Record(NamedTuple):
    asked: str
    command_id: str
    alert_ids: tuple[str, ...]


class Orders:
    """The orders of one session. `now` is a clock that never goes back, in seconds, `now_ms` UTC."""

    def __init__(self, path: Path, state: State, now: Callable[[], float], now_ms: Callable[[], int]) -> None:
        self._files, self._acknowledged = CommandFiles(path), AcknowledgementFiles(path)
        self._state, self._now, self._now_ms = state, now, now_ms
        self._known: OrderedDict[str, _Record] = OrderedDict()  # by caller and key
        self._proposed: OrderedDict[str, tuple[str, float]] = OrderedDict()  # by token

    def known(self, caller: str, key: str, asked: str) -> Taken | None:
        """Return what became of the same request under the same key. OrderFault: the key was another's."""
        number = _number(caller, key)
        record = self._known.get(number)
        if record is not None:
            if record.asked != asked:
                raise OrderFault(
                    "conflict", "This Idempotency-Key was used for another order.", "Use a new key."
                )
            return self.standing(record.command_id)
        found = next((each for each in self._ids() if each.endswith(f"-{number}")), None)
        return None if found is None else self.standing(found)

    def propose(
        self, caller: str, order: Order, before: dict[str, Any], after: dict[str, Any], words: str
    ) -> Proposal:
        """Return what an order would do, and the token that confirms it."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._proposed[token] = (_digest(caller, order), self._now() + CONFIRM_SECONDS)
        while len(self._proposed) > _MOST_PROPOSED:
            self._proposed.popitem(last=False)
        valid_ms = int(1_000 * CONFIRM_SECONDS)
        return Proposal(self._now_ms(), token, valid_ms, before, after, words)

    def check_confirmed(self, caller: str, order: Order, token: str) -> None:
        """Use a token up. OrderFault: it is none, too old, or confirms another order."""
        of, until = self._proposed.pop(token, ("", 0.0))
        if of != _digest(caller, order) or self._now() > until:
            raise OrderFault(
                "conflict",
                "The confirmation is not, or not any more, one of this order.",
                "Order without confirm, look at before and after, and confirm within a minute.",
            )

    def withdraw(self, token: str) -> None:
        """Let a proposal confirm nothing any more."""
        self._proposed.pop(token, None)

    def register(self, caller: str, key: str, asked: str, order: Order) -> str:
        """Return the id of an order that is about to be given. OrderFault: too many wait."""
        if len(self._files.waiting()) >= _MOST_WAITING:
            raise OrderFault("busy", f"{_MOST_WAITING} orders wait already, and the bot takes none.")
        number = _number(caller, key)
        command_id = f"{self._now_ms():015d}-{number}"
        self._known[number] = _Record(asked, command_id, order.alert_ids)
        while len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        return command_id

    async def place(self, caller: str, key: str, asked: str, order: Order, in_thread: InThread) -> Taken:
        """Give an order and return how it stands. OrderFault: too many wait. UserError: it cannot be left."""
        command_id = self.register(caller, key, asked, order)
        try:
            await in_thread(self.give, command_id, order)
        except BaseException:
            self.forget(caller, key)
            raise
        return self.standing(command_id)

    def give(self, command_id: str, order: Order) -> None:
        """Leave an order for the bot; takes as long as the disk. UserError: it cannot be written."""
        if order.verb == "acknowledge":
            for alert_id in order.alert_ids:
                self._acknowledged.leave(alert_id)
            return
        about = (order.symbol, order.amount_quote, order.fraction, order.position_id)
        self._files.send(Command(command_id, order.verb, order.level, order.message, *about))

    def forget(self, caller: str, key: str) -> None:
        """Forget an order that could not be given."""
        self._known.pop(_number(caller, key), None)

    def standing(self, command_id: str) -> Taken:
        """Return what became of an order. OrderFault: it is not known, or was long ago."""
        record = next((each for each in self._known.values() if each.command_id == command_id), None)
        if record is not None and record.alert_ids:
            return self._standing(command_id, bool({*record.alert_ids} & {*self._acknowledged.waiting()}))
        errand = next((each for each in self._state.errands if each.command_id == command_id), None)
        if errand is not None:
            words = errand.message or "The bot has taken it, and waits for its outcome."
            return Taken(self._now_ms(), command_id, _STATES[errand.state], words)
        if command_id in self._state.commands:
            return self._standing(command_id, False)
        if record is not None or any(each.command_id == command_id for each in self._files.waiting()):
            return self._standing(command_id, True)
        raise OrderFault(
            "unknown", "There is no such order, or it was given long ago.", "The journal keeps them all."
        )

    def _standing(self, command_id: str, is_waiting: bool) -> Taken:
        words = "The bot has not taken it yet." if is_waiting else "The bot has taken it."
        return Taken(self._now_ms(), command_id, "waiting" if is_waiting else "done", words)

    def _ids(self) -> Sequence[str]:
        """Of this session and of those before it, as far as the checkpoint remembers them."""
        errands = (each.command_id for each in self._state.errands)
        return [*self._state.commands, *errands, *(each.command_id for each in self._files.waiting())]


def _number(caller: str, key: str) -> str:
    """Return the key as a number, which an id of an order ends with: so it is known over a restart too."""
    return str(int.from_bytes(hashlib.sha256(f"{caller}\n{key}".encode()).digest()[:8], "big"))


def _digest(caller: str, order: Order) -> str:
    return hashlib.sha256(repr((caller, order)).encode()).hexdigest()
