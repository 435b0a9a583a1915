"""Requests as they travel: a query or a JSON body in, texts out."""

import math
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from bot.core.timeframe import DAY_MS
from bot.sim.server.okx.errors import BAD_JSON, MISSING, PARAMETER, ApiError

Params = dict[str, str]
MOST_ROWS: Final = 100
ARCHIVE_MS: Final = 90 * DAY_MS


def asked_for(query: bytes, body: bytes) -> list[Params]:
    """Return the parameters of each part of a request: one, or one per order of a list."""
    if not body:
        return [dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))]
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ApiError(BAD_JSON, 400) from None
    rows = said if isinstance(said, list) else [said]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ApiError(BAD_JSON, 400)
    return [{name: _text(value) for name, value in row.items()} for row in rows]


def needed(params: Params, name: str) -> str:
    """Return a parameter. ApiError: absent or empty."""
    value = params.get(name, "")
    if not value:
        raise ApiError(MISSING, name=name)
    return value


def number(params: Params, name: str) -> float:
    """Return a finite decimal. ApiError: absent or no number."""
    try:
        value = float(needed(params, name))
    except ValueError:
        raise ApiError(PARAMETER, name=name) from None
    if not math.isfinite(value):
        raise ApiError(PARAMETER, name=name)
    return value


def number_or_zero(params: Params, name: str) -> float:
    """Return a finite decimal, 0.0 when absent."""
    return number(params, name) if params.get(name) else 0.0


def whole_or(params: Params, name: str, default: int) -> int:
    """Return a whole number, `default` when absent. ApiError: no number."""
    if not params.get(name):
        return default
    try:
        return int(params[name])
    except ValueError:
        raise ApiError(PARAMETER, name=name) from None


def flag(params: Params, name: str) -> bool:
    """Return whether a parameter is "true"."""
    return params.get(name, "").lower() == "true"


def page(rows: list[dict[str, Any]], params: Params, id_field: str) -> list[dict[str, Any]]:
    """Return a history's page, newest first: older than the id `after`, newer than the id `before`."""
    after, before = whole_or(params, "after", 1 << 62), whole_or(params, "before", -1)
    limit = min(max(whole_or(params, "limit", MOST_ROWS), 1), MOST_ROWS)
    return [row for row in reversed(rows) if before < int(row[id_field]) < after][:limit]


def span(params: Params) -> tuple[int, int]:
    """Return `begin` and `end` of a history query, both inclusive."""
    return whole_or(params, "begin", 0), whole_or(params, "end", 1 << 62)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
