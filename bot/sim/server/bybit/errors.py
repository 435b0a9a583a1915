"""Bybit's error codes: the venue's refusals in its words, and the refusals of the door. HTTP 200 for all."""

from typing import Final, NamedTuple

from bot.core.event import Refused
from bot.errors import RingfenceError


class Code(NamedTuple):
    number: int
    message: str


INVALID_PARAMETER: Final = Code(10001, "params error: {why}")
INVALID_TIME: Final = Code(10002, "invalid request, please check your server timestamp or recv_window param.")
BAD_KEY: Final = Code(10003, "API key is invalid.")
KEY_EXPIRED: Final = Code(33004, "Your api key has expired.")
BAD_SIGNATURE: Final = Code(10004, "error sign! please check your signature generation algorithm.")
PERMISSION_DENIED: Final = Code(10005, "Permission denied, please check your API key permissions.")
TOO_MANY_VISITS: Final = Code(10006, "Too many visits. Exceeded the API Rate Limit.")
SYSTEM_ERROR: Final = Code(10016, "Server error.")
NO_SUCH_PATH: Final = Code(10017, "Route not found.")
TOO_MANY_FROM_ADDRESS: Final = Code(10018, "Exceeded the IP Rate Limit.")
NO_SUCH_ORDER: Final = Code(110001, "order not exists or too late to cancel")
PRICE_OUT_OF_RANGE: Final = Code(110003, "Order price exceeds the allowable range.")
IN_LIQUIDATION: Final = Code(110005, "The position status is abnormal: it is being liquidated")
NOT_ENOUGH: Final = Code(110007, "ab not enough for new order")
TOO_MANY_STOPS: Final = Code(110009, "The number of stop orders exceeds the maximum allowable limit")
WOULD_LIQUIDATE: Final = Code(110011, "Any adjustments made will trigger immediate liquidation")
LEVERAGE_BEYOND_RISK: Final = Code(110013, "Cannot set leverage due to risk limit level")
NOT_ENOUGH_TO_ADD: Final = Code(110014, "Insufficient available balance to add additional margin")
POSITION_IS_CROSS: Final = Code(110015, "The position is in cross margin mode")
BEYOND_RISK_LIMIT: Final = Code(110016, "The quantity of contracts requested exceeds the risk limit")
REDUCE_ONLY: Final = Code(110017, "current position is zero, cannot fix reduce-only order qty")
POSITION_BLOCKS_MODE: Final = Code(110024, "You have an existing position, so the position mode is kept")
SAME_POSITION_MODE: Final = Code(110025, "Position mode is not modified")
SAME_MARGIN_MODE: Final = Code(110026, "Cross/isolated margin mode is not modified")
ORDERS_BLOCK_MODE: Final = Code(110028, "You have existing open orders, so the position mode is kept")
NO_POSITION: Final = Code(110033, "Can't set margin without open position")
SAME_LEVERAGE: Final = Code(110043, "leverage not modified")
DUPLICATE_LINK_ID: Final = Code(110072, "OrderLinkedID is duplicate")
EXPECT_RISING: Final = Code(110092, "expect Rising, but trigger_price[{price}] <= current[{now}]")
EXPECT_FALLING: Final = Code(110093, "expect Falling, but trigger_price[{price}] >= current[{now}]")
BELOW_NOTIONAL: Final = Code(110094, "Order does not meet minimum order value {minimum}USDT")
MARGIN_MODE_FAILED: Final = Code(3_400_045, "Set margin mode failed")
STOP_UNCHANGED: Final = Code(34_040, "not modified")


class ApiError(RingfenceError):
    """A refusal as it goes over the wire. `result`: what the reply carries besides."""

    def __init__(self, code: Code, status: int = 200, result: object = None, **facts: object) -> None:
        self.number, self.status = code.number, status
        self.result = {} if result is None else result
        self.message = code.message.format(**facts) if facts else code.message
        super().__init__(self.message)


_PLAIN: Final = {
    "insufficient_balance": NOT_ENOUGH,
    "beyond_removable": WOULD_LIQUIDATE,
    "no_position": REDUCE_ONLY,
    "in_liquidation": IN_LIQUIDATION,
    "duplicate_client_id": DUPLICATE_LINK_ID,
    "unknown_order": NO_SUCH_ORDER,
    "would_trigger_immediately": PRICE_OUT_OF_RANGE,
    "reduce_only": REDUCE_ONLY,
    "leverage_refused": LEVERAGE_BEYOND_RISK,
    "margin_mode_refused": POSITION_IS_CROSS,
    "position_limit": BEYOND_RISK_LIMIT,
}


def refusal(refused: Refused) -> ApiError:
    """Return the error of a refusal; the venue's words are added."""
    code = _PLAIN.get(refused.code, Code(INVALID_PARAMETER.number, "params error"))
    if refused.code == "position_limit" and ("open already" in refused.message or "rest" in refused.message):
        code = TOO_MANY_STOPS
    if refused.code == "below_minimum" and "notional" in refused.message:
        code = Code(BELOW_NOTIONAL.number, "Order does not meet minimum order value")
    return ApiError(Code(code.number, f"{code.message} ({refused.message})"))


def margin_refusal(refused: Refused) -> ApiError:
    """Return the error of a margin move."""
    codes = {
        "insufficient_balance": NOT_ENOUGH_TO_ADD,
        "no_position": NO_POSITION,
        "not_finite": WOULD_LIQUIDATE,
    }
    code = codes.get(refused.code)
    return (
        refusal(refused)
        if code is None
        else ApiError(Code(code.number, f"{code.message} ({refused.message})"))
    )
