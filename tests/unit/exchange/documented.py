"""Clients of the four venues that answer from a script, and the orders that the tests send."""

from typing import Any

from bot.exchange.rows import NewOrder
from tests.unit.exchange.recorder import Recorder, Sent

BTC, BTC_USDC = "BTC/USDT:USDT", "BTC/USDC:USDC"
ENTRY, STOP, PROFIT, EXIT = "RF0000001E", "RF0000002S", "RF0000003T", "RF0000004X"


def order(kind: Any, side: int, quantity: float, symbol: str = BTC, **more: Any) -> NewOrder:
    client_id = {"market": ENTRY, "limit": ENTRY, "stop": STOP, "take_profit": PROFIT}[kind]
    is_reducing = more.pop("is_reduce_only", kind in ("stop", "take_profit"))
    return NewOrder(
        EXIT if is_reducing and kind == "market" else client_id,
        symbol,
        kind,
        side,
        quantity,
        is_reducing,
        **more,
    )


def posted(path: str, **body: Any) -> list[Sent]:
    return [Sent("POST", path, {}, body)]


# --- Bitget ---------------------------------------------------------------------------------------

OK = {"code": "00000", "msg": "success", "data": {"orderId": "71", "clientOid": ENTRY}}
MIX = "/api/v2/mix"
PAIR = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "marginCoin": "USDT"}
BITGET_PATHS = (
    "account/set-margin-mode account/set-leverage account/set-position-mode account/set-margin "
    "order/place-order order/place-tpsl-order order/cancel-order order/cancel-plan-order"
)


def bitget() -> Recorder:
    answers: dict[str, Any] = {f"POST {MIX}/{path}": OK for path in BITGET_PATHS.split()}
    answers[f"POST {MIX}/order/cancel-plan-order"] = {
        "code": "00000",
        "msg": "success",
        "data": {"successList": [{"orderId": "71"}], "failureList": []},
    }
    answers[f"GET {MIX}/position/single-position"] = {"code": "00000", "data": []}
    return Recorder("bitget", {"id": "BTCUSDT"}, answers)


# --- Gate -----------------------------------------------------------------------------------------

FUTURES = "/api/v4/futures/usdt"


def gate() -> Recorder:
    row = {"id": 71, "contract": "BTC_USDT", "size": 100, "leverage": "10", "margin": "5"}
    answers: dict[str, Any] = {
        f"POST {FUTURES}/{path}": row
        for path in ("orders", "price_orders", "dual_mode", "positions/BTC_USDT/leverage",
                     "positions/BTC_USDT/margin")
    }  # fmt: skip
    answers[f"GET {FUTURES}/liquidates"] = []
    answers[f"GET {FUTURES}/auto_deleverages"] = []
    answers[f"GET {FUTURES}/positions/BTC_USDT"] = {**row, "size": 0, "mode": "single"}
    answers[f"DELETE {FUTURES}/orders/t-{ENTRY}"] = row
    answers[f"DELETE {FUTURES}/price_orders/71"] = {
        "id": 71, "initial": {"contract": "BTC_USDT", "size": 0, "price": "0"}, "trigger": {"price": "1"},
        "status": "finished", "create_time": 1, "finish_time": 1,
    }  # fmt: skip
    return Recorder(
        "gate",
        {
            "id": "BTC_USDT",
            "settleId": "usdt",
            "contractSize": 0.0001,
            "precision": {"amount": 1, "price": 0.1},
        },
        answers,
    )


# --- KuCoin ---------------------------------------------------------------------------------------

DONE = {"code": "200000", "data": {"orderId": "71", "cancelledOrderIds": ["71"]}}
KUCOIN_PATHS = "v2/position/changeMarginMode v2/position/switchPositionMode v1/orders"


def kucoin() -> Recorder:
    answers: dict[str, Any] = {f"POST /api/{path}": DONE for path in KUCOIN_PATHS.split()}
    answers["POST /api/v1/position/margin/deposit-margin"] = {"code": "200000", "data": {"id": "1"}}
    answers["POST /api/v1/margin/withdrawMargin"] = {"code": "200000", "data": "10"}
    flat = {"symbol": "XBTUSDTM", "currentQty": 0, "autoDeposit": False}
    answers["GET /api/v1/position"] = {"code": "200000", "data": flat}
    answers[f"DELETE /api/v1/orders/client-order/{ENTRY}"] = DONE
    answers["DELETE /api/v1/orders/88"] = DONE
    rates = {"symbol": "XBTUSDTM", "takerFeeRate": "0.0006", "makerFeeRate": "0.0002"}
    answers["GET /api/v1/trade-fees"] = {"code": "200000", "data": rates}
    funding = {"symbol": ".XBTUSDTMFPI8H", "granularity": 28_800_000, "timePoint": 1, "value": 0.0001}
    answers["GET /api/v1/funding-rate/XBTUSDTM/current"] = {"code": "200000", "data": funding}
    stop = {"id": "88", "symbol": "XBTUSDTM", "clientOid": STOP, "side": "sell", "type": "market", "size": 10,
            "stopPrice": "49000", "stopPriceType": "MP", "reduceOnly": True, "isActive": True}  # fmt: skip
    answers["GET /api/v1/stopOrders"] = {"code": "200000", "data": {"items": [stop]}}
    precision = {"amount": 1, "price": 0.1}
    return Recorder(
        "kucoinfutures", {"id": "XBTUSDTM", "contractSize": 0.001, "precision": precision}, answers
    )


# --- Hyperliquid ----------------------------------------------------------------------------------

RESTING = {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"resting": {"oid": 71}}]}}}
DEFAULT = {"status": "ok", "response": {"type": "default", "data": {"statuses": ["success"]}}}
STATE = {
    "withdrawable": "90",
    "marginSummary": {"accountValue": "110"},
    "assetPositions": [
        {
            "position": {
                "coin": "BTC",
                "szi": "-0.5",
                "entryPx": "50000",
                "marginUsed": "2600",
                "unrealizedPnl": "100",
                "leverage": {"type": "isolated", "value": 10, "rawUsd": "27500"},
            }
        }
    ],
}


def hyperliquid() -> Recorder:
    def info(asked: Any) -> Any:
        leverage = {"leverage": {"type": "isolated", "value": 10}}
        return {"allMids": {"BTC": "50000"}, "activeAssetData": leverage, "clearinghouseState": STATE}[
            asked["type"]
        ]

    def exchange(asked: Any) -> Any:
        return RESTING if asked["action"]["type"] == "order" else DEFAULT

    market = {"id": "0", "baseId": "0", "settle": "USDC", "precision": {"amount": 0.001, "price": 1.0}}
    return Recorder("hyperliquid", market, {"POST /info": info, "POST /exchange": exchange})
