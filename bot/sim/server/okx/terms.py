"""What differs at OKX about an instrument: contracts, and tiers without a maintenance amount."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from bot.core.instrument import Instrument
from bot.core.tiers import LeverageTier, tiers_from_rows

# Base units a contract is worth: ctVal of public/instruments.
_CONTRACT_VALUES: Final[Mapping[str, str]] = MappingProxyType(
    {"BTC": "0.01", "ETH": "0.1", "SOL": "1", "BNB": "0.01", "XRP": "100", "DOGE": "1000"}
)


def contract_value(symbol: str) -> Decimal:
    """Return how many base units a contract of the symbol is."""
    return Decimal(_CONTRACT_VALUES.get(symbol.partition("/")[0], "1"))


def as_okx(instrument: Instrument) -> Instrument:
    """Return the instrument with OKX's margin terms.

    A tier's rate counts for the whole position there, and the larger rate begins with a jump.
    """
    columns = zip(*(column.tolist() for column in instrument.tiers), strict=True)
    rows = [LeverageTier(floor, cap, rate, 0.0, most) for floor, cap, rate, _, most in columns]
    return instrument._replace(tiers=tiers_from_rows(rows, is_continuous=False))
