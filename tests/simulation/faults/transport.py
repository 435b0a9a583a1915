"""F51 to F59: clocks, streams and the network."""

import asyncio
import json
from typing import TYPE_CHECKING

from tests.simulation.calls import Answer, Effect
from tests.simulation.faults.acts import dice, for_a_while, later, on_calls
from tests.simulation.sockets import ClientSocket

if TYPE_CHECKING:
    from tests.simulation.world import World


def clock_skewed(world: "World") -> None:
    """F51: the host's clock steps."""

    def step() -> None:
        world.fault_fires("clock")
        world.wall.skew_ms = dice(world).choice((1.0, -1.0)) * dice(world).uniform(800.0, 8_000.0)

    later(world, step)


def streams_stall(world: "World") -> None:
    """F52: a stream says nothing and does not end."""
    which = dice(world).choice(("user", "market", "both"))

    def stall(connection: ClientSocket, text: str) -> tuple[float, ...]:
        is_meant = which == "both" or connection.tells_user(text) == (which == "user")
        return () if is_meant else (0.0,)

    listed = world.network.message_disturbances
    for_a_while(
        world, f"stall {which}", lambda: listed.append(stall), lambda: _drop(listed, stall), 5.0, 70.0
    )


def _drop(listed: list, item: object) -> None:
    if item in listed:
        listed.remove(item)


def messages_disturbed(world: "World") -> None:
    """F53: messages of the user's stream are doubled, late, or missing."""
    random = dice(world)

    def disturb(connection: ClientSocket, text: str) -> tuple[float, ...]:
        if not connection.tells_user(text):
            return (0.0,)
        drawn = random.random()
        if drawn < 0.25:
            world.fault_fires("message lost")
            return ()
        return (0.0, 0.4) if drawn < 0.6 else (random.uniform(0.0, 3.0),)

    world.network.message_disturbances.append(disturb)


def user_stream_ends(world: "World") -> None:
    """F54: the listen key expires, or the private connection ends."""
    for _ in range(dice(world).randint(1, 3)):
        later(world, lambda: _expire(world))


def _expire(world: "World") -> None:
    world.fault_fires("key expires")
    world.exchange.server.expire_user_stream()


def prices_freeze(world: "World") -> None:
    """F55: the market stands still at the venue."""
    pump = world.exchange.pump
    for_a_while(world, "frozen", pump.pause, pump.resume, 5.0, 60.0)


def positions_empty(world: "World") -> None:
    """F56: the positions endpoint answers with nothing."""

    def change(told: Answer) -> Answer:
        body = json.loads(told.body)
        if isinstance(body, list):
            body = []
        elif "assetPositions" in body:
            body["assetPositions"] = []
        elif "result" in body:
            body["result"]["list"] = []
        else:
            body["data"] = []
        return Answer(told.status, json.dumps(body).encode(), told.headers)

    effect = Effect("changed", change=change)
    first, times = dice(world).randint(4, 30), dice(world).randint(1, 6)
    on_calls(world, ("read:position",), effect, first=first, times=times)


def outage(world: "World") -> None:
    """F57: no network at all."""

    def begin() -> None:
        world.network.is_down = True
        if dice(world).random() < 0.5:
            world.network.cut_streams()

    def end() -> None:
        world.network.is_down = False

    for_a_while(world, "outage", begin, end, 1.0, 60.0)


# Zones by rule, as a host may lack the tables; each at an instant that is an edge there and a settlement.
_EDGES = (
    ("CST6CDT,M3.2.0,M11.1.0", 1_741_507_200_000),  # 2025-03-09 08:00 UTC
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_759_593_600_000),  # 2025-10-04 16:00 UTC
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_743_868_800_000),  # 2025-04-05 16:00 UTC, an hour twice
    ("IST-5:30", 1_738_022_400_000),
)


def edge_of_a_zone(world: "World") -> None:
    """F58, before the world is built: the host's clocks change in the middle of it."""
    zone, boundary_ms = dice(world).choice(_EDGES)
    world.move_to(boundary_ms, zone)


def host_sleeps(world: "World") -> None:
    """F59: the host is paused, and so is every timer."""

    async def sleep() -> None:
        await asyncio.sleep(dice(world).uniform(10.0, 80.0))
        seconds = dice(world).uniform(5.0, 40.0)
        world.fault_begins("host asleep")
        world.loop.freeze(world.bot.life.process, seconds)
        await asyncio.sleep(seconds)
        world.fault_ends()

    world.on_start.append(sleep)
