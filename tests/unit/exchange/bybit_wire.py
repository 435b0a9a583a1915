"""Bybit's replies for the wire: a real ccxt client signs and parses, and the answers are scripted."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from bot.clock import VirtualClock
from bot.core.intent import Action, Intent
from bot.exchange.connect import Connection, connect
from bot.exchange.hosts import Access
from tests.unit.exchange.wire import BASE, BTC, KEYS, START_MS

Answer = Callable[[dict[str, Any]], Any]


class Refusal(NamedTuple):
    """A retCode with HTTP 200."""

    code: int
    message: str = "said no"


class BybitWire:
    """`answers` by "METHOD /path": a result, a Refusal, an exception, or a function of the parameters."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = dict(FLAT_ACCOUNT)
        client.fetch = self.fetch

    async def fetch(self, url: str, method: str, headers: Any = None, body: Any = None) -> Any:
        parts = urlsplit(url)
        params = json.loads(body) if method == "POST" else dict(parse_qsl(parts.query))
        self.requests.append((method, parts.path, params))
        answer = self.answers[f"{method} {parts.path}"]
        answer = answer(params) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        code, message, result = 0, "OK", answer
        if isinstance(answer, Refusal):
            code, message, result = answer.code, answer.message, {}
        value = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": START_MS}
        text = json.dumps(value)
        self.client.handle_errors(200, "", url, method, {}, text, value, headers, body)
        return value

    def sent(self, method: str, path: str) -> list[dict[str, Any]]:
        return [params for verb, where, params in self.requests if (verb, where) == (method, f"/v5/{path}")]

    def writes(self) -> list[str]:
        return [f"{verb} {path}" for verb, path, _ in self.requests if verb != "GET"]

    def holds(self, *rows: dict[str, Any]) -> None:
        """Let the account hold these positions."""
        self.answers["GET /v5/position/list"] = {"list": list(rows), "nextPageCursor": ""}

    def lists(self, path: str, *rows: dict[str, Any]) -> None:
        """Let a list have these rows."""
        self.answers[f"GET /v5/{path}"] = {"list": list(rows), "nextPageCursor": ""}


def wired(clock: VirtualClock | None = None) -> tuple[Connection, BybitWire]:
    """Return a Bybit connection whose requests end in a wire."""
    clock = clock or VirtualClock(START_MS)
    connection = connect("bybit", Access("loopback", BASE), KEYS, (BTC,), clock)
    connection.link.client.milliseconds = clock.now_ms
    return connection, BybitWire(connection.link.client)


def intent(action: Action, client_id: str = "TRAP0000001S") -> Intent:
    return Intent(1, client_id, START_MS, action, "trap", {})


def position_row(size: str = "0.1", balance: str = "100", **more: Any) -> dict[str, Any]:
    return {
        "positionIdx": 0,
        "symbol": "BTCUSDT",
        "side": "Buy" if float(size) else "",
        "size": size,
        "avgPrice": "50000",
        "positionValue": "5000",
        "tradeMode": 0,
        "autoAddMargin": 0,
        "leverage": "10",
        "markPrice": "50500",
        "liqPrice": "49000",
        "positionIM": "505",
        "positionMM": "25",
        "positionBalance": balance if float(size) else "0",
        "unrealisedPnl": "50",
        "createdTime": str(START_MS),
        "updatedTime": str(START_MS),
        **more,
    }


def order_row(client_id: str, **more: Any) -> dict[str, Any]:
    return {
        "orderId": "order-77",
        "orderLinkId": client_id,
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Market",
        "orderStatus": "Filled",
        "qty": "0.1",
        "cumExecQty": "0.1",
        "price": "0",
        "reduceOnly": False,
        "closeOnTrigger": False,
        "stopOrderType": "",
        "triggerDirection": 0,
        "triggerPrice": "",
        "triggerBy": "",
        "createType": "CreateByUser",
        "rejectReason": "EC_NoError",
        "createdTime": str(START_MS),
        **more,
    }


