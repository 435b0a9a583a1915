"""Stories of one situation each, told once in each dialect: what the bot must see, and what it must leave.

A guard of the bot is worth nothing to the simulation before a story needs it; so each of these leads to one.
"""

import json
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bot.core.intent import AddMargin
from bot.ports import Commit
from bot.sim.server.faults import Fault
from tests.simulation.calls import Answer, Call, Effect
from tests.simulation.faults.acts import (
    NO_CONDITIONALS,
    OVERLOADED,
    answer,
    drop_orders,
    on_calls,
    reduce_by_hand,
)
from tests.simulation.plots import (
    ACT_SECOND,
    Frozen,
    Story,
    at,
    both,
    move,
    moved,
    on_first,
    quiet,
    steady_distance,
    told_once,
)
from tests.simulation.sockets import ClientSocket
from tests.simulation.storage import rows

if TYPE_CHECKING:
    from tests.simulation.world import World

_NOBODYS: Final = "999999"
_MARKS: Final = ("markPrice", "tickers", "mark-price", "activeAssetCtx")
_MARK_READS: Final = ("premiumIndex", "market/tickers", "public/mark-price", "metaAndAssetCtxs")


# --- margin ---------------------------------------------------------------------------------------


def _shown_late(seconds: float, *effects: Effect) -> Callable[["World"], None]:
    """Let positions be read as they were for a while after margin has moved."""

    def install(world: "World") -> None:
        moved(-0.004)(world)
        for effect in effects:
            on_calls(world, ("margin",), effect)
        if world.dialect == "bybit":  # without a history its least step follows, and is written with the move
            world.incomparable.add("margin")
        positions = Frozen(world, ("read:position",))
        on_first(world, "margin", "arriving", lambda _: positions.freeze(seconds))

    return install


def _helped(world: "World") -> None:
    """Somebody adds margin just when the bot has decided to."""
    moved(-0.004)(world)
    helped: list[str] = []

    def border(where: str, commit: Commit, _: object) -> None:
        for intent in commit.intents if where == "after" and not helped else ():
            position = world.exchange.venue.state.positions.get(intent.action.symbol)
            if isinstance(intent.action, AddMargin) and position is not None:
                helped.append(intent.client_id)
                world.touched_by_hand.add(position.symbol)
                world.incomparable.add("margin")
                half = 0.5 * (intent.action.target_wallet - position.isolated_wallet)
                request = AddMargin(position.symbol, round(position.isolated_wallet + half, 2))
                world.exchange.embedded.request(request)
                world.exchange.embedded.commit()

    world.bot.borders.append(border)
    on_first(world, "margin", "arrived", lambda _: _not_beyond(world))


def _not_beyond(world: "World") -> None:
    targets = [
        each.action.target_wallet
        for each in world.watch.intents.values()
        if isinstance(each.action, AddMargin)
    ]
    for position in world.exchange.venue.state.positions.values():
        if position.isolated_wallet > max(targets) * (1.0 + 1e-6):
            world.violate("I6", f"{position} has more than {targets}")


def _ended_after_adding(world: "World") -> None:
    """The stop fills right after an add was carried out."""
    moved(-0.004)(world)
    on_first(world, "margin", "arrived", lambda _: move(world, -0.015))


def _ended_before_adding(world: "World") -> None:
    moved(-0.004)(world)
    on_first(world, "margin", "arriving", lambda _: move(world, -0.015))


def _few_adds(world: "World") -> None:
    """Want much more margin than the loss that was agreed to."""
    steady_distance(world)
    world.settings["margin.limits.max_added_fraction"] = 0.02


def _slow_releases(world: "World") -> None:
    steady_distance(world)
    world.settings["margin.limits.release_cooldown_ms"] = 20_000


# --- requests -------------------------------------------------------------------------------------


def _entry_cut(world: "World") -> None:
    on_calls(world, ("entry",), Effect("cut"))


def _stop_refused(world: "World") -> None:
    on_calls(world, ("stop",), Effect("answered", answer=answer(world, NO_CONDITIONALS)))


def _no_doubt(world: "World") -> str:
    """A request that was answered needs no asking what became of it."""
    asked = rows(world.bot.database, "SELECT body FROM event WHERE body LIKE '%lost_reply%'")
    return f"an answered request was asked for: {asked[0][0]}" if asked else ""


