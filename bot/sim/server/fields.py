"""The fields of a control command, checked one by one. ValueError: what one is, and what it may be."""

import json
from collections.abc import Sequence
from typing import Any, Final

_REQUIRED: Final = object()
_LONGEST_SHOWN: Final = 60
_LARGEST: Final = 1e300


class Fields:
    """What was said with a command: every reading returns a value of the asked type and range."""

    def __init__(self, command: str, body: dict[str, Any], known: Sequence[str]) -> None:
        self._command, self._body = command, body
        unknown = sorted(set(body) - set(known))
        if unknown:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise ValueError(f"{command} has no field {', '.join(unknown)}: {takes}. Leave out the others.")

    def has(self, name: str) -> bool:
        """Return whether the field was given."""
        return name in self._body

    def whole(self, name: str, least: int, most: int, default: Any = _REQUIRED) -> int:
        """Return a whole number between `least` and `most`."""
        wanted = f"a whole number from {least} to {most}"
        value = self._value(name, default, wanted)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._refusal(name, wanted)
        return value

    def number(self, name: str, least: float, most: float, default: Any = _REQUIRED) -> float:
        """Return a number between `least` and `most`."""
        wanted = f"a number from {least:g} to {most:g}"
        value = self._value(name, default, wanted)
        if not _is_number(value) or not least <= value <= most:
            raise self._refusal(name, wanted)
        return float(value)

    def flag(self, name: str, default: Any = _REQUIRED) -> bool:
        """Return true or false; no other value stands for either."""
        value = self._value(name, default, "true or false")
        if not isinstance(value, bool):
            raise self._refusal(name, "true or false")
        return value

    def one_of(self, name: str, choices: Sequence[str], default: Any = _REQUIRED) -> str:
        """Return one of the texts in `choices`."""
        wanted = f"one of {', '.join(choice or 'an empty text' for choice in choices)}"
        value = self._value(name, default, wanted)
        if not isinstance(value, str) or value not in choices:
            raise self._refusal(name, wanted)
        return value

    def path(self, name: str) -> str:
        """Return the path of an endpoint, "" where none was given."""
        value = self._body.get(name, "")
        if not isinstance(value, str) or not (value == "" or value.startswith("/")):
            raise self._refusal(name, "the path of an endpoint such as /fapi/v1/order, or an empty text")
        return value

    def rows(self, name: str, width: int) -> list[list[float]]:
        """Return a list of rows of `width` finite numbers each."""
        wanted = f"a list of rows of {width} numbers each"
        value = self._value(name, _REQUIRED, wanted)
        if not isinstance(value, list) or not all(_is_row(row, width) for row in value):
            raise self._refusal(name, wanted)
        return [[float(cell) for cell in row] for row in value]

    def _value(self, name: str, default: Any, wanted: str) -> Any:
        value = self._body.get(name, default)
        if value is _REQUIRED:
            raise ValueError(f"{self._command} needs {name}: {wanted}. Give it.")
        return value

    def _refusal(self, name: str, wanted: str) -> ValueError:
        return ValueError(f"{self._command}.{name} is {_shown(self._body[name])}. Give {wanted}.")


def _is_number(value: Any) -> bool:
    """NaN, infinity and a whole number beyond the range of float64 are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _is_row(row: Any, width: int) -> bool:
    return isinstance(row, list) and len(row) == width and all(map(_is_number, row))


def _shown(value: Any) -> str:
    """Return a value as JSON, cut where it is long."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
