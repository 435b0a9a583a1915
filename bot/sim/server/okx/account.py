"""The account: balance, positions, leverage, margin, fees."""

from decimal import Decimal
from typing import Any

from bot.core.intent import AddMargin, ReleaseMargin, SetLeverage
from bot.core.margin import equity, initial_margin, maintenance_margin, notional, unrealised_pnl
from bot.core.position import Position
from bot.core.steps import is_on_step
from bot.sim.server.decimals import decimal_text
from bot.sim.server.okx.desk import COIN, Desk, venue_name
from bot.sim.server.okx.errors import (
    NO_POSITION,
    NOT_HERE,
    PARAMETER,
    ApiError,
    leverage_refusal,
    margin_refusal,
)
from bot.sim.server.okx.wire import Params, needed, number

Row = dict[str, Any]


def positions(desk: Desk, params: Params) -> list[Row]:
    """GET account/positions: open positions, contracts signed by side."""
    held = desk.exchange.state.positions
    return [position_row(desk, held[symbol]) for symbol in desk.chosen(params) if symbol in held]


def position_row(desk: Desk, held: Position) -> Row:
    """Return an open position. `margin` is without unrealised PnL; mgnRatio is the inverse of Binance's."""
    state, symbol = desk.exchange.state, held.symbol
    rules, quote = state.rules[symbol], desk.exchange.prices.of(symbol)
    mark = quote.mark
    pnl, value = unrealised_pnl(held, mark, rules), notional(held, mark, rules)
    maintenance = maintenance_margin(held, mark, rules)
    changed_ms = str(desk.exchange.recorder.position_ms.get(symbol, 0))
    is_cross = desk.is_cross(symbol)
    return {
        "instType": "SWAP",
        "instId": desk.ids[symbol],
        "mgnMode": "cross" if is_cross else "isolated",
        "posId": changed_ms,
        "posSide": "net",
        "pos": desk.contracts(symbol, held.side * held.quantity),
        "availPos": desk.contracts(symbol, held.quantity),
        "posCcy": "",
        "avgPx": decimal_text(held.entry_price),
        "markPx": decimal_text(mark),
        "last": decimal_text(quote.last),
        "upl": decimal_text(pnl),
        "uplRatio": decimal_text(pnl / (value / held.leverage)),
        "lever": f"{held.leverage:g}",
        "liqPx": _liquidation_text(state.liquidation(held)),
        "imr": decimal_text(initial_margin(held, mark, rules)) if is_cross else "",
        "margin": "" if is_cross else decimal_text(held.isolated_wallet),
        "mgnRatio": decimal_text(equity(held, mark, rules) / maintenance),
        "mmr": decimal_text(maintenance),
        "notionalUsd": decimal_text(value),
        "interest": "",
        "liab": "",
        "ccy": COIN,
        "adl": "1",
        "cTime": str(held.opened_ms),
        "uTime": changed_ms,
    }


def balance(desk: Desk, params: Params) -> list[Row]:
    """GET account/balance. Sums are exact decimals, so that equity less PnL is the wallet to the digit."""
    row = balance_row(desk)
    is_wanted = COIN in params.get("ccy", COIN).split(",")
    details = [row] if is_wanted else []
    return [{"uTime": row["uTime"], "totalEq": row["eq"], "isoEq": row["isoEq"], "details": details}]


def balance_row(desk: Desk) -> Row:
    """Return the balance of the one coin. `cashBal` is without the margin of isolated positions."""
    state = desk.exchange.state
    wallet = Decimal(decimal_text(state.ledger.trader_quote()))
    isolated = pnl = Decimal(0)
    for held in state.positions.values():
        mark = desk.exchange.prices.of(held.symbol).mark
        isolated += Decimal(decimal_text(held.isolated_wallet))
        pnl += Decimal(decimal_text(unrealised_pnl(held, mark, state.rules[held.symbol])))
    free = decimal_text(state.free_quote)
    cash = wallet - isolated
    return {
        "ccy": COIN,
        "eq": f"{wallet + pnl:f}",
        "cashBal": f"{cash:f}",
        "availEq": free,
        "availBal": free,
        "frozenBal": f"{wallet - Decimal(free):f}",
        "ordFrozen": f"{max(cash - Decimal(free), Decimal(0)):f}",
        "isoEq": f"{isolated + pnl:f}",
        "isoUpl": f"{pnl:f}",
        "upl": f"{pnl:f}",
        "uTime": str(max(desk.exchange.market_ms, 1)),
    }


