"""Short stories that the crash sweep tells again and again, each with a death at another border.

Every story begins twelve seconds before a candle closes, on which the strategy enters. `from_s` and `to_s`
are the seconds in which borders count; `needs` are the words that the database must hold at the end of an
undisturbed telling, so that no story loses its point unnoticed ("held": a position and its resting stop;
"flat": none). `forbids` are words that no telling may have written, and `fault_at_end` says what must not be
in the end.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from bot.core.halt import FLATTEN, NO_ENTRY
from bot.ports import Command
from bot.store.commands import CommandFiles
from tests.simulation.calls import Call, Effect
from tests.simulation.faults.acts import move_price, on_calls
from tests.simulation.faults.orders import kill_at

if TYPE_CHECKING:
    from tests.simulation.world import World

Change = Callable[["World"], None]
Finding = Callable[["World"], str]
_ACT_SECOND: Final = 22.0
_HALT_SECOND: Final = 5.0


class Story(NamedTuple):
    """`plan` before the world is built, `install` after; `to_s` is also the story's end."""

    plan: Change
    install: Change
    from_s: float
    to_s: float
    needs: tuple[str, ...]
    seed: int = 1
    forbids: tuple[str, ...] = ()
    fault_at_end: Finding = lambda _: ""


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


def _moved_away(world: "World") -> None:
    for second, fraction in ((14.5, -0.008), (20.0, -0.016), (27.0, -0.022)):
        _at(world, second, partial(_move, fraction=fraction))


def _moved_on(world: "World") -> None:
    for second, fraction in ((16.0, 0.004), (19.0, 0.005), (22.0, 0.006)):
        _at(world, second, partial(_move, fraction=fraction))


def _cut_off(world: "World") -> None:
    _at(world, _ACT_SECOND, lambda here: here.network.cut_streams())


def _entry_unanswered(world: "World") -> None:
    on_calls(world, ("entry",), Effect("reply_lost"))


def _killed_while_it_travels(world: "World") -> None:
    """The entry is slow, and the next process is there before it."""
    on_calls(world, ("entry",), Effect("slow", delay_s=3.0))

    def watch(call: Call, where: str) -> None:
        if call.kind == "entry" and where == "sent":
            world.loop.call_later(0.5, world.bot.kill, context=world.network.context)

    world.network.watchers.append(watch)


def _sparing(world: "World") -> None:
    """Add once at most, and release in steps."""
    _steady_distance(world)
    world.settings["margin.limits.max_adds"] = 1


def _far_stop(world: "World") -> None:
    """Add twice at most, and have reason for more."""
    _steady_distance(world)
    world.settings["margin.params.distance_band.low"] = 0.97
    world.settings["strategy.params.every_minute.stop"] = 0.03
    world.settings["margin.limits.max_adds"] = 2


def _moved_back_and_forth(world: "World") -> None:
    for second, fraction in ((16.0, -0.004), (22.0, 0.014), (23.5, 0.016), (27.5, -0.0105)):
        _at(world, second, partial(_move, fraction=fraction))


def _killed_holding(world: "World") -> None:
    _at(world, _ACT_SECOND, lambda here: here.bot.kill())


def _killed_entering(world: "World") -> None:
    kill_at(world, ("entry",), "arrived", 1)
    world.bot.restart_seconds = 3.0


def _order(world: "World", number: int, verb: str, level: str) -> None:
    """A person orders something."""
    CommandFiles(world.bot.database).send(Command(f"{number:015d}-1", verb, level, "a person"))


def _halted(world: "World") -> None:
    _at(world, _HALT_SECOND, lambda here: _order(here, 1, "halt", NO_ENTRY))


def _resumed(world: "World") -> None:
    _halted(world)
    _at(world, _HALT_SECOND + 3.0, lambda here: _order(here, 2, "resume", ""))


def _flattened(world: "World") -> None:
    _at(world, _ACT_SECOND, lambda here: _order(here, 1, "flatten", FLATTEN))


def _is_flat(world: "World") -> str:
    held = sorted(world.exchange.venue.state.positions)
    return f"{', '.join(held)} is held under FLATTEN" if held else ""


def _other_modes(world: "World") -> None:
    """The account comes in the modes that a person left it in; not every venue knows all of them."""
    server, settings = world.exchange.server, world.exchange.embedded.settings
    for symbol in world.symbols if world.dialect != "okx" else ():
        server.force_margin_mode(symbol, is_isolated=False)
    if world.dialect == "bybit":
        for symbol in world.symbols:
            server.switch_auto_add(symbol, is_on=True)
    settings.update({"position_mode": "long_short_mode"} if world.dialect == "okx" else {"is_hedge": True})


def _is_managed(world: "World") -> str:
    """What is held is held in the modes the bot needs; a death before the entry may leave them."""
    settings = world.exchange.embedded.settings
    if not world.exchange.venue.state.positions:
        return ""
    if settings.get("is_hedge") or settings.get("position_mode") == "long_short_mode":
        return "the account is in hedge mode still"
    return "auto-add-margin is on still" if any(settings.get("auto_add", {}).values()) else ""


STORIES: Final = MappingProxyType(
    {
        "entry": Story(_quiet, _nothing, 0.0, 20.0, ("OpenPosition", "PlaceStop", "PlaceTakeProfit", "held")),
        "add": Story(_quiet, _moved(-0.004), 12.0, 30.0, ("AddMargin", "held")),
        "release": Story(_steady_distance, _moved(0.012), 20.0, 32.0, ("ReleaseMargin", "held")),
        "adds": Story(_far_stop, _moved_away, 13.0, 30.0, ("AddMargin",)),
        "measure": Story(_sparing, _moved_back_and_forth, 15.0, 30.0, ("AddMargin", "ReleaseMargin")),
        "overtaken": Story(
            _quiet, _killed_while_it_travels, 11.0, 26.0, ("OpenPosition", "PlaceStop", "held")
        ),
        "ladder": Story(_quiet, _reached(0), 21.0, 30.0, ("take_profit", "held")),
        "trailing": Story(_trailing, _moved_on, 15.0, 28.0, ("CancelOrder",), 2),
        "stop": Story(_quiet, _moved(-0.015), 21.0, 30.0, ("stop", "flat")),
        "profit": Story(_quiet, _reached(-1), 21.0, 30.0, ("take_profit",)),
        "funding": Story(_quiet, _nothing, 70.0, 84.0, ("funding",), 6),
        "reconnect": Story(_quiet, _cut_off, 21.0, 34.0, ("held",)),
        "unknown": Story(_quiet, _entry_unanswered, 11.0, 34.0, ("OpenPosition", "PlaceStop", "held")),
        "restart": Story(_quiet, _killed_holding, 21.0, 32.0, ("PlaceStop", "held")),
        "adopted": Story(_quiet, _killed_entering, 11.0, 26.0, ("OpenPosition", "PlaceStop", "held")),
        "leave": Story(_leaving, _nothing, 71.0, 80.0, ("ReducePosition", "flat"), 6),
        "halted": Story(_quiet, _halted, 5.0, 16.0, (), forbids=("OpenPosition",)),
        "resumed": Story(_quiet, _resumed, 5.0, 16.0, ("OpenPosition", "held")),
        "flatten": Story(_quiet, _flattened, 21.0, 30.0, ("ReducePosition",), fault_at_end=_is_flat),
        "modes": Story(_quiet, _other_modes, 10.0, 18.0, ("OpenPosition", "held"), fault_at_end=_is_managed),
    }
)
