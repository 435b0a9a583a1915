"""Requests as they travel: parameters in."""

import math
from typing import Final
from urllib.parse import parse_qsl

from bot.sim.server.binance.errors import ILLEGAL_PARAMETER, MISSING, ApiError

Params = dict[str, str]
MOST_ROWS: Final = 1000


def parsed(query: bytes, body: bytes) -> Params:
    """Return the parameters of query and form body; the body's win."""
    params: Params = {}
    for part in (query, body):
        if part:
            params.update(parse_qsl(part.decode("latin-1"), keep_blank_values=True))
    return params


def needed(params: Params, name: str) -> str:
    """Return a parameter. ApiError: absent or empty."""
    value = params.get(name, "")
    if not value:
        raise ApiError(MISSING, name=name)
    return value


def number(params: Params, name: str) -> float:
    """Return a finite decimal. ApiError: absent or no number."""
    return _number(needed(params, name), name)


def number_or_zero(params: Params, name: str) -> float:
    """Return a finite decimal, 0.0 when absent."""
    return _number(params[name], name) if params.get(name) else 0.0


def whole(params: Params, name: str) -> int:
    """Return a whole number. ApiError: absent or no number."""
    text = needed(params, name)
    try:
        return int(text)
    except ValueError:
        raise ApiError(ILLEGAL_PARAMETER, name=name) from None


def whole_or(params: Params, name: str, default: int) -> int:
    """Return a whole number, `default` when absent."""
    return whole(params, name) if params.get(name) else default


def flag(params: Params, name: str) -> bool:
    """Return whether a parameter is "true"."""
    return params.get(name, "").lower() == "true"


def span(params: Params) -> tuple[int, int, int]:
    """Return startTime, endTime and limit of a history query."""
    limit = whole_or(params, "limit", 500)
    return (
        whole_or(params, "startTime", 0),
        whole_or(params, "endTime", 1 << 62),
        min(max(limit, 1), MOST_ROWS),
    )


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ApiError(ILLEGAL_PARAMETER, name=name) from None
    if not math.isfinite(value):
        raise ApiError(ILLEGAL_PARAMETER, name=name)
    return value
