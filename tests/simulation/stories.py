"""Twelve short stories that the crash sweep tells again and again, each with a death at another border.

Every story begins twelve seconds before a candle closes, on which the strategy enters. `from_s` and `to_s`
are the seconds in which borders count; `needs` are the words that the database must hold at the end of an
undisturbed telling, so that no story loses its point unnoticed.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.simulation.calls import Effect
from tests.simulation.faults.acts import move_price, on_calls
from tests.simulation.faults.orders import kill_at

if TYPE_CHECKING:
    from tests.simulation.world import World

Change = Callable[["World"], None]
_ACT_SECOND: Final = 22.0


class Story(NamedTuple):
    """`plan` before the world is built, `install` after; `to_s` is also the story's end."""

    plan: Change
    install: Change
    from_s: float
    to_s: float
    needs: tuple[str, ...]
    seed: int = 1


def _quiet(world: "World") -> None:
    """Enter at the first candle, hold, and let prices hardly move."""
    prefix = "strategy.params.every_minute"
    world.settings.update(
        {f"{prefix}.hold": 90, f"{prefix}.stop": 0.012, f"{prefix}.salt": 1, "brackets.trail_activate_r": 0.0}
    )
    world.plan.sigma_per_second = 0.0001


def _steady_distance(world: "World") -> None:
    """Hold a fixed distance to liquidation, so that a gain releases margin."""
    _quiet(world)
    prefix = "margin.params.distance_band"
    world.settings.update(
        {
            "margin.policy": "distance_band",
            f"{prefix}.target_distance": 0.1,
            f"{prefix}.high": 1.04,
            "margin.limits.release_cooldown_ms": 5_000,
        }
    )


def _leaving(world: "World") -> None:
    """Leave at the second candle."""
    _quiet(world)
    world.settings["strategy.params.every_minute.hold"] = 2


def _trailing(world: "World") -> None:
    _quiet(world)
    world.settings.update({"brackets.trail_activate_r": 0.2, "brackets.trail_distance_r": 0.5})


def _nothing(_: "World") -> None:
    """Let the story happen by itself."""


def _at(world: "World", second: float, act: Change) -> None:
    async def wait() -> None:
        await asyncio.sleep(second)
        act(world)

    world.on_start.append(wait)


def _move(world: "World", fraction: float) -> None:
    """Move the price for an instant, in favour of what is held."""
    for position in list(world.exchange.venue.state.positions.values()):
        move_price(world, position.symbol, position.side * fraction)
        world.exchange.embedded.commit()


def _reach(world: "World", rung: int) -> None:
    """Let the price touch a rung of the take-profit ladder: 0 the nearest, -1 the furthest."""
    for position in list(world.exchange.venue.state.positions.values()):
        mark = world.exchange.embedded.prices.of(position.symbol).mark
        orders = world.exchange.venue.state.orders.of(position.symbol)
        prices = [order.trigger_price for order in orders if order.leg == "take_profit"]
        price = sorted(prices, key=lambda each: abs(each - mark))[rung]
        _move(world, position.side * (price / mark - 1.0) + 0.0004)


def _moved(fraction: float) -> Change:
    return lambda world: _at(world, _ACT_SECOND, partial(_move, fraction=fraction))


def _reached(rung: int) -> Change:
    return lambda world: _at(world, _ACT_SECOND, partial(_reach, rung=rung))


def _moved_on(world: "World") -> None:
    for second, fraction in ((16.0, 0.004), (19.0, 0.005), (22.0, 0.006)):
        _at(world, second, partial(_move, fraction=fraction))


def _cut_off(world: "World") -> None:
    _at(world, _ACT_SECOND, lambda here: here.network.cut_streams())


def _entry_unanswered(world: "World") -> None:
    on_calls(world, ("entry",), Effect("reply_lost"))


def _killed_holding(world: "World") -> None:
    _at(world, _ACT_SECOND, lambda here: here.bot.kill())


def _killed_entering(world: "World") -> None:
    kill_at(world, ("entry",), "arrived", 1)
    world.bot.restart_seconds = 3.0


STORIES: Final = MappingProxyType(
    {
        "entry": Story(_quiet, _nothing, 0.0, 20.0, ("OpenPosition", "PlaceStop", "PlaceTakeProfit")),
        "add": Story(_quiet, _moved(-0.004), 12.0, 30.0, ("AddMargin",)),
        "release": Story(_steady_distance, _moved(0.012), 20.0, 32.0, ("ReleaseMargin",)),
        "ladder": Story(_quiet, _reached(0), 21.0, 30.0, ("take_profit",)),
        "trailing": Story(_trailing, _moved_on, 15.0, 28.0, ("CancelOrder",), 2),
        "stop": Story(_quiet, _moved(-0.015), 21.0, 30.0, ("stop",)),
        "profit": Story(_quiet, _reached(-1), 21.0, 30.0, ("take_profit",)),
        "funding": Story(_quiet, _nothing, 70.0, 84.0, ("funding",), 6),
        "reconnect": Story(_quiet, _cut_off, 21.0, 34.0, ()),
        "unknown": Story(_quiet, _entry_unanswered, 11.0, 34.0, ("OpenPosition", "PlaceStop")),
        "restart": Story(_quiet, _killed_holding, 21.0, 32.0, ("PlaceStop",)),
        "adopted": Story(_quiet, _killed_entering, 11.0, 26.0, ("OpenPosition", "PlaceStop")),
        "leave": Story(_leaving, _nothing, 71.0, 80.0, ("ReducePosition",), 6),
    }
)
