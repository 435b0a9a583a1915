"""Per-venue data that makes the one canonical formula reproduce the venue's own liquidation price.

Source: shared research exchange-domain section 1.3, checked on real positions (tests/golden).
The codes are integers so that numba compiles them.
"""

from typing import Final, NamedTuple

from bot.core.tiers import Tiers

# How maintenance margin is valued.
AT_MARK: Final = 0
AT_ENTRY: Final = 1

# Where the venue counts the fee of the closing trade.
NO_CLOSE_FEE: Final = 0
IN_MAINTENANCE: Final = 1  # rate * notional at the evaluated price, added to maintenance margin
IN_MAINTENANCE_AT_LEVERAGE_BANKRUPTCY: Final = 2  # rate * q*E*(1 - s/leverage), added to maintenance
FROM_WALLET: Final = 3  # the same amount, taken from the wallet instead
IN_MAINTENANCE_AT_WALLET_BANKRUPTCY: Final = 4  # rate * q*bankruptcy price, added to maintenance

# How the venue rounds the liquidation price it reports.
NOT_ROUNDED: Final = 0
ONE_TICK_EARLY: Final = 1
TO_TICK_EARLY: Final = 2

# What must stay in the position when margin is removed.
KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE: Final = 0  # Binance: min(W - MM, W + uPnL - N/leverage)
KEEP_INITIAL_OF_EQUITY: Final = 1  # W + uPnL - N/leverage
KEEP_INITIAL_OR_TENTH_OF_EQUITY: Final = 2  # Hyperliquid: W + uPnL - max(N/leverage, N/10)


class VenueProfile(NamedTuple):
    """One venue's deviations from the canonical formula; `close_fee_rate` is a fraction of notional."""

    valuation: int
    close_fee: int
    close_fee_rate: float
    rounding: int
    removal_rule: int


class MarginRules(NamedTuple):
    """Everything about a market that margin arithmetic needs. Inverse: settled in the base coin."""

    tiers: Tiers
    profile: VenueProfile
    is_inverse: bool
    tick_size: float
