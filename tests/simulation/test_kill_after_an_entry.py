"""A bot dies right after its entry was accepted, and no list shows position and fills for 20 s."""

import asyncio
from pathlib import Path

import pytest

from tests.simulation.exchanges import DRAWN
from tests.simulation.faults.orders import stale_reads
from tests.simulation.invariants import is_covered
from tests.simulation.world import World

BTC = "BTC/USDT:USDT"
LAG_SECONDS = 20.0


def is_protected(world: World) -> bool:
    state = world.exchange.venue.state
    if BTC not in state.positions:
        return True  # it met its stop or was closed
    orders = [order.as_open_order() for order in state.orders.of(BTC)]
    return is_covered(state, state.positions[BTC], orders)


@pytest.mark.parametrize("lived_s", [0.0, 0.5, 2.5, 6.0])
# Where position and money are one reply, as at Hyperliquid, nothing is entered while it lags so far.
@pytest.mark.parametrize("dialect", DRAWN)
def test_an_entry_that_no_list_shows_yet_is_known_to_the_next_start_and_gets_its_stop(
    tmp_path: Path, dialect: str, lived_s: float
) -> None:
    world = World(4, dialect, tmp_path, (BTC,), 240)
    world.build()
    stale_reads(world, LAG_SECONDS, ("read:trades", "read:position"))
    bot = world.add_bot("bot")
    seen: list[bool] = []

    async def story() -> None:
        world.spawn(bot.supervise())
        while BTC not in world.exchange.venue.state.positions:
            assert world.seconds() < 200.0, "nothing was entered"
            await asyncio.sleep(0.01)
        await asyncio.sleep(lived_s)
        bot.kill()
        await asyncio.sleep(LAG_SECONDS + 10.0)
        seen.append(is_protected(world))

    world.run(story())
    assert seen == [True]
