"""F20 to F30: the stop at the venue."""

import asyncio
from typing import TYPE_CHECKING

from bot.core.position import Position
from tests.simulation.calls import Effect
from tests.simulation.faults.acts import (
    NO_CONDITIONALS,
    TOO_MANY,
    answer,
    dice,
    drop_orders,
    on_calls,
    reduce_by_hand,
    when_held,
    while_disturbed,
)
from tests.simulation.faults.orders import kill_at
from tests.simulation.sockets import ClientSocket

if TYPE_CHECKING:
    from tests.simulation.world import World


def one_leg_refused(world: "World") -> None:
    """F20: one of stop and take-profits is refused."""
    effect = Effect("answered", answer=answer(world, NO_CONDITIONALS))
    on_calls(world, ("stop",), effect, first=dice(world).randint(1, 5))


def everything_slow(world: "World") -> None:
    """F21: messages and requests take seconds."""
    delay_s = dice(world).uniform(0.3, 3.0)

    def slow(_: ClientSocket, __: str) -> tuple[float, ...]:
        return (delay_s,)

    world.fault_fires("slow")
    world.network.message_disturbances.append(slow)
    effect = Effect("slow", delay_s=dice(world).uniform(0.2, 1.5))
    on_calls(world, ("entry", "stop", "exit", "margin"), effect, times=1_000)


def trending(world: "World") -> None:
    """F22, before the world is built: the price runs, so that stops are trailed."""
    world.plan.drift_per_second = dice(world).choice((1.0, -1.0)) * 0.00012
    world.settings["brackets.trail_activate_r"] = 0.2
    world.settings["brackets.trail_distance_r"] = 0.5
    world.settings["strategy.params.every_minute.hold"] = 90


def killed_while_replacing(world: "World") -> None:
    """F22: death between the new stop and the end of the old one."""
    kinds, where = dice(world).choice(
        ((("cancel",), "sent"), (("cancel",), "arrived"), (("stop",), "arrived"), (("stop",), "answered"))
    )
    kill_at(world, kinds, where, dice(world).randint(1, 8))


def closed_by_hand(world: "World") -> None:
    """F23: the position is closed by somebody else."""
    when_held(world, lambda position: reduce_by_hand(world, position, 0.0))


def too_many_stops(world: "World") -> None:
    """F24: the limit of stop orders is reached."""
    effect = Effect("answered", answer=answer(world, TOO_MANY))
    on_calls(world, ("stop",), effect, first=dice(world).randint(1, 4), times=dice(world).randint(1, 3))


def reduced_by_hand(world: "World") -> None:
    """F25: a part of the position is closed by somebody else."""

    def reduce(position: Position) -> None:
        step = world.exchange.venue.state.instruments[position.symbol].quantity_step
        quantity = round(position.quantity * 0.4 / step) * step
        reduce_by_hand(world, position, max(quantity, step))

    when_held(world, reduce)


def jumps(world: "World") -> None:
    """F26: the price jumps across stops."""
    for _ in range(dice(world).randint(1, 4)):
        second = dice(world).randint(10, 140)
        fraction = dice(world).choice((1.0, -1.0)) * dice(world).uniform(0.006, 0.03)
        world.plan.jumps.append((second, dice(world).randrange(len(world.symbols)), fraction))


def noted(world: "World") -> None:
    """Note a fault that lies in the plan."""
    world.fault_fires("planned")


def stop_vanishes(world: "World") -> None:
    """F27: the venue drops a stop without a word."""
    for _ in range(dice(world).randint(1, 3)):
        when_held(world, lambda position: drop_orders(world, position.symbol, ("stop",)))


def no_conditional_orders(world: "World") -> None:
    """F28: no conditional order is taken for a while."""
    effect = Effect("answered", answer=answer(world, NO_CONDITIONALS))
    while_disturbed(world, "no conditionals", ("stop",), effect, 5.0, 40.0)


def all_cancelled(world: "World") -> None:
    """F29: a dead man's switch cancels everything."""

    def cancel(position: Position) -> None:
        for symbol in world.symbols:
            drop_orders(world, symbol, ("stop", "take_profit", "entry", "trailing"))
        del position

    when_held(world, cancel)


def bot_away(world: "World") -> None:
    """F30: the bot is away for a long time; its stop has to do the work."""
    away_s = dice(world).uniform(20.0, 60.0)

    async def stay_away() -> None:
        await asyncio.sleep(dice(world).uniform(15.0, 60.0))
        world.fault_fires("away")
        world.bot.restart_seconds = away_s
        world.bot.kill()

    world.on_start.append(stay_away)
