"""Intents, events and positions as plain JSON values and back, for the journal and the checkpoint."""

from typing import Any, Final

import numpy as np

from bot.core import event as _event
from bot.core import intent as _intent
from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile
from bot.core.tiers import Tiers


def _named_tuples(module: Any) -> dict[str, type]:
    return {
        name: kind
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
    }


def _tiers(**columns: Any) -> Tiers:
    return Tiers(**{name: np.array(column, dtype=np.float64) for name, column in columns.items()})


TYPES: Final[dict[str, Any]] = {
    **_named_tuples(_event),
    **_named_tuples(_intent),
    "Position": Position,
    "Instrument": Instrument,
    "Tiers": _tiers,
    "VenueProfile": VenueProfile,
}


def to_json(value: Any) -> Any:
    """Return `value` with every known NamedTuple as {"type": name, fields...}, tuples and arrays as lists."""
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", None)
        if fields is None:
            return [to_json(item) for item in value]
        body = {name: to_json(item) for name, item in zip(fields, value, strict=True)}
        return {"type": type(value).__name__, **body}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return value


def from_json(value: Any) -> Any:
    """Return the value that `to_json` was given; lists come back as tuples. KeyError: unknown type name."""
    if isinstance(value, dict):
        if "type" in value:
            kind = TYPES[value["type"]]
            return kind(**{name: from_json(item) for name, item in value.items() if name != "type"})
        return {key: from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(from_json(item) for item in value)
    return value
