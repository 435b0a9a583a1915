"""A scripted wire for OKX: a real ccxt client signs and parses, and the answers are rows given by a test."""

import json
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from bot.clock import VirtualClock
from bot.core.intent import Action, Intent
from bot.exchange.connect import Connection, Credentials, connect
from bot.exchange.hosts import Access

KEYS = Credentials("CANARYKEY0123456789", "CANARYSECRET0123456789", "CANARYPASSPHRASE")
BTC = "BTC/USDT:USDT"
NAME = "BTC-USDT-SWAP"
START_MS = 1_700_000_000_000
STOP, ENTRY = "TRAP0000001S", "TRAP0000001E"


class Request(NamedTuple):
    method: str
    path: str
    params: Any
    headers: dict[str, str]


class OkxWire:
    """`answers` by "METHOD path" (without /api/v5): rows, a whole reply, or a function of the parameters."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.requests: list[Request] = []
        self.answers: dict[str, Any] = dict(FLAT)
        client.fetch = self.fetch

    async def fetch(self, url: str, method: str, headers: Any = None, body: Any = None) -> Any:
        parts = urlsplit(url)
        params = json.loads(body) if body else dict(parse_qsl(parts.query))
        path = parts.path.removeprefix("/api/v5/")
        self.requests.append(Request(method, path, params, dict(headers or {})))
        answer = self.answers[f"{method} {path}"]
        answer = answer(params) if callable(answer) else answer
        reply = answer if isinstance(answer, dict) else {"code": "0", "msg": "", "data": answer}
        text = json.dumps(reply)
        self.client.on_rest_response(200, "", url, method, {}, text, headers, body)
        self.client.handle_errors(200, "", url, method, {}, text, reply, headers, body)
        return reply

    def sent(self, method: str, path: str) -> list[Any]:
        return [each.params for each in self.requests if (each.method, each.path) == (method, path)]


def wired(clock: VirtualClock | None = None) -> tuple[Connection, OkxWire]:
    """Return an OKX connection whose requests end in an OkxWire."""
    clock = clock or VirtualClock(START_MS)
    connection = connect("okx", Access("loopback", "http://127.0.0.1:1"), KEYS, (BTC,), clock)
    return connection, OkxWire(connection.link.client)


def refused(code: str, words: str = "said no") -> dict[str, Any]:
    """Return the reply of an account request that was refused."""
    return {"code": code, "msg": words, "data": []}


def row_refused(code: str, top: str = "1") -> dict[str, Any]:
    """Return the reply of an order request that was refused: the code is in the row."""
    row = {"ordId": "", "clOrdId": "", "algoId": "", "algoClOrdId": "", "sCode": code, "sMsg": "said no"}
    return {"code": top, "msg": "All operations failed", "data": [row]}


def position_row(contracts: str = "10", margin: str = "100", **more: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP",
        "instId": NAME,
        "mgnMode": "isolated",
        "posSide": "net",
        "pos": contracts,
        "avgPx": "50000",
        "markPx": "50500",
        "upl": "50",
        "lever": "10",
        "liqPx": "49000",
        "margin": margin,
        "imr": "",
        "mmr": "20",
        "mgnRatio": "6.1",
        "notionalUsd": "5050",
        "ccy": "USDT",
        "cTime": str(START_MS),
        "uTime": str(START_MS),
        **more,
    }


def order_row(client_id: str, venue_id: str = "77", **more: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP",
        "instId": NAME,
        "ordId": venue_id,
        "clOrdId": client_id,
        "algoClOrdId": "",
        "ordType": "market",
        "side": "buy",
        "posSide": "net",
        "tdMode": "isolated",
        "sz": "10",
        "px": "",
        "accFillSz": "10",
        "avgPx": "50000",
        "state": "filled",
        "category": "normal",
        "reduceOnly": "false",
        "cTime": str(START_MS),
        "uTime": str(START_MS),
        **more,
    }


def algo_row(client_id: str, venue_id: str = "88", **more: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP",
        "instId": NAME,
        "algoId": venue_id,
        "algoClOrdId": client_id,
        "clOrdId": "",
        "ordType": "conditional",
        "side": "sell",
        "posSide": "net",
        "tdMode": "isolated",
        "sz": "",
        "closeFraction": "1",
        "state": "live",
        "slTriggerPx": "49500",
        "slTriggerPxType": "mark",
        "slOrdPx": "-1",
        "tpTriggerPx": "",
        "reduceOnly": "true",
        "ordId": "",
        "ordIdList": [],
        "cTime": str(START_MS),
        "uTime": str(START_MS),
        **more,
    }


def fill_row(trade_id: int, order_id: str, **more: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP",
        "instId": NAME,
        "tradeId": str(trade_id),
        "ordId": order_id,
        "clOrdId": "",
        "billId": str(1_000_000 + trade_id),
        "fillPx": "50000",
        "fillSz": "10",
        "fillPnl": "0",
        "side": "buy",
        "posSide": "net",
        "execType": "T",
        "feeCcy": "USDT",
        "fee": "-2.5",
        "ts": str(START_MS + 1_000),
        "fillTime": str(START_MS + 1_000),
        **more,
    }


def bill_row(number: int, ts_ms: int, **more: Any) -> dict[str, Any]:
    return {
        "instId": NAME,
        "billId": str(number),
        "type": "8",
        "subType": "173",
        "balChg": "0",
        "posBalChg": "-0.5",
        "px": "50000",
        "ts": str(ts_ms),
        **more,
    }


INSTRUMENT = {
    "instType": "SWAP",
    "instId": NAME,
    "instFamily": "BTC-USDT",
    "uly": "BTC-USDT",
    "baseCcy": "",
    "quoteCcy": "",
    "settleCcy": "USDT",
    "ctVal": "0.01",
    "ctMult": "1",
    "ctValCcy": "BTC",
    "ctType": "linear",
    "lever": "100",
    "tickSz": "0.1",
    "lotSz": "0.1",
    "minSz": "0.1",
    "state": "live",
    "listTime": "1573557408000",
    "expTime": "",
}
TIERS = [
    {"tier": "1", "minSz": "0", "maxSz": "1000", "mmr": "0.004", "imr": "0.01", "maxLever": "100"},
    {"tier": "2", "minSz": "1000.1", "maxSz": "3000", "mmr": "0.01", "imr": "0.02", "maxLever": "50"},
]
BALANCE = {
    "ccy": "USDT",
    "eq": "10050.3",
    "cashBal": "9900.1",
    "availEq": "9899.9",
    "availBal": "9899.9",
    "frozenBal": "150.4",
    "isoEq": "150.2",
    "upl": "50.1",
}
_FUNDING = {
    "instId": NAME,
    "fundingRate": "0.0001",
    "fundingTime": str(START_MS + 8 * 3_600_000),
    "nextFundingTime": str(START_MS + 12 * 3_600_000),
}

# Three BTC were traded in 300 contracts.
MINUTE = ["1700000000000", "50000", "50100", "49900", "50050", "300", "3", "150000", "1"]

FLAT: dict[str, Any] = {
    "GET public/instruments": [INSTRUMENT],
    "GET market/candles": [MINUTE],
    "GET public/time": [{"ts": str(START_MS)}],
    "GET public/position-tiers": TIERS,
    "GET public/mark-price": [{"instId": NAME, "markPx": "50000", "ts": str(START_MS)}],
    "GET public/funding-rate": [_FUNDING],
    "GET public/funding-rate-history": [],
    "GET account/trade-fee": [{"maker": "", "taker": "", "makerU": "-0.0002", "takerU": "-0.0005"}],
    "GET account/config": [{"acctLv": "2", "posMode": "net_mode", "uid": "1"}],
    "GET account/leverage-info": [{"instId": NAME, "mgnMode": "isolated", "posSide": "net", "lever": "10"}],
    "GET account/balance": [{"uTime": str(START_MS), "details": [BALANCE]}],
    "GET account/positions": [],
    "GET account/bills": [],
    "GET trade/orders-pending": [],
    "GET trade/orders-algo-pending": [],
    "GET trade/fills-history": [],
    "GET account/bills-archive": [],
    "GET trade/fills": [],
    "GET trade/order": refused("51603", "Order does not exist"),
    "GET trade/order-algo": refused("51603", "Order does not exist"),
}


def intent(action: Action, client_id: str = STOP) -> Intent:
    return Intent(1, client_id, START_MS, action, "trap", {})


def takes(wire: OkxWire) -> None:
    """Let the wire take every order: the reply has ids only."""

    def taken(body: dict[str, Any]) -> list[dict[str, str]]:
        return [{"ordId": "77", "clOrdId": body["clOrdId"], "sCode": "0", "sMsg": ""}]

    def taken_algo(body: dict[str, Any]) -> list[dict[str, str]]:
        return [{"algoId": "88", "algoClOrdId": body["algoClOrdId"], "sCode": "0", "sMsg": ""}]

    wire.answers["POST trade/order"] = taken
    wire.answers["POST trade/order-algo"] = taken_algo


class Purse:
    """A position whose wallet follows the margin requests."""

    def __init__(self, wire: OkxWire, wallet: float = 100.0) -> None:
        self.wallet = wallet
        wire.answers["GET account/positions"] = lambda _: [position_row(margin=f"{self.wallet:.8f}")]
        wire.answers["POST account/position/margin-balance"] = self.move

    def move(self, body: dict[str, str]) -> list[dict[str, str]]:
        self.wallet += float(body["amt"]) if body["type"] == "add" else -float(body["amt"])
        return [{**body, "ccy": "USDT", "leverage": "10"}]
