"""Every registered core function compiles with numba and agrees with plain Python."""

import importlib
import math
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.extending import register_jitable

import bot.core
from bot.core import instrument, margin, pnl, probability, steps, tiers, volatility
from bot.core.compiled import REGISTRY
from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import (
    BINANCE_USDM,
    HYPERLIQUID,
    MarginRules,
    VenueProfile,
    bybit,
    bybit_entry_valued,
    gate,
    kucoin_entry_valued,
    okx,
)
from bot.core.tiers import LeverageTier, tiers_from_rows

for _module in pkgutil.iter_modules(bot.core.__path__, "bot.core."):
    importlib.import_module(_module.name)

CORE = [function for function in REGISTRY if function.__module__.startswith("bot.core.")]

TIERS = tiers_from_rows(
    [
        LeverageTier(0.0, 50_000.0, 0.004, 0.0, 125.0),
        LeverageTier(50_000.0, 250_000.0, 0.005, 50.0, 100.0),
        LeverageTier(250_000.0, 1_000_000.0, 0.01, 1_300.0, 50.0),
    ]
)
LONG = Position("BTC/USDT:USDT", 1, 5.0, 60_000.0, 15_000.0, 20.0)
SHORT = Position("BTC/USDT:USDT", -1, 4.0, 60_000.0, 12_500.0, 20.0)
INVERSE_LONG = Position("BTC/USD:BTC", 1, 60_000.0, 60_000.0, 0.06, 20.0)
INVERSE_SHORT = Position("BTC/USD:BTC", -1, 60_000.0, 60_000.0, 0.06, 20.0)
CLOSES = 100.0 * np.exp(np.cumsum(np.sin(np.arange(50.0)) * 0.01))
OPENS, HIGHS, LOWS = CLOSES * 0.999, CLOSES * 1.004, CLOSES * 0.995
BTC = Instrument(
    "BTC/USDT:USDT",
    0.1,
    0.001,
    0.001,
    100.0,
    1e-8,
    1.0,
    False,
    0.0002,
    0.0005,
    0.0125,
    125.0,
    28_800_000,
    TIERS,
)


def rules(profile: VenueProfile, is_inverse: bool = False) -> MarginRules:
    return MarginRules(TIERS, profile, is_inverse, 0.1)


LINEAR = rules(BINANCE_USDM)
INVERSE = rules(okx(0.0005), is_inverse=True)
BOOKS = [
    (LONG, LINEAR),
    (SHORT, rules(gate(0.0005))),
    (SHORT, rules(bybit_entry_valued(0.0005))),
    (LONG, rules(bybit(0.0005))),
    (LONG, rules(HYPERLIQUID)),
    (INVERSE_LONG, INVERSE),
    (INVERSE_SHORT, INVERSE),
]
AT_A_MARK = [(position, 61_000.0, used) for position, used in BOOKS]
OF_A_POSITION = [(position, used) for position, used in BOOKS]

