"""Bitget's replies, in the form of its v2 documents, for a scripted account."""

from typing import Any

from tests.unit.exchange.recorder import START_MS
from tests.unit.exchange.scripted_venue import Fill, Refusal, Resting, ScriptedAccount, ScriptedVenue

MIX = "/api/v2/mix"
CONTRACT = {
    "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "supportMarginCoins": ["USDT"],
    "makerFeeRate": "0.0002", "takerFeeRate": "0.0006", "minTradeNum": "0.001", "priceEndStep": "1",
    "volumePlace": "3", "pricePlace": "1", "sizeMultiplier": "0.001", "symbolType": "perpetual",
    "minTradeUSDT": "5", "symbolStatus": "normal", "minLever": "1", "maxLever": "125",
    "offTime": "-1", "limitOpenTime": "-1", "fundInterval": "8",
}  # fmt: skip
TIER = {"symbol": "BTCUSDT", "level": "1", "startUnit": "0", "endUnit": "150000", "leverage": "125",
        "keepMarginRate": "0.004"}  # fmt: skip
UNKNOWN = Refusal({"code": "40109", "msg": "The data of the order cannot be found", "data": None}, 400)


def said(data: Any) -> dict[str, Any]:
    return {"code": "00000", "msg": "success", "requestTime": START_MS, "data": data}


def fill_row(fill: Fill, **more: Any) -> dict[str, Any]:
    fee = {"deduction": "no", "feeCoin": "USDT", "totalDeductionFee": "0", "totalFee": str(-fill.fee_quote)}
    side = "buy" if fill.side > 0 else "sell"
    return {
        "tradeId": str(fill.trade_id), "symbol": "BTCUSDT", "orderId": fill.venue_id,
        "price": str(fill.price), "baseVolume": str(fill.quantity), "feeDetail": [fee], "side": side,
        "quoteVolume": str(fill.price * fill.quantity), "profit": str(fill.realised_quote),
        "enterPointSource": "api", "tradeSide": f"{side}_single", "posMode": "one_way_mode",
        "tradeScope": "taker", "cTime": str(fill.ts_ms), **more,
    }  # fmt: skip


def detail_row(fill: Fill, **more: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "size": str(fill.quantity), "orderId": fill.venue_id,
        "clientOid": fill.client_id, "baseVolume": str(fill.quantity), "priceAvg": str(fill.price),
        "fee": str(-fill.fee_quote), "price": "", "state": "filled",
        "side": "buy" if fill.side > 0 else "sell", "force": "ioc", "totalProfits": "0", "posSide": "net",
        "marginCoin": "USDT", "orderType": "market", "leverage": "10", "marginMode": "isolated",
        "reduceOnly": "NO", "posMode": "one_way_mode", "orderSource": "market", "cTime": str(fill.ts_ms),
        "uTime": str(fill.ts_ms), **more,
    }  # fmt: skip


def plan_row(stop: Resting, status: str = "live", **more: Any) -> dict[str, Any]:
    return {
        "planType": "loss_plan" if stop.quantity else "pos_loss", "symbol": "BTCUSDT",
        "size": str(stop.quantity or ""), "orderId": stop.venue_id, "clientOid": stop.client_id,
        "price": "0", "executePrice": "0", "callbackRatio": "", "triggerPrice": str(stop.trigger_price),
        "triggerType": "mark_price", "planStatus": status, "side": "buy" if stop.side > 0 else "sell",
        "posSide": "net", "marginCoin": "USDT", "marginMode": "isolated", "enterPointSource": "API",
        "tradeSide": "close", "posMode": "one_way_mode", "orderType": "market",
        "cTime": str(START_MS), "uTime": str(START_MS), **more,
    }  # fmt: skip


def position_row(account: ScriptedAccount) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "marginCoin": "USDT", "holdSide": "long" if account.signed > 0 else "short",
        "total": str(abs(account.signed)), "available": str(abs(account.signed)),
        "openPriceAvg": str(account.entry_price), "marginSize": str(account.wallet),
        "leverage": str(account.leverage), "marginMode": "isolated", "posMode": "one_way_mode",
        "unrealizedPL": "0", "liquidationPrice": "45000", "keepMarginRate": "0.004",
        "autoMargin": "on" if account.is_auto_add else "off",
        "markPrice": str(account.price), "cTime": str(START_MS), "uTime": str(START_MS),
    }  # fmt: skip


