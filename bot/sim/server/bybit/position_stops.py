"""POST /v5/position/trading-stop: stops that belong to the position and carry no id of the client."""

from typing import Any, Final

from bot.core.position import Position
from bot.sim.server.books import ConditionalOrder, ConditionalType
from bot.sim.server.bybit.conditionals import check_direction, draft, rest, trigger_by
from bot.sim.server.bybit.desk import Desk
from bot.sim.server.bybit.errors import INVALID_PARAMETER, STOP_UNCHANGED, ApiError
from bot.sim.server.bybit.lookups import cancel_in_venue
from bot.sim.server.bybit.order_rows import NATIVE
from bot.sim.server.bybit.wire import Params, number, number_or_zero

_FIELDS: Final[dict[str, tuple[ConditionalType, str, str]]] = {
    "stopLoss": ("stop", "slTriggerBy", "slSize"),
    "takeProfit": ("take_profit", "tpTriggerBy", "tpSize"),
}


def set_stops(desk: Desk, params: Params) -> dict[str, Any]:
    """POST /v5/position/trading-stop: "0" takes one away; the reply has no id."""
    symbol = desk.symbol(params)
    desk.check_tradable(params)
    held = desk.exchange.state.positions.get(symbol)
    if held is None:
        raise ApiError(INVALID_PARAMETER, why="can not set tp/sl/ts for zero position")
    changed = [_set(desk, held, params, field) for field in _FIELDS if params.get(field)]
    if params.get("trailingStop"):
        changed.append(_set_trailing(desk, held, params))
    if not any(changed):
        raise ApiError(STOP_UNCHANGED)
    return {}


def attach(desk: Desk, symbol: str, params: Params) -> None:
    """Give the position the stops that came with the order that opened it."""
    held = desk.exchange.state.positions.get(symbol)
    for field in _FIELDS:
        if held is not None and number_or_zero(params, field):
            _set(desk, held, params, field)


def native(desk: Desk, symbol: str, kind: ConditionalType) -> ConditionalOrder | None:
    """Return the position's own order of this kind over the whole position, if one waits."""
    waiting = desk.exchange.books.open_conditionals(symbol)
    own = [each for each in waiting if each.client_id.startswith(NATIVE) and each.order_type == kind]
    return next((each for each in own if each.is_close_position), None)


def _set(desk: Desk, held: Position, params: Params, field: str) -> bool:
    kind, by_field, size_field = _FIELDS[field]
    price, on = number(params, field), trigger_by(params.get(by_field, ""))
    size = number_or_zero(params, size_field) if params.get("tpslMode") == "Partial" else 0.0
    old = None if size else native(desk, held.symbol, kind)
    if old is not None and (old.trigger_price, old.trigger_on) == (price, on):
        return False
    if price:
        is_rising = (held.side > 0) == (kind == "take_profit")
        check_direction(desk, held.symbol, "1" if is_rising else "2", price, on)
        rest(desk, draft(desk, held.symbol, kind, -held.side, size, price, on, "", is_whole=not size))
    if old is not None:
        cancel_in_venue(desk, old)
    return bool(price) or old is not None


def _set_trailing(desk: Desk, held: Position, params: Params) -> bool:
    """The venue trails by a distance in quote; the venue simulated here by a fraction of the price."""
    distance, old = number(params, "trailingStop"), native(desk, held.symbol, "trailing")
    if old is not None:
        cancel_in_venue(desk, old)
    if not distance:
        return old is not None
    active = number_or_zero(params, "activePrice")
    rate = distance / (active or desk.exchange.prices.of(held.symbol).mark)
    order = draft(
        desk,
        held.symbol,
        "trailing",
        -held.side,
        0.0,
        0.0,
        "mark",
        "",
        is_whole=True,
        callback_rate=rate,
        activation_price=active,
    )
    rest(desk, order)
    return True
