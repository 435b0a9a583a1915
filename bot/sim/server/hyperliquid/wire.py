"""Requests as they travel at Hyperliquid: one JSON object; what it asks for is in its field `type`."""

import math
from typing import Any

import orjson

from bot.sim.server.hyperliquid.errors import Malformed

Body = dict[str, Any]


def parsed(body: bytes) -> Body:
    """Return the request's object. Malformed: it is none."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("Failed to parse the request body as JSON") from None
    return checked(value)


def checked(value: Any) -> Body:
    """Return an object. Malformed: it is something else."""
    if not isinstance(value, dict):
        raise Malformed("Failed to deserialize the JSON body into the target type: not an object")
    return value


def needed(body: Body, name: str) -> Any:
    """Return a field. Malformed: it is absent."""
    if body.get(name) is None:
        raise Malformed(f"Failed to deserialize the JSON body into the target type: missing field `{name}`")
    return body[name]


def text(body: Body, name: str) -> str:
    """Return a text. Malformed: absent, or no text."""
    value = needed(body, name)
    if not isinstance(value, str):
        raise _unread(name)
    return value


def whole(body: Body, name: str) -> int:
    """Return a whole number. Malformed: absent, or none."""
    value = needed(body, name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unread(name)
    return value


def whole_or(body: Body, name: str, default: int) -> int:
    """Return a whole number, `default` when absent."""
    return default if body.get(name) is None else whole(body, name)


def flag(body: Body, name: str) -> bool:
    """Return true or false. Malformed: absent, or neither."""
    value = needed(body, name)
    if not isinstance(value, bool):
        raise _unread(name)
    return value


def decimal(body: Body, name: str) -> float:
    """Return a number that travels as a text. Malformed: absent, or none."""
    try:
        value = float(text(body, name))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _unread(name)
    return value


def _unread(name: str) -> Malformed:
    return Malformed(f"Failed to deserialize the JSON body into the target type: field `{name}`")
