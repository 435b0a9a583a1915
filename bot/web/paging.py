"""What the lists of the API have in common: their query, and the page they answer with."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel

MOST_ROWS: Final = 1_000
_LARGEST: Final = 2**53  # of the numbers that a browser keeps exactly

Symbol = Annotated[
    str | None, Query(max_length=64, description='Only this unified symbol ("BTC/USDT:USDT").')
]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Newest rows.")]
Before = Annotated[
    int | None, Query(ge=0, le=_LARGEST, description="next_before of the page before this one.")
]


class Page(BaseModel):
    """Rows, newest first; `next_before` asks for the ones behind them, null when there are none."""

    as_of_ms: int
    rows: list[dict[str, Any]]
    next_before: int | None


def page(now_ms: int, rows: Sequence[Any], limit: int, key: str) -> dict[str, Any]:
    """Return a page of rows (mappings), whose column `key` a next one continues from."""
    return {"as_of_ms": now_ms, "rows": rows, "next_before": rows[-1][key] if len(rows) == limit else None}
