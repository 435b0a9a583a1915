"""What a person orders about a position reaches the venue as it was decided: to the cent, and no further."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from bot.core.event import CommandDone, InvariantBroken, OrderFilled
from bot.core.intent import OpenPosition, PlaceStop, SetLeverage
from bot.core.margin import liquidation_price
from bot.core.profile import MarginRules
from bot.engine import by_hand
from bot.engine.desk import Desk
from bot.engine.engine import Engine
from bot.engine.opening import open_holding
from bot.engine.outbox import Outbox
from bot.engine.pending import RestingStop
from bot.engine.state import Market, State
from bot.engine.window import CandleWindow
from bot.ports import Command
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, FIRST_PRICE, START_MS, Served, Simulated, World
from tests.contract.venue_worlds import Desk as Sender
from tests.unit.engine.desk_builder import Scripted

STOP, QUANTITY = 48_000.0, 0.1
WORLDS: dict[str, Callable[[], World]] = {
    "simulated": Simulated,
    "binance": Served,
    "bybit": ServedBybit,
    "okx": ServedOkx,
}


class Held:
    """An engine that holds 0.1 at 50,000 with a stop at 48,000, and what it told."""

    def __init__(self, world: World) -> None:
        self.world, self.told = world, []
        self.engine: Engine

    async def open(self) -> None:
        world, sender = self.world, Sender(self.world.exchange)
        await world.tick(FIRST_PRICE)
        await sender.send(SetLeverage(BTC, 20))
        fills = await sender.send(OpenPosition(BTC, 1, QUANTITY))
        await sender.send(PlaceStop(BTC, 1, STOP))
        (position,) = [each.position for each in fills if isinstance(each, OrderFilled) and each.position]
        instrument = (await world.exchange.instruments())[BTC]
        market = Market(instrument, rules_of(world), CandleWindow(200), FIRST_PRICE, FIRST_PRICE, START_MS)
        market.sigma_day = 0.03
        state = State({BTC: market}, 60_000, (await world.exchange.account()).free_quote, now_ms=START_MS)
        policy = POLICIES["static"]
        risk = RiskManager("static", policy.default, MarginLimits(), EntryLimits(), BracketLimits())
        desk = Desk(state, risk, Scripted(), "none", Outbox(state, "RFT"), 60_000, 5_000, began_ms=START_MS)
        self.engine = Engine(desk)
        holding = open_holding(desk, market, position, START_MS, STOP, 400.0)
        holding.is_filled, holding.stop = True, RestingStop("stop", STOP)
        desk.outbox.take()

    async def order(self, verb: str, amount: float = 0.0, fraction: float = 0.0) -> CommandDone:
        """Give an order, and send what follows until nothing does."""
        number = f"{len(self.told) + 1}"
        by_hand.take(self.engine.desk, Command(number, verb, "", "", BTC, amount, fraction))
        decision = self.engine.obey()
        while decision.intents or decision.notes:
            self.told += decision.notes
            events = [event for each in decision.intents for event in await self.world.exchange.execute(each)]
            for event in events:
                self.told += (decision := self.engine.step(event)).notes
                assert decision.intents == ()
            decision = self.engine.obey()
        return [note for note in self.told if isinstance(note, CommandDone)][-1]

    async def money(self) -> tuple[float, float]:
        """Return what the venue says is free, and the isolated wallet."""
        account = await self.world.exchange.account()
        return account.free_quote, sum(position.isolated_wallet for position in account.positions)


def rules_of(world: Any) -> MarginRules:
    venue = world._venue if isinstance(world, Simulated) else world.embedded.venue
    return venue.state.rules[BTC] if hasattr(venue, "state") else venue._state.rules[BTC]


@pytest.fixture(params=sorted(WORLDS))
async def held(request: pytest.FixtureRequest) -> Held:
    made = Held(WORLDS[request.param]())
    await made.open()
    return made


def most_of(note: CommandDone) -> float:
    return float(note.message.split("At most ")[1].split(" ")[0].replace(",", ""))


async def test_an_add_comes_out_of_the_free_balance_and_nothing_is_lost(held: Held) -> None:
    free, wallet = await held.money()
    told = await held.order("add", 123.45)
    assert told.state == "done", told.message
    assert await held.money() == pytest.approx((free - 123.45, wallet + 123.45), abs=1e-3)
    state = held.engine.state
    assert (state.free_quote, state.positions()[0].isolated_wallet) == pytest.approx(await held.money())


async def test_the_most_that_may_be_added_is_taken_and_the_reserve_stays(held: Held) -> None:
    most = most_of(await held.order("add", 1e9))
    assert (await held.order("add", most)).state == "done"
    free, wallet = await held.money()
    assert free == pytest.approx(0.2 * (free + wallet), abs=0.02)
    assert (await held.order("add", 1.0)).state == "refused"


async def test_the_most_that_may_be_released_is_taken_and_the_stop_comes_first(held: Held) -> None:
    await held.order("add", 400.0)
    free, wallet = await held.money()
    most = most_of(await held.order("release", 1e9))
    assert 0.0 < most < wallet
    told = await held.order("release", most)
    assert told.state == "done", told.message
    assert await held.money() == pytest.approx((free + most, wallet - most), abs=1e-3)
    (position,) = (await held.world.exchange.account()).positions
    assert liquidation_price(position, rules_of(held.world)) < STOP
    assert (await held.order("release", 1.0)).state == "refused"


async def test_a_reduction_and_a_close_trade_what_was_ordered(held: Held) -> None:
    told = await held.order("reduce", fraction=0.3)
    assert told.state == "done", told.message
    (position,) = (await held.world.exchange.account()).positions
    assert math.isclose(position.quantity, 0.07)
    assert (await held.order("close")).state == "done"
    assert (await held.world.exchange.account()).positions == ()
    assert [note for note in held.told if isinstance(note, InvariantBroken)] == []
