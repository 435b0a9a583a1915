"""Our ids at Hyperliquid: 128 bits that are readable back, so that a restart needs to remember nothing."""

import string
from typing import Final

from bot.errors import Rejected

_ALPHABET: Final = string.digits + string.ascii_letters
_BASE: Final = len(_ALPHABET) + 1
_ID_BITS: Final = 104
_MOST_CHARACTERS: Final = 17
_OURS: Final = 0x524601


def cloid(client_id: str) -> str:
    """Return our id as the venue's 128 bits, readable back. Rejected: too long, or not letters and digits.

    24 bits say that it is ours; the characters are digits of base 63, none of them 0.
    """
    if len(client_id) > _MOST_CHARACTERS or not all(each in _ALPHABET for each in client_id):
        raise Rejected("precision", f"the id {client_id} does not fit into Hyperliquid's 128 bits")
    value = 0
    for each in client_id:
        value = value * _BASE + _ALPHABET.index(each) + 1
    return f"0x{_OURS << _ID_BITS | value:032x}"


def client_id_of(text: str | None) -> str:
    """Return our id from the venue's; a foreign one as it is, none as ""."""
    value = int(text, 16) if text else 0
    if not text or value >> _ID_BITS != _OURS:
        return text or ""
    value &= (1 << _ID_BITS) - 1
    letters = []
    while value:
        value, digit = divmod(value, _BASE)
        letters.append(_ALPHABET[digit - 1])
    return "".join(reversed(letters))


def is_ours(text: str | None) -> bool:
    """Return whether the venue's id of an order is one that we have given."""
    return bool(text) and int(text, 16) >> _ID_BITS == _OURS


def order_key(client_id: str) -> int | str:
    """Return what the venue finds an order by: its own number, a foreign id as it is, or ours as 128 bits."""
    if client_id.isdigit():
        return int(client_id)
    return client_id if client_id.startswith("0x") else cloid(client_id)
