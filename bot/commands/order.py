"""An order of a person, what it would do, what became of it, and why it is none."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from bot.errors import RingfenceError

TaskState = Literal["waiting", "done", "refused"]
Reason = Literal["unusable", "conflict", "unknown", "busy"]


class Order(NamedTuple):
    """What is ordered, as it was checked: of `position_id`, or the alerts of an acknowledgement."""

    verb: str
    level: str = ""
    message: str = ""
    symbol: str = ""
    amount_quote: float = 0.0
    fraction: float = 0.0
    position_id: int = 0
    alert_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """An order that was given. "waiting": the bot has not taken it yet, which it does within a second."""

    as_of_ms: int
    command_id: str
    state: TaskState
    message: str
    needs_confirmation: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an order would do: send it again with `confirm`, within `valid_ms`, to have it done."""

    as_of_ms: int
    confirm: str
    valid_ms: int
    before: dict[str, Any]
    after: dict[str, Any]
    message: str
    needs_confirmation: bool = True


class OrderFault(RingfenceError):
    """An order that is not given: the fact, and in `next_step` what to do, "" where that is plain.

    `reason`: it makes no order ("unusable"), its key or confirmation is another's or too old ("conflict"), it
    is not known ("unknown"), or too many wait ("busy").
    """

    def __init__(self, reason: Reason, fact: str, next_step: str = "") -> None:
        super().__init__(fact)
        self.reason: Reason = reason
        self.next_step = next_step
