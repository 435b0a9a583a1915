"""KuCoin futures' replies, in the form of its documents, for a scripted account. A contract is 0.001 BTC."""

from typing import Any

from tests.unit.exchange.recorder import START_MS
from tests.unit.exchange.scripted_venue import Fill, Refusal, Resting, ScriptedAccount, ScriptedVenue

SIZE = 0.001
CONTRACT = {
    "symbol": "XBTUSDTM", "rootSymbol": "USDT", "type": "FFWCSX", "baseCurrency": "XBT",
    "quoteCurrency": "USDT", "settleCurrency": "USDT", "maxOrderQty": 1000000, "maxPrice": 1000000.0,
    "lotSize": 1, "tickSize": 0.1, "nextFundingRateTime": 1, "multiplier": SIZE, "makerFeeRate": 0.0002,
    "takerFeeRate": 0.0006, "isInverse": False, "status": "Open", "maxLeverage": 125, "expireDate": None,
}  # fmt: skip
TIER = {"symbol": "XBTUSDTM", "level": 1, "maxRiskLimit": 300000, "minRiskLimit": 0, "maxLeverage": 125,
        "initialMargin": 0.008, "maintainMargin": 0.004}  # fmt: skip
UNKNOWN = Refusal({"code": "100001", "msg": "error.getOrder.orderNotExist"})
SETTLED_MS = START_MS - 3_600_000


def said(data: Any) -> dict[str, Any]:
    return {"code": "200000", "data": data}


def contracts(quantity: float) -> int:
    return round(quantity / SIZE)


def side_name(side: int) -> str:
    return "buy" if side > 0 else "sell"


def fill_row(fill: Fill, **more: Any) -> dict[str, Any]:
    return {
        "symbol": "XBTUSDTM", "tradeId": str(fill.trade_id), "orderId": fill.venue_id,
        "side": side_name(fill.side), "liquidity": "taker", "forceTaker": False, "price": str(fill.price),
        "size": contracts(fill.quantity), "value": str(fill.price * fill.quantity),
        "openFeePay": str(fill.fee_quote), "closeFeePay": "0", "stop": "", "feeRate": "0.00060",
        "fixFee": "0", "feeCurrency": "USDT", "marginMode": "ISOLATED", "settleCurrency": "USDT",
        "fee": str(fill.fee_quote), "orderType": "market", "displayType": "market", "tradeType": "trade",
        "subTradeType": None, "tradeTime": fill.ts_ms * 1_000_000 + 17, "createdAt": fill.ts_ms + 160, **more,
    }  # fmt: skip


def order_row(fill: Fill, **more: Any) -> dict[str, Any]:
    return {
        "id": fill.venue_id, "symbol": "XBTUSDTM", "type": "market", "side": side_name(fill.side),
        "price": None, "size": contracts(fill.quantity), "dealSize": contracts(fill.quantity), "stp": "",
        "stop": "", "stopPriceType": "", "stopTriggered": False, "stopPrice": None, "timeInForce": "GTC",
        "leverage": "10", "closeOrder": False, "clientOid": fill.client_id, "isActive": False,
        "cancelExist": False, "createdAt": fill.ts_ms, "settleCurrency": "USDT", "status": "done",
        "filledSize": contracts(fill.quantity), "reduceOnly": False, "marginMode": "ISOLATED", **more,
    }  # fmt: skip


def stop_row(order: Resting, **more: Any) -> dict[str, Any]:
    return {
        "id": order.venue_id, "symbol": "XBTUSDTM", "type": "market", "side": side_name(order.side),
        "price": None, "size": contracts(order.quantity) or None, "dealSize": 0, "stp": "",
        "stop": "down" if order.side < 0 else "up", "stopPriceType": "MP", "stopTriggered": False,
        "stopPrice": str(order.trigger_price), "timeInForce": "GTC", "leverage": "10",
        "closeOrder": not order.quantity, "clientOid": order.client_id, "isActive": True,
        "cancelExist": False, "createdAt": START_MS, "settleCurrency": "USDT", "status": "open",
        "filledSize": 0, "reduceOnly": bool(order.quantity), "marginMode": "ISOLATED", **more,
    }  # fmt: skip


