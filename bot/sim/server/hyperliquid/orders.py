"""The action "order": each order of it has a status of its own in the reply.

An immediate order that crosses is carried out as a market order; its price bounds what it may pay only
when it is placed.
"""

import re
from typing import Any, Final

from bot.core.intent import PlaceStop, PlaceTakeProfit
from bot.core.position import Position
from bot.sim.requests import ReduceAtLimit, RestEntry, RestStop, VenueAction
from bot.sim.server.books import ConditionalOrder, PlacedOrder
from bot.sim.server.decimals import decimal_text
from bot.sim.server.hyperliquid import errors
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.errors import NOT_SIMULATED, OrderRefusal, Refusal, order_refusal
from bot.sim.server.hyperliquid.lookups import cancel_rest, is_open
from bot.sim.server.hyperliquid.market import best
from bot.sim.server.hyperliquid.order_rows import NO_CLOID, AnyOrder, number_of, status_row
from bot.sim.server.hyperliquid.terms import is_price
from bot.sim.server.hyperliquid.wire import Body, checked, decimal, flag, needed, text
from bot.sim.server.limit_orders import would_trade
from bot.sim.server.one_way import NothingToReduce, WouldTurn, action_of

_CLOID: Final = re.compile(r"0x[0-9a-f]{32}")
_IN_FORCE: Final = {"Gtc": "GTC", "Ioc": "IOC", "Alo": "ALO"}
_WHOLE: Final = "positionTpsl"
_GROUPINGS: Final = ("na", _WHOLE)


def place(desk: Desk, action: Body) -> list[Any]:
    """Return one status for each order."""
    grouping = text(action, "grouping")
    if grouping not in _GROUPINGS:
        raise Refusal(NOT_SIMULATED.format(why=f"grouping {grouping}"))
    return [_status(desk, checked(each), grouping) for each in needed(action, "orders")]


def _status(desk: Desk, wire: Body, grouping: str) -> Any:
    symbol = desk.symbol_of_asset(wire, "a")
    order = _draft(desk, symbol, wire, is_whole=grouping == _WHOLE)
    try:
        _check(desk, symbol, wire, order)
        return _placed(desk, order, wire)
    except OrderRefusal as refusal:
        _remember(desk, order, refusal)
        return {"error": f"{refusal} asset={wire['a']}"}


def _draft(desk: Desk, symbol: str, wire: Body, *, is_whole: bool) -> AnyOrder:
    kind, now_ms = checked(needed(wire, "t")), desk.exchange.market_ms
    side, quantity, is_reduce_only = 1 if flag(wire, "b") else -1, decimal(wire, "s"), flag(wire, "r")
    if "trigger" not in kind:
        number = desk.exchange.recorder.next("orders")
        return PlacedOrder(
            number,
            wire.get("c") or f"{NO_CLOID}o{number}",
            f"o{number}",
            symbol,
            "limit",
            side,
            quantity,
            decimal(wire, "p"),
            _in_force(kind),
            is_reduce_only,
            False,
            "new",
            0.0,
            0.0,
            now_ms,
            now_ms,
        )
    trigger, number = checked(kind["trigger"]), desk.exchange.recorder.next("conditionals")
    return ConditionalOrder(
        number,
        wire.get("c") or f"{NO_CLOID}c{number}",
        f"a{number}",
        symbol,
        _trigger_type(trigger),
        side,
        0.0 if is_whole else quantity,
        is_reduce_only,
        is_whole,
        decimal(trigger, "triggerPx"),
        "mark",
        0.0,
        0.0,
        "new",
        now_ms,
        now_ms,
    )


def _in_force(kind: Body) -> str:
    in_force = text(checked(needed(kind, "limit")), "tif")
    if in_force not in _IN_FORCE:
        raise Refusal(NOT_SIMULATED.format(why=f"tif {in_force}"))
    return _IN_FORCE[in_force]


def _trigger_type(trigger: Body) -> Any:
    kind = {"sl": "stop", "tp": "take_profit"}.get(text(trigger, "tpsl"))
    if kind is None or not flag(trigger, "isMarket"):
        raise Refusal(NOT_SIMULATED.format(why="trigger orders other than market stops and take-profits"))
    return kind


