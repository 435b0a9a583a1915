"""What can be served on this machine, and what to do when its exchange is not the one that was asked for."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.errors import UserError
from bot.exchange.hosts import Access
from bot.exchange.venues import Venue

# By exchange: the dialect of `ringfence exchange serve`.
DIALECT_OF: Final[Mapping[str, str]] = MappingProxyType(
    {"binanceusdm": "binance", "bybit": "bybit", "okx": "okx", "hyperliquid": "hyperliquid"}
)
# What the doors say of a path of another: -5000, 10017, 50404, and words.
_NO_SUCH_PATH: Final = re.compile(r'"(?:ret)?[cC]ode":\s*"?(?:-5000|10017|50404)\b|no such path in')

# What they say to everything in maintenance: -1016 (shut down), 10016 (server error), 50001 (unavailable),
# and words with status 503.
_PAUSED: Final = re.compile(r'"(?:ret)?[cC]ode":\s*"?(-1016|10016|50001)\b|\b(503)\b.*in maintenance')


def check_served(venue: Venue, access: Access) -> None:
    """Return when an exchange on this machine can speak the venue's dialect. UserError: none can."""
    if access.environment != "loopback" or venue.ccxt_id in DIALECT_OF:
        return
    tests = "" if venue.switch == "none" else ", --testnet for its test account"
    raise UserError(
        f"There is no {venue.title} on this machine: `ringfence exchange serve` speaks only the dialects of "
        f"{', '.join(DIALECT_OF)}. Nothing was sent to {access.base_url}. Choose one of them with "
        f"--venue, or leave --base-url out{tests}; --paper --feed live --venue {venue.ccxt_id} trades "
        "paper money on its prices."
    )


def unserved(venue: Venue, access: Access, said: str) -> tuple[str, str]:
    """Return fact and next step when the exchange on this machine did not answer a first question.

    ("", "") where the exchange is not on this machine.
    """
    if access.environment != "loopback":
        return "", ""
    command = f"`ringfence exchange serve --dialect {DIALECT_OF.get(venue.ccxt_id, 'NAME')}`"
    if _NO_SUCH_PATH.search(said):
        fact = f"another dialect is served at {access.base_url}, not that of {venue.ccxt_id}"
        return (
            fact,
            f"Start {command} and give its address, or name the exchange that is served with --venue.",
        )
    paused = _PAUSED.search(said)
    if paused is not None:
        code = paused[1] or paused[2]
        fact = f"the exchange at {access.base_url} answers and refuses everything ({code}): maintenance"
        return fact, "Wait until it is over, or end it where it was ordered (/control)."
    fact = f"no usable answer from {access.base_url} ({said})"
    return fact, f"Start {command} and give its address."
