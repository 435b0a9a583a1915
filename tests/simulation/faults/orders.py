"""F01 to F12: a request, its reply and what is left of it."""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.simulation.calls import Answer, Call, Effect
from tests.simulation.faults.acts import (
    ACCOUNT,
    NO_BALANCE,
    ORDERS,
    SERVER_FAILED,
    UNKNOWN_ORDER,
    WRITES,
    answer,
    dice,
    move_price,
    on_arrival,
    on_calls,
    stop_price,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

# What a venue can tell from its double. Margin moves have no id, and a doubled one is moved twice; Binance
# and OKX know an id only while its order is open, so that a filled market order is filled again.
_NAMED = tuple(kind for kind in WRITES if kind not in ("margin", "entry"))
# Hyperliquid says what is left, beside what there was.
_LEFT = re.compile(rb'("sz":)"[^"]*"(.*?)("origSz":"([^"]*)")', re.DOTALL)
_FILLED = re.compile(rb'"(executedQty|cumExecQty|accFillSz|fillSz)":\s*"[^"]*"')


def reply_lost(world: "World") -> None:
    """F01: accepted, and no reply."""
    first, times = dice(world).randint(1, 4), dice(world).randint(1, 3)
    on_calls(world, ORDERS, Effect("reply_lost"), first=first, times=times)


def delivered_twice(world: "World") -> None:
    """F02: the request arrives twice, or its reply after everybody gave up."""
    late = Effect("late", delay_s=dice(world).uniform(4.0, 9.0))
    effect, kinds = dice(world).choice(((Effect("twice"), _NAMED), (late, WRITES)))
    on_calls(world, kinds, effect, first=dice(world).randint(1, 6), times=dice(world).randint(1, 3))


def server_error(world: "World") -> None:
    """F03: 5xx, carried out or not."""
    kind = dice(world).choice(("answered", "answered_after"))
    effect = Effect(kind, answer=answer(world, SERVER_FAILED, 503))
    on_calls(world, WRITES, effect, first=dice(world).randint(1, 6), times=dice(world).randint(1, 3))


def lists_lag(world: "World") -> None:
    """F04: lists and histories tell what was true a while ago."""
    lag_s = dice(world).uniform(0.5, 20.0)
    lagging = dice(world).sample(("read:orders", "read:trades", "read:position"), dice(world).randint(1, 2))
    stale_reads(world, lag_s, lagging)


def stale_reads(world: "World", lag_s: float, lagging: Collection[str]) -> None:
    """Answer reads of these endpoints with what they said `lag_s` ago."""
    told: dict[str, list[tuple[int, Answer]]] = {}

    def disturb(call: Call) -> Effect | None:
        if call.kind not in lagging:
            return None
        key = f"{call.path} {re.sub(r'(timestamp|signature|recvWindow)=[^&]*', '', call.query)}"
        key += call.kind if call.path == "/info" else ""  # one path for everything
        now_ms = world.wall.venue_ms()

        def change(fresh: Answer) -> Answer:
            history = told.setdefault(key, [])
            history.append((now_ms, fresh))
            old = [each for at_ms, each in history if at_ms <= now_ms - 1_000.0 * lag_s]
            stale = old[-1] if old else history[0][1]
            if stale.body != fresh.body:
                world.fault_fires(f"stale {call.kind}")
            return replace(stale, headers=fresh.headers)  # what was used is counted at the door, of now

        return Effect("changed", change=change)

    world.network.disturbances.append(disturb)


def reads_fail(world: "World") -> None:
    """F05: a burst of failing queries."""
    effect = dice(world).choice((Effect("no_route"), Effect("cut"), Effect("truncated")))
    first, times = dice(world).randint(30, 90), dice(world).randint(1, 50)
    on_calls(world, ACCOUNT, effect, first=first, times=times)


def refused_then_killed(world: "World") -> None:
    """F06: a refusal, and death before it is written."""
    effect = Effect("answered", answer=answer(world, NO_BALANCE))
    first = dice(world).randint(1, 3)
    on_calls(world, ("entry",), effect, first=first)
    kill_at(world, ("entry",), "answered", first)


def kill_at(world: "World", kinds: tuple[str, ...], where: str, number: int) -> None:
    """Kill the bot at a place of its `number`-th call of these kinds."""
    seen = 0

    def watch(call: Call, at: str) -> None:
        nonlocal seen
        if at == where and call.kind in kinds:
            seen += 1
            if seen == number:
                world.fault_fires(f"killed: {call.kind} {where}")
                call.process.die()

    world.network.watchers.append(watch)


def stream_before_reply(world: "World") -> None:
    """F07: the stream tells before the reply comes."""
    effect = Effect("late", delay_s=dice(world).uniform(0.5, 4.0))
    on_calls(world, ORDERS, effect, first=dice(world).randint(1, 3), times=dice(world).randint(1, 6))


def thin_book(world: "World") -> None:
    """F08, before the world is built: orders fill in parts."""
    world.depth_quote = dice(world).uniform(200.0, 3_000.0)


def parts_and_losses(world: "World") -> None:
    """F08: and some replies are lost meanwhile."""
    world.fault_fires("thin book")
    if dice(world).random() < 0.5:
        reply_lost(world)


def cancel_meets_fill(world: "World") -> None:
    """F09: what is to be cancelled fills on the way."""

    def trigger(_: Call) -> None:
        for symbol in world.symbols:
            position = world.exchange.venue.state.positions.get(symbol)
            trigger_price = stop_price(world, symbol)
            if position is not None and trigger_price:
                mark = world.exchange.embedded.prices.of(symbol).mark
                move_price(world, symbol, trigger_price / mark - 1.0 - 0.001 * position.side)

    on_arrival(world, ("cancel",), trigger, first=dice(world).randint(1, 3))


def filled_says_zero(world: "World") -> None:
    """F10: queries of an order say that nothing was filled."""

    def change(told: Answer) -> Answer:
        body = _FILLED.sub(rb'"\1":"0"', told.body)
        return Answer(told.status, _LEFT.sub(rb'\1"\4"\2\3', body), told.headers)

    effect = Effect("changed", change=change)
    kinds = ("read:order", "read:stop") if world.dialect != "bybit" else ("read:orders",)
    on_calls(world, kinds, effect, first=dice(world).randint(1, 4), times=dice(world).randint(1, 4))


def cancel_half_done(world: "World") -> None:
    """F11: a replacement whose second half fails, done or not."""
    refused = Effect("answered", answer=answer(world, UNKNOWN_ORDER))
    effect = dice(world).choice((refused, Effect("reply_lost"), Effect("lost"), Effect("cut")))
    on_calls(world, ("cancel",), effect, first=dice(world).randint(1, 3), times=dice(world).randint(1, 2))


def killed_at_a_border(world: "World") -> None:
    """F12: death at any border of a request."""
    where = dice(world).choice(("sent", "arriving", "arrived", "answered"))
    kinds = (dice(world).choice(WRITES),)
    kill_at(world, kinds, where, dice(world).randint(1, 3))
    world.bot.restart_seconds = dice(world).choice((0.2, 1.0, 6.0, 20.0))
