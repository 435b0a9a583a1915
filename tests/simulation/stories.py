"""Short stories that the crash sweep tells again and again, each with a death at another border.

Every story begins twelve seconds before a candle closes, on which the strategy enters. `from_s` and `to_s`
are the seconds in which borders count; `needs` are the words that the database must hold at the end of an
undisturbed telling, so that no story loses its point unnoticed ("held": a position and its resting stop;
"flat": none). `forbids` are words that no telling may have written, and `fault_at_end` says what must not be
in the end.
"""

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bot.core.halt import FLATTEN, NO_ENTRY
from tests.simulation.calls import Call, Effect
from tests.simulation.faults.acts import on_calls
from tests.simulation.faults.operator import ask, order
from tests.simulation.faults.orders import kill_at
from tests.simulation.plots import (
    ACT_SECOND,
    Change,
    Story,
    at,
    happens,
    move,
    moved,
    nothing,
    quiet,
    steady_distance,
    trailing,
)
from tests.simulation.situations import SITUATIONS
from tests.simulation.storage import rows

if TYPE_CHECKING:
    from tests.simulation.world import World

_HALT_SECOND: Final = 5.0
_LEAST_QUOTE: Final = 0.01  # Bybit's probes of a move without an answer are less


def _leaving(world: "World") -> None:
    """Leave at the second candle."""
    quiet(world)
    world.settings["strategy.params.every_minute.hold"] = 2


def _reach(world: "World", rung: int) -> None:
    """Let the price touch a rung of the take-profit ladder: 0 the nearest, -1 the furthest."""
    for position in list(world.exchange.venue.state.positions.values()):
        mark = world.exchange.embedded.prices.of(position.symbol).mark
        orders = world.exchange.venue.state.orders.of(position.symbol)
        prices = [order.trigger_price for order in orders if order.leg == "take_profit"]
        price = sorted(prices, key=lambda each: abs(each - mark))[rung]
        move(world, position.side * (price / mark - 1.0) + 0.0004)


def _reached(rung: int, second: float = ACT_SECOND) -> Change:
    return happens(second, partial(_reach, rung=rung))


def _moved_away(world: "World") -> None:
    for second, fraction in ((14.5, -0.008), (20.0, -0.016), (27.0, -0.022)):
        at(world, second, partial(move, fraction=fraction))


def _moved_on(world: "World") -> None:
    for second, fraction in ((16.0, 0.004), (19.0, 0.005), (22.0, 0.006)):
        at(world, second, partial(move, fraction=fraction))


def _cut_off(world: "World") -> None:
    at(world, ACT_SECOND, lambda here: here.network.cut_streams())


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
    steady_distance(world)
    world.settings["margin.limits.max_adds"] = 1


def _far_stop(world: "World") -> None:
    """Add twice at most, and have reason for more."""
    steady_distance(world)
    world.settings["margin.params.distance_band.low"] = 0.97
    world.settings["strategy.params.every_minute.stop"] = 0.03
    world.settings["margin.limits.max_adds"] = 2


def _moved_back_and_forth(world: "World") -> None:
    for second, fraction in ((16.0, -0.004), (22.0, 0.014), (23.5, 0.016), (27.5, -0.0105)):
        at(world, second, partial(move, fraction=fraction))


def _killed_holding(world: "World") -> None:
    at(world, ACT_SECOND, lambda here: here.bot.kill())


def _much_missed(world: "World") -> None:
    """While the bot is away a rung of the ladder fills, and then the stop."""
    world.bot.restart_seconds = 4.0
    at(world, 21.0, lambda here: here.bot.kill())
    _reached(0, 22.0)(world)
    moved(-0.015, 23.5)(world)


def _killed_entering(world: "World") -> None:
    kill_at(world, ("entry",), "arrived", 1)
    world.bot.restart_seconds = 3.0


def _halted(world: "World") -> None:
    at(world, _HALT_SECOND, lambda here: order(here, 1, "halt", NO_ENTRY))


def _resumed(world: "World") -> None:
    _halted(world)
    at(world, _HALT_SECOND + 3.0, lambda here: order(here, 2, "resume", ""))


def _flattened(world: "World") -> None:
    at(world, ACT_SECOND, lambda here: order(here, 1, "flatten", FLATTEN))


def _is_flat(world: "World") -> str:
    held = sorted(world.exchange.venue.state.positions)
    return f"{', '.join(held)} is held under FLATTEN" if held else ""


def _asked_to_add(world: "World") -> None:
    """The file of the order comes back, as it does after a death between the commit and its removal."""
    for second in (ACT_SECOND, ACT_SECOND + 4.0):
        at(world, second, lambda here: ask(here, 1, "add", 20.0))


def _asked_to_release(world: "World") -> None:
    """So much is added before that no venue keeps what is released."""
    at(world, _HALT_SECOND + ACT_SECOND - 10.0, lambda here: ask(here, 1, "add", 240.0))
    at(world, ACT_SECOND, lambda here: ask(here, 2, "release", 20.0))


def _asked_to_close(world: "World") -> None:
    at(world, ACT_SECOND, lambda here: ask(here, 1, "close"))


