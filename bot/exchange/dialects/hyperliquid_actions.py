"""Signed actions of Hyperliquid: sent past ccxt's order methods, with a time after which they are refused.

Before a first order ccxt 4.5.90 signs two actions nobody asked for: it approves a fee for its builder and
sets a referrer. A refusal comes as a text in a good reply; ccxt knows some of the texts.
"""

import json
from typing import Any, Final

import ccxt

from bot.errors import RefusalCode, Rejected
from bot.exchange.fate import RECEIVE_WINDOW_MS

# Each text as far as it says what it is; the first that fits counts.
_REFUSALS: Final[tuple[tuple[str, RefusalCode], ...]] = (
    ("Reduce only", "reduce_only"),
    ("Invalid TP/SL price", "would_trigger_immediately"),
    ("minimum value", "below_minimum"),
    ("Insufficient margin", "insufficient_balance"),
    ("Insufficient", "insufficient_balance"),
    ("cloid", "duplicate_client_id"),
    ("divisible by tick", "precision"),
    ("invalid size", "precision"),
    ("zero size", "precision"),
    ("invalid price", "precision"),
    ("away from the reference", "precision"),
    ("everage", "leverage_refused"),
    ("No position", "no_position"),
)
_NO_SIGNER: Final = "does not exist"
_TOO_LATE: Final = ("xpire", "once")


async def send(client: Any, action: dict[str, Any]) -> Any:
    """Sign and send one action; it is refused unread after the receive window.

    Rejected: the venue says no. ccxt.OrderNotFound, ccxt.AuthenticationError: what they say.
    """
    nonce = client.incrementing_nonce()
    # By the venue's clock: what is known of the difference, ccxt keeps after a refusal for the time.
    away_ms = client.safe_integer(client.options, "timeDifference", 0)
    expires_ms = nonce - away_ms + RECEIVE_WINDOW_MS
    signature = client.sign_l1_action(action, nonce, None, expires_ms)
    request = {"action": action, "nonce": nonce, "signature": signature, "expiresAfter": expires_ms}
    try:
        return await client.privatePostExchange(request)
    except ccxt.ExchangeError as error:
        raise _meant(error) from None


def status_of(reply: Any) -> Any:
    """Return the one status of a reply: a mapping, or a word such as "success"."""
    (status,) = reply["response"]["data"]["statuses"]
    return status


def _meant(error: ccxt.ExchangeError) -> Exception:
    said = _said(str(error))
    if not said or isinstance(error, ccxt.OrderNotFound):
        return error
    if _NO_SIGNER in said:
        return ccxt.AuthenticationError(f"hyperliquid {said}")
    if any(word in said for word in _TOO_LATE):
        return ccxt.InvalidNonce(f"hyperliquid {said}")
    code = next((code for words, code in _REFUSALS if words in said), "position_limit")
    return Rejected(code, f"Hyperliquid: {said}")


def _said(text: str) -> str:
    """Return the venue's own words in a ccxt error, "" where it has none: then nothing is proven."""
    try:
        reply, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
        if reply.get("status") == "err":
            return str(reply["response"])
        statuses = reply["response"]["data"]["statuses"]
        return str(next((each["error"] for each in statuses if "error" in each), ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
