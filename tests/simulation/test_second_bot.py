"""Two bots on one account with a database each, on two machines: it is noticed, said, and halts entries."""

import asyncio
from pathlib import Path

import pytest

from bot.store.account_lock import AccountLock
from tests.simulation.exchanges import DIALECTS
from tests.simulation.plots import quiet
from tests.simulation.world import World

BTC = "BTC/USDT:USDT"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_bot_that_lives_on_another_machine_halts_entries(
    tmp_path: Path, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccountLock, "acquire", lambda _: "")  # of another machine
    world = World(5, dialect, tmp_path, (BTC,), 240)
    quiet(world)
    world.settings["strategy.params.every_minute.hold"] = 2
    world.build()
    first, second = world.add_bot("first"), world.add_bot("second")
    causes: dict[str, set[str]] = {}

    async def story() -> None:
        world.spawn(first.supervise())
        world.spawn(second.supervise())
        await asyncio.sleep(150.0)
        for each in (first, second):
            causes[each.name] = set(each.life.application.engine.state.halts)

    world.run(story())
    assert any("another_bot" in each for each in causes.values())
    assert [each for each in world.violations if each.startswith("CRASH")] == []
