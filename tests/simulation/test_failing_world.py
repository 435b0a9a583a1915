"""A world that fails itself is told of: a message that no fault has lost must not pass for a quiet run."""

from pathlib import Path

import pytest

from tests.simulation.calls import Call
from tests.simulation.process import Process
from tests.simulation.world import World

BTC = "BTC/USDT:USDT"


def test_a_message_that_the_world_itself_loses_is_told(tmp_path: Path) -> None:
    def fail(_call: Call, where: str) -> None:
        if where == "arriving":
            raise KeyError("planted")

    world = World(1, "binance", tmp_path, (BTC,), 60)
    world.build()
    world.network.watchers.append(fail)
    asked = world.network.ask(Process("bot0"), "POST", "http://exchange/x", {}, None, 1.0)
    with pytest.raises(TimeoutError):
        world.loop.run_until_complete(asked)
    world.loop.close()
    assert [line.partition(" ")[0] for line in world.violations] == ["WORLD"]


def test_whether_a_coin_is_isolated_is_read_from_hyperliquids_own_settings(tmp_path: Path) -> None:
    world = World(1, "hyperliquid", tmp_path, (BTC,), 60)
    world.build()
    for is_isolated in (True, False):
        world.exchange.server.force_margin_mode(world.symbols[0], is_isolated=is_isolated)
        assert world.manners.is_isolated(world.symbols[0]) is is_isolated
    world.loop.close()
