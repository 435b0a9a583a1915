"""A wire that ends in this process: a real ccxt client signs and parses, and the answers are scripted."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from bot.clock import VirtualClock
from bot.exchange.connect import Connection, Credentials, connect
from bot.exchange.hosts import Access

KEYS = Credentials("CANARYKEY0123456789", "CANARYSECRET0123456789")
BASE = "http://127.0.0.1:1"
BTC = "BTC/USDT:USDT"
START_MS = 1_700_000_000_000

Answer = Callable[[dict[str, str]], Any]


class Request(NamedTuple):
    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]


class Reply(NamedTuple):
    """An HTTP answer that is not a 200."""

    status: int
    body: Any
    headers: dict[str, str] = {}  # noqa: RUF012


class Wire:
    """`answers` by "METHOD /path": a value, a Reply, an exception, or a function of the parameters."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.requests: list[Request] = []
        self.answers: dict[str, Any] = dict(FLAT_ACCOUNT)
        client.fetch = self.fetch

    async def fetch(self, url: str, method: str, headers: Any = None, body: Any = None) -> Any:
        parts = urlsplit(url)
        text = parts.query if method in ("GET", "DELETE") else (body or "")
        request = Request(method, parts.path, dict(parse_qsl(text)), dict(headers or {}))
        self.requests.append(request)
        answer = self.answers[f"{method} {parts.path}"]
        answer = answer(request.params) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        reply = answer if isinstance(answer, Reply) else Reply(200, answer)
        return self._taken(reply, url, method, request)

    def _taken(self, reply: Reply, url: str, method: str, request: Request) -> Any:
        """Do what ccxt's own fetch does with a reply."""
        client, text = self.client, json.dumps(reply.body)
        client.on_rest_response(
            reply.status, "", url, method, reply.headers, text, request.headers, request.params
        )
        parsed = client.parse_json(text)
        client.handle_errors(reply.status, "", url, method, reply.headers, text, parsed, {}, {})
        client.handle_http_status_code(reply.status, "", url, method, text)
        return parsed

    def sent(self, method: str, path: str) -> list[dict[str, str]]:
        return [each.params for each in self.requests if (each.method, each.path) == (method, path)]

    def writes(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.requests if each.method != "GET"]


def wired(clock: VirtualClock | None = None) -> tuple[Connection, Wire]:
    """Return a Binance connection whose requests end in a Wire."""
    clock = clock or VirtualClock(START_MS)
    connection = connect("binanceusdm", Access("loopback", BASE), KEYS, (BTC,), clock)
    return connection, Wire(connection.link.client)


def error(code: int, message: str = "said no", status: int = 400) -> Reply:
    return Reply(status, {"code": code, "msg": message})


def position_row(amount: str = "0.100", wallet: str = "100.00000000", **more: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "positionSide": "BOTH",
        "positionAmt": amount,
        "entryPrice": "50000.0",
        "breakEvenPrice": "50000.0",
        "markPrice": "50500.0",
        "unRealizedProfit": "50.0",
        "liquidationPrice": "49000",
        "isolatedMargin": "150.00000000",
        "notional": "5050",
        "marginAsset": "USDT",
        "isolatedWallet": wallet,
        "initialMargin": "505",
        "maintMargin": "20.2",
        "updateTime": START_MS,
        **more,
    }


def order_row(client_id: str, **more: Any) -> dict[str, Any]:
    return {
        "orderId": 77,
        "clientOrderId": client_id,
        "symbol": "BTCUSDT",
        "status": "FILLED",
        "side": "BUY",
        "type": "MARKET",
        "origType": "MARKET",
        "timeInForce": "GTC",
        "origQty": "0.100",
        "executedQty": "0.100",
        "avgPrice": "50000.0",
        "price": "0",
        "cumQuote": "5000",
        "reduceOnly": False,
        "closePosition": False,
        "stopPrice": "0",
        "positionSide": "BOTH",
        "workingType": "CONTRACT_PRICE",
        "time": START_MS,
        "updateTime": START_MS,
        **more,
    }


