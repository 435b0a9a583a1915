"""Venue rules are found by ccxt id; an unknown venue is refused by name."""

import pytest

from bot.core import profile
from bot.core.instrument import Instrument, margin_rules
from bot.core.profile import CCXT_IDS, venue_profile
from bot.core.tiers import LeverageTier, tiers_from_rows


@pytest.mark.parametrize(
    ("ccxt_id", "expected"),
    [
        ("binanceusdm", profile.BINANCE_USDM),
        ("binancecoinm", profile.BINANCE_COINM),
        ("bybit", profile.bybit(0.0005)),
        ("okx", profile.okx(0.0005)),
        ("bitget", profile.bitget(0.0005)),
        ("gate", profile.gate(0.0005)),
        ("kucoinfutures", profile.kucoin(0.0005)),
        ("hyperliquid", profile.HYPERLIQUID),
    ],
)
def test_each_venue_is_found_by_its_ccxt_id(ccxt_id: str, expected: profile.VenueProfile) -> None:
    assert venue_profile(ccxt_id, 0.0005) == expected
    assert ccxt_id in CCXT_IDS


def test_an_unknown_venue_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"ccxt_id is 'binanse'; known venues: binance, .*hyperliquid"):
        venue_profile("binanse", 0.0)


@pytest.mark.parametrize("rate", [-0.001, 1.0, float("nan")])
def test_an_impossible_fee_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="close_fee_rate is"):
        venue_profile("okx", rate)


def test_margin_rules_take_the_instruments_own_numbers() -> None:
    tiers = tiers_from_rows([LeverageTier(0.0, 1e6, 0.005, 0.0, 100.0)])
    market = Instrument(
        "X", 0.5, 1.0, 1.0, 5.0, 0.01, 1.0, True, 0.0002, 0.0005, 0.0, 100.0, 28_800_000, tiers
    )
    rules = margin_rules(market, profile.gate(0.0005))
    assert rules == (tiers, profile.gate(0.0005), True, 0.5)
