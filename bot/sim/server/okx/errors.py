"""OKX's error codes: the venue's refusals in its words, and the refusals of the door."""

from typing import Any, Final, NamedTuple

from bot.core.event import Refused
from bot.errors import RingfenceError


class Code(NamedTuple):
    number: str
    message: str


MAINTENANCE: Final = Code("50001", "Service temporarily unavailable. Try again later.")
BAD_JSON: Final = Code("50002", "JSON syntax error")
TIMEOUT: Final = Code("50004", "API endpoint request timeout. Check the order status.")
TOO_MANY: Final = Code("50011", "Too Many Requests")
MISSING: Final = Code("50014", "Parameter {name} cannot be empty.")
NOT_THIS_KEY: Final = Code("50114", "Invalid Authority")
EXPIRED: Final = Code("50102", "Timestamp request expired")
NO_KEY: Final = Code("50103", "Request header OK-ACCESS-KEY cannot be empty.")
NO_PASSPHRASE: Final = Code("50104", "Request header OK-ACCESS-PASSPHRASE cannot be empty.")
BAD_PASSPHRASE: Final = Code("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.")
NO_SIGN: Final = Code("50106", "Request header OK-ACCESS-SIGN cannot be empty.")
NO_TIMESTAMP: Final = Code("50107", "Request header OK-ACCESS-TIMESTAMP cannot be empty.")
BAD_KEY: Final = Code("50111", "Invalid OK-ACCESS-KEY")
BAD_TIMESTAMP: Final = Code("50112", "Invalid OK-ACCESS-TIMESTAMP")
KEY_GONE: Final = Code("50119", "API key doesn't exist")
BAD_SIGN: Final = Code("50113", "Invalid Sign")
PARAMETER: Final = Code("51000", "Parameter {name} error")
NO_INSTRUMENT: Final = Code("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")
EITHER_ID: Final = Code("51003", "Either client order ID or order ID is required.")
BEYOND_TIER: Final = Code("51004", "Order failed. The position exceeds the limit of the current leverage.")
SHORT_OF_MONEY: Final = Code("51008", "Order failed. Insufficient USDT balance in account.")
DUPLICATE_ORDER: Final = Code("51016", "Client order ID already exists.")
BELOW_MINIMUM: Final = Code("51020", "Your order should meet or exceed the minimum order amount.")
ONE_WHOLE_CLOSE: Final = Code("51088", "You can only place 1 TP/SL order to close an entire position")
DUPLICATE_ALGO: Final = Code("51065", "algoClOrdId already exists. Please enter a new one.")
NOT_ON_LOT: Final = Code("51121", "Order quantity must be a multiple of the lot size.")
NOTHING_TO_REDUCE: Final = Code(
    "51169", "Order failed because you don't have any positions in this direction to reduce or close."
)
TOO_MANY_ALGOS: Final = Code("51261", "Exceeded the maximum number of pending stop orders.")
TP_ABOVE: Final = Code("51277", "TP trigger price cannot be higher than the last price")
SL_BELOW: Final = Code("51278", "SL trigger price cannot be lower than the last price")
TP_BELOW: Final = Code("51279", "TP trigger price cannot be lower than the last price")
SL_ABOVE: Final = Code("51280", "SL trigger price cannot be higher than the last price")
FRACTION_REDUCES: Final = Code("51328", "closeFraction is only available for reduceOnly orders")
NO_SUCH_CANCEL: Final = Code(
    "51400", "Cancellation failed as the order has been filled, canceled or does not exist"
)
NO_SUCH_AMEND: Final = Code("51503", "Your order has already been filled or canceled or does not exist")
NO_SUCH_ORDER: Final = Code("51603", "Order does not exist")
MODE_BLOCKED: Final = Code("59000", "Setting failed. Cancel any open orders, close positions first.")
LEVERAGE_TOO_HIGH: Final = Code("59102", "Leverage exceeds the maximum limit. Lower the leverage.")
LEVERAGE_TOO_LOW: Final = Code("59105", "Leverage can't be less than {least}. Adjust the leverage.")
SHORT_OF_MARGIN: Final = Code("59200", "Insufficient account balance")
NO_POSITION: Final = Code("59300", "Margin call failed. Position does not exist.")
BEYOND_LIMIT: Final = Code("59301", "Margin adjustment failed as it exceeds the maximum limit.")
FROZEN: Final = Code("50020", "The position is frozen due to liquidation. Operation restricted.")
# The exchange itself turns positions around; this code is the one that says least about the account.
WOULD_TURN: Final = Code("51108", "Positions exceed the limit for closing out with the market price ({why}).")
NOT_HERE: Final = Code("51010", "You can't complete this request under your current account mode ({why}).")