def settings(desk: Desk, _params: Params) -> list[Row]:
    """GET account/config: account mode 2 is futures (single-currency margin)."""
    rights = ["read_only"]
    if desk.may_trade:
        rights.append("trade")
    if desk.may_withdraw:
        rights.append("withdraw")
    row = {"uid": "1", "mainUid": "1", "acctLv": "2", "posMode": desk.position_mode, "autoLoan": False}
    return [{**row, "perm": ",".join(rights), "ip": "", "level": "Lv1", "label": "paper"}]


def set_position_mode(desk: Desk, params: Params) -> list[Row]:
    """POST account/set-position-mode."""
    desk.set_position_mode(needed(params, "posMode"))
    return [{"posMode": desk.position_mode}]


def set_leverage(desk: Desk, params: Params) -> list[Row]:
    """POST account/set-leverage: per margin mode; cross has none here."""
    symbol, leverage = desk.symbol(params), number(params, "lever")
    if needed(params, "mgnMode") != "isolated":
        raise ApiError(NOT_HERE, why="this exchange trades isolated margin only")
    if leverage != leverage // 1:
        raise ApiError(PARAMETER, name="lever")
    refused = desk.exchange.request(SetLeverage(symbol, int(leverage)))
    if refused:
        raise leverage_refusal(refused, desk.exchange.state.leverage[symbol])
    return [_leverage_row(desk, symbol)]


def leverages(desk: Desk, params: Params) -> list[Row]:
    """GET account/leverage-info: of up to 20 instruments, for one margin mode."""
    if needed(params, "mgnMode") != "isolated":
        raise ApiError(NOT_HERE, why="this exchange trades isolated margin only")
    names = needed(params, "instId").split(",")
    return [_leverage_row(desk, desk.known(name)) for name in names]


def _leverage_row(desk: Desk, symbol: str) -> Row:
    leverage = f"{desk.exchange.state.leverage[symbol]:g}"
    return {"instId": desk.ids[symbol], "mgnMode": "isolated", "posSide": "net", "lever": leverage}


def move_margin(desk: Desk, params: Params) -> list[Row]:
    """POST account/position/margin-balance. Not idempotent, as at the venue."""
    symbol, kind, amount = desk.symbol(params), needed(params, "type"), number(params, "amt")
    if kind not in {"add", "reduce"}:
        raise ApiError(PARAMETER, name="type")
    if needed(params, "posSide") != "net":
        raise ApiError(PARAMETER, name="posSide")
    if amount <= 0.0 or not is_on_step(amount, desk.instrument(symbol).margin_step_quote):
        raise ApiError(PARAMETER, name="amt")
    held = desk.exchange.state.positions.get(symbol)
    if held is None or desk.is_cross(symbol):
        raise ApiError(NO_POSITION)
    wallet = held.isolated_wallet
    action = AddMargin(symbol, wallet + amount) if kind == "add" else ReleaseMargin(symbol, wallet - amount)
    refused = desk.exchange.request(action)
    if refused:
        raise margin_refusal(refused)
    leverage = f"{held.leverage:g}"
    sent = {"instId": venue_name(symbol), "posSide": "net", "amt": params["amt"], "type": kind}
    return [{**sent, "leverage": leverage, "ccy": COIN}]


def fees(desk: Desk, params: Params) -> list[Row]:
    """GET account/trade-fee: negative rates are paid; those of USDT contracts are the ones with a U."""
    terms = desk.instrument(desk.chosen(params)[0])
    maker, taker = decimal_text(-terms.maker_fee_rate), decimal_text(-terms.taker_fee_rate)
    coin = {"maker": maker, "taker": taker, "makerU": maker, "takerU": taker}
    return [{"instType": "SWAP", "level": "Lv1", **coin, "category": "1", "ts": str(desk.clock.now_ms())}]


def _liquidation_text(price: float) -> str:
    """An unreachable price is empty at this venue."""
    text = decimal_text(price)
    return "" if price <= 0.0 or text == "0" else text