def _is_moved_once(world: "World") -> str:
    """Whatever a person ordered happened once, and was told once, by its name."""
    database = world.bot.database
    told = rows(
        database,
        "SELECT json_extract(body, '$.verb'), json_extract(body, '$.state'), count(*), "
        "json_extract(body, '$.message') FROM event WHERE kind = 'CommandDone' "
        "GROUP BY json_extract(body, '$.command_id') ORDER BY 1",
    )
    if not told or any((state, count) != ("done", 1) for _, state, count, _ in told):
        return f"the orders ended as {told}"
    booked = rows(database, "SELECT reason, CAST(amount_quote AS REAL) FROM margin_adjustment")
    moved = [move.amount_quote for move in world.exchange.embedded.books.moves if move.is_requested]
    by_hand = [amount for reason, amount in booked if reason == "by_hand"]
    added = {"add": 20.0, "add release": 240.0, "close": 0.0}[" ".join(verb for verb, *_ in told)]
    released = -20.0 if len(told) > 1 else 0.0
    strayed = (
        sum(map(abs, moved)) - sum(abs(amount) for _, amount in booked),
        sum(amount for amount in by_hand if amount > 0.0) - added,
        sum(amount for amount in by_hand if amount < 0.0) - released,
    )
    if max(map(abs, strayed)) > _LEAST_QUOTE:
        return f"{told}, the venue moved {moved}, booked is {booked}"
    return ""


def _other_modes(world: "World") -> None:
    """The account comes in the modes that a person left it in; not every venue knows all of them."""
    server, settings = world.exchange.server, world.exchange.embedded.settings
    for symbol in world.symbols if world.dialect != "okx" else ():
        server.force_margin_mode(symbol, is_isolated=False)
    if world.dialect == "bybit":
        for symbol in world.symbols:
            server.switch_auto_add(symbol, is_on=True)
    if world.dialect != "hyperliquid":  # it has one-way positions only
        settings.update(
            {"position_mode": "long_short_mode"} if world.dialect == "okx" else {"is_hedge": True}
        )


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
        "entry": Story(quiet, nothing, 0.0, 20.0, ("OpenPosition", "PlaceStop", "PlaceTakeProfit", "held")),
        "add": Story(quiet, moved(-0.004), 12.0, 30.0, ("AddMargin", "held")),
        "release": Story(steady_distance, moved(0.012), 20.0, 32.0, ("ReleaseMargin", "held")),
        "adds": Story(_far_stop, _moved_away, 13.0, 30.0, ("AddMargin",)),
        "measure": Story(_sparing, _moved_back_and_forth, 15.0, 30.0, ("AddMargin", "ReleaseMargin")),
        "overtaken": Story(
            quiet, _killed_while_it_travels, 11.0, 26.0, ("OpenPosition", "PlaceStop", "held")
        ),
        "ladder": Story(quiet, _reached(0), 21.0, 30.0, ("take_profit", "held")),
        "trailing": Story(trailing, _moved_on, 15.0, 28.0, ("CancelOrder",), 2),
        "stop": Story(quiet, moved(-0.015), 21.0, 30.0, ("stop", "flat")),
        "profit": Story(quiet, _reached(-1), 21.0, 30.0, ("take_profit",)),
        "funding": Story(quiet, nothing, 70.0, 84.0, ("funding",), 6),
        "reconnect": Story(quiet, _cut_off, 21.0, 34.0, ("held",)),
        "unknown": Story(quiet, _entry_unanswered, 11.0, 34.0, ("OpenPosition", "PlaceStop", "held")),
        "restart": Story(quiet, _killed_holding, 21.0, 32.0, ("PlaceStop", "held")),
        "adopted": Story(quiet, _killed_entering, 11.0, 26.0, ("OpenPosition", "PlaceStop", "held")),
        "absence": Story(quiet, _much_missed, 24.5, 34.0, ("take_profit", "stop", "flat")),
        "leave": Story(_leaving, nothing, 71.0, 80.0, ("ReducePosition", "flat"), 6),
        "halted": Story(quiet, _halted, 5.0, 16.0, (), forbids=("OpenPosition",)),
        "resumed": Story(quiet, _resumed, 5.0, 16.0, ("OpenPosition", "held")),
        "flatten": Story(quiet, _flattened, 21.0, 30.0, ("ReducePosition",), fault_at_end=_is_flat),
        **SITUATIONS,
        "modes": Story(quiet, _other_modes, 10.0, 18.0, ("OpenPosition", "held"), fault_at_end=_is_managed),
        "asked_add": Story(
            quiet, _asked_to_add, 21.5, 28.0, ("AddMargin", "held"), fault_at_end=_is_moved_once
        ),
        "asked_release": Story(
            quiet, _asked_to_release, 21.5, 28.0, ("ReleaseMargin", "held"), fault_at_end=_is_moved_once
        ),
        "asked_close": Story(
            quiet, _asked_to_close, 21.5, 28.0, ("ReducePosition", "flat"), fault_at_end=_is_moved_once
        ),
    }
)

# What is not told in a dialect, and why; a gate says it.
NOT_TOLD: Final = MappingProxyType(
    {
        ("terms", "hyperliquid"): "prices have five digits there, not steps that change",
    }
)
