"""Numbers that no decision may be built on, found at the edge: a typed error that names field and value.

Inside, the margin engine answers the same numbers with HOLD and moves nothing.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.core.candles import Candles
from bot.core.margin import liquidation_distance
from bot.core.tiers import Tiers
from bot.risk.contradictions import contradictions
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.policies import Policy
from bot.risk.view import MarginBook, MarginView


class InvalidInput(ValueError):
    """`field` is what is wrong, `value` what it is; the text says both and what it must be."""

    def __init__(self, field: str, value: Any, wanted: str) -> None:
        super().__init__(f"{field} is {value!r}; it must be {wanted}")
        self.field = field
        self.value = value


def check_view(view: MarginView) -> None:
    """Raise InvalidInput for a price, size, volatility or tier of `view` that is not usable.

    That includes a position whose mark is at or past its liquidation price.
    """
    position = view.position
    _positive("mark", view.mark)
    _positive("sigma_day", view.sigma_day)
    _positive("entry_distance", view.entry_distance)
    _positive("position.quantity", position.quantity)
    _positive("position.entry_price", position.entry_price)
    _positive("position.leverage", position.leverage)
    _finite("position.isolated_wallet", position.isolated_wallet)
    _finite("stop_price", view.stop_price)
    _finite("funding_rate", view.funding_rate)
    if position.side not in (1, -1):
        raise InvalidInput("position.side", position.side, "1 (long) or -1 (short)")
    check_tiers(view.rules.tiers)
    away = float(liquidation_distance(position, view.mark, view.rules))
    if not away > 0.0:
        raise InvalidInput("liquidation distance", away, "above 0: the mark has reached liquidation")


def check_book(book: MarginBook) -> None:
    """Raise InvalidInput for an amount of `book` that is not usable."""
    _positive("equity_quote", book.equity_quote)
    _finite("free_quote", book.free_quote)
    for field in ("initial_wallet_quote", "added_quote", "agreed_loss_quote", "margin_step_quote", "adds"):
        value = getattr(book, field)
        if not 0.0 <= value < math.inf:
            raise InvalidInput(field, value, "0 or more, and finite")


def check_tiers(tiers: Tiers) -> None:
    """Raise InvalidInput for an empty table, a gap or overlap between tiers, or a rate outside (0, 1)."""
    floors, caps, rates = tiers.notional_floor, tiers.notional_cap, tiers.maintenance_margin_rate
    if len(floors) == 0:
        raise InvalidInput("tiers", (), "a table of at least one row")
    for row, floor in enumerate(floors):
        below = caps[row - 1] if row > 0 else 0.0
        if floor != below:
            raise InvalidInput(
                f"tiers[{row}].notional_floor", float(floor), f"{below}, where the row below ends"
            )
        if not caps[row] > floor:
            raise InvalidInput(f"tiers[{row}].notional_cap", float(caps[row]), f"above the floor {floor}")
        if not 0.0 < rates[row] < 1.0:
            raise InvalidInput(f"tiers[{row}].maintenance_margin_rate", float(rates[row]), "between 0 and 1")


def fault_of_tiers(tiers: Tiers) -> str:
    """Return what `check_tiers` says of them, "" for sound ones."""
    try:
        check_tiers(tiers)
    except InvalidInput as error:
        return str(error)
    return ""


def check_candles(candles: Candles) -> None:
    """Raise InvalidInput for the first price that is not a positive number, or a high below its low."""
    for field in ("open", "high", "low", "close"):
        _refuse_first(field, getattr(candles, field), _unusable(getattr(candles, field)), "a positive number")
    _refuse_first("high", candles.high, candles.high < candles.low, "at or above the low of its candle")


def check_settings(
    policy: Policy, params: Any, margin: MarginLimits, entry: EntryLimits, bracket: BracketLimits
) -> None:
    """Raise InvalidInput with every sentence of `contradictions`, if there is any."""
    found = contradictions(policy, params, margin, entry, bracket)
    if found:
        raise InvalidInput("settings", "; ".join(found), "free of contradictions")


def _unusable(prices: NDArray[np.float64]) -> NDArray[np.bool_]:
    return ~((prices > 0.0) & np.isfinite(prices))


def _refuse_first(field: str, prices: NDArray[np.float64], is_wrong: NDArray[np.bool_], wanted: str) -> None:
    rows = np.flatnonzero(is_wrong)
    if len(rows):
        raise InvalidInput(f"{field}[{rows[0]}]", float(prices[rows[0]]), wanted)


def _positive(field: str, value: float) -> None:
    if not 0.0 < value < math.inf:
        raise InvalidInput(field, value, "a positive number")


def _finite(field: str, value: float) -> None:
    if not math.isfinite(value):
        raise InvalidInput(field, value, "a finite number")
