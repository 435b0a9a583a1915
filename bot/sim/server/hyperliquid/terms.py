"""What Hyperliquid counts otherwise than the markets that this exchange plays.

Sources: its documents "Margin tiers" (half the initial margin of the tier's most leverage), "Tick and lot
size" (five significant figures, six decimals less those of the size) and "Fees" (base tier).
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from bot.core.instrument import Instrument
from bot.core.tiers import LeverageTier, tiers_from_rows

MICRO: Final = 1_000_000
_MARGIN_STEP_QUOTE: Final = 1e-6
_MIN_NOTIONAL_QUOTE: Final = 10.0
_MAKER_FEE_RATE: Final = 0.00015
_TAKER_FEE_RATE: Final = 0.00045
_MOST_DECIMALS: Final = 6
_SIGNIFICANT: Final = 5


def size_decimals(quantity_step: float) -> int:
    """Return szDecimals: how many decimals a size has."""
    return max(-int(Decimal(str(quantity_step)).normalize().as_tuple().exponent), 0)


def is_price(text: str, quantity_step: float) -> bool:
    """Return whether a price is one of the venue's: whole numbers are, whatever their length."""
    price = Decimal(text).normalize()
    decimals = max(-int(price.as_tuple().exponent), 0)
    if decimals == 0:
        return True
    most = _MOST_DECIMALS - size_decimals(quantity_step)
    return decimals <= most and len(price.as_tuple().digits) <= _SIGNIFICANT


def as_hyperliquid(instrument: Instrument) -> Instrument:
    """Return the instrument with Hyperliquid's terms: nothing is taken for a liquidation."""
    columns = zip(*(column.tolist() for column in instrument.tiers), strict=True)
    rows = half_initial(LeverageTier(*row) for row in columns)
    return instrument._replace(
        tick_size=10.0 ** (size_decimals(instrument.quantity_step) - _MOST_DECIMALS),
        min_notional_quote=_MIN_NOTIONAL_QUOTE,
        margin_step_quote=_MARGIN_STEP_QUOTE,
        maker_fee_rate=_MAKER_FEE_RATE,
        taker_fee_rate=_TAKER_FEE_RATE,
        liquidation_fee_rate=0.0,
        tiers=tiers_from_rows(rows),
    )


def half_initial(rows: Iterable[LeverageTier]) -> list[LeverageTier]:
    """Return tiers of the same bounds and leverage, whose maintenance is half the initial margin."""
    found: list[LeverageTier] = []
    for row in rows:
        rate, amount = 0.5 / row.max_leverage, 0.0
        if found:
            below = found[-1]
            amount = below.maintenance_amount + row.notional_floor * (rate - below.maintenance_margin_rate)
        found.append(row._replace(maintenance_margin_rate=rate, maintenance_amount=amount))
    return found