def _stop_thrown_away(world: "World") -> None:
    """The venue says that it threw the stop away, and has it all the same."""
    on_calls(world, ("stop",), Effect("answered_after", answer=answer(world, OVERLOADED, 503)))


def _modes_ignored(world: "World") -> None:
    """The venue says yes to isolated margin and does nothing."""
    said = b'{"retCode": 0, "retMsg": "OK", "result": {}, "code": 200, "msg": "success"}'
    reply = Answer(200, said, {"content-type": "application/json"})
    on_calls(world, ("mode",), Effect("answered", answer=reply), times=1_000)
    for symbol in world.symbols if world.dialect != "okx" else ():
        world.exchange.server.force_margin_mode(symbol, is_isolated=False)


def _banned(world: "World") -> None:
    at(world, 16.0, lambda here: here.exchange.faults.plan(Fault("banned", delay_ms=6_000)))


def _fizzles(world: "World") -> None:
    """The stop fires at the venue, and what it became is rejected: nobody closes the position."""

    def drop(_: "World") -> None:
        for symbol in world.symbols:
            drop_orders(world, symbol, ("stop",))
        world.exchange.embedded.commit()
        on_calls(world, ("read:stop",), Effect("changed", change=_as_fired), times=1_000)

    at(world, ACT_SECOND, drop)


def _as_fired(told: Answer) -> Answer:
    """Say of a conditional order that it has become an order, which nobody knows."""
    body = json.loads(told.body)
    row = body["data"][0] if "data" in body else body
    row.update({"algoStatus": "FINISHED", "actualOrderId": _NOBODYS})
    row.update({"state": "effective", "ordId": _NOBODYS, "ordIdList": [_NOBODYS]})
    return Answer(told.status, json.dumps(body).encode(), told.headers)


def _terms_change(world: "World") -> None:
    """Prices come in coarser steps than the bot has read."""
    venue = world.exchange.venue

    def change(_: "World") -> None:
        for instrument in list(venue.state.instruments.values()):
            venue.change_instrument(instrument._replace(tick_size=50.0 * instrument.tick_size))

    at(world, 5.0, change)


def _terms_known(world: "World") -> str:
    found = rows(
        world.bot.database,
        "SELECT body FROM event WHERE kind = 'Reconciled' AND body LIKE '%\"instrument\"%'",
    )
    return "" if found else "a refusal for its steps led to no reading of them"


# --- what is told, and when -----------------------------------------------------------------------


def _reduced_at_once(world: "World") -> None:
    """A part of the entry is closed by somebody else, at the instant of its fill."""

    def reduce(_: Call) -> None:
        for position in list(world.exchange.venue.state.positions.values()):
            step = world.exchange.venue.state.instruments[position.symbol].quantity_step
            reduce_by_hand(world, position, 4.0 * step)
            world.exchange.embedded.commit()

    on_first(world, "stop", "sent", reduce)


def _money_is_older(world: "World") -> None:
    """The free balance is read before the fill that is read with it."""
    money = Frozen(world, ("read:money",))
    moved(-0.015)(world)
    at(world, ACT_SECOND, lambda _: money.freeze(0.5, 1))


def _lists_lag(world: "World") -> None:
    """Lists of orders do not show the stop yet."""
    orders = Frozen(world, ("read:orders",))
    on_first(world, "stop", "arriving", lambda _: orders.freeze(8.0))


def _users_stream_is_lost(world: "World") -> None:
    def silence(connection: ClientSocket, _: str) -> tuple[float, ...]:
        return () if connection.is_user else (0.0,)

    def begin(_: "World") -> None:
        world.fault_fires("user stream lost")
        world.network.message_disturbances.append(silence)

    at(world, 14.0, begin)
    moved(-0.015)(world)


def _key_ends(world: "World") -> None:
    at(world, 14.0, lambda here: here.exchange.server.expire_user_stream())
    moved(-0.015, 25.2)(world)


def _streams_cut(world: "World") -> None:
    at(world, 14.0, lambda here: here.network.cut_streams())
    moved(-0.015, 28.0)(world)


def _no_marks(world: "World", begin_s: float, end_s: float) -> None:
    """Let no mark come from a stream for a while."""

    def silence(_: ClientSocket, text: str) -> tuple[float, ...]:
        is_mark = any(word in text for word in _MARKS)
        return () if is_mark and begin_s <= world.seconds() <= end_s else (0.0,)

    world.network.message_disturbances.append(silence)