def stop_row(client_id: str, **more: Any) -> dict[str, Any]:
    row = {
        "orderStatus": "Untriggered",
        "side": "Sell",
        "qty": "0",
        "cumExecQty": "0",
        "reduceOnly": True,
        "closeOnTrigger": True,
        "stopOrderType": "Stop",
        "triggerDirection": 2,
        "triggerPrice": "49500",
        "triggerBy": "MarkPrice",
    }
    return order_row(client_id, **{**row, "orderId": "order-88", **more})


def execution_row(number: int, order_id: str, **more: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": order_id,
        "orderLinkId": "",
        "side": "Buy",
        "execId": f"exec-{number}",
        "execType": "Trade",
        "execPrice": "50000",
        "execQty": "0.1",
        "execFee": "2.5",
        "feeRate": "0.0005",
        "feeCurrency": "USDT",
        "execTime": str(START_MS + 1_000),
        "isMaker": False,
        "closedSize": "0",
        **more,
    }


_INSTRUMENT = {
    "symbol": "BTCUSDT",
    "contractType": "LinearPerpetual",
    "status": "Trading",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "launchTime": "1584230400000",
    "deliveryTime": "0",
    "priceScale": "1",
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "100", "leverageStep": "0.01"},
    "priceFilter": {"minPrice": "0.1", "maxPrice": "1000000", "tickSize": "0.1"},
    "lotSizeFilter": {
        "maxOrderQty": "1000",
        "minOrderQty": "0.001",
        "qtyStep": "0.001",
        "minNotionalValue": "5",
    },
    "fundingInterval": 480,
}
_TIER = {"symbol": "BTCUSDT", "initialMargin": "0.01"}
TIERS = [
    {
        **_TIER,
        "id": 1,
        "riskLimitValue": "2000000",
        "maintenanceMargin": "0.005",
        "maxLeverage": "100",
        "mmDeduction": "",
    },
    {
        **_TIER,
        "id": 2,
        "riskLimitValue": "4000000",
        "maintenanceMargin": "0.01",
        "maxLeverage": "50",
        "mmDeduction": "10000",
    },
]
_COIN = {
    "coin": "USDT",
    "equity": "10050",
    "walletBalance": "10000",
    "totalPositionIM": "100",
    "totalOrderIM": "25",
    "locked": "0",
    "unrealisedPnl": "50",
}
_NOTHING: dict[str, Any] = {"list": [], "nextPageCursor": ""}
_FEES = {"symbol": "BTCUSDT", "takerFeeRate": "0.00055", "makerFeeRate": "0.0002"}


def _instruments(params: dict[str, Any]) -> dict[str, Any]:
    rows = [] if params.get("status") == "PreLaunch" else [_INSTRUMENT]
    return {"category": "linear", "list": rows, "nextPageCursor": ""}


FLAT_ACCOUNT: dict[str, Any] = {
    "GET /v5/market/orderbook": {"ts": START_MS},
    "GET /v5/market/instruments-info": _instruments,
    "GET /v5/market/risk-limit": {"category": "linear", "list": TIERS, "nextPageCursor": ""},
    "GET /v5/account/fee-rate": {"list": [_FEES]},
    "GET /v5/account/info": {"marginMode": "ISOLATED_MARGIN", "unifiedMarginStatus": 6},
    "GET /v5/account/wallet-balance": {
        "list": [{"accountType": "UNIFIED", "totalAvailableBalance": "", "coin": [_COIN]}]
    },
    "GET /v5/position/list": {"list": [position_row("0")], "nextPageCursor": ""},
    "GET /v5/order/realtime": _NOTHING,
    "GET /v5/order/history": _NOTHING,
    "GET /v5/execution/list": _NOTHING,
    "GET /v5/account/transaction-log": _NOTHING,
    "GET /v5/market/funding/history": _NOTHING,
}
