"""The account as Hyperliquid tells of it. Anybody may ask for any address; others have nothing here."""

from typing import Any

from bot.core.margin import unrealised_pnl
from bot.core.position import Position
from bot.sim.server.decimals import decimal_text
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.wire import Body

Row = dict[str, Any]


def clearinghouse(desk: Desk, body: Body) -> Row:
    """clearinghouseState: money and positions; accountValue holds unrealised PnL."""
    if not desk.is_ours(body):
        return _state(desk, 0.0, 0.0, [])
    state = desk.exchange.state
    held = list(state.positions.values())
    pnl = sum(_pnl(desk, each) for each in held)
    return _state(desk, state.ledger.trader_quote() + pnl, state.free_quote, held)


def _state(desk: Desk, value: float, free_quote: float, held: list[Position]) -> Row:
    summary = {
        "accountValue": decimal_text(value),
        "totalNtlPos": decimal_text(sum(each.quantity * _mark(desk, each) for each in held)),
        "totalRawUsd": decimal_text(value - sum(_signed(each) * _mark(desk, each) for each in held)),
        "totalMarginUsed": decimal_text(sum(each.isolated_wallet + _pnl(desk, each) for each in held)),
    }
    return {
        "marginSummary": summary,
        "crossMarginSummary": dict.fromkeys(summary, "0.0"),
        "crossMaintenanceMarginUsed": "0.0",
        "withdrawable": decimal_text(free_quote),
        "assetPositions": [{"type": "oneWay", "position": _position(desk, each)} for each in held],
        "time": desk.now_ms(),
    }


def _position(desk: Desk, held: Position) -> Row:
    """marginUsed is the equity; what was paid in stands in rawUsd, less what the position cost."""
    signed, mark, pnl = _signed(held), _mark(desk, held), _pnl(desk, held)
    used = held.isolated_wallet + pnl
    liquidation = desk.exchange.state.liquidation(held)
    return {
        "coin": desk.coins[held.symbol],
        "szi": decimal_text(signed),
        "leverage": _leverage(desk, held),
        "entryPx": decimal_text(held.entry_price),
        "positionValue": decimal_text(held.quantity * mark),
        "unrealizedPnl": decimal_text(pnl),
        "returnOnEquity": decimal_text(round(pnl / used, 8) if used else 0.0),
        "liquidationPx": decimal_text(liquidation) if liquidation > 0.0 else None,
        "marginUsed": decimal_text(used),
        "maxLeverage": int(desk.exchange.state.instruments[held.symbol].max_leverage),
        "cumFunding": dict.fromkeys(("allTime", "sinceOpen", "sinceChange"), "0.0"),
    }


def _leverage(desk: Desk, held: Position) -> Row:
    if not desk.is_isolated(held.symbol):
        return {"type": "cross", "value": int(held.leverage)}
    raw = held.isolated_wallet - _signed(held) * held.entry_price
    return {"type": "isolated", "value": int(held.leverage), "rawUsd": decimal_text(raw)}


def asset_data(desk: Desk, body: Body) -> Row:
    """activeAssetData: leverage and mode of one coin."""
    symbol, is_ours = desk.symbol(body), desk.is_ours(body)
    state = desk.exchange.state
    mode = "isolated" if is_ours and desk.is_isolated(symbol) else "cross"
    free = decimal_text(state.free_quote if is_ours else 0.0)
    most = decimal_text(state.free_quote * state.leverage[symbol] if is_ours else 0.0)
    return {
        "user": body["user"],
        "coin": desk.coins[symbol],
        "leverage": {"type": mode, "value": state.leverage[symbol]},
        "maxTradeSzs": [most, most],
        "availableToTrade": [free, free],
        "markPx": decimal_text(desk.exchange.prices.of(symbol).mark),
    }


def _pnl(desk: Desk, held: Position) -> float:
    return unrealised_pnl(held, _mark(desk, held), desk.exchange.state.rules[held.symbol])


def _signed(held: Position) -> float:
    return held.side * held.quantity


def _mark(desk: Desk, held: Position) -> float:
    return desk.exchange.prices.of(held.symbol).mark
