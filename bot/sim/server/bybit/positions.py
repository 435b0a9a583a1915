"""Positions: the list, leverage, margin, modes."""

from typing import Final

from bot.core.intent import AddMargin, ReleaseMargin, SetLeverage
from bot.core.margin import maintenance_margin, notional, removable_margin, unrealised_pnl
from bot.core.position import Position
from bot.core.steps import is_on_step
from bot.sim.server.bybit.desk import COIN, Desk
from bot.sim.server.bybit.errors import (
    INVALID_PARAMETER,
    LEVERAGE_BEYOND_RISK,
    NO_POSITION,
    POSITION_IS_CROSS,
    SAME_LEVERAGE,
    ApiError,
    margin_refusal,
    refusal,
)
from bot.sim.server.bybit.position_stops import native
from bot.sim.server.bybit.terms import MARGIN_STEP_QUOTE
from bot.sim.server.bybit.wire import Params, Row, flag, needed, number, page, whole_or
from bot.sim.server.decimals import decimal_text

_MODES: Final = {0: False, 3: True}


def list_positions(desk: Desk, params: Params) -> Row:
    """GET /v5/position/list: a symbol's row also when it is flat; by settleCoin only what is open."""
    symbol, held = desk.symbol_or_none(params), desk.exchange.state.positions
    if symbol is None and params.get("settleCoin") != COIN:
        raise ApiError(INVALID_PARAMETER, why="symbol or settleCoin is needed")
    symbols = list(held) if symbol is None else [symbol]
    return page(params, [row_of(desk, each) for each in symbols], 20, 200)


def row_of(desk: Desk, symbol: str) -> Row:
    """Return a symbol's position, open or flat."""
    held = desk.exchange.state.positions.get(symbol)
    return _flat_row(desk, symbol) if held is None else _open_row(desk, held)


def _open_row(desk: Desk, held: Position) -> Row:
    state, mark = desk.exchange.state, desk.exchange.prices.of(held.symbol).mark
    rules = state.rules[held.symbol]
    liquidation = state.liquidation(held)
    maintenance = decimal_text(maintenance_margin(held, mark, rules))
    initial = decimal_text(notional(held, held.entry_price, rules) / held.leverage)
    return {
        **_flat_row(desk, held.symbol),
        "side": "Buy" if held.side > 0 else "Sell",
        "size": decimal_text(held.quantity),
        "avgPrice": decimal_text(held.entry_price),
        "positionValue": decimal_text(notional(held, held.entry_price, rules)),
        "liqPrice": "" if liquidation <= 0.0 else decimal_text(liquidation),
        "positionMM": maintenance,
        "positionMMByMp": maintenance,
        "positionIM": initial,
        "positionIMByMp": initial,
        "positionBalance": decimal_text(held.isolated_wallet),
        "unrealisedPnl": decimal_text(unrealised_pnl(held, mark, rules)),
        "stopLoss": _own_trigger(desk, held.symbol, "stop"),
        "takeProfit": _own_trigger(desk, held.symbol, "take_profit"),
        "trailingStop": _own_distance(desk, held),
        "createdTime": str(held.opened_ms),
    }


def _flat_row(desk: Desk, symbol: str) -> Row:
    zeros = (
        "size avgPrice positionValue positionMM positionMMByMp positionIM positionIMByMp positionBalance "
        "unrealisedPnl curRealisedPnl cumRealisedPnl trailingStop"
    )
    state = desk.exchange.state
    updated = str(desk.exchange.recorder.position_ms.get(symbol, 0))
    return {
        "positionIdx": 1 if desk.is_hedge else 0,
        "riskId": 1,
        "riskLimitValue": decimal_text(float(state.instruments[symbol].tiers.notional_cap[0])),
        "symbol": desk.ids[symbol],
        "side": "",
        "tradeMode": 0,
        "autoAddMargin": int(desk.is_auto_add(symbol)),
        "positionStatus": "Normal",
        "leverage": str(state.leverage[symbol]),
        "markPrice": decimal_text(desk.exchange.prices.of(symbol).mark),
        "liqPrice": "",
        "bustPrice": "",
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        **dict.fromkeys(zeros.split(), "0"),
        "adlRankIndicator": 0,
        "isReduceOnly": False,
        "createdTime": updated,
        "updatedTime": updated,
        "seq": desk.exchange.state.trade_count or -1,
    }


