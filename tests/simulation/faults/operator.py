"""F73 and F74: orders to halt, and a loop that runs away."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from bot.core.halt import FLATTEN, LEVELS
from bot.ports import Command
from bot.store.commands import CommandFiles
from tests.simulation.calls import Call
from tests.simulation.faults.acts import dice, drop_orders, for_a_while, later

if TYPE_CHECKING:
    from tests.simulation.world import World

_LIFTED_AFTER_S: Final = (3.0, 40.0)
_STOPS: Final = ("stop", "trailing")


def order(world: "World", number: int, verb: str, level: str) -> str:
    """Let a person leave an order beside the bot's database, and return its id."""
    command_id = f"{number:015d}-1"
    CommandFiles(world.bot.database).send(Command(command_id, verb, level, "a person"))
    return command_id


def ask(world: "World", number: int, verb: str, amount_quote: float = 0.0) -> None:
    """Let a person leave an order about each position that is open."""
    for held in list(world.exchange.venue.state.positions):
        command = Command(f"{number:015d}-1", verb, "", "a person", held, amount_quote)
        CommandFiles(world.bot.database).send(command)


def halted(world: "World") -> None:
    """F73: a person halts at a drawn moment, perhaps twice, perhaps as the bot dies, and perhaps resumes."""
    random = dice(world)
    levels = [random.choice(LEVELS) for _ in range(random.randint(1, 2))]
    death, is_lifted = random.choice(("", "", "kill", "terminate")), random.random() < 0.5
    lifted_after_s = random.uniform(*_LIFTED_AFTER_S)
    left: list[str] = []

    def leave(verb: str, level: str) -> None:
        world.fault_fires(f"{verb} {level}")
        left.append(order(world, len(left) + 1, verb, level))

    def halt() -> None:
        for level in levels:
            leave("flatten" if level == FLATTEN else "halt", level)
        if death:
            getattr(world.bot, death)()

    async def lift() -> None:
        while len(left) < len(levels):
            await asyncio.sleep(0.5)
        await asyncio.sleep(lifted_after_s)
        leave("resume", "")

    later(world, halt)
    if is_lifted:
        world.on_start.append(lift)
    world.findings.append(partial(disobeyed, left, FLATTEN in levels and not is_lifted))


def disobeyed(left: list[str], is_flat_due: bool, world: "World") -> str:
    """Return which of the orders left were not taken, or what is held where nothing should be."""
    files, held = CommandFiles(world.bot.database), set(world.exchange.venue.state.positions)
    waiting = [command_id for command_id in left if files.is_waiting(command_id)]
    if waiting:
        return f"nobody took {', '.join(waiting)}"
    if is_flat_due and left and (own := held - world.touched_by_hand):
        return f"{', '.join(sorted(own))} is held under {FLATTEN}"
    return ""


def few_orders(world: "World") -> None:
    """F74, before the world is built: some loop is noticed by the rate of its orders, or of all requests."""
    limit = dice(world).choice(("orders_per_minute", "messages_per_minute"))
    world.settings[f"halts.{limit}"] = dice(world).randint(4, 10)


def stops_dropped_at_once(world: "World") -> None:
    """F74: the venue drops every stop as soon as it rests, so that it is placed again and again."""
    is_on = [False]

    def drop(call: Call, where: str) -> None:
        if is_on[0] and call.kind == "stop" and where == "arrived":
            for symbol in world.symbols:
                drop_orders(world, symbol, _STOPS)
            world.exchange.embedded.commit()

    def switch(is_now_on: bool) -> None:
        is_on[0] = is_now_on

    world.network.watchers.append(drop)
    for_a_while(world, "stops are dropped", partial(switch, True), partial(switch, False), 10.0, 60.0)
