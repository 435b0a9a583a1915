"""What stories are made of: a quiet world, and what happens in it at which second."""

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.simulation.calls import Answer, Call, Effect
from tests.simulation.faults.acts import move_price

if TYPE_CHECKING:
    from tests.simulation.world import World

Change = Callable[["World"], None]
Finding = Callable[["World"], str]
ACT_SECOND: Final = 22.0
_NEVER_S: Final = float("inf")
_SIGNED: Final = ("timestamp", "signature", "recvWindow")


class Story(NamedTuple):
    """`plan` before the world is built, `install` after; `to_s` is also the story's end.

    `from_s`: since when borders count; without one nobody dies in it.
    """

    plan: Change
    install: Change
    from_s: float
    to_s: float
    needs: tuple[str, ...]
    seed: int = 1
    forbids: tuple[str, ...] = ()
    fault_at_end: Finding = lambda _: ""


def told_once(
    plan: Change,
    install: Change,
    to_s: float,
    needs: tuple[str, ...],
    *,
    seed: int = 1,
    forbids: tuple[str, ...] = (),
    fault_at_end: Finding = lambda _: "",
) -> Story:
    """Return a story in which nobody dies: it is told once in each dialect."""
    return Story(plan, install, _NEVER_S, to_s, needs, seed, forbids, fault_at_end)


def quiet(world: "World") -> None:
    """Enter at the first candle, hold, and let prices hardly move."""
    prefix = "strategy.params.every_minute"
    world.settings.update(
        {f"{prefix}.hold": 90, f"{prefix}.stop": 0.012, f"{prefix}.salt": 1, "brackets.trail_activate_r": 0.0}
    )
    world.plan.sigma_per_second = 0.0001


def steady_distance(world: "World") -> None:
    """Hold a fixed distance to liquidation, so that a gain releases margin."""
    quiet(world)
    prefix = "margin.params.distance_band"
    world.settings.update(
        {
            "margin.policy": "distance_band",
            f"{prefix}.target_distance": 0.1,
            f"{prefix}.high": 1.04,
            "margin.limits.release_cooldown_ms": 5_000,
        }
    )


def trailing(world: "World") -> None:
    """Follow the price with the stop, soon and closely."""
    quiet(world)
    world.settings.update({"brackets.trail_activate_r": 0.2, "brackets.trail_distance_r": 0.5})


def nothing(_: "World") -> None:
    """Let the story happen by itself."""


def both(*changes: Change) -> Change:
    """Return one change that makes several."""

    def change(world: "World") -> None:
        for each in changes:
            each(world)

    return change


def at(world: "World", second: float, act: Callable[["World"], object]) -> None:
    """Do something at a second of the world."""

    async def wait() -> None:
        await asyncio.sleep(second)
        act(world)

    world.on_start.append(wait)


def happens(second: float, act: Change) -> Change:
    """Return a change that lets something happen at a second."""
    return lambda world: at(world, second, act)


def move(world: "World", fraction: float) -> None:
    """Move the price for an instant, in favour of what is held."""
    for position in list(world.exchange.venue.state.positions.values()):
        move_price(world, position.symbol, position.side * fraction)
        world.exchange.embedded.commit()


def moved(fraction: float, second: float = ACT_SECOND) -> Change:
    """Return a change that moves the price at a second."""
    return happens(second, partial(move, fraction=fraction))


class Frozen:
    """Reads of these kinds, which can be answered for a while with what they said before."""

    def __init__(self, world: "World", kinds: Collection[str]) -> None:
        self._world, self._kinds, self._until_s, self._left = world, kinds, 0.0, 0
        self._told: dict[str, Answer] = {}
        world.network.disturbances.append(self._disturb)

    def freeze(self, seconds: float, times: int = 1_000) -> None:
        """Answer what was said last, from now on for so long, so often at most."""
        self._until_s, self._left = self._world.seconds() + seconds, times

    def _disturb(self, call: Call) -> Effect | None:
        if call.kind not in self._kinds:
            return None
        words = (word for word in call.query.split("&") if not word.startswith(_SIGNED))
        return Effect("changed", change=partial(self._answer, f"{call.path} {'&'.join(words)}"))

    def _answer(self, key: str, fresh: Answer) -> Answer:
        if self._world.seconds() > self._until_s or not self._left or key not in self._told:
            self._told[key] = fresh
        else:
            self._left -= 1
        return self._told[key]


def on_first(world: "World", kind: str, where: str, act: Callable[[Call], None]) -> None:
    """Do something once, at a place of the first call of a kind."""
    seen: list[int] = []

    def watch(call: Call, at_: str) -> None:
        if call.kind == kind and at_ == where and not seen:
            seen.append(call.number)
            act(call)

    world.network.watchers.append(watch)