def _check(desk: Desk, symbol: str, wire: Body, order: AnyOrder) -> None:
    """Refuse what the venue would, before it looks at money."""
    step, cloid = desk.exchange.state.instruments[symbol].quantity_step, wire.get("c")
    prices = [wire["p"]]
    if isinstance(order, ConditionalOrder):
        prices.append(wire["t"]["trigger"]["triggerPx"])
        if not order.is_reduce_only and order.order_type != "stop":
            raise Refusal(NOT_SIMULATED.format(why="take-profits that open a position"))
    if not all(is_price(price, step) and float(price) > 0.0 for price in prices):
        raise OrderRefusal(errors.TICK)
    if order.quantity <= 0.0 and not order.is_close_position:
        raise OrderRefusal(errors.ZERO_SIZE)
    if not desk.is_isolated(symbol):
        raise Refusal(NOT_SIMULATED.format(why="cross margin; updateLeverage with isCross false first"))
    if cloid is not None:
        if not isinstance(cloid, str) or _CLOID.fullmatch(cloid) is None:
            raise Refusal("Invalid cloid")
        if is_open(desk.exchange.books, cloid):
            raise OrderRefusal(errors.TAKEN_CLOID)


def _placed(desk: Desk, order: AnyOrder, wire: Body) -> Any:
    held = desk.exchange.state.positions.get(order.symbol)
    if isinstance(order, ConditionalOrder):
        _ask(desk, order, _trigger_action(order, held))
        # Of an order over the whole position the venue says a word, and no number.
        return "waitingForTrigger" if order.is_close_position else {"resting": {"oid": order.algo_id}}
    is_crossing = would_trade(desk.exchange, order)
    if order.time_in_force == "IOC" and not is_crossing:
        raise OrderRefusal(errors.NO_MATCH)
    if order.time_in_force == "ALO" and is_crossing:
        bid, ask = best(desk, order.symbol)
        raise OrderRefusal(errors.POST_ONLY, bbo=f"{decimal_text(bid)}@{decimal_text(ask)}")
    if order.time_in_force == "IOC":
        order = order._replace(order_type="market")
    _ask(desk, order, _action(order, held))
    return _outcome(desk, order)


def _ask(desk: Desk, order: AnyOrder, action: VenueAction) -> None:
    refused = desk.exchange.place_order(order, action)
    if refused:
        raise order_refusal(refused)


def _trigger_action(order: ConditionalOrder, held: Position | None) -> VenueAction:
    if not order.is_reduce_only:
        return RestEntry(order.symbol, -order.side, order.quantity, order.trigger_price, "mark")
    if held is None or held.side == order.side:
        raise OrderRefusal(errors.REDUCE_ONLY)
    if order.order_type == "take_profit":
        return PlaceTakeProfit(order.symbol, held.side, order.quantity, order.trigger_price, "mark")
    if order.is_close_position:
        return PlaceStop(order.symbol, held.side, order.trigger_price, "mark")
    return RestStop(order.symbol, held.side, order.quantity, order.trigger_price, "mark")


def _action(order: PlacedOrder, held: Position | None) -> VenueAction:
    """Return what the order means; a limit order that reduces is cut to the position."""
    try:
        action = action_of(order, held)
    except NothingToReduce:
        raise OrderRefusal(errors.REDUCE_ONLY) from None
    except WouldTurn:
        raise Refusal(NOT_SIMULATED.format(why="an order that turns a position around")) from None
    if isinstance(action, ReduceAtLimit) and held is not None:
        return action._replace(quantity=min(action.quantity, held.quantity))
    return action


def _outcome(desk: Desk, order: PlacedOrder) -> Any:
    placed = desk.exchange.books.orders[order.order_id]
    if placed.is_open and placed.time_in_force == "IOC":
        cancel_rest(desk, placed)
    if not placed.filled_quantity:
        return {"resting": {"oid": number_of(placed)}}
    size, price = decimal_text(placed.filled_quantity), decimal_text(placed.average_price)
    return {"filled": {"totalSz": size, "avgPx": price, "oid": number_of(placed)}}


def _remember(desk: Desk, order: AnyOrder, refusal: OrderRefusal) -> None:
    """Keep an order that was refused as one: a lookup finds it."""
    if refusal.status and order.client_id.startswith("0x"):
        row = status_row(desk, order)
        desk.keep_rejection(order.client_id, {**row, "status": refusal.status})
