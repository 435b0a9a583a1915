"""The instruments of the embedded paper market: six USDT perpetuals as Binance USD-M lists them.

Sources: tick, step, minimum quantity and notional, liquidation fee from exchangeInfo of 2026-07-04;
leverage brackets from a leverageBracket reply of 2026 (maintenance amounts are continuous over the
tiers); fees of VIP 0. The venue changes brackets several times a month; live trading reads them there.
"""

from typing import Final

from bot.core.instrument import Instrument
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.errors import UserError

_MAKER_FEE_RATE: Final = 0.0002
_TAKER_FEE_RATE: Final = 0.0005
_MARGIN_STEP_QUOTE: Final = 1e-8
_FUNDING_INTERVAL_MS: Final = 8 * 3_600_000

# tick, quantity step (= minimum quantity), minimum notional, liquidation fee rate
_FILTERS: Final = {
    "BTC/USDT:USDT": (0.1, 0.001, 50.0, 0.0125),
    "ETH/USDT:USDT": (0.01, 0.001, 20.0, 0.0125),
    "SOL/USDT:USDT": (0.01, 0.01, 5.0, 0.015),
    "BNB/USDT:USDT": (0.01, 0.01, 5.0, 0.0125),
    "XRP/USDT:USDT": (0.0001, 0.1, 5.0, 0.0125),
    "DOGE/USDT:USDT": (0.00001, 1.0, 5.0, 0.015),
}

# notional cap in thousands, maintenance rate, maintenance amount, maximum leverage
_TIERS: Final = {
    "BTC/USDT:USDT": (
        (300, 0.004, 0, 150),
        (800, 0.005, 300, 100),
        (3_000, 0.0065, 1_500, 75),
        (12_000, 0.01, 12_000, 50),
        (70_000, 0.02, 132_000, 25),
        (100_000, 0.025, 482_000, 20),
        (230_000, 0.05, 2_982_000, 10),
        (480_000, 0.1, 14_482_000, 5),
        (600_000, 0.125, 26_482_000, 4),
        (800_000, 0.15, 41_482_000, 3),
        (1_200_000, 0.25, 121_482_000, 2),
        (1_800_000, 0.5, 421_482_000, 1),
    ),
    "ETH/USDT:USDT": (
        (300, 0.004, 0, 150),
        (800, 0.005, 300, 100),
        (3_000, 0.0065, 1_500, 75),
        (12_000, 0.01, 12_000, 50),
        (50_000, 0.02, 132_000, 25),
        (65_000, 0.025, 382_000, 20),
        (150_000, 0.05, 2_007_000, 10),
        (320_000, 0.1, 9_507_000, 5),
        (400_000, 0.125, 17_507_000, 4),
        (530_000, 0.15, 27_507_000, 3),
        (800_000, 0.25, 80_507_000, 2),
        (1_200_000, 0.5, 280_507_000, 1),
    ),
    "SOL/USDT:USDT": (
        (50, 0.005, 0, 100),
        (400, 0.0065, 75, 75),
        (1_000, 0.01, 1_475, 50),
        (4_000, 0.02, 11_475, 25),
        (8_000, 0.025, 31_475, 20),
        (40_000, 0.05, 231_475, 10),
        (80_000, 0.1, 2_231_475, 5),
        (100_000, 0.125, 4_231_475, 4),
        (200_000, 0.25, 16_731_475, 2),
        (400_000, 0.5, 66_731_475, 1),
    ),
    "BNB/USDT:USDT": (
        (10, 0.005, 0, 75),
        (200, 0.006, 10, 50),
        (400, 0.01, 810, 40),
        (1_500, 0.02, 4_810, 25),
        (3_000, 0.025, 12_310, 20),
        (15_000, 0.05, 87_310, 10),
        (30_000, 0.1, 837_310, 5),
        (37_500, 0.125, 1_587_310, 4),
        (75_000, 0.25, 6_274_810, 2),
        (150_000, 0.5, 25_024_810, 1),
    ),
    "XRP/USDT:USDT": (
        (40, 0.005, 0, 100),
        (80, 0.006, 40, 75),
        (150, 0.01, 360, 50),
        (400, 0.0125, 735, 40),
        (1_000, 0.02, 3_735, 25),
        (2_000, 0.025, 8_735, 20),
        (10_000, 0.05, 58_735, 10),
        (20_000, 0.1, 558_735, 5),
        (25_000, 0.125, 1_058_735, 4),
        (50_000, 0.25, 4_183_735, 2),
        (100_000, 0.5, 16_683_735, 1),
    ),
    "DOGE/USDT:USDT": (
        (80, 0.0065, 0, 75),
        (150, 0.01, 280, 50),
        (750, 0.0125, 655, 40),
        (2_000, 0.02, 6_280, 25),
        (4_000, 0.025, 16_280, 20),
        (20_000, 0.05, 116_280, 10),
        (40_000, 0.1, 1_116_280, 5),
        (50_000, 0.125, 2_116_280, 4),
        (100_000, 0.25, 8_366_280, 2),
        (200_000, 0.5, 33_366_280, 1),
    ),
}

SYMBOLS: Final = tuple(_FILTERS)


def instrument_for(symbol: str) -> Instrument:
    """Return the embedded instrument, the same for USDC as for USDT. UserError: unknown, naming the known."""
    listed = symbol.replace("/USDC:USDC", "/USDT:USDT")
    if listed not in _FILTERS:
        raise UserError(
            f"The embedded market does not know {symbol}. It has the filters and leverage tiers of "
            f"{', '.join(SYMBOLS)} only. Choose among these."
        )
    tick_size, quantity_step, min_notional_quote, liquidation_fee_rate = _FILTERS[listed]
    rows = _tier_rows(listed)
    return Instrument(
        symbol=symbol,
        tick_size=tick_size,
        quantity_step=quantity_step,
        min_quantity=quantity_step,
        min_notional_quote=min_notional_quote,
        margin_step_quote=_MARGIN_STEP_QUOTE,
        contract_size=1.0,
        is_inverse=False,
        maker_fee_rate=_MAKER_FEE_RATE,
        taker_fee_rate=_TAKER_FEE_RATE,
        liquidation_fee_rate=liquidation_fee_rate,
        max_leverage=rows[0].max_leverage,
        funding_interval_ms=_FUNDING_INTERVAL_MS,
        tiers=tiers_from_rows(rows),
    )


def _tier_rows(symbol: str) -> list[LeverageTier]:
    rows: list[LeverageTier] = []
    floor = 0.0
    for cap_thousands, rate, amount, leverage in _TIERS[symbol]:
        rows.append(LeverageTier(floor, cap_thousands * 1000.0, rate, float(amount), float(leverage)))
        floor = rows[-1].notional_cap
    return rows