def algo_row(client_id: str, **more: Any) -> dict[str, Any]:
    return {
        "algoId": 88,
        "clientAlgoId": client_id,
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "positionSide": "BOTH",
        "timeInForce": "GTC",
        "quantity": "0",
        "algoStatus": "NEW",
        "triggerPrice": "49500.0",
        "price": "0",
        "workingType": "MARK_PRICE",
        "closePosition": True,
        "reduceOnly": False,
        "createTime": START_MS,
        "updateTime": START_MS,
        "triggerTime": 0,
        "actualOrderId": "",
        **more,
    }


def trade_row(trade_id: int, order_id: int, **more: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "id": trade_id,
        "orderId": order_id,
        "side": "BUY",
        "price": "50000.0",
        "qty": "0.100",
        "quoteQty": "5000",
        "realizedPnl": "0",
        "commission": "2.5",
        "commissionAsset": "USDT",
        "time": START_MS + 1_000,
        "positionSide": "BOTH",
        "buyer": True,
        "maker": False,
        **more,
    }


_FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "1000000", "tickSize": "0.10"},
    {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
    {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
    {"filterType": "MIN_NOTIONAL", "notional": "50"},
]
_ORDER_TYPES = "LIMIT MARKET STOP STOP_MARKET TAKE_PROFIT TAKE_PROFIT_MARKET TRAILING_STOP_MARKET"
_SYMBOL = {
    "symbol": "BTCUSDT",
    "pair": "BTCUSDT",
    "contractType": "PERPETUAL",
    "deliveryDate": 4133404800000,
    "onboardDate": 1569398400000,
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "pricePrecision": 2,
    "quantityPrecision": 3,
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "liquidationFee": "0.012500",
    "orderTypes": _ORDER_TYPES.split(),
    "filters": _FILTERS,
}
_BRACKETS = [
    {
        "symbol": "BTCUSDT",
        "brackets": [
            {
                "bracket": 1,
                "initialLeverage": 150,
                "notionalCap": 300000,
                "notionalFloor": 0,
                "maintMarginRatio": 0.004,
                "cum": 0.0,
            },
            {
                "bracket": 2,
                "initialLeverage": 100,
                "notionalCap": 800000,
                "notionalFloor": 300000,
                "maintMarginRatio": 0.005,
                "cum": 300.0,
            },
        ],
    }
]
_CONFIG = [
    {
        "symbol": "BTCUSDT",
        "marginType": "ISOLATED",
        "isAutoAddMargin": False,
        "leverage": 10,
        "maxNotionalValue": "1",
    }
]
_ACCOUNT = {
    "assets": [
        {
            "asset": "USDT",
            "walletBalance": "10000.0",
            "marginBalance": "10050.0",
            "initialMargin": "505",
            "availableBalance": "9900.0",
            "updateTime": START_MS,
        }
    ],
    "positions": [],
}

FLAT_ACCOUNT: dict[str, Any] = {
    "GET /fapi/v1/exchangeInfo": {"symbols": [_SYMBOL]},
    "GET /fapi/v1/time": {"serverTime": START_MS},
    "GET /fapi/v1/leverageBracket": _BRACKETS,
    "GET /fapi/v1/fundingInfo": [],
    "GET /fapi/v1/commissionRate": {
        "symbol": "BTCUSDT",
        "makerCommissionRate": "0.0002",
        "takerCommissionRate": "0.0005",
    },
    "GET /fapi/v1/symbolConfig": _CONFIG,
    "GET /fapi/v1/positionSide/dual": {"dualSidePosition": False},
    "GET /fapi/v3/account": _ACCOUNT,
    "GET /fapi/v3/positionRisk": [],
    "GET /fapi/v1/openOrders": [],
    "GET /fapi/v1/openAlgoOrders": [],
    "GET /fapi/v1/userTrades": [],
    "GET /fapi/v1/income": [],
    "GET /fapi/v1/fundingRate": [],
    "GET /fapi/v1/order": error(-2013, "Order does not exist."),
    "GET /fapi/v1/algoOrder": error(-2013, "Order does not exist."),
}