class Script:
    """Answers for an account, changed by what is sent."""

    def __init__(self, account: ScriptedAccount) -> None:
        self._account = account

    def venue(self) -> ScriptedVenue:
        return ScriptedVenue("bitget", self.answers())

    def answers(self) -> dict[str, Any]:
        """Return what each endpoint says."""
        account = self._account
        equity = {"marginCoin": "USDT", "unrealizedPL": "0", "locked": "0"}
        settings = {"marginMode": "isolated", "posMode": "one_way_mode", "isolatedLongLever": "10",
                    "isolatedShortLever": "10"}  # fmt: skip
        reads: dict[str, Any] = {
            "market/contracts": lambda _: said([CONTRACT]),
            "market/query-position-lever": lambda _: said([TIER]),
            "account/account": lambda _: said(settings),
            "account/accounts": lambda _: said(
                [{**equity, "available": str(account.free), "isolatedMaxAvailable": str(account.free),
                  "accountEquity": str(account.free + account.wallet)}]
            ),
            "position/all-position": lambda _: said([position_row(account)] if account.signed else []),
            "position/single-position": lambda _: said([position_row(account)] if account.signed else []),
            "order/orders-pending": lambda _: said({"entrustedList": None, "endId": None}),
            "order/orders-plan-pending": self._plans,
            "order/orders-plan-history": self._ended_plans,
            "order/detail": self._detail,
            "order/fills": lambda _: said(
                {"fillList": [fill_row(fill) for fill in reversed(account.fills)], "endId": "1"}
            ),
            "account/bill": lambda _: said({"bills": [], "endId": None}),
        }  # fmt: skip
        writes = {
            "order/place-order": self._trade,
            "order/place-tpsl-order": self._rest,
            "account/set-margin": self._move,
            "account/set-auto-margin": self._switch,
        }
        rates = {"makerFeeRate": "0.0002", "takerFeeRate": "0.0006"}
        return {
            "GET /api/v2/common/trade-rate": said(rates),
            **{f"GET {MIX}/{path}": answer for path, answer in reads.items()},
            **{f"POST {MIX}/{path}": answer for path, answer in writes.items()},
        }

    def _trade(self, sent: dict[str, Any]) -> Any:
        side = 1 if sent["side"] == "buy" else -1
        venue_id = self._account.trade(sent["clientOid"], side, float(sent["size"]))
        return said({"orderId": venue_id, "clientOid": sent["clientOid"]})

    def _rest(self, sent: dict[str, Any]) -> Any:
        side = -1 if sent["holdSide"] == "buy" else 1
        quantity, price = float(sent.get("size") or 0.0), float(sent["triggerPrice"])
        venue_id = self._account.rest(sent["clientOid"], side, quantity, price)
        return said({"orderId": venue_id, "clientOid": sent["clientOid"]})

    def _move(self, sent: dict[str, Any]) -> Any:
        self._account.move_margin(float(sent["amount"]))
        return said("")

    def _switch(self, sent: dict[str, Any]) -> Any:
        self._account.is_auto_add = sent["autoMargin"] == "on"
        return said("success")

    def _detail(self, asked: dict[str, Any]) -> Any:
        for fill in self._account.fills:
            if asked.get("orderId") == fill.venue_id or asked.get("clientOid") == fill.client_id:
                return said(detail_row(fill))
        return UNKNOWN

    def _plans(self, _asked: dict[str, Any]) -> Any:
        rows = [plan_row(stop) for stop in self._account.stops.values()]
        return said({"entrustedList": rows, "endId": None})

    def _ended_plans(self, _asked: dict[str, Any]) -> Any:
        rows = [plan_row(stop, "cancelled") for stop in self._account.ended.values()]
        return said({"entrustedList": rows, "endId": None})
