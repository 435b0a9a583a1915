"""Per-venue data that makes the one canonical formula reproduce the venue's own liquidation price.

Every profile is checked on positions that the venue itself reported (tests/golden); removal rules are
the venues' documents. The codes are integers so that numba compiles them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
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

# How the venue rounds the liquidation price it reports.
NOT_ROUNDED: Final = 0
ONE_TICK_EARLY: Final = 1
TO_TICK_EARLY: Final = 2

# What must stay in the position when margin is removed.
KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE: Final = 0  # Binance: min(W - MM, W + uPnL - N/leverage)
KEEP_INITIAL_OF_EQUITY: Final = 1  # W + uPnL - N/leverage
KEEP_INITIAL_OR_TENTH_OF_EQUITY: Final = 2  # Hyperliquid: W + uPnL - max(N/leverage, N/10)
KEEP_ALL: Final = 3  # coins that release margin with the position alone


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


# Binance FAQ b3c689c1 (liquidation price) and 360038447311 (removable margin): no fee in maintenance.
BINANCE_USDM: Final = VenueProfile(
    AT_MARK, NO_CLOSE_FEE, 0.0, NOT_ROUNDED, KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE
)

# The same rules; money in the base coin, tiers by coin (MarginRules.is_inverse).
BINANCE_COINM: Final = BINANCE_USDM

# Hyperliquid docs "Liquidations" and "Margining": the rate is 1 / (2 * max leverage of the tier).
HYPERLIQUID: Final = VenueProfile(AT_MARK, NO_CLOSE_FEE, 0.0, NOT_ROUNDED, KEEP_INITIAL_OR_TENTH_OF_EQUITY)


def bybit(taker_fee_rate: float) -> VenueProfile:
    """Return Bybit v5 since 2025: valued at mark, the fee to close reserved from the wallet.

    Source: help centre "Liquidation Price Calculation under Isolated Mode" (2026-05-27); replies
    with liqPriceByMp. Bybit publishes no removal formula: the stricter one is assumed.
    """
    return VenueProfile(
        AT_MARK, FROM_WALLET, taker_fee_rate, TO_TICK_EARLY, KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE
    )


def bybit_entry_valued(taker_fee_rate: float) -> VenueProfile:
    """Return Bybit before 2025: maintenance valued at entry, fee to close at the leverage's bankruptcy price.

    Source: the same help page before 2025; replies of 2022 and 2025-04.
    """
    return VenueProfile(
        AT_ENTRY,
        IN_MAINTENANCE_AT_LEVERAGE_BANKRUPTCY,
        taker_fee_rate,
        TO_TICK_EARLY,
        KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE,
    )


def okx(taker_fee_rate: float) -> VenueProfile:
    """Return OKX swaps: taker fee in maintenance, liqPx one tick before the formula's price.

    Source: v5 API "Get positions" (mgnRatio), replies of 2023 to 2025. "The account keeps at least the
    initial margin" is all it says of removal.
    """
    return VenueProfile(AT_MARK, IN_MAINTENANCE, taker_fee_rate, ONE_TICK_EARLY, KEEP_INITIAL_OF_EQUITY)


def bitget(taker_fee_rate: float) -> VenueProfile:
    """Return Bitget: the user's own taker rate in maintenance; no maintenance amount in its tiers.

    Source: Bitget "Liquidation price" page. Removal is not documented: the stricter rule is assumed.
    """
    return VenueProfile(
        AT_MARK, IN_MAINTENANCE, taker_fee_rate, NOT_ROUNDED, KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE
    )


def gate(taker_fee_rate: float) -> VenueProfile:
    """Return Gate: liquidated when margin + uPnL <= value * (maintenance rate + taker rate).

    Source: Gate futures API "Position" (maintenance_margin). Removal: the stricter rule is assumed.
    """
    return VenueProfile(
        AT_MARK, IN_MAINTENANCE, taker_fee_rate, TO_TICK_EARLY, KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE
    )


def kucoin(liquidation_fee_rate: float) -> VenueProfile:
    """Return KuCoin futures since 2025-05-22: valued at mark, liquidation fee in maintenance.

    Source: announcements "Update to the Isolated Margin Calculation Formula" (2025-05-20) and its
    supplement (2025-05-29): mark * size * (maintenance rate + liquidation fee rate + funding estimate), the
    estimate now zero. Before, it was entry * size * (rate + (1 + 1/leverage) * taker + funding estimate),
    which no reply lets one recompute: use margin.liquidation_price_given_maintenance with posMaint.
    """
    return VenueProfile(
        AT_MARK, IN_MAINTENANCE, liquidation_fee_rate, TO_TICK_EARLY, KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE
    )


def kucoin_entry_valued() -> VenueProfile:
    """Return KuCoin futures before 2025-05-22, for positions whose reply states the maintenance margin."""
    return VenueProfile(AT_ENTRY, NO_CLOSE_FEE, 0.0, TO_TICK_EARLY, KEEP_INITIAL_OF_EQUITY_AND_MAINTENANCE)


def _without_fee(profile: VenueProfile) -> Callable[[float], VenueProfile]:
    return lambda _close_fee_rate: profile


_BY_CCXT_ID: Final[Mapping[str, Callable[[float], VenueProfile]]] = MappingProxyType(
    {
        "binance": _without_fee(BINANCE_USDM),
        "binanceusdm": _without_fee(BINANCE_USDM),
        "binancecoinm": _without_fee(BINANCE_COINM),
        "bybit": bybit,
        "okx": okx,
        "bitget": bitget,
        "gate": gate,
        "gateio": gate,
        "kucoin": kucoin,
        "kucoinfutures": kucoin,
        "hyperliquid": _without_fee(HYPERLIQUID),
    }
)

CCXT_IDS: Final = tuple(sorted(_BY_CCXT_ID))


def venue_profile(ccxt_id: str, close_fee_rate: float) -> VenueProfile:
    """Return the current rules of the venue with this ccxt id.

    `close_fee_rate` is the fraction of notional that the venue counts for closing: the user's taker
    rate (KuCoin: the liquidation fee rate); Binance and Hyperliquid count none and ignore it.
    ValueError: an id that is not one of CCXT_IDS, or a rate outside [0, 1).
    """
    if ccxt_id not in _BY_CCXT_ID:
        raise ValueError(f"ccxt_id is {ccxt_id!r}; known venues: {', '.join(CCXT_IDS)}")
    if not 0.0 <= close_fee_rate < 1.0:
        raise ValueError(f"close_fee_rate is {close_fee_rate!r}; it must be in [0, 1)")
    return _BY_CCXT_ID[ccxt_id](close_fee_rate)
