"""What a venue's refusal of the API key means, and what to do: asking again with the same key helps nobody.

Codes: Binance error codes -1022 and -2014 to -2017, Bybit v5 10003 to 10010 and 33004, OKX v5 50100 to 50119.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.exchange.venue_words import venue_words

_USUAL: Final = (
    "has expired, was deleted or disabled, is wrong, lacks a right, or is not accepted from this machine's "
    "address"
)
_SECRET: Final = "does not belong to the secret given with it"
_ADDRESS: Final = "is not accepted from this machine's address, which is not on its list"

_FAULTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "binanceusdm": {"-1022": _SECRET, "-2014": "is malformed", "-2017": "is locked by the exchange"},
        "bybit": {
            "10003": "is wrong, was deleted, or belongs to the other environment (testnet, demo, live)",
            "10004": _SECRET,
            "10005": "lacks the right to do this",
            "10010": _ADDRESS,
            "33004": "has expired",
        },
        "okx": {
            "50100": "is frozen by the exchange",
            "50101": "belongs to the other environment (demo, live)",
            "50105": "has another passphrase",
            "50110": _ADDRESS,
            "50111": "is wrong",
            "50113": _SECRET,
            "50114": "lacks the right to do this",
            "50119": "has expired or was deleted: the exchange does not know it",
        },
    }
)


_BEGIN: Final = "The exchange refuses the API key "


def short_fault(message: str) -> str:
    """Return a refusal of the key alone, for a place that says itself what to do next."""
    if not message.startswith(_BEGIN):
        return f"the exchange refuses the key: {venue_words(message)}"
    return f"the exchange refuses the key {message.removeprefix(_BEGIN).partition('. ')[0]}"


def key_fault(ccxt_id: str, code: str) -> str:
    """Return a refusal of the key in words: fact, cause, what stays, next step."""
    why = _FAULTS.get(ccxt_id, {}).get(code, _USUAL)
    return (
        f"{_BEGIN}({code}): it {why}. Nothing more is sent with it; stops that rest "
        "at the exchange stay there. Correct or renew the key on the exchange's key page and in the secrets: "
        "it must be allowed to trade futures and not to withdraw, and from this machine's address."
    )
