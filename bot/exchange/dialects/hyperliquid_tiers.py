"""Hyperliquid's margin tables: leverage falls with notional, maintenance is half of a tier's initial margin.

Source: Hyperliquid docs "Margin tiers" (rate, deduction, ids below 50) and "Perpetuals" (meta: marginTables,
marginMode).
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bot.core.tiers import LeverageTier, Tiers
from bot.errors import Unavailable
from bot.exchange.convert import number
from bot.exchange.dialects.requests import checked_tiers

_NO_CAP_QUOTE: Final = 1e18
_FIRST_TABLE: Final = 50  # a lower id is no table: it is the most leverage itself
_KEEPS_MARGIN: Final = "strictIsolated"


class Coin(NamedTuple):
    """One coin's rules. `keeps_margin`: nothing can be released from its positions."""

    tiers: Tiers
    keeps_margin: bool


async def coins(client: Any) -> dict[str, Coin]:
    """Return every listed coin by its name. Unavailable: a table is missing or unusable."""
    meta = await client.publicPostInfo({"type": "meta"})
    tables = {int(table_id): table["marginTiers"] for table_id, table in meta.get("marginTables") or ()}
    rows = (row for row in meta["universe"] if not row.get("isDelisted"))
    return {row["name"]: Coin(_tiers(row, tables), _keeps_margin(row)) for row in rows}


def _tiers(row: Mapping[str, Any], tables: Mapping[int, Any]) -> Tiers:
    table_id = int(number(row, "marginTableId"))
    if table_id < _FIRST_TABLE:
        return _from_table([{"lowerBound": "0.0", "maxLeverage": table_id}])
    if table_id not in tables:
        raise Unavailable(f"Hyperliquid lists no margin table {table_id} for {row.get('name')}")
    return _from_table(tables[table_id])


def _from_table(rows: list[Any]) -> Tiers:
    """maintenance = notional * rate - deduction, continuous from tier to tier."""
    ordered = sorted(rows, key=lambda row: number(row, "lowerBound"))
    found: list[LeverageTier] = []
    for index, row in enumerate(ordered):
        most, floor = number(row, "maxLeverage"), number(row, "lowerBound")
        cap = number(ordered[index + 1], "lowerBound") if index + 1 < len(ordered) else _NO_CAP_QUOTE
        rate, deduction = 0.5 / most, 0.0
        if found:
            below = found[-1]
            deduction = below.maintenance_amount + floor * (rate - below.maintenance_margin_rate)
        found.append(LeverageTier(floor, cap, rate, deduction, most))
    return checked_tiers(found)


def _keeps_margin(row: Mapping[str, Any]) -> bool:
    """`onlyIsolated` alone does not tell a coin that keeps margin from one that just has no cross margin."""
    mode = row.get("marginMode")
    return mode == _KEEPS_MARGIN if mode else str(row.get("onlyIsolated")).lower() == "true"