ARGUMENTS: dict[Callable[..., Any], list[tuple[Any, ...]]] = {
    margin.notional: AT_A_MARK,
    margin.unrealised_pnl: AT_A_MARK,
    margin.equity: AT_A_MARK,
    margin.initial_margin: AT_A_MARK,
    margin.maintenance_margin: AT_A_MARK,
    margin.margin_ratio: [*AT_A_MARK, (LONG, 1.0, LINEAR)],
    margin.effective_leverage: [*AT_A_MARK, (LONG, 1.0, LINEAR)],
    margin.liquidation_price: OF_A_POSITION,
    margin.liquidation_price_given_maintenance: [(SHORT, 900.0, rules(kucoin_entry_valued()))],
    margin.bankruptcy_price: OF_A_POSITION,
    margin.mark_at_ratio: [(position, 0.5, used) for position, used in BOOKS],
    margin.distance: [(1, 60_000.0, 57_000.0), (-1, 60_000.0, math.inf)],
    margin.liquidation_distance: AT_A_MARK,
    margin.mark_at_distance: [(1, 57_000.0, 0.05), (1, 57_000.0, 1.0), (-1, 63_000.0, 0.05)],
    margin.wallet_for_liquidation_price: AT_A_MARK,
    margin.wallet_for_distance: [(position, 61_000.0, 0.1, used) for position, used in BOOKS],
    margin.removable_margin: AT_A_MARK,
    margin.mark_at_removable: [(position, 25.0, 0.001, used) for position, used in BOOKS],
    margin.addable_margin: [(500.0, 900.0, 100.0, 50.0), (10.0, 5.0, 7.0, 0.0)],
    tiers.tier_index: [(TIERS, 50_000.0), (TIERS, 1e9)],
    pnl.realised_pnl: [(1, 100.0, 110.0, 2.0, False), (-1, 100.0, 110.0, 2.0, True)],
    pnl.trading_fee: [(5_000.0, 0.0005)],
    pnl.funding_payment: [(-1, 5_000.0, 0.0001)],
    steps.step_down: [(0.3, 0.1), (0.3, 0.0), (62_345.67, 5.0)],
    steps.step_up: [(0.3, 0.1), (0.3, 0.0), (62_345.67, 0.3)],
    steps.is_on_step: [(0.3, 0.1), (0.35, 0.1)],
    instrument.quantity_down: [(0.0129, BTC)],
    probability.log_distance: [(100.0, 90.0), (100.0, 0.0), (100.0, math.inf)],
    probability.liquidation_probability: [(100.0, 90.0, 0.03, 1.0), (100.0, 0.0, 0.03, 1.0)],
    probability.student4_cdf: [(-8.0,), (1.5,)],
    probability.student4_quantile: [(0.005,), (0.7,)],
    probability.first_passage_student: [(0.1, 0.03), (0.0, 0.03), (math.inf, 0.03)],
    probability.distance_for_probability: [(0.01, 0.03)],
    probability.sigmas_for_probability: [(0.01,)],
    probability.first_passage_gbm: [(0.1, 0.03, 0.01), (0.0, 0.03, 0.0)],
    probability.two_barrier: [(0.03, 0.06, 0.05), (0.03, 0.06, 5.0)],
    volatility.per_sqrt_day: [(0.001, 60_000)],
    volatility.ewma_sigma_day: [(CLOSES, 600_000.0, 60_000)],
    volatility.ewma_sigma_bar: [(CLOSES, 10.0), (CLOSES[:1], 10.0)],
    volatility.ewma_weights: [(4, 10.0), (0, 10.0)],
    volatility.weighted_sigma_bar: [(CLOSES, volatility.ewma_weights(len(CLOSES) - 1, 10.0))],
    volatility.parkinson_sigma_day: [(HIGHS, LOWS, 60_000)],
    volatility.parkinson_sigma_bar: [(HIGHS, LOWS), (HIGHS[:0], LOWS[:0])],
    volatility.yang_zhang_sigma_bar: [
        (OPENS, HIGHS, LOWS, CLOSES),
        (OPENS[:2], HIGHS[:2], LOWS[:2], CLOSES[:2]),
    ],
    volatility.average_true_range: [
        (HIGHS, LOWS, CLOSES, 14),
        (HIGHS[:15], LOWS[:15], CLOSES[:15], 14),
        (HIGHS[:14], LOWS[:14], CLOSES[:14], 14),
    ],
}
# Sums over a window and libm calls may differ in the last bits between numpy, C and LLVM.
TOLERANCE = 1e-14


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    for function in CORE:
        register_jitable(function)


def _public(functions: list[Callable[..., Any]]) -> list[Callable[..., Any]]:
    return [function for function in functions if not function.__name__.startswith("_")]


def test_every_public_compiled_function_has_arguments_here() -> None:
    assert {f.__name__ for f in _public(CORE)} == {f.__name__ for f in ARGUMENTS}


@pytest.mark.parametrize("function", list(ARGUMENTS), ids=lambda function: function.__name__)
def test_compiled_function_agrees_with_plain_python(function: Callable[..., Any]) -> None:
    compiled_call = njit(function)
    for arguments in ARGUMENTS[function]:
        plain = function(*arguments)
        assert type(plain) in (float, int, bool, np.ndarray), f"{plain!r} is not a plain Python number"
        assert compiled_call(*arguments) == pytest.approx(plain, rel=TOLERANCE, abs=0.0, nan_ok=True)


def test_private_compiled_functions_are_reached_through_public_ones() -> None:
    called = {name for function in CORE for name in function.__code__.co_names}
    unreached = {f.__name__ for f in CORE if f.__name__.startswith("_")} - called
    assert not unreached