class ApiError(RingfenceError):
    """A refusal as it goes over the wire. Most have HTTP status 200."""

    def __init__(self, code: Code, status: int = 200, **facts: object) -> None:
        self.number, self.status = code.number, status
        self.message = code.message.format(**facts) if facts else code.message
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        return {"code": self.number, "msg": self.message, "data": []}


def said(code: Code, refused: Refused) -> ApiError:
    """Return the error with the venue's own words added."""
    return ApiError(
        Code(code.number, f"{code.message} ({refused.message})".replace("{", "").replace("}", ""))
    )


_PLAIN: Final = {
    "insufficient_balance": SHORT_OF_MONEY,
    "beyond_removable": BEYOND_LIMIT,
    "no_position": NOTHING_TO_REDUCE,
    "in_liquidation": FROZEN,
    "duplicate_client_id": DUPLICATE_ORDER,
    "unknown_order": NO_SUCH_CANCEL,
    "unknown_symbol": NO_INSTRUMENT,
    "would_trigger_immediately": SL_ABOVE,
    "reduce_only": NOTHING_TO_REDUCE,
    "below_minimum": BELOW_MINIMUM,
    "precision": PARAMETER,
    "leverage_refused": LEVERAGE_TOO_HIGH,
    "margin_mode_refused": MODE_BLOCKED,
    "position_limit": BEYOND_TIER,
    "not_finite": PARAMETER,
    "lost": TIMEOUT,
    "unavailable": MAINTENANCE,
}


def refusal(refused: Refused) -> ApiError:
    """Return the error of an order, or of anything that has no special one."""
    code = _PLAIN[refused.code]
    if refused.code == "precision" and "quantity" in refused.message:
        code = NOT_ON_LOT
    if refused.code == "position_limit" and "stops rest" in refused.message:
        code = ONE_WHOLE_CLOSE
    if refused.code == "position_limit" and "open already" in refused.message:
        code = TOO_MANY_ALGOS
    return said(code, refused)


def trigger_refusal(refused: Refused, side: int, *, is_stop: bool) -> ApiError:
    """Return the error of a conditional order of `side` (+1 buys)."""
    if refused.code != "would_trigger_immediately":
        return refusal(refused)
    if is_stop:
        return said(SL_BELOW if side > 0 else SL_ABOVE, refused)
    return said(TP_ABOVE if side > 0 else TP_BELOW, refused)


def margin_refusal(refused: Refused) -> ApiError:
    """Return the error of a margin move."""
    codes = {
        "insufficient_balance": SHORT_OF_MARGIN,
        "no_position": NO_POSITION,
        "below_minimum": PARAMETER,
        "not_finite": BEYOND_LIMIT,
    }
    code = codes.get(refused.code)
    return refusal(refused) if code is None else said(code, refused)


def leverage_refusal(refused: Refused, least: float) -> ApiError:
    """Return the error of a leverage setting."""
    if refused.code == "leverage_refused" and "lowered" in refused.message:
        return ApiError(LEVERAGE_TOO_LOW, least=f"{least:g}")
    return refusal(refused)