def position_row(account: ScriptedAccount) -> dict[str, Any]:
    return {
        "symbol": "XBTUSDTM", "currentQty": round(account.signed / SIZE), "isOpen": True,
        "avgEntryPrice": account.entry_price, "posMargin": account.wallet,
        "maintMargin": account.wallet + 7.0,
        "leverage": account.leverage, "realLeverage": 9.7, "marginMode": "ISOLATED", "crossMode": False,
        "positionSide": "BOTH", "openingTimestamp": START_MS, "markPrice": account.price,
        "autoDeposit": account.is_auto_add,
    }  # fmt: skip


class Script:
    """Answers for an account, changed by what is sent."""

    def __init__(self, account: ScriptedAccount) -> None:
        self._account = account

    def venue(self) -> ScriptedVenue:
        return ScriptedVenue("kucoinfutures", self.answers())

    def answers(self) -> dict[str, Any]:
        """Return what each endpoint says."""
        account = self._account
        reads: dict[str, Any] = {
            "v1/contracts/active": lambda _: said([CONTRACT]),
            "v1/contracts/risk-limit/XBTUSDTM": lambda _: said([TIER]),
            "v1/trade-fees": lambda _: said({"takerFeeRate": "0.0006", "makerFeeRate": "0.0002"}),
            "v1/funding-rate/XBTUSDTM/current": lambda _: said(
                {"granularity": 28_800_000, "timePoint": SETTLED_MS, "value": 0.0001}
            ),
            "v1/account-overview": lambda _: said(
                {"accountEquity": account.free + account.wallet, "unrealisedPNL": 0,
                 "availableBalance": account.free}
            ),
            "v1/positions": lambda _: said([position_row(account)] if account.signed else []),
            "v1/position": lambda _: said(position_row(account)),
            "v2/position/getMarginMode": lambda _: said({"symbol": "XBTUSDTM", "marginMode": "ISOLATED"}),
            "v2/position/getPositionMode": lambda _: said({"positionMode": 0}),
            "v1/orders": lambda _: said({"items": [], "totalPage": 1}),
            "v1/stopOrders": lambda _: said(
                {"items": [stop_row(stop) for stop in account.stops.values()], "totalPage": 1}
            ),
            "v1/orders/byClientOid": self._order,
            "v1/recentFills": lambda _: said([fill_row(fill) for fill in reversed(account.fills)]),
            "v1/fills": lambda _: said({"items": [], "totalPage": 1}),
            "v1/funding-history": lambda _: said({"dataList": [], "hasMore": False}),
        }  # fmt: skip
        return {
            **{f"GET /api/{path}": answer for path, answer in reads.items()},
            "POST /api/v1/orders": self._trade,
            "POST /api/v1/position/margin/deposit-margin": self._deposit,
            "POST /api/v1/position/margin/auto-deposit-status": self._switch,
        }

    def _trade(self, sent: dict[str, Any]) -> Any:
        account, side = self._account, 1 if sent["side"] == "buy" else -1
        quantity = sent.get("size", 0) * SIZE
        if "stopPrice" in sent:
            venue_id = account.rest(sent["clientOid"], side, quantity, float(sent["stopPrice"]))
        else:
            venue_id = account.trade(sent["clientOid"], side, quantity)
        return said({"orderId": venue_id, "clientOid": sent["clientOid"]})

    def _deposit(self, sent: dict[str, Any]) -> Any:
        self._account.move_margin(float(sent["margin"]))
        return said({"id": "1", "symbol": "XBTUSDTM", "posMargin": self._account.wallet})

    def _switch(self, sent: dict[str, Any]) -> Any:
        self._account.is_auto_add = sent["status"]
        return said(True)

    def _order(self, asked: dict[str, Any]) -> Any:
        account = self._account
        for fill in account.fills:
            if fill.client_id == asked["clientOid"]:
                return said(order_row(fill))
        for stop in account.stops.values():
            if stop.client_id == asked["clientOid"]:
                return said(stop_row(stop))
        for stop in account.ended.values():
            if stop.client_id == asked["clientOid"]:
                return said(stop_row(stop, isActive=False, cancelExist=True, status="done"))
        return UNKNOWN
