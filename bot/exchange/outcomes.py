"""What a failed request means: to be retried, refused with proof, of unclear fate, missing, or the end.

Only a typed, listed answer of the venue is a refusal. A write whose answer is anything else may have
happened. `CLASSES` names every class of ccxt's hierarchy (a test walks it); `bot/exchange/codes.py` lists the
venues' own codes, which go before the class because ccxt chooses classes by URL and lumps codes together.
"""

import json
import re
import socket
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import aiohttp
import ccxt

from bot.errors import (
    Fatal,
    OutcomeUnknown,
    RefusalCode,
    Rejected,
    RingfenceError,
    Transient,
    Unavailable,
)
from bot.exchange.codes import CODES
from bot.exchange.key_faults import key_fault
from bot.exchange.session import UnusableReply

Kind = Literal["transient", "unknown", "rejected", "unavailable", "fatal"]


class Outcome(NamedTuple):
    """`code` is a RefusalCode when `kind` is "rejected", else "". `message` holds no secret."""

    kind: Kind
    code: RefusalCode | Literal[""]
    message: str


class Meaning(NamedTuple):
    """What a class means for a read and for a write, and the refusal it stands for."""

    read: Kind
    write: Kind
    refusal: RefusalCode | Literal[""] = ""


_PASSING: Final = Meaning("transient", "unknown")
_NOT_DONE: Final = Meaning("transient", "transient")  # the venue threw it away unread: it may be sent again
_FATAL: Final = Meaning("fatal", "fatal")


def _refused(code: RefusalCode) -> Meaning:
    return Meaning("rejected", "rejected", code)


CLASSES: Final[Mapping[type[Exception], Meaning]] = {
    ccxt.BaseError: _PASSING,
    # Without a listed code it is also what ccxt makes of a reply cut off in the middle.
    ccxt.ExchangeError: Meaning("unavailable", "unknown"),
    ccxt.AuthenticationError: _FATAL,
    ccxt.PermissionDenied: _FATAL,
    ccxt.AccountNotEnabled: _FATAL,
    ccxt.AccountSuspended: _FATAL,
    ccxt.ArgumentsRequired: _FATAL,
    ccxt.BadRequest: _refused("precision"),
    ccxt.BadSymbol: _refused("unknown_symbol"),
    ccxt.OperationRejected: _refused("position_limit"),
    ccxt.NoChange: _refused("margin_mode_refused"),
    ccxt.MarginModeAlreadySet: _refused("margin_mode_refused"),
    ccxt.MarketClosed: _refused("unknown_symbol"),
    ccxt.ManualInteractionNeeded: _FATAL,
    ccxt.RestrictedLocation: _FATAL,
    ccxt.InsufficientFunds: _refused("insufficient_balance"),
    ccxt.InvalidAddress: _FATAL,
    ccxt.AddressPending: _FATAL,
    ccxt.InvalidOrder: _refused("precision"),
    ccxt.OrderNotFound: _refused("unknown_order"),
    ccxt.OrderNotCached: _refused("unknown_order"),
    ccxt.OrderImmediatelyFillable: _refused("would_trigger_immediately"),
    ccxt.OrderNotFillable: _refused("position_limit"),
    ccxt.DuplicateOrderId: _refused("duplicate_client_id"),
    ccxt.ContractUnavailable: _refused("unknown_symbol"),
    ccxt.NotSupported: _FATAL,
    ccxt.InvalidProxySettings: _FATAL,
    ccxt.ExchangeClosedByUser: _FATAL,
    ccxt.OperationFailed: _PASSING,
    ccxt.NetworkError: _PASSING,
    ccxt.DDoSProtection: _NOT_DONE,
    ccxt.RateLimitExceeded: _NOT_DONE,
    ccxt.ExchangeNotAvailable: _PASSING,
    ccxt.OnMaintenance: Meaning("unavailable", "unknown"),
    ccxt.InvalidNonce: _NOT_DONE,
    ccxt.ChecksumError: _PASSING,
    ccxt.RequestTimeout: _PASSING,
    ccxt.BadResponse: _PASSING,
    ccxt.NullResponse: _PASSING,
    ccxt.CancelPending: _PASSING,
    ccxt.UnsubscribeError: _PASSING,
}

