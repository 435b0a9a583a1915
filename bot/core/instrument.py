"""A tradable perpetual: its steps, fees and leverage tiers. Rounding goes to the safe side."""

from typing import NamedTuple

from bot.core.tiers import Tiers


class Instrument(NamedTuple):
    """What must be known of a market before an order is sized. Fractions are rates, not percent."""

    symbol: str
    tick_size: float
    quantity_step: float
    min_quantity: float
    min_notional_quote: float
    margin_step_quote: float
    contract_size: float
    is_inverse: bool
    maker_fee_rate: float
    taker_fee_rate: float
    liquidation_fee_rate: float
    max_leverage: float
    funding_interval_ms: int
    tiers: Tiers
