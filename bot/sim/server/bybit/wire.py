"""Requests as they travel at Bybit: a query or a JSON object in, an envelope out."""

import math
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from bot.sim.server.bybit.errors import INVALID_PARAMETER, ApiError

Params = dict[str, str]
Row = dict[str, Any]
_MOST_OFFSET: Final = 1_000_000


def parsed(method: str, query: bytes, body: bytes) -> Params:
    """Return the parameters: of the query for GET, of the JSON body for POST. ApiError: no JSON object."""
    if method != "POST":
        return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    try:
        values = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        raise ApiError(INVALID_PARAMETER, why="the body is not JSON") from None
    if not isinstance(values, dict):
        raise ApiError(INVALID_PARAMETER, why="the body is not a JSON object")
    return {name: _text(value) for name, value in values.items() if value is not None}


def needed(params: Params, name: str) -> str:
    """Return a parameter. ApiError: absent or empty."""
    value = params.get(name, "")
    if not value:
        raise ApiError(INVALID_PARAMETER, why=f"{name} is missing")
    return value


def number(params: Params, name: str) -> float:
    """Return a finite decimal. ApiError: absent or no number."""
    return _number(needed(params, name), name)


def number_or_zero(params: Params, name: str) -> float:
    """Return a finite decimal, 0.0 when absent."""
    return _number(params[name], name) if params.get(name) else 0.0


def whole_or(params: Params, name: str, default: int) -> int:
    """Return a whole number, `default` when absent. ApiError: no number."""
    text = params.get(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise ApiError(INVALID_PARAMETER, why=f"{name} is no whole number") from None


def flag(params: Params, name: str) -> bool:
    """Return whether a parameter is true."""
    return params.get(name, "").lower() == "true"


def page(params: Params, rows: Iterable[Row], default: int, most: int) -> Row:
    """Return one page of the rows as a result; the cursor is where the next one begins."""
    whole = list(rows)
    begin = min(whole_or(params, "cursor", 0), _MOST_OFFSET)
    limit = min(max(whole_or(params, "limit", default), 1), most)
    end = begin + limit
    cursor = str(end) if end < len(whole) else ""
    return {"category": "linear", "list": whole[begin:end], "nextPageCursor": cursor}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ApiError(INVALID_PARAMETER, why=f"{name} is no number")
    return value