# A proxy that refuses the way has been sent nothing to pass on.
_SENT_NOTHING: Final = (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, socket.gaierror)
_ERRORS: Final[Mapping[str, type[RingfenceError]]] = {
    "transient": Transient,
    "unknown": OutcomeUnknown,
    "unavailable": Unavailable,
    "fatal": Fatal,
}
_CODE_FIELDS: Final = ("sCode", "retCode", "code", "label")
_QUERY: Final = re.compile(r"\?\S+")
_MOST_TEXT: Final = 300
_OTHER_MODE: Final = (
    "The account's mode does not allow this request. Perpetual swaps need an account mode that trades them "
    "(at OKX: futures mode or higher), and a position of the symbol that somebody else opened may stand in "
    "the way. Look at the account mode and the symbol's positions on the exchange's page; orders there stay."
)
# What a read can be told for good. Any other refusal of a question says nothing of the account.
_ANSWERS: Final = ("unknown_order", "unknown_symbol", "no_position")


def outcome_of_error(error: Exception, ccxt_id: str, is_write: bool) -> Outcome:
    """Return what an exception of a ccxt call means for a read, or for a write.

    An exception that is not ccxt's (its parsers raise TypeError and KeyError, OKX's after the transfer)
    says nothing of the request's fate. A read is refused only by what answers it (`_ANSWERS`); whatever
    else a venue says to a question, as in maintenance, it is asked again.
    """
    outcome = _outcome(error, ccxt_id, is_write)
    if outcome.kind == "rejected" and not is_write and outcome.code not in _ANSWERS:
        return Outcome("unavailable", "", outcome.message)
    return outcome


def _outcome(error: Exception, ccxt_id: str, is_write: bool) -> Outcome:
    message = error_text(error)
    if isinstance(error.__cause__, aiohttp.ClientHttpProxyError):
        message += f": the proxy refuses it with status {error.__cause__.status}"
    if isinstance(error.__cause__, _SENT_NOTHING):
        return Outcome("transient", "", message)
    if isinstance(error.__cause__, UnusableReply):
        words = f"{message}: {error.__cause__}"
        return Outcome("unknown" if is_write else "unavailable", "", words)
    code = venue_code(error)
    listed = CODES.get(ccxt_id, {}).get(code)
    if isinstance(error, ccxt.BaseError) and listed == "key":
        return Outcome("fatal", "", key_fault(ccxt_id, code))
    if isinstance(error, ccxt.BaseError) and listed is not None:
        return _listed(listed, message, is_write)
    meaning = _meaning(error)
    kind = meaning.write if is_write else meaning.read
    return Outcome(kind, meaning.refusal if kind == "rejected" else "", message)


def as_error(outcome: Outcome) -> RingfenceError:
    """Return the exception that says it; Rejected carries (code, message)."""
    if outcome.kind == "rejected":
        return Rejected(outcome.code, outcome.message)
    return _ERRORS[outcome.kind](outcome.message)


def venue_code(error: Exception) -> str:
    """Return the venue's own code in a ccxt error ("-2019", "110007", "51008"), or "" without one."""
    reply = _reply(str(error))
    rows = reply.get("data")
    inner = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    for row in (inner, reply):
        for field in _CODE_FIELDS:
            if row.get(field) not in (None, "", "0", 0):
                return str(row[field])
    return ""


def error_text(error: Exception) -> str:
    """Return the error's text on one line without the query of a URL, which holds the signature."""
    text = " ".join(_QUERY.sub("", str(error)).split())
    return f"{type(error).__name__}: {text[:_MOST_TEXT]}"


def _meaning(error: Exception) -> Meaning:
    for kind in type(error).__mro__:
        if kind in CLASSES:
            return CLASSES[kind]
    return Meaning("unavailable", "unknown")


def _listed(listed: str, message: str, is_write: bool) -> Outcome:
    if listed == "not_done":
        return Outcome("transient", "", message)
    if listed == "unknown":
        return Outcome("unknown" if is_write else "transient", "", message)
    if listed == "fatal":
        return Outcome("fatal", "", message)
    if listed == "account_mode":
        words = f"{_OTHER_MODE} The exchange says: {message}"
        return Outcome("rejected", "margin_mode_refused", words) if is_write else Outcome("fatal", "", words)
    return Outcome("rejected", listed, message)  # pyright: ignore[reportArgumentType]


def _reply(text: str) -> dict[str, Any]:
    begin = text.find("{")
    if begin < 0:
        return {}
    try:
        value, _ = json.JSONDecoder().raw_decode(text[begin:])
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
