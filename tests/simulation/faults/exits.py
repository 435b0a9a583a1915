"""F13 to F19: what stands in the way of an exit or a stop."""

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.simulation.calls import Answer, Call, Effect
from tests.simulation.faults.acts import (
    ORDERS,
    OVERLOADED,
    PRICE_BAND,
    REDUCE_ONLY,
    answer,
    dice,
    later,
    move_price,
    on_arrival,
    on_calls,
    reduce_by_hand,
    when_held,
)

if TYPE_CHECKING:
    from tests.simulation.world import World


_CONTRACT: Final = re.compile(rb'("ctVal":\s*")([^"]*)"')


# How each dialect says that a symbol is traded, and that it is not.
_ENDED: Final = {
    "binance": (b'"TRADING"', b'"SETTLING"'),
    "bybit": (b'"status":"Trading"', b'"status":"Closed"'),
    "okx": (b'"state":"live"', b'"state":"suspend"'),
    "hyperliquid": (b'"szDecimals":', b'"isDelisted":true,"szDecimals":'),
}


def exit_reserved(world: "World") -> None:
    """F13: a close is refused because resting orders reserve the size."""
    effect = Effect("answered", answer=answer(world, REDUCE_ONLY))
    on_calls(world, ("exit",), effect, first=1, times=dice(world).randint(1, 3))


def exit_outside_band(world: "World") -> None:
    """F14: a close is refused by a price filter."""
    effect = Effect("answered", answer=answer(world, PRICE_BAND))
    on_calls(world, ("exit",), effect, first=1, times=dice(world).randint(1, 4))


def dust_left(world: "World") -> None:
    """F15: somebody leaves less than the least order."""

    def leave(position: object) -> None:
        held = next(iter(world.exchange.venue.state.positions.values()))
        step = world.exchange.venue.state.instruments[held.symbol].quantity_step
        reduce_by_hand(world, held, held.quantity - step)
        del position

    when_held(world, leave)


def contract_size_wrong(world: "World") -> None:
    """F16: to a bot that starts a contract is said to be ten times as large, a tenth, or of no size.

    At OKX, the only venue here that counts contracts of more or less than one coin.
    """
    if world.dialect != "okx":
        return
    factor = dice(world).choice((10.0, 0.1, 0.0))
    delay_s, length_s = (
        dice(world).choice((0.0, dice(world).uniform(8.0, 90.0))),
        dice(world).uniform(5.0, 20.0),
    )

    def resized(found: re.Match[bytes]) -> bytes:
        said = f"{float(found[2]) * factor:g}" if factor else ""
        return found[1] + said.encode() + b'"'

    def change(fresh: Answer) -> Answer:
        return replace(fresh, body=_CONTRACT.sub(resized, fresh.body))

    def disturb(call: Call) -> Effect | None:
        return Effect("changed", change=change) if call.path.endswith("/public/instruments") else None

    async def last() -> None:
        await asyncio.sleep(delay_s)
        world.fault_begins("contract size")
        world.network.disturbances.append(disturb)
        world.bot.kill()
        await asyncio.sleep(length_s)
        world.network.disturbances.remove(disturb)
        world.fault_ends()

    world.on_start.append(last)


def symbol_settles(world: "World") -> None:
    """F47: to a bot that starts every symbol is listed and said to be no longer traded: none may be entered.

    Quotes go on, as from the announcement to the end; what is held can be closed.
    """
    old, new = _ENDED[world.dialect]
    delay_s, length_s = dice(world).uniform(0.0, 40.0), dice(world).uniform(40.0, 80.0)

    def disturb(call: Call) -> Effect | None:
        if call.kind == "entry":
            world.violate("I14", "entered a symbol that the venue says is no longer traded")
        return Effect("changed", change=change) if call.kind == "read:metadata" else None

    def change(fresh: Answer) -> Answer:
        return replace(fresh, body=fresh.body.replace(old, new))

    async def last() -> None:
        await asyncio.sleep(delay_s)
        world.fault_begins("settling")
        world.bot.kill()
        world.network.disturbances.append(disturb)
        await asyncio.sleep(length_s)
        world.network.disturbances.remove(disturb)
        world.fault_ends()

    world.on_start.append(last)


def terms_change(world: "World") -> None:
    """F17: tick and step grow tenfold."""

    def change() -> None:
        world.fault_fires("terms")
        venue = world.exchange.venue
        for instrument in list(venue.state.instruments.values()):
            changed = instrument._replace(tick_size=10.0 * instrument.tick_size)
            venue.change_instrument(changed)

    later(world, change)


def overload(world: "World") -> None:
    """F18: the venue throws orders away."""
    effect = Effect("answered", answer=answer(world, OVERLOADED, 503))
    on_calls(world, ORDERS, effect, first=dice(world).randint(1, 4), times=dice(world).randint(1, 6))


def stop_too_late(world: "World") -> None:
    """F19: the price has passed the stop when it arrives."""

    def pass_it(_: Call) -> None:
        for position in list(world.exchange.venue.state.positions.values()):
            move_price(world, position.symbol, -0.02 * position.side)

    on_arrival(world, ("stop",), pass_it, first=dice(world).randint(1, 4))
