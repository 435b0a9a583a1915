"""F31 to F41: margin, leverage and their terms."""

import json
import re
from typing import TYPE_CHECKING

from bot.core.tiers import LeverageTier
from tests.simulation.calls import Answer, Call, Effect
from tests.simulation.faults.acts import (
    NO_BALANCE,
    NO_MODE,
    answer,
    dice,
    later,
    move_price,
    on_arrival,
    on_calls,
    reduce_by_hand,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

_LIQUIDATION = re.compile(rb'"(liquidationPrice|liqPrice|liqPx|liquidationPx)":\s*"([0-9.]+)"')


def add_refused(world: "World") -> None:
    """F31: there is not enough to add."""
    effect = Effect("answered", answer=answer(world, NO_BALANCE))
    on_calls(world, ("margin",), effect, first=dice(world).randint(1, 2), times=dice(world).randint(1, 3))


def closes_before_add(world: "World") -> None:
    """F32: the position ends between the read and the add."""

    def close(_: Call) -> None:
        for position in list(world.exchange.venue.state.positions.values()):
            reduce_by_hand(world, position, 0.0)

    on_arrival(world, ("margin",), close, first=dice(world).randint(1, 2))


def price_moves_before_release(world: "World") -> None:
    """F33: what may be removed shrinks on the way."""

    def move(_: Call) -> None:
        for position in list(world.exchange.venue.state.positions.values()):
            move_price(world, position.symbol, -0.004 * position.side)

    on_arrival(world, ("margin",), move, first=dice(world).randint(1, 3))


def margin_reply_lost(world: "World") -> None:
    """F34: margin moves and nobody says so."""
    effect = dice(world).choice((Effect("reply_lost"), Effect("cut"), Effect("truncated")))
    on_calls(world, ("margin",), effect, first=dice(world).randint(1, 2), times=dice(world).randint(1, 3))


def liquidation_misreported(world: "World") -> None:
    """F35: the venue's liquidation price is off."""
    factor = dice(world).uniform(0.9, 1.1)

    def change(told: Answer) -> Answer:
        body = _LIQUIDATION.sub(lambda m: b'"%s":"%.2f"' % (m[1], float(m[2]) * factor), told.body)
        return Answer(told.status, body, told.headers)

    world.fault_fires("liquidation price")
    on_calls(world, ("read:position",), Effect("changed", change=change), times=10_000)


def high_funding(world: "World") -> None:
    """F36, before the world is built: funding at its cap, against whoever holds."""
    world.plan.funding_rate = dice(world).choice((0.02, -0.02, 0.0075, -0.0075))
    world.settings["entry.max_funding_share"] = 10.0


def cross_at_first(world: "World") -> None:
    """F37, before the world is built: the mode has to be set."""
    world.is_cross_at_first = True


def mode_refused(world: "World") -> None:
    """F37: the margin mode cannot be set, or is but the reply says no."""
    kind = dice(world).choice(("answered", "answered_after"))
    effect = Effect(kind, answer=answer(world, NO_MODE))
    on_calls(world, ("mode",), effect, times=dice(world).randint(1, 2))


def leverage_ignored(world: "World") -> None:
    """F38: the venue says yes to a leverage and does nothing."""
    lever = {"lever": "1", "mgnMode": "isolated", "instId": "BTC-USDT-SWAP", "posSide": ""}
    body = {
        "binance": {"leverage": 1, "maxNotionalValue": "1000000", "symbol": "BTCUSDT"},
        "bybit": {"retCode": 0, "retMsg": "OK", "result": {}, "retExtInfo": {}, "time": 0},
        "okx": {"code": "0", "msg": "", "data": [lever]},
        "hyperliquid": {"status": "ok", "response": {"type": "default"}},
    }[world.dialect]
    said = Answer(200, json.dumps(body).encode(), {"content-type": "application/json"})
    on_calls(world, ("leverage",), Effect("answered", answer=said), times=dice(world).randint(1, 2))


def leverage_without_order(world: "World") -> None:
    """F39: the leverage is set, the order refused."""
    effect = Effect("answered", answer=answer(world, NO_BALANCE))
    on_calls(world, ("entry",), effect, first=dice(world).randint(1, 2))


def tiers_change(world: "World") -> None:
    """F40: maintenance doubles and the highest leverage falls."""

    def change() -> None:
        world.fault_fires("tiers")
        for symbol in world.symbols:
            rows = [LeverageTier(0.0, 1e6, 0.01, 0.0, 20.0), LeverageTier(1e6, 1e9, 0.05, 40_000.0, 5.0)]
            world.exchange.embedded.change_tiers(symbol, rows)
        world.exchange.embedded.commit()

    later(world, change)


def against_us(world: "World") -> None:
    """F41, before the world is built: a price that only runs one way, and stops far from it."""
    world.plan.drift_per_second = dice(world).choice((1.0, -1.0)) * 0.00035
    world.settings["strategy.params.every_minute.stop"] = 0.03
    world.settings["strategy.params.every_minute.hold"] = 90
