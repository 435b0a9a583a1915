"""F69 and F70: a strategy that misbehaves."""

from typing import TYPE_CHECKING, Final

from bot.engine.desk import Question
from bot.store.commands import CommandFiles
from bot.watchdog import hung_order
from tests.simulation.faults.acts import dice, later
from tests.simulation.faults.operator import order

if TYPE_CHECKING:
    from tests.simulation.bots import Life
    from tests.simulation.world import World

_ANSWER: Final = "strategy.answer_ms"
_LONGEST_LOOK: Final = 1.1  # the watchdog counts ten looks from the first that sees the question
_RESUMED_AFTER_S: Final = (5.0, 40.0)


def strange_values(world: "World") -> None:
    """F69, before the world is built: values that are none."""
    world.settings["strategy.params.every_minute.mischief"] = dice(world).randint(1, 3)


def strategy_raises_or_hangs(world: "World") -> None:
    """F70, before the world is built: exceptions, or a limit for an answer that never comes."""
    if dice(world).random() < 0.5:
        world.settings["strategy.params.every_minute.mischief"] = 4
    else:
        world.settings[_ANSWER] = dice(world).choice((1_000, 5_000, 30_000))


def strategy_hangs(world: "World") -> None:
    """F70: from a drawn moment on the strategy never answers, until a person resumes, if one does."""
    if _ANSWER in world.settings:
        hanging = Hanging(world)
        world.bot.on_start.append(hanging.put_in)
        later(world, hanging.begin)
    else:
        world.fault_fires("planned")


class Hanging:
    """The question that is never answered, and the watchdog's part, which is a thread in real life."""

    def __init__(self, world: "World") -> None:
        self._world, self._answer_ms = world, int(world.settings[_ANSWER])
        self._resumed_after_s = dice(world).uniform(*_RESUMED_AFTER_S) if dice(world).random() < 0.5 else 0.0
        self._is_on = self._is_left = False

    def begin(self) -> None:
        """Let no question be answered any more."""
        self._is_on = True

    def put_in(self, life: "Life") -> None:
        """Let a process that starts ask in this way."""
        life.application.question = _Unanswered(self, life)

    def ask(self, life: "Life") -> None:
        """Hang, if it is time."""
        if not self._is_on:
            return
        world = self._world
        if self._is_left:
            world.violate("I20", "a strategy that hung was asked again, and nobody had resumed")
        world.fault_begins("the strategy hangs")
        seconds = self._answer_ms / 1000.0 * dice(world).uniform(1.0, _LONGEST_LOOK)
        world.loop.call_later(seconds, self._end, life, context=world.network.context)
        life.process.hang()

    def _end(self, life: "Life") -> None:
        """What the watchdog does: leave the order, and end the process."""
        world = self._world
        world.fault_ends()
        if life.process.is_dead:
            return
        said = hung_order(world.settings.get("strategy.name", "every_minute"), self._answer_ms, 1)
        CommandFiles(world.bot.database).send(said._replace(command_id=f"{1:015d}-1"))
        self._is_left = True
        if self._resumed_after_s:
            world.loop.call_later(self._resumed_after_s, self._resume, context=world.network.context)
        life.process.die()

    def _resume(self) -> None:
        self._is_on = self._is_left = False
        self._world.note("fault", "the strategy answers again, and a person resumes")
        order(self._world, 2, "resume", "")


class _Unanswered(Question):
    """A question that asks the fault first."""

    __slots__ = ("_hanging", "_life")

    def __init__(self, hanging: Hanging, life: "Life") -> None:
        super().__init__()
        self._hanging, self._life = hanging, life

    def __enter__(self) -> None:
        super().__enter__()
        self._hanging.ask(self._life)
