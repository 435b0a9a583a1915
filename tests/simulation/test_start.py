"""A start protects before it reads what only the strategy needs, and ends when it is asked to."""

import asyncio
from pathlib import Path

import pytest

from bot.core.intent import PlaceStop
from bot.ports import Commit
from tests.simulation.calls import Call, Effect
from tests.simulation.exchanges import DIALECTS
from tests.simulation.faults.acts import SERVER_FAILED, answer, drop_orders
from tests.simulation.invariants import is_covered
from tests.simulation.world import World

BTC = "BTC/USDT:USDT"


def is_protected(world: World) -> bool:
    state, (symbol,) = world.exchange.venue.state, world.symbols
    orders = [order.as_open_order() for order in state.orders.of(symbol)]
    return symbol in state.positions and is_covered(state, state.positions[symbol], orders)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_start_restores_a_stop_while_no_candle_can_be_read(tmp_path: Path, dialect: str) -> None:
    world = World(4, dialect, tmp_path, (BTC,), 240)
    world.build()
    bot = world.add_bot("bot")
    seen: list[bool] = []

    def refuse_candles(call: Call) -> Effect | None:
        is_theirs = call.kind == "read:candles"
        return Effect("answered", answer=answer(world, SERVER_FAILED, 503)) if is_theirs else None

    async def story() -> None:
        world.spawn(bot.supervise())
        while not is_protected(world):
            await asyncio.sleep(0.5)
        world.exchange.pump.pause()
        await asyncio.sleep(2.0)  # what follows the stop is answered too
        bot.restart_seconds = 3.0
        bot.kill()
        drop_orders(world, world.symbols[0], ("stop", "trailing"))
        world.exchange.embedded.commit()
        seen.append(is_protected(world))
        world.network.disturbances.append(refuse_candles)
        await asyncio.sleep(8.0)
        seen.append(is_protected(world))

    world.run(story())
    assert seen == [False, True]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stop_that_was_written_and_never_sent_is_sent_by_the_next_start_at_once(
    tmp_path: Path, dialect: str
) -> None:
    world = World(4, dialect, tmp_path, (BTC,), 240)
    world.build()
    bot = world.add_bot("bot")
    bot.restart_seconds = 0.1
    seen: list[bool] = []

    def die(where: str, commit: Commit, _: object) -> None:
        has_stop = any(isinstance(intent.action, PlaceStop) for intent in commit.intents)
        if where == "after" and has_stop and len(bot.lives) == 1:
            bot.kill()

    async def story() -> None:
        bot.borders.append(die)
        world.spawn(bot.supervise())
        while len(bot.lives) < 2:
            await asyncio.sleep(0.05)
        seen.append(is_protected(world))
        await asyncio.sleep(1.0)
        seen.append(is_protected(world))

    world.run(story())
    assert seen == [False, True]


def test_a_start_that_reads_candles_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    world = World(4, "binance", tmp_path, (BTC,), 240)
    world.build()
    bot = world.add_bot("bot")
    ended: list[bool] = []

    async def story() -> None:
        world.spawn(bot.supervise())
        while not is_protected(world):
            await asyncio.sleep(0.5)
        slow = Effect("late", delay_s=6.0)
        world.network.disturbances.append(lambda call: slow if call.kind == "read:candles" else None)
        bot.kill()
        await asyncio.sleep(4.0)
        second = bot.life
        bot.terminate()
        await asyncio.sleep(0.5)
        ended.append(second is not bot.lives[0] and second.process.is_dead and second.error is None)

    world.run(story())
    assert ended == [True]
