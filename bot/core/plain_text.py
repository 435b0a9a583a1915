"""Text of somebody who is not trusted, as one line of visible signs."""

import unicodedata
from typing import Final

# Control, format (also those that turn the direction of writing), half and private signs; line separators.
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def plain_text(text: str, longest: int) -> str:
    """Return `text` as one line of at most `longest` signs, without any that cannot be seen.

    Nothing in it is markup: whoever shows it shows its signs. Whitespace of any kind is one space.
    """
    seen = (" " if sign.isspace() or unicodedata.category(sign) in _UNSEEN else sign for sign in text)
    return " ".join("".join(seen).split())[:longest].rstrip()
