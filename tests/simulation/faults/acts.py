"""What faults are made of: effects on chosen requests, answers a venue might give, things done by hand."""

import asyncio
import json
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bot.core.event import MarkPrice
from bot.core.intent import CancelOrder, ReducePosition
from bot.core.position import Position
from bot.sim.server.books import PlacedOrder
from tests.simulation.calls import Answer, Call, Effect

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.world import World

ORDERS: Final = ("entry", "exit", "stop")
WRITES: Final = ("entry", "exit", "stop", "cancel", "margin", "leverage")
ACCOUNT: Final = ("read:orders", "read:trades", "read:position", "read:money", "read:order", "read:stop")
_BEGIN_SECONDS: Final = (8.0, 90.0)
_HAND_ID: Final = "byhand"


class Refusal(NamedTuple):
    """A refusal in each dialect's own code, or words."""

    binance: int
    bybit: int
    okx: int
    hyperliquid: str


NO_BALANCE: Final = Refusal(-2019, 110007, 51008, "Insufficient margin to place order. asset=0")
REDUCE_ONLY: Final = Refusal(-2022, 110017, 51205, "Reduce only order would increase position. asset=0")
PRICE_BAND: Final = Refusal(
    -4131, 110003, 51250, "Order price cannot be more than 80% away from the reference price asset=0"
)
TOO_MANY: Final = Refusal(-4045, 110009, 51088, "Too many open orders")
UNKNOWN_ORDER: Final = Refusal(
    -2011, 110001, 51400, "Order was never placed, already canceled, or filled. asset=0"
)
NO_CONDITIONALS: Final = Refusal(-2020, 110020, 51202, "Too many open trigger orders")
SERVER_FAILED: Final = Refusal(-1007, 10016, 50004, "Internal server error")
OVERLOADED: Final = Refusal(-1008, 10006, 50011, "Service unavailable")
BAD_KEY: Final = Refusal(-2015, 10003, 50111, "User or API Wallet 0x0 does not exist.")
NO_MODE: Final = Refusal(-4048, 110024, 59000, "Cannot switch leverage type with open position.")
PRECISION: Final = Refusal(-1111, 110003, 51121, "Price must be divisible by tick size. asset=0")


def answer(world: "World", refusal: Refusal, status: int = 400) -> Answer:
    """Return a refusal in the world's dialect."""
    if world.dialect == "binance":
        body: Any = {"code": refusal.binance, "msg": "injected"}
    elif world.dialect == "bybit":
        status = 200 if status == 400 else status
        body = {"retCode": refusal.bybit, "retMsg": "injected", "result": {}, "retExtInfo": {}, "time": 0}
    elif world.dialect == "hyperliquid":
        if status != 400:
            return Answer(status, refusal.hyperliquid.encode(), {"content-type": "text/plain"})
        status, body = 200, {"status": "err", "response": refusal.hyperliquid}
    else:
        status = 200 if status == 400 else status
        rows = [{"sCode": str(refusal.okx), "sMsg": "injected", "clOrdId": "", "ordId": "", "tag": ""}]
        body = {"code": "1" if status == 200 else str(refusal.okx), "msg": "injected", "data": rows}
    return Answer(status, json.dumps(body).encode(), {"content-type": "application/json"})


def dice(world: "World") -> "Random":
    """Return the generator that faults draw from."""
    return world.random


def on_calls(
    world: "World",
    kinds: Collection[str],
    effect: Effect | Callable[[Call], Effect],
    *,
    first: int = 1,
    times: int = 1,
    name: str = "",
) -> None:
    """Let the calls from the `first` of these kinds on suffer an effect, `times` of them."""
    seen = 0

    def disturb(call: Call) -> Effect | None:
        nonlocal seen
        if call.kind not in kinds:
            return None
        seen += 1
        if not first <= seen < first + times:
            return None
        made = effect(call) if callable(effect) else effect
        world.fault_fires(f"{name or made.kind} {call.kind}")
        return made

    world.network.disturbances.append(disturb)


