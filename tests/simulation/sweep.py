"""The crash sweep: tell a story once to count its borders, then once for each with a death there.

A border is where the durable state or the venue's has just changed, or is about to: before and after each
commit, and at four places of each request that changes something. Deaths elsewhere leave the same database
and the same venue as the border before them; `is_every` counts the reads as well. With `again` the recovery
dies too, before the step of that number.
"""

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from tests.simulation.calls import Call
from tests.simulation.loop import Stuck
from tests.simulation.plots import Story
from tests.simulation.scenario import Verdict, differences_noted, judge, run_in
from tests.simulation.storage import rows
from tests.simulation.stories import STORIES
from tests.simulation.world import World

_CALM_SECONDS: Final = 10.0
_RESTART_SECONDS: Final = 7.0
_BOUND_MS: Final = 6_000
_AGAIN_EVERY: Final = 4
_MOST_STEPS: Final = 1_200
_NEVER: Final = 0


class Crash(NamedTuple):
    """One telling. `border` 0: nobody dies. `again`: the step before which the recovery dies; 0: it lives.

    `is_polite`: SIGTERM instead of SIGKILL.
    """

    story: str
    dialect: str
    border: int = _NEVER
    again: int = _NEVER
    is_every: bool = False
    seed: int = 1
    is_polite: bool = False

    def command(self) -> str:
        """Return what replays it."""
        words = f"--sweep {self.story} --dialect {self.dialect} --seed {self.seed} --border {self.border}"
        again = f" --again {self.again}" if self.again else ""
        flags = f"{' --every' if self.is_every else ''}{' --polite' if self.is_polite else ''}"
        return f"python -m tests.simulation {words}{again}{flags}"


class Borders:
    """Counts the borders in a story's seconds and kills at one of them."""

    def __init__(self, world: World, crash: Crash) -> None:
        story = STORIES[crash.story]
        self._world, self._crash, self._from_s, self._to_s = world, crash, story.from_s, story.to_s
        self.count = 0
        world.network.watchers.append(self.hear_call)
        world.bot.borders.append(lambda where, *_: self._pass(f"commit {where}"))

    def hear_call(self, call: Call, where: str) -> None:
        """Count a place of a request."""
        if (call.is_write or self._crash.is_every) and call.process is self._world.bot.life.process:
            self._pass(f"{call.kind} {where}")

    def _pass(self, place: str) -> None:
        if not self._from_s <= self._world.seconds() <= self._to_s:
            return
        self.count += 1
        if self.count == self._crash.border:
            self._world.fault_fires(f"dead at border {self.count}: {place}")
            bot = self._world.bot
            bot.kill_next_at_step = self._crash.again
            (bot.terminate if self._crash.is_polite else bot.kill)()


def tell(crash: Crash, lines: list[str] | None = None) -> Verdict:
    """Tell a story; `counts` holds the number of its borders."""

    def play(world: World) -> dict[str, int]:
        story = STORIES[crash.story]
        story.plan(world)
        world.build()
        world.bound_ms = _BOUND_MS
        world.add_bot("bot")
        story.install(world)
        borders = Borders(world, crash)
        counts: dict[str, int] = {}
        try:
            world.run(_told(world, story, crash, counts))
        except Stuck as error:
            world.violate("I20", str(error))
        return {**counts, "borders": borders.count}

    return run_in(crash, ("BTC/USDT:USDT",), round(STORIES[crash.story].to_s) + 1, play, lines)


async def _told(world: World, story: Story, crash: Crash, counts: dict[str, int]) -> None:
    world.spawn(world.bot.supervise())
    await asyncio.sleep(story.to_s)
    world.calm()
    world.exchange.pump.pause()
    await asyncio.sleep(_CALM_SECONDS)
    judge(world, "after the calm")
    if not world.bot.database.exists():
        return
    noted = differences_noted(world)
    world.bot.kill()
    await asyncio.sleep(_RESTART_SECONDS)
    judge(world, "after another restart")
    if differences_noted(world) != noted:
        world.violate("I11", "another restart found differences that the first had settled")
    if crash.border == _NEVER:
        _check_point(world, story)
    _check_forbidden(world, story)
    counts["fills"] = rows(world.bot.database, "SELECT count(*) FROM fill")[0][0]


def _check_point(world: World, story: Story) -> None:
    missing = set(story.needs) - _said(world)
    if missing:
        world.violate("STORY", f"it happened without {', '.join(sorted(missing))}")


def _check_forbidden(world: World, story: Story) -> None:
    forbidden = set(story.forbids) & _said(world)
    if forbidden:
        world.violate("STORY", f"{', '.join(sorted(forbidden))} happened")
    fault = story.fault_at_end(world)
    if fault:
        world.violate("STORY", fault)


def _said(world: World) -> set[str]:
    """Return the kinds of intents, the legs of fills, and what else a story may speak of."""
    database, state = world.bot.database, world.exchange.venue.state
    said = {row[0] for row in rows(database, "SELECT kind FROM intent UNION SELECT leg FROM fill")}
    said |= {"funding"} if rows(database, "SELECT 1 FROM funding") else set()
    stops = (order.leg == "stop" for symbol in state.positions for order in state.orders.of(symbol))
    return said | ({"held"} if any(stops) else set()) | (set() if state.positions else {"flat"})


def crashes(dry: Crash, borders: int) -> Iterator[Crash]:
    """Yield a death at every border of a story, and for some of them a second one in the recovery."""
    for border in range(1, borders + 1):
        crash = dry._replace(border=border)
        yield crash
        if border % _AGAIN_EVERY == 0:
            yield crash._replace(again=Random(f"{crash}").randint(1, _MOST_STEPS))
