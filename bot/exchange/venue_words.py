"""What a venue said, without the envelope: its code and its message, for a line that a person reads."""

import re
from typing import Final

# The inner ones first: OKX's envelope says code 1 and keeps the reason in its rows.
_CODES: Final = ("sCode", "retCode", "label", "code")
_MESSAGES: Final = ("sMsg", "retMsg", "msg", "message")
_NOTHING: Final = ("", "0", "1", "OK")
_MOST: Final = 160


def venue_words(text: str) -> str:
    """Return "CODE: MESSAGE" of a reply in `text`, which may be cut off; without one the text, shortened."""
    code, message = _first(text, _CODES), _first(text, _MESSAGES)
    if not message:
        said = f"the venue's code {code}" if code else text
    else:
        said = f"{code}: {message}" if code else message
    return said if len(said) <= _MOST else f"{said[: _MOST - 3]}..."


def _first(text: str, fields: tuple[str, ...]) -> str:
    for field in fields:
        for quoted, number in re.findall(rf'"{field}"\s*:\s*(?:"([^"]*)|(-?\d+))', text):
            value = (quoted or number).strip()
            if value not in _NOTHING:
                return value
    return ""
