"""The key expires: said in words at the start and while running, and not tried again with it."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.intent import AddMargin, OpenPosition, SetLeverage
from bot.errors import Fatal
from bot.sim.server.control import Control
from bot.sim.server.pump import Pump
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, Desk, Served

WORLDS: dict[type[Served], tuple[str, str]] = {
    Served: ("-2015", "has expired, was deleted or disabled, is wrong"),
    ServedBybit: ("33004", "it has expired"),
    ServedOkx: ("50119", "has expired or was deleted"),
}


@pytest.fixture(params=WORLDS, ids=["binance", "bybit", "okx"])
def world(request: pytest.FixtureRequest) -> Served:
    return request.param()


def revoke(world: Served) -> None:
    control = Control(world.embedded, Pump(world.embedded, world.clock, 1.0), world.faults, world.server)
    control.run("revoke-key", {})


def counted(world: Served) -> list[tuple[str, bytes]]:
    """Count the requests that reach the exchange from now on, by what they ask."""
    seen: list[tuple[str, bytes]] = []
    answer = world.server.door.answer

    async def count(asked: Any) -> Any:
        parts = [
            each for each in asked.query.split(b"&") if not each.startswith((b"timestamp=", b"signature="))
        ]
        seen.append((asked.path, b"&".join(parts)))
        return await answer(asked)

    world.server.door.answer = count
    return seen


async def refused(world: Served, work: Callable[[], Any]) -> str:
    revoke(world)
    asked = counted(world)
    with pytest.raises(Fatal) as raised:
        await work()
    assert len(asked) == len(set(asked)), "a request was sent again with a key that is refused"
    code, why = WORLDS[type(world)]
    text = str(raised.value)
    assert text.startswith(f"The exchange refuses the API key ({code}): it ")
    assert why in text
    assert "Correct or renew the key" in text
    return text


async def test_at_the_start(world: Served) -> None:
    await refused(world, world.exchange.account)


async def test_while_running_in_a_sweep(world: Served) -> None:
    await world.exchange.account()
    await refused(world, lambda: world.connection.gateway.sweep(BTC))


async def test_while_running_in_an_urgent_request(world: Served) -> None:
    desk = Desk(world.exchange)
    await desk.send(SetLeverage(BTC, 10))
    await desk.send(OpenPosition(BTC, 1, 0.1))
    text = await refused(world, lambda: desk.send(AddMargin(BTC, 600.0)))
    assert "stops that rest at the exchange stay there" in text
