"""A copy in the place of the database knows nothing of what was sent since: its ids are never used again."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bot.core.event import AlertRaised, EntriesHalted, PositionOpened
from bot.core.halt import FLATTEN
from bot.ports import Command
from bot.store.commands import CommandFiles
from tests.simulation.exchanges import DIALECTS
from tests.simulation.invariants import is_covered
from tests.simulation.plots import quiet
from tests.simulation.storage import rows
from tests.simulation.world import World

BTC = "BTC/USDT:USDT"


def is_protected(world: World) -> bool:
    state = world.exchange.venue.state
    orders = [order.as_open_order() for order in state.orders.of(world.symbols[0])]
    symbol = world.symbols[0]
    return symbol in state.positions and is_covered(state, state.positions[symbol], orders)


def put_back(copy: Path, database: Path) -> None:
    for file in database.parent.glob(f"{database.name}-*"):
        file.unlink()
    shutil.copy(copy, database)


def flatten(database: Path) -> None:
    CommandFiles(database).send(Command(f"{1:015d}-1", "halt", FLATTEN, ""))


def runs_in(database: Path) -> set[str]:
    """Return the runs that a database's ids name: what stands before the number."""
    return {row[0][:-8] for row in rows(database, "SELECT client_id FROM intent")}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_start_on_a_copy_uses_no_id_of_the_run_after_it(tmp_path: Path, dialect: str) -> None:
    world = World(4, dialect, tmp_path, (BTC,), 240)
    quiet(world)
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
        await asyncio.sleep(12.0)
        seen.extend((bot.is_running, is_protected(world)))
        flatten(bot.database)
        await asyncio.sleep(5.0)

    world.run(story())
    assert seen == [True, True]
    assert [each for each in world.violations if each.startswith("CRASH")] == []
    assert sent
    assert runs_in(bot.database)
    assert not runs_in(bot.database) & sent


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_position_opened_after_the_copy_is_known_as_ours_and_protected(
    tmp_path: Path, dialect: str
) -> None:
    world = World(5, dialect, tmp_path, (BTC,), 240)
    quiet(world)
    world.settings["exchange.foreign_positions"] = "halt"
    world.build()
    bot = world.add_bot("bot")
    copy = tmp_path / "copy.db"
    before: list[tuple[str, ...]] = []
    after: list[tuple[str, ...]] = []
    held: list[bool] = []

    def resting() -> tuple[str, ...]:
        return tuple(
            sorted(order.client_id for order in world.exchange.venue.state.orders.of(world.symbols[0]))
        )

    async def story() -> None:
        world.spawn(bot.supervise())
        while not bot.is_running:
            await asyncio.sleep(0.5)
        shutil.copy(bot.database, copy)
        while not is_protected(world):
            await asyncio.sleep(0.5)
        await asyncio.sleep(3.0)
        before.append(resting())
        bot.restart_seconds = 3.0
        bot.kill()
        await asyncio.sleep(1.0)
        put_back(copy, bot.database)
        await asyncio.sleep(12.0)
        assert bot.is_running
        after.append(resting())
        held.append(is_protected(world))
        flatten(bot.database)
        await asyncio.sleep(5.0)
        held.append(world.symbols[0] in world.exchange.venue.state.positions)

    world.run(story())
    assert world.violations == []
    assert len(before[0]) > 1
    assert after == before
    assert held == [True, False]
    notes = [note for commit in bot.commits for note in commit.notes]
    assert [note.cause for note in notes if isinstance(note, AlertRaised)] == ["own_position", "halted"]
    assert [note.cause for note in notes if isinstance(note, EntriesHalted)] == ["person_flatten"]
    assert rows(bot.database, "SELECT * FROM intent WHERE kind = 'OpenPosition'") == []
    opened = [note for note in notes if isinstance(note, PositionOpened)]
    assert [note.position_id for note in opened] == [1, 1]
