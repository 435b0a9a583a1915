"""Faults that a test asks for: what happens to the next requests, replies and stream messages."""

import asyncio
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypeVar

from bot.ports import Clock

Reply = TypeVar("Reply")

FaultKind = Literal[
    "late", "slow_arrival", "held", "lost", "duplicated", "rate_limited", "banned", "error", "error_accepted"
]
KINDS: Final = FaultKind.__args__  # pyright: ignore[reportAttributeAccessIssue]


class Fault(NamedTuple):
    """What happens to the next `times` requests of `method` and `path` ("" means any).

    late: executed, the reply comes after delay_ms. slow_arrival: executed after delay_ms.
    held: executed, the reply waits for `release` (replies held are released last first: reordered).
    lost: executed, the connection is cut without a reply. duplicated: executed twice, the second
    reply is given. rate_limited, banned: HTTP 429 and 418, not executed. error, error_accepted:
    HTTP `status` with `code`, not executed or executed.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    times: int = 1
    delay_ms: int = 0
    status: int = 503
    code: int = -1007


Message = tuple[str, bytes]


class Faults:
    """The planned faults and the standing ones."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []
        self._held: list[asyncio.Event] = []
        self.is_in_maintenance = False
        self.stalled: set[str] = set()
        self.duplicated_messages = 0
        self.reordered_messages = 0
        self._late: list[Message] = []

    def plan(self, fault: Fault) -> None:
        """Add a fault after those planned before."""
        self._planned.append(fault)

    @property
    def planned(self) -> tuple[Fault, ...]:
        """The faults that no request has used up, `times` counted down."""
        return tuple(self._planned)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault of this request, counting it, or None."""
        for index, fault in enumerate(self._planned):
            if fault.method in ("", method) and fault.path in ("", path):
                if fault.times > 1:
                    self._planned[index] = fault._replace(times=fault.times - 1)
                else:
                    del self._planned[index]
                return fault
        return None

    async def hold(self) -> None:
        """Wait until released."""
        event = asyncio.Event()
        self._held.append(event)
        await event.wait()

    @property
    def held(self) -> int:
        """How many replies are held."""
        return len(self._held)

    def release(self) -> int:
        """Let the reply that was held last go; return how many are still held."""
        if self._held:
            self._held.pop().set()
        return len(self._held)

    def clear(self) -> None:
        """Forget every fault and release what is held."""
        while self._held:
            self.release()
        self._planned.clear()
        self.stalled.clear()
        self.is_in_maintenance = False
        self.duplicated_messages = self.reordered_messages = 0

    def disturb_messages(self, made: list[Message], is_user: Callable[[str], bool]) -> list[Message]:
        """Return which (name, data) go out: stalled channels lose, the user's may come twice or reversed."""
        out = self._released()
        for name, data in made:
            is_users = is_user(name)
            if ("user" if is_users else "market") in self.stalled:
                continue
            if is_users and self.reordered_messages:
                self._late.insert(0, (name, data))
                self.reordered_messages -= 1
                out += self._released()
                continue
            out.append((name, data))
            if is_users and self.duplicated_messages:
                self.duplicated_messages -= 1
                out.append((name, data))
        return out

    @property
    def is_releasing(self) -> bool:
        """Whether messages were held back for a disorder that was called off."""
        return bool(self._late) and not self.reordered_messages

    def _released(self) -> list[Message]:
        """Return what is held back no longer."""
        if not self.is_releasing:
            return []
        late, self._late = self._late, []
        return late


async def answer_with_fault(
    fault: Fault, faults: Faults, clock: Clock, answer: Callable[[], Reply], refuse: Callable[[], Reply]
) -> Reply | None:
    """Return what a request with this fault gets; None when the connection is to be cut."""
    if fault.kind in {"rate_limited", "banned", "error"}:
        return refuse()
    if fault.kind == "slow_arrival":
        await clock.sleep(fault.delay_ms / 1000.0)
    reply = answer()
    if fault.kind == "duplicated":
        reply = answer()
    if fault.kind == "late":
        await clock.sleep(fault.delay_ms / 1000.0)
    if fault.kind == "held":
        await faults.hold()
    if fault.kind == "error_accepted":
        return refuse()
    return None if fault.kind == "lost" else reply
