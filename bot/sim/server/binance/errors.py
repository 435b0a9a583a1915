"""Binance's error codes: the venue's refusals in its words, and the refusals of the door."""

from typing import Final, NamedTuple

from bot.core.event import Refused
from bot.errors import RingfenceError


class Code(NamedTuple):
    number: int
    message: str


UNKNOWN: Final = Code(-1000, "An unknown error occurred while processing the request.")
DISCONNECTED: Final = Code(-1001, "Internal error; unable to process your request. Please try again.")
TOO_MANY_REQUESTS: Final = Code(-1003, "Too many requests; current limit is {limit} {what}.")
UNEXPECTED_RESPONSE: Final = Code(
    -1006, "An unexpected response was received from the message bus. Execution status unknown."
)
TIMEOUT: Final = Code(-1007, "Timeout waiting for response from backend server. Send status unknown.")
OVERLOADED: Final = Code(-1008, "Server is currently overloaded with other requests. Please try again.")
TOO_MANY_ORDERS: Final = Code(-1015, "Too many new orders; current limit is {limit} orders per {what}.")
SHUTTING_DOWN: Final = Code(-1016, "This service is no longer available.")
INVALID_TIMESTAMP: Final = Code(-1021, "Timestamp for this request is outside of the recvWindow.")
INVALID_SIGNATURE: Final = Code(-1022, "Signature for this request is not valid.")
MISSING: Final = Code(-1102, "Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
BAD_PRECISION: Final = Code(-1111, "Precision is over the maximum defined for this asset.")
INVALID_TIME_IN_FORCE: Final = Code(-1115, "Invalid timeInForce.")
INVALID_ORDER_TYPE: Final = Code(-1116, "Invalid orderType.")
INVALID_SIDE: Final = Code(-1117, "Invalid side.")
INVALID_INTERVAL: Final = Code(-1120, "Invalid interval.")
INVALID_SYMBOL: Final = Code(-1121, "Invalid symbol.")
INVALID_LISTEN_KEY: Final = Code(-1125, "This listenKey does not exist.")
TOO_LONG: Final = Code(
    -1127, "Lookup interval is too big. More than 168 hours between startTime and endTime."
)
ILLEGAL_PARAMETER: Final = Code(-1130, "Data sent for parameter '{name}' is not valid.")
REJECTED: Final = Code(-2010, "Order rejected: {why}.")
CANCEL_REJECTED: Final = Code(-2011, "Unknown order sent.")
NO_SUCH_ORDER: Final = Code(-2013, "Order does not exist.")
BAD_KEY_FORMAT: Final = Code(-2014, "API-key format invalid.")
BAD_KEY: Final = Code(-2015, "Invalid API-key, IP, or permissions for action, request ip: 127.0.0.1")
MARGIN_INSUFFICIENT: Final = Code(-2019, "Margin is insufficient.")
WOULD_TRIGGER: Final = Code(-2021, "Order would immediately trigger.")
REDUCE_ONLY_REJECTED: Final = Code(-2022, "ReduceOnly Order is rejected.")
IN_LIQUIDATION: Final = Code(-2023, "User in liquidation mode now.")
TOO_MANY_OPEN_ORDERS: Final = Code(-2025, "Reach max open order limit.")
BEYOND_LEVERAGE: Final = Code(-2027, "Exceeded the maximum allowable position at current leverage.")
LEVERAGE_TOO_SMALL: Final = Code(-2028, "Leverage is smaller than permitted.")
NOT_POSITIVE: Final = Code(-4003, "Quantity less than or equal to zero.")
BELOW_MINIMUM: Final = Code(-4004, "Quantity less than min quantity.")
NOT_ON_TICK: Final = Code(-4014, "Price not increased by tick size.")
INVALID_LEVERAGE: Final = Code(-4028, "Leverage {leverage} is not valid")
SAME_MARGIN_TYPE: Final = Code(-4046, "No need to change margin type.")
ORDERS_BLOCK_MARGIN_TYPE: Final = Code(-4047, "Margin type cannot be changed if there exists open orders.")
POSITION_BLOCKS_MARGIN_TYPE: Final = Code(-4048, "Margin type cannot be changed if there exists position.")
ONLY_ISOLATED: Final = Code(-4049, "Add margin only support for isolated position.")
CROSS_BALANCE: Final = Code(-4050, "Cross balance insufficient.")
ISOLATED_BALANCE: Final = Code(-4051, "Isolated balance insufficient.")
NO_POSITION: Final = Code(-4054, "Cannot add position margin: position is 0.")
AMOUNT_NOT_POSITIVE: Final = Code(-4055, "Amount must be positive.")
SAME_POSITION_SIDE: Final = Code(-4059, "No need to change position side.")
POSITION_SIDE_MISMATCH: Final = Code(-4061, "Order's position side does not match user's setting.")
ORDERS_BLOCK_SIDE: Final = Code(-4067, "Position side cannot be changed if there exists open orders.")
POSITION_BLOCKS_SIDE: Final = Code(-4068, "Position side cannot be changed if there exists position.")
CLIENT_ID_LENGTH: Final = Code(-4015, "Client order id is not valid.")
DUPLICATE_CLIENT_ID: Final = Code(-4116, "ClientOrderId is duplicated.")
USE_ALGO: Final = Code(
    -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
)
CLOSE_POSITION_EXISTS: Final = Code(
    -4130, "An open stop or take profit order with GTE and closePosition in the direction is existing."
)
LEVERAGE_REDUCTION: Final = Code(
    -4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions."
)
NOTIONAL: Final = Code(
    -4164, "Order's notional must be no smaller than {minimum} (unless you choose reduce only)."
)
ONLY_WITH_POSITION: Final = Code(
    -4509, "Time in Force (TIF) GTE can only be used with open positions or open orders."
)
FILL_OR_KILL: Final = Code(
    -5021, "Due to the order could not be filled immediately, the FOK order has been rejected."
)
POST_ONLY: Final = Code(
    -5022, "Due to the order could not be executed as maker, the Post Only order will be rejected."
)
ALGO_NOT_OPEN: Final = Code(-20124, "Algo order is completed or does not exist.")
DUPLICATE_ALGO_ID: Final = Code(-20132, "The client algo id is duplicated.")


class ApiError(RingfenceError):
    """A refusal as it goes over the wire."""

    def __init__(self, code: Code, status: int = 400, retry_after_s: int = 0, **facts: object) -> None:
        self.number, self.status, self.retry_after_s = code.number, status, retry_after_s
        self.message = code.message.format(**facts) if facts else code.message
        super().__init__(self.message)

    def body(self) -> dict[str, object]:
        """Return the JSON body."""
        return {"code": self.number, "msg": self.message}


_PLAIN: Final = {
    "insufficient_balance": MARGIN_INSUFFICIENT,
    "beyond_removable": ISOLATED_BALANCE,
    "no_position": REDUCE_ONLY_REJECTED,
    "in_liquidation": IN_LIQUIDATION,
    "duplicate_client_id": DUPLICATE_CLIENT_ID,
    "unknown_order": CANCEL_REJECTED,
    "unknown_symbol": INVALID_SYMBOL,
    "would_trigger_immediately": WOULD_TRIGGER,
    "reduce_only": REDUCE_ONLY_REJECTED,
    "precision": BAD_PRECISION,
    "leverage_refused": LEVERAGE_TOO_SMALL,
    "margin_mode_refused": SAME_MARGIN_TYPE,
    "position_limit": BEYOND_LEVERAGE,
    "not_finite": NOT_POSITIVE,
}


def refusal(refused: Refused) -> ApiError:
    """Return the error of an order, or of anything that has no special one. The venue's words are added."""
    code = _order_code(refused)
    return ApiError(Code(code.number, f"{code.message} ({refused.message})"))


def _order_code(refused: Refused) -> Code:
    if refused.code == "below_minimum":
        return (
            Code(NOTIONAL.number, "Order's notional is too small.")
            if "notional" in refused.message
            else BELOW_MINIMUM
        )
    if refused.code == "precision" and "price" in refused.message:
        return NOT_ON_TICK
    if refused.code == "position_limit" and "open already" in refused.message:
        return TOO_MANY_OPEN_ORDERS
    if refused.code == "position_limit" and "stops rest" in refused.message:
        return CLOSE_POSITION_EXISTS
    return _PLAIN[refused.code]


def margin_refusal(refused: Refused) -> ApiError:
    """Return the error of a margin move."""
    codes = {
        "insufficient_balance": CROSS_BALANCE,
        "no_position": NO_POSITION,
        "below_minimum": AMOUNT_NOT_POSITIVE,
        "not_finite": ISOLATED_BALANCE,
    }
    code = codes.get(refused.code)
    return (
        refusal(refused)
        if code is None
        else ApiError(Code(code.number, f"{code.message} ({refused.message})"))
    )


def leverage_refusal(refused: Refused, leverage: int) -> ApiError:
    """Return the error of a leverage setting."""
    if refused.code != "leverage_refused":
        return refusal(refused)
    if "lowered" in refused.message:
        return ApiError(LEVERAGE_REDUCTION)
    return ApiError(INVALID_LEVERAGE, leverage=leverage)
