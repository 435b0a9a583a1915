"""A copy in the place of the database knows nothing of what was sent since: its ids are never used again."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.simulation.exchanges import DIALECTS
from tests.simulation.invariants import is_covered
from tests.simulation.storage import rows
from tests.simulation.world import World

BTC = "BTC/USDT:USDT"


def is_protected(world: World) -> bool:
    state = world.exchange.venue.state
    orders = [order.as_open_order() for order in state.orders.of(BTC)]
    return BTC in state.positions and is_covered(state, state.positions[BTC], orders)


def put_back(copy: Path, database: Path) -> None:
    for file in database.parent.glob(f"{database.name}-*"):
        file.unlink()
    shutil.copy(copy, database)


def runs_in(database: Path) -> set[str]:
    """Return the runs that a database's ids name: what stands before the number."""
    return {row[0][:-8] for row in rows(database, "SELECT client_id FROM intent")}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_start_on_a_copy_uses_no_id_of_the_run_after_it(tmp_path: Path, dialect: str) -> None:
    world = World(4, dialect, tmp_path, (BTC,), 240)
    world.settings["exchange.foreign_positions"] = "adopt"
    world.build()
    bot = world.add_bot("bot")
    copy = tmp_path / "copy.db"
    seen: list[bool] = []
    sent: set[str] = set()

    async def story() -> None:
        world.spawn(bot.supervise())
        while not bot.is_running:
            await asyncio.sleep(0.5)
        bot.terminate()
        while bot.is_running:
            await asyncio.sleep(0.1)
        shutil.copy(bot.database, copy)
        while not is_protected(world):
            await asyncio.sleep(0.5)
        bot.restart_seconds = 3.0
        bot.kill()
        sent.update(runs_in(bot.database))
        await asyncio.sleep(1.0)
        put_back(copy, bot.database)
        await asyncio.sleep(20.0)
        seen.extend((bot.is_running, is_protected(world)))

    world.run(story())
    assert seen == [True, True]
    assert [each for each in world.violations if each.startswith("CRASH")] == []
    assert sent
    assert runs_in(bot.database)
    assert not runs_in(bot.database) & sent