def _own_trigger(desk: Desk, symbol: str, kind: str) -> str:
    order = native(desk, symbol, kind)  # pyright: ignore[reportArgumentType]
    return "" if order is None else decimal_text(order.trigger_price)


def _own_distance(desk: Desk, held: Position) -> str:
    order = native(desk, held.symbol, "trailing")
    if order is None:
        return "0"
    price = order.activation_price or held.entry_price
    return decimal_text(round(order.callback_rate * price, 8))


def set_leverage(desk: Desk, params: Params) -> Row:
    """POST /v5/position/set-leverage: with an open position the margin moves with it.

    Raising it releases what the initial margin needs less. Lowering it would pull margin in, which the
    simulated venue does not do: 110013.
    """
    symbol, wanted = desk.symbol(params), number(params, "buyLeverage")
    if wanted != number(params, "sellLeverage") or wanted != wanted // 1:
        raise ApiError(INVALID_PARAMETER, why="buy and sell leverage differ or are no whole number")
    if int(wanted) == desk.exchange.state.leverage[symbol]:
        raise ApiError(SAME_LEVERAGE)
    released = _released(desk, symbol, wanted)
    refused = desk.exchange.request(SetLeverage(symbol, int(wanted)))
    if refused:
        raise ApiError(LEVERAGE_BEYOND_RISK) if refused.code == "leverage_refused" else refusal(refused)
    if released > 0.0:
        wallet = desk.exchange.state.positions[symbol].isolated_wallet
        desk.exchange.request(ReleaseMargin(symbol, wallet - released))
    return {}


def _released(desk: Desk, symbol: str, wanted: float) -> float:
    """Return what a higher leverage lets out: initial margin, as far as the removal rule allows."""
    state = desk.exchange.state
    held = state.positions.get(symbol)
    if held is None or wanted <= held.leverage:
        return 0.0
    value = held.quantity * held.entry_price
    released = value / held.leverage - value / wanted
    mark = desk.exchange.prices.of(symbol).mark
    removable = removable_margin(held._replace(leverage=wanted), mark, state.rules[symbol])
    return min(released, removable)


def set_mode(desk: Desk, params: Params) -> Row:
    """POST /v5/position/switch-mode: 0 one-way, 3 hedge."""
    desk.check_category(params)
    mode = whole_or(params, "mode", -1)
    if mode not in _MODES:
        raise ApiError(INVALID_PARAMETER, why="mode is invalid")
    desk.set_hedge(_MODES[mode])
    return {}


def set_auto_add(desk: Desk, params: Params) -> Row:
    """POST /v5/position/set-auto-add-margin."""
    desk.set_auto_add(
        desk.symbol(params), needed(params, "autoAddMargin") == "1" or flag(params, "autoAddMargin")
    )
    return {}


def move_margin(desk: Desk, params: Params) -> Row:
    """POST /v5/position/add-margin: a negative amount removes. Not idempotent; at most four decimals."""
    symbol, amount = desk.symbol(params), number(params, "margin")
    if amount == 0.0 or not is_on_step(abs(amount), MARGIN_STEP_QUOTE):
        raise ApiError(INVALID_PARAMETER, why="margin is 0 or has more than four decimals")
    if desk.margin_mode != "ISOLATED_MARGIN":
        raise ApiError(POSITION_IS_CROSS)
    held = desk.exchange.state.positions.get(symbol)
    if held is None:
        raise ApiError(NO_POSITION)
    target = held.isolated_wallet + amount
    action = AddMargin(symbol, target) if amount > 0.0 else ReleaseMargin(symbol, target)
    refused = desk.exchange.request(action)
    if refused:
        raise margin_refusal(refused)
    return {"category": "linear", **row_of(desk, symbol)}