def on_arrival(
    world: "World", kinds: Collection[str], act: Callable[[Call], None], *, first: int = 1
) -> None:
    """Do something at the instant before the `first` call of these kinds is carried out."""
    seen = 0

    def watch(call: Call, where: str) -> None:
        nonlocal seen
        if where == "arriving" and call.kind in kinds:
            seen += 1
            if seen == first:
                world.fault_fires(f"at the arrival of {call.kind}")
                act(call)

    world.network.watchers.append(watch)


def later(world: "World", act: Callable[[], None]) -> None:
    """Do something at a drawn moment."""
    delay_s = dice(world).uniform(*_BEGIN_SECONDS)

    async def wait() -> None:
        await asyncio.sleep(delay_s)
        act()

    world.on_start.append(wait)


def for_a_while(
    world: "World",
    name: str,
    begin: Callable[[], None],
    end: Callable[[], None],
    shortest_s: float,
    longest_s: float,
) -> None:
    """Let something last from a drawn moment on."""
    delay_s, length_s = dice(world).uniform(*_BEGIN_SECONDS), dice(world).uniform(shortest_s, longest_s)

    async def wait() -> None:
        await asyncio.sleep(delay_s)
        world.fault_begins(name)
        begin()
        await asyncio.sleep(length_s)
        end()
        world.fault_ends()

    world.on_start.append(wait)


def while_disturbed(
    world: "World", name: str, kinds: Collection[str], effect: Effect, shortest_s: float, longest_s: float
) -> None:
    """Let every call of these kinds suffer an effect for a while."""

    def disturb(call: Call) -> Effect | None:
        return effect if call.kind in kinds else None

    disturbances = world.network.disturbances
    for_a_while(
        world,
        name,
        lambda: disturbances.append(disturb),
        lambda: disturbances.remove(disturb) if disturb in disturbances else None,
        shortest_s,
        longest_s,
    )


def when_held(world: "World", act: Callable[[Position], None]) -> None:
    """Do something at a drawn moment at which a position is open."""
    delay_s, patience_s = dice(world).uniform(*_BEGIN_SECONDS), dice(world).uniform(0.0, 8.0)

    async def wait() -> None:
        await asyncio.sleep(delay_s)
        while not world.exchange.venue.state.positions:
            await asyncio.sleep(0.5)
        await asyncio.sleep(patience_s)
        for position in list(world.exchange.venue.state.positions.values())[:1]:
            world.fault_fires("done to a position")
            act(position)
            world.exchange.embedded.commit()

    world.on_start.append(wait)


def move_price(world: "World", symbol: str, fraction: float) -> None:
    """Let a symbol's price jump for an instant."""
    embedded = world.exchange.embedded
    mark = embedded.prices.of(symbol).mark * (1.0 + fraction)
    embedded.apply(MarkPrice(embedded.market_ms, symbol, round(mark, 2), round(mark, 2)))


def stop_price(world: "World", symbol: str) -> float:
    """Return the trigger of the symbol's stop; 0.0 without one."""
    for order in world.exchange.venue.state.orders.of(symbol):
        if order.leg == "stop":
            return order.trigger_price
    return 0.0


def reduce_by_hand(world: "World", position: Position, quantity: float, client_id: str = _HAND_ID) -> None:
    """Let somebody else close a part of a position; quantity 0: all of it."""
    embedded = world.exchange.embedded
    number = embedded.recorder.next("orders")
    whole = quantity or position.quantity
    order = PlacedOrder(
        number,
        f"{client_id}{number}",
        f"o{number}",
        position.symbol,
        "market",
        -position.side,
        whole,
        0.0,
        "GTC",
        True,
        False,
        "new",
        0.0,
        0.0,
        embedded.market_ms,
        embedded.market_ms,
    )
    world.touched_by_hand.add(position.symbol)
    embedded.place_order(order, ReducePosition(position.symbol, position.side, quantity))


def drop_orders(world: "World", symbol: str, legs: Collection[str]) -> None:
    """Let the venue cancel resting orders by itself."""
    for order in world.exchange.venue.state.orders.of(symbol):
        if order.leg in legs:
            world.exchange.embedded.request(CancelOrder(symbol, order.client_id))
