"""The account: balances, positions, leverage, margin."""

from typing import Any

from bot.core.intent import AddMargin, ReleaseMargin, SetLeverage
from bot.core.margin import maintenance_margin, notional, unrealised_pnl
from bot.core.position import Position
from bot.core.steps import is_on_step
from bot.sim.server.binance.desk import ASSET, Desk
from bot.sim.server.binance.errors import (
    AMOUNT_NOT_POSITIVE,
    BAD_PRECISION,
    ILLEGAL_PARAMETER,
    NO_POSITION,
    ONLY_ISOLATED,
    ApiError,
    leverage_refusal,
    margin_refusal,
)
from bot.sim.server.binance.wire import Params, flag, needed, number, whole
from bot.sim.server.decimals import decimal_text

Row = dict[str, Any]


def positions(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v3/positionRisk: open positions only."""
    held = desk.exchange.state.positions
    return [position_row(desk, held[symbol]) for symbol in desk.chosen(params) if symbol in held]


def positions_of_all(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v2/positionRisk: every symbol, with leverage and margin type."""
    state, rows = desk.exchange.state, []
    for symbol in desk.chosen(params):
        held = state.positions.get(symbol)
        row = _flat_row(desk, symbol) if held is None else position_row(desk, held)
        row["leverage"] = str(state.leverage[symbol])
        row["marginType"] = "isolated" if desk.margin_type(symbol) == "ISOLATED" else "cross"
        row["isAutoAddMargin"] = str(desk.is_auto_add(symbol)).lower()
        row["maxNotionalValue"] = decimal_text(_largest_notional(desk, symbol, state.leverage[symbol]))
        rows.append(row)
    return rows


def position_row(desk: Desk, held: Position) -> Row:
    """Return an open position."""
    state = desk.exchange.state
    rules, mark = state.rules[held.symbol], desk.exchange.prices.of(held.symbol).mark
    pnl, value = unrealised_pnl(held, mark, rules), notional(held, mark, rules)
    liquidation = state.liquidation(held)
    fee_rate = state.instruments[held.symbol].taker_fee_rate
    initial = decimal_text(value / held.leverage)
    wallet = held.isolated_wallet if desk.margin_type(held.symbol) == "ISOLATED" else None
    return {
        "symbol": desk.ids[held.symbol],
        "positionSide": "BOTH",
        "positionAmt": decimal_text(held.side * held.quantity),
        "entryPrice": decimal_text(held.entry_price),
        "breakEvenPrice": decimal_text(held.entry_price * (1.0 + held.side * fee_rate)),
        "markPrice": decimal_text(mark),
        "unRealizedProfit": decimal_text(pnl),
        "liquidationPrice": decimal_text(max(liquidation, 0.0)),
        "isolatedMargin": "0" if wallet is None else decimal_text(wallet + pnl),
        "notional": decimal_text(held.side * value),
        "marginAsset": ASSET,
        "isolatedWallet": "0" if wallet is None else decimal_text(wallet),
        "initialMargin": initial,
        "maintMargin": decimal_text(maintenance_margin(held, mark, rules)),
        "positionInitialMargin": initial,
        "openOrderInitialMargin": "0",
        "adl": 2,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": desk.exchange.recorder.position_ms.get(held.symbol, 0),
    }


def _flat_row(desk: Desk, symbol: str) -> Row:
    zeros = (
        "positionAmt entryPrice breakEvenPrice unRealizedProfit liquidationPrice isolatedMargin notional "
        "isolatedWallet"
    )
    return {
        "symbol": desk.ids[symbol],
        "positionSide": "BOTH",
        **dict.fromkeys(zeros.split(), "0.0"),
        "markPrice": decimal_text(desk.exchange.prices.of(symbol).mark),
        "updateTime": 0,
    }


def account(desk: Desk, _params: Params) -> Row:
    """GET /fapi/v3/account."""
    asset = asset_row(desk)
    totals = {
        "totalInitialMargin": asset["initialMargin"],
        "totalMaintMargin": asset["maintMargin"],
        "totalWalletBalance": asset["walletBalance"],
        "totalUnrealizedProfit": asset["unrealizedProfit"],
        "totalMarginBalance": asset["marginBalance"],
        "totalPositionInitialMargin": asset["positionInitialMargin"],
        "totalOpenOrderInitialMargin": asset["openOrderInitialMargin"],
        "totalCrossWalletBalance": asset["crossWalletBalance"],
        "totalCrossUnPnl": "0.0",
        "availableBalance": asset["availableBalance"],
        "maxWithdrawAmount": asset["maxWithdrawAmount"],
    }
    return {**totals, "assets": [asset], "positions": [_account_position(row) for row in positions(desk, {})]}


def account_of_all(desk: Desk, params: Params) -> Row:
    """GET /fapi/v2/account: with fees and permissions, and every symbol."""
    rows = [
        {
            **row,
            "unrealizedProfit": row["unRealizedProfit"],
            "initialMargin": row.get("initialMargin", "0.0"),
            "maintMargin": row.get("maintMargin", "0.0"),
            "isolated": row["marginType"] == "isolated",
        }
        for row in positions_of_all(desk, {})
    ]
    more = {"updateTime": 0, "multiAssetsMargin": False}
    return {**_rights(desk), **more, **account(desk, params), "positions": rows}


def asset_row(desk: Desk) -> Row:
    """Return the balances of the one asset; walletBalance is all the money, without unrealised PnL."""
    state = desk.exchange.state
    wallet = state.ledger.trader_quote()
    isolated = sum(held.isolated_wallet for held in state.positions.values())
    pnl = used = maintenance = 0.0
    for held in state.positions.values():
        rules, mark = state.rules[held.symbol], desk.exchange.prices.of(held.symbol).mark
        pnl += unrealised_pnl(held, mark, rules)
        used += notional(held, mark, rules) / held.leverage
        maintenance += maintenance_margin(held, mark, rules)
    reserved = max(wallet - state.free_quote - isolated, 0.0)
    free = decimal_text(state.free_quote)
    return {
        "asset": ASSET,
        "walletBalance": decimal_text(wallet),
        "unrealizedProfit": decimal_text(pnl),
        "marginBalance": decimal_text(wallet + pnl),
        "maintMargin": decimal_text(maintenance),
        "initialMargin": decimal_text(used + reserved),
        "positionInitialMargin": decimal_text(used),
        "openOrderInitialMargin": decimal_text(reserved),
        "crossWalletBalance": decimal_text(wallet - isolated),
        "crossUnPnl": "0.0",
        "availableBalance": free,
        "maxWithdrawAmount": free,
        "marginAvailable": True,
        "updateTime": max(desk.exchange.market_ms, 1),
    }


def balances(desk: Desk, _params: Params) -> list[Row]:
    """GET /fapi/v2/balance and v3."""
    asset = asset_row(desk)
    names = ("asset", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount")
    row = {name: asset[name] for name in names}
    more = {"accountAlias": "rf", "balance": asset["walletBalance"], "marginAvailable": True}
    return [{**row, **more, "updateTime": asset["updateTime"]}]


def set_leverage(desk: Desk, params: Params) -> Row:
    """POST /fapi/v1/leverage."""
    symbol, leverage = desk.symbol(params), whole(params, "leverage")
    refused = desk.exchange.request(SetLeverage(symbol, leverage))
    if refused:
        raise leverage_refusal(refused, leverage)
    largest = decimal_text(_largest_notional(desk, symbol, leverage))
    return {"leverage": leverage, "maxNotionalValue": largest, "symbol": desk.ids[symbol]}


def set_margin_type(desk: Desk, params: Params) -> Row:
    """POST /fapi/v1/marginType."""
    symbol, wanted = desk.symbol(params), needed(params, "marginType")
    if wanted not in {"ISOLATED", "CROSSED"}:
        raise ApiError(ILLEGAL_PARAMETER, name="marginType")
    desk.set_margin_type(symbol, wanted)  # pyright: ignore[reportArgumentType]
    return {"code": 200, "msg": "success"}


def set_position_mode(desk: Desk, params: Params) -> Row:
    """POST /fapi/v1/positionSide/dual."""
    needed(params, "dualSidePosition")
    desk.set_hedge(flag(params, "dualSidePosition"))
    return {"code": 200, "msg": "success"}


def position_mode(desk: Desk, _params: Params) -> Row:
    """GET /fapi/v1/positionSide/dual."""
    return {"dualSidePosition": desk.is_hedge}


def asset_mode(_desk: Desk, _params: Params) -> Row:
    """GET /fapi/v1/multiAssetsMargin."""
    return {"multiAssetsMargin": False}


def move_margin(desk: Desk, params: Params) -> Row:
    """POST /fapi/v1/positionMargin: type 1 adds, 2 removes. Not idempotent, as at the venue."""
    symbol, amount, kind = desk.symbol(params), number(params, "amount"), whole(params, "type")
    if kind not in {1, 2}:
        raise ApiError(ILLEGAL_PARAMETER, name="type")
    if amount <= 0.0:
        raise ApiError(AMOUNT_NOT_POSITIVE)
    if not is_on_step(amount, desk.exchange.state.instruments[symbol].margin_step_quote):
        raise ApiError(BAD_PRECISION)
    if desk.margin_type(symbol) != "ISOLATED":
        raise ApiError(ONLY_ISOLATED)
    held = desk.exchange.state.positions.get(symbol)
    if held is None:
        raise ApiError(NO_POSITION)
    wallet = held.isolated_wallet
    action = AddMargin(symbol, wallet + amount) if kind == 1 else ReleaseMargin(symbol, wallet - amount)
    refused = desk.exchange.request(action)
    if refused:
        raise margin_refusal(refused)
    return {"amount": amount, "code": 200, "msg": "Successfully modify position margin.", "type": kind}


def symbol_settings(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v1/symbolConfig."""
    leverage = desk.exchange.state.leverage
    return [
        {
            "symbol": desk.ids[symbol],
            "marginType": desk.margin_type(symbol),
            "isAutoAddMargin": desk.is_auto_add(symbol),
            "leverage": leverage[symbol],
            "maxNotionalValue": decimal_text(_largest_notional(desk, symbol, leverage[symbol])),
        }
        for symbol in desk.chosen(params)
    ]


def account_settings(desk: Desk, _params: Params) -> Row:
    """GET /fapi/v1/accountConfig."""
    return {**_rights(desk), "dualSidePosition": desk.is_hedge, "multiAssetsMargin": False, "updateTime": 0}


def key_rights(desk: Desk, _params: Params) -> Row:
    """GET /sapi/v1/account/apiRestrictions: what the key may do."""
    return {
        "ipRestrict": False,
        "createTime": 1_569_398_400_000,
        "enableReading": True,
        "enableFutures": desk.may_trade,
        "enableWithdrawals": desk.may_withdraw,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableSpotAndMarginTrading": False,
        "enableVanillaOptions": False,
        "permitsUniversalTransfer": False,
    }


def _rights(desk: Desk) -> Row:
    may = {"canTrade": desk.may_trade, "canDeposit": False, "canWithdraw": desk.may_withdraw}
    return {"feeTier": 0, **may, "tradeGroupId": -1}


def commission(desk: Desk, params: Params) -> Row:
    """GET /fapi/v1/commissionRate."""
    symbol = desk.symbol(params)
    instrument = desk.exchange.state.instruments[symbol]
    return {
        "symbol": desk.ids[symbol],
        "makerCommissionRate": decimal_text(instrument.maker_fee_rate),
        "takerCommissionRate": decimal_text(instrument.taker_fee_rate),
    }


def brackets(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v1/leverageBracket."""
    rows = []
    for symbol in desk.chosen(params):
        tiers = desk.exchange.state.instruments[symbol].tiers
        columns = zip(*(column.tolist() for column in tiers), strict=True)
        table = [
            {
                "bracket": index,
                "initialLeverage": int(leverage),
                "notionalCap": cap,
                "notionalFloor": floor,
                "maintMarginRatio": rate,
                "cum": amount,
            }
            for index, (floor, cap, rate, amount, leverage) in enumerate(columns, 1)
        ]
        rows.append({"symbol": desk.ids[symbol], "notionalCoef": 1.0, "brackets": table})
    return rows


def _account_position(row: Row) -> Row:
    names = (
        "symbol positionSide positionAmt isolatedMargin notional isolatedWallet initialMargin maintMargin "
        "updateTime"
    )
    return {**{name: row[name] for name in names.split()}, "unrealizedProfit": row["unRealizedProfit"]}


def _largest_notional(desk: Desk, symbol: str, leverage: int) -> float:
    tiers = desk.exchange.state.instruments[symbol].tiers
    return max(
        (
            cap
            for cap, most in zip(tiers.notional_cap.tolist(), tiers.max_leverage.tolist(), strict=True)
            if most >= leverage
        ),
        default=0.0,
    )