def _stale_at_the_candle(world: "World") -> None:
    """The candle comes, the marks before it did not."""
    _no_marks(world, 4.0, 15.0)

    def refuse(call: Call) -> Effect | None:
        is_mark = any(word in f"{call.path} {call.body}" for word in _MARK_READS)
        return Effect("cut") if is_mark and world.seconds() < 15.0 else None

    world.network.disturbances.append(refuse)


def _marks_overtaken(world: "World") -> None:
    """The stream is silent; it comes back before the reply of a reading that took its place."""
    _no_marks(world, 14.0, 20.0)

    def slow(call: Call) -> Effect | None:
        is_mark = any(word in f"{call.path} {call.body}" for word in _MARK_READS)
        return Effect("late", delay_s=4.0) if is_mark and world.seconds() > 14.0 else None

    world.network.disturbances.append(slow)


def _leverage_takes_long(world: "World") -> None:
    """The venue is away from the leverage on for longer than a bar."""

    def leave(_: Call) -> None:
        world.exchange.faults.is_in_maintenance = True

    on_first(world, "leverage", "arrived", leave)
    at(world, 76.0, lambda here: setattr(here.exchange.faults, "is_in_maintenance", False))


def _thin(world: "World") -> None:
    quiet(world)
    world.depth_quote = 400.0


def _ended_while_entering(world: "World") -> None:
    """Somebody closes what an entry has filled so far; most of it is still to fill."""

    def close(_: Call) -> None:
        for position in list(world.exchange.venue.state.positions.values()):
            reduce_by_hand(world, position, 0.0)
            world.exchange.embedded.commit()

    on_first(world, "stop", "arrived", close)


SITUATIONS: Final[MappingProxyType[str, Story]] = MappingProxyType(
    {
        "late_add": told_once(quiet, _shown_late(10.0, Effect("reply_lost")), 48.0, ("AddMargin", "held")),
        "slow_add": told_once(quiet, _shown_late(6.0), 40.0, ("AddMargin", "held")),
        "helped_add": told_once(quiet, _helped, 30.0, ("AddMargin", "held")),
        "ended_add": told_once(quiet, _ended_after_adding, 34.0, ("AddMargin", "flat")),
        "late_end": told_once(quiet, _ended_before_adding, 34.0, ("AddMargin", "flat")),
        "agreed": told_once(_few_adds, moved(-0.004), 30.0, ("held",)),
        "hasty": told_once(
            _slow_releases, both(moved(0.010, 36.0), moved(0.016, 41.0)), 48.0, ("ReleaseMargin", "held")
        ),
        "cut": told_once(quiet, _entry_cut, 34.0, ("OpenPosition", "PlaceStop", "held")),
        "refused": told_once(quiet, _stop_refused, 30.0, ("PlaceStop",), fault_at_end=_no_doubt),
        "thrown_away": told_once(quiet, _stop_thrown_away, 30.0, ("PlaceStop", "held")),
        "mode": told_once(quiet, _modes_ignored, 20.0, ()),
        "ban": told_once(quiet, _banned, 36.0, ("held",)),
        "fizzled": told_once(quiet, _fizzles, 36.0, ("held",)),
        "terms": told_once(quiet, _terms_change, 30.0, (), fault_at_end=_terms_known),
        "instant": told_once(quiet, _reduced_at_once, 30.0, ("held",)),
        "old_money": told_once(quiet, _money_is_older, 30.0, ("stop", "flat")),
        "lists": told_once(quiet, _lists_lag, 30.0, ("held",)),
        "silence": told_once(quiet, _users_stream_is_lost, 34.0, ("stop", "flat")),
        "key": told_once(quiet, _key_ends, 36.0, ("stop", "flat")),
        "rejoined": told_once(quiet, _streams_cut, 36.0, ("stop", "flat")),
        "stale": told_once(quiet, _stale_at_the_candle, 30.0, (), forbids=("OpenPosition",)),
        "overtaken_marks": told_once(quiet, _marks_overtaken, 34.0, ("held",)),
        "long_leverage": told_once(quiet, _leverage_takes_long, 96.0, ("SetLeverage",)),
        "thin": told_once(_thin, _ended_while_entering, 34.0, ("OpenPosition", "flat")),
    }
)
