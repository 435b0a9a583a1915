"""ccxt's unified rows to ours. Contracts become base units here and nowhere else.

ccxt fills missing fields with its own guesses (`safe_position`), so that numbers a decision depends on are
taken from `info`, the venue's own row.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from bot.core.candles import Candles
from bot.core.event import Leg
from bot.core.tiers import LeverageTier, Tiers, tiers_from_rows
from bot.errors import Unavailable
from bot.exchange.rows import OrderStatus, Trade

_LEG_OF_LETTER: Final[Mapping[str, Leg]] = {
    "E": "entry",
    "S": "stop",
    "T": "take_profit",
    "W": "trailing",
    "X": "exit",
}
_LEG_OF_TYPE: Final[tuple[tuple[str, Leg], ...]] = (
    ("trailing", "trailing"),
    ("take_profit", "take_profit"),
    ("stop", "stop"),
)
_STATUS: Final[Mapping[str, OrderStatus]] = {"open": "open", "closed": "done", "canceling": "open"}


def number(row: Mapping[str, Any], field: str) -> float:
    """Return a field that must be there as a finite number. Unavailable: it is not."""
    try:
        value = float(row[field])
    except (KeyError, TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise Unavailable(f"the venue's row has no usable {field}: {row.get(field)!r}")
    return value


def number_or_zero(row: Mapping[str, Any], field: str) -> float:
    """Return a field as a number; 0.0 when it is absent or empty."""
    value = row.get(field)
    return 0.0 if value in (None, "") else number(row, field)


def side_of(row: Mapping[str, Any]) -> int:
    """Return +1 for buy or long, -1 for sell or short."""
    return 1 if str(row["side"]).lower() in ("buy", "long") else -1


def leg_of(client_id: str, order_type: str, is_reduce_only: bool) -> Leg:
    """Return the leg an order serves: by the letter our ids end with, else by what the order does."""
    letter = client_id[-1:]
    if letter in _LEG_OF_LETTER and client_id[-8:-1].isdigit():
        return _LEG_OF_LETTER[letter]
    for word, leg in _LEG_OF_TYPE:
        if word in order_type.lower():
            return leg
    return "exit" if is_reduce_only else "entry"


def status_of(row: Mapping[str, Any]) -> OrderStatus:
    """Return what ccxt's status means. Unavailable: it has none."""
    if not row.get("status"):
        raise Unavailable("the venue's order row has no status")
    return _STATUS.get(row["status"], "cancelled")


def trade_from(row: Mapping[str, Any], contract_size: float, settle: str, realised_quote: float) -> Trade:
    """Return a fill. A fee in another coin than the settlement's is not part of the money counted here."""
    fee = row.get("fee") or {}
    is_settled = fee.get("currency") in (None, settle)
    return Trade(
        int(row["timestamp"]),
        row["symbol"],
        whole_number(str(row["id"])),
        str(row["order"]),
        side_of(row),
        number(row, "price"),
        number(row, "amount") * contract_size,
        number_or_zero(fee, "cost") if is_settled else 0.0,
        row.get("takerOrMaker") == "maker",
        realised_quote,
    )


def whole_number(text: str) -> int:
    """Return an id as a number: itself, or 60 bits of its hash where a venue's ids are texts."""
    if text.isdigit():
        return int(text)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 4


def tiers_from(rows: Sequence[Mapping[str, Any]], amount_field: str, is_continuous: bool) -> Tiers:
    """Return leverage tiers with the maintenance amounts of the venue's own rows. Unavailable: unusable."""
    try:
        return tiers_from_rows([_tier(row, amount_field) for row in rows], is_continuous)
    except ValueError as error:
        raise Unavailable(f"the venue's leverage tiers are unusable: {error}") from None


def _tier(row: Mapping[str, Any], amount_field: str) -> LeverageTier:
    return LeverageTier(
        number(row, "minNotional"),
        number(row, "maxNotional"),
        number(row, "maintenanceMarginRate"),
        number(row["info"], amount_field),
        number(row, "maxLeverage"),
    )


def candles_from(rows: Sequence[Sequence[Any]], funding_rate: float) -> Candles:
    """Return ccxt's [open_ms, o, h, l, c, v] rows as columns."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    open_, high, low, close, volume = (np.array(each, dtype=np.float64) for each in columns[1:6])
    rates = np.full(len(rows), funding_rate, dtype=np.float64)
    return Candles(np.array(columns[0], dtype=np.int64), open_, high, low, close, volume, rates)
