"""The account: balances, margin mode, permissions, fees."""

from bot.core.margin import maintenance_margin, unrealised_pnl
from bot.sim.server.bybit.desk import COIN, MARGIN_MODES, Desk
from bot.sim.server.bybit.errors import INVALID_PARAMETER, ApiError
from bot.sim.server.bybit.wire import Params, Row, needed
from bot.sim.server.decimals import decimal_text


def wallet_balance(desk: Desk, params: Params) -> Row:
    """GET /v5/account/wallet-balance. In isolated margin mode the account's totals are empty."""
    if needed(params, "accountType") != "UNIFIED":
        raise ApiError(INVALID_PARAMETER, why="accountType only support UNIFIED")
    return {"list": [wallet_row(desk)]}


def wallet_row(desk: Desk) -> Row:
    """Return the account with its one coin; walletBalance has no unrealised PnL."""
    coin = _coin_row(desk)
    empty = "accountIMRate accountMMRate totalAvailableBalance totalInitialMargin totalMaintenanceMargin"
    return {
        "accountType": "UNIFIED",
        **dict.fromkeys(empty.split(), ""),
        "totalMarginBalance": "",
        "totalEquity": coin["equity"],
        "totalWalletBalance": coin["walletBalance"],
        "totalPerpUPL": coin["unrealisedPnl"],
        "coin": [coin],
    }


def _coin_row(desk: Desk) -> Row:
    state = desk.exchange.state
    wallet, pnl, maintenance = state.ledger.trader_quote(), 0.0, 0.0
    isolated = sum(held.isolated_wallet for held in state.positions.values())
    for held in state.positions.values():
        rules, mark = state.rules[held.symbol], desk.exchange.prices.of(held.symbol).mark
        pnl += unrealised_pnl(held, mark, rules)
        maintenance += maintenance_margin(held, mark, rules)
    reserved = max(wallet - state.free_quote - isolated, 0.0)
    equity = decimal_text(wallet + pnl)
    return {
        "coin": COIN,
        "equity": equity,
        "usdValue": equity,
        "walletBalance": decimal_text(wallet),
        "totalPositionIM": decimal_text(isolated),
        "totalOrderIM": decimal_text(reserved),
        "totalPositionMM": decimal_text(maintenance),
        "unrealisedPnl": decimal_text(pnl),
        "cumRealisedPnl": "0",
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "locked": "0",
        "bonus": "0",
        "marginCollateral": True,
        "collateralSwitch": True,
    }


def info(desk: Desk, _params: Params) -> Row:
    """GET /v5/account/info."""
    return {
        "marginMode": desk.margin_mode,
        "unifiedMarginStatus": 6,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "updatedTime": str(desk.clock.now_ms()),
    }


def set_margin_mode(desk: Desk, params: Params) -> Row:
    """POST /v5/account/set-margin-mode: for every symbol at once."""
    wanted = needed(params, "setMarginMode")
    if wanted not in MARGIN_MODES:
        raise ApiError(INVALID_PARAMETER, why="setMarginMode is invalid")
    desk.set_margin_mode(wanted)  # pyright: ignore[reportArgumentType]
    return {"reasons": []}


def key_rights(desk: Desk, _params: Params) -> Row:
    """GET /v5/user/query-api: what the key may do."""
    rights = ["Order", "Position"] if desk.may_trade else []
    return {
        "id": "1",
        "note": "paper",
        "readOnly": 0 if desk.may_trade else 1,
        "permissions": {
            "ContractTrade": rights,
            "Derivatives": ["DerivativesTrade"] if desk.may_trade else [],
            "Wallet": ["AccountTransfer", *(["Withdraw"] if desk.may_withdraw else [])],
            "Spot": [],
            "Options": [],
            "Exchange": [],
        },
        "ips": ["*"],
        "type": 1,
        "unified": 0,
        "uta": 1,
        "isMaster": True,
        "userID": 1,
    }


def fee_rates(desk: Desk, params: Params) -> Row:
    """GET /v5/account/fee-rate."""
    rows = []
    for symbol in desk.chosen(params):
        instrument = desk.exchange.state.instruments[symbol]
        taker, maker = decimal_text(instrument.taker_fee_rate), decimal_text(instrument.maker_fee_rate)
        rows.append({"symbol": desk.ids[symbol], "takerFeeRate": taker, "makerFeeRate": maker})
    return {"list": rows}


def transferable(desk: Desk, _params: Params) -> Row:
    """GET /v5/account/withdrawal: what is free."""
    free = decimal_text(desk.exchange.state.free_quote)
    return {"availableWithdrawal": free, "availableWithdrawalMap": {COIN: free}}
