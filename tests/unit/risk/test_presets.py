"""The three presets of the study, and the typed errors for numbers that no decision may be built on."""

import math
from typing import Any

import numpy as np
import pytest

from bot.core.tiers import Tiers
from bot.risk.contradictions import contradictions
from bot.risk.inputs import (
    InvalidInput,
    check_book,
    check_candles,
    check_settings,
    check_tiers,
    check_view,
)
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import DEFAULT_POLICY, POLICIES
from bot.risk.policies.distance_band import DistanceBandParams
from bot.risk.policies.margin_ratio_band import MarginRatioBandParams
from bot.risk.policies.stop_anchor import StopAnchorParams
from bot.risk.policies.volatility import VolatilityParams
from bot.risk.presets import DEFAULT_PRESET, PRESETS
from tests.property.risk.test_estimator_laws import random_candles
from tests.property.risk.worlds import TIERS, book_of, position_of, view_of

ALL = (MarginLimits(), EntryLimits(), BracketLimits())


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_contradicts_nothing_and_can_be_run(name: str) -> None:
    chosen = PRESETS[name]
    policy = POLICIES[chosen.policy]
    assert contradictions(policy, chosen.params, chosen.margin, chosen.entry, chosen.bracket) == ()
    risk = RiskManager(chosen.policy, chosen.params, chosen.margin, chosen.entry, chosen.bracket)
    assert risk.decide_margin(view_of(), book_of()).reason
    assert chosen.doc.endswith(".")


def test_the_presets_are_the_table_of_the_study() -> None:
    """All of it but the leverage setting, whose 10 and 20 would hold margin that nothing needs."""
    rows = {
        name: (
            chosen.entry.max_leverage,
            chosen.margin.max_adds,
            chosen.margin.allow_release,
            chosen.margin.volatile_cut_fraction,
            chosen.entry.risk_fraction,
            chosen.entry.position_cap_fraction,
            chosen.entry.portfolio_cap_fraction,
            chosen.entry.reserve_fraction,
            chosen.entry.min_strength,
        )
        for name, chosen in PRESETS.items()
    }
    assert rows == {
        "risk-averse": (5, 6, 0, 0.5, 0.005, 0.15, 0.40, 0.40, 0.0),
        "balanced": (25, 6, 1, 0.0, 0.01, 0.25, 0.60, 0.20, 0.0),
        "aggressive": (25, 3, 1, 0.0, 0.02, 0.40, 0.80, 0.10, 0.7),
    }
    for chosen in PRESETS.values():
        assert chosen.margin.position_cap_fraction == chosen.entry.position_cap_fraction
        assert chosen.margin.reserve_fraction == chosen.entry.reserve_fraction
    assert PRESETS["risk-averse"].margin.max_volatile_cuts == 2
    assert PRESETS["aggressive"].margin.release_cooldown_ms == 0
    default = PRESETS[DEFAULT_PRESET]
    assert (default.policy, default.params) == (DEFAULT_POLICY, POLICIES[DEFAULT_POLICY].default)
    assert (default.margin, default.entry, default.bracket) == ALL


@pytest.mark.parametrize("stop", [0.0, 59_000.0])
def test_more_averse_presets_hold_more_distance(stop: float) -> None:
    held = [
        POLICIES[PRESETS[name].policy].band(view_of(sigma=0.04, stop=stop), PRESETS[name].params).target
        for name in ("risk-averse", "balanced", "aggressive")
    ]
    assert held[0] > held[1] > held[2]


def test_the_aggressive_preset_holds_the_studys_distance_without_a_stop() -> None:
    aggressive = PRESETS["aggressive"]
    target = POLICIES[aggressive.policy].band(view_of(sigma=0.04), aggressive.params).target
    assert -math.log1p(-target) == pytest.approx(1.94 * 0.04, rel=2e-3)


def test_the_risk_averse_preset_never_holds_less_than_at_entry() -> None:
    calm = view_of(sigma=0.005)
    risk_averse = PRESETS["risk-averse"]
    assert POLICIES[risk_averse.policy].band(calm, risk_averse.params).target == calm.entry_distance


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"mark": math.nan}, "mark"),
        ({"mark": -1.0}, "mark"),
        ({"sigma_day": 0.0}, "sigma_day"),
        ({"sigma_day": math.inf}, "sigma_day"),
        ({"entry_distance": math.nan}, "entry_distance"),
        ({"position": position_of(quantity=0.0)}, "position.quantity"),
        ({"position": position_of(entry=math.nan)}, "position.entry_price"),
        ({"position": position_of(leverage=0.0)}, "position.leverage"),
        ({"position": position_of(wallet=math.nan)}, "position.isolated_wallet"),
        ({"position": position_of(side=0)}, "position.side"),
        ({"stop_price": math.nan}, "stop_price"),
        ({"funding_rate": math.inf}, "funding_rate"),
        ({"mark": 54_000.0}, "liquidation distance"),
    ],
)
def test_a_view_that_is_not_usable_names_the_field_and_the_value(changed: dict[str, Any], field: str) -> None:
    view = view_of()
    check_view(view)
    broken = view._replace(**changed)
    with pytest.raises(InvalidInput) as caught:
        check_view(broken)
    assert caught.value.field == field
    assert repr(caught.value.value) in str(caught.value)
    risk = RiskManager("distance_band", DistanceBandParams(), *ALL)
    assert risk.decide_margin(broken, book_of()).action == "hold"


@pytest.mark.parametrize(
    ("book", "field"),
    [
        (book_of(equity=0.0), "equity_quote"),
        (book_of(free=math.nan), "free_quote"),
        (book_of(agreed=-1.0), "agreed_loss_quote"),
        (book_of(initial=math.nan), "initial_wallet_quote"),
        (book_of(adds=-1), "adds"),
    ],
)
def test_a_book_that_is_not_usable_names_the_field(book: Any, field: str) -> None:
    check_book(book_of())
    with pytest.raises(InvalidInput, match=f"^{field} is "):
        check_book(book)


def tiers(**columns: list[float]) -> Tiers:
    return TIERS._replace(**{name: np.array(values) for name, values in columns.items()})


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (tiers(notional_floor=[0.0, 60_000.0, 250_000.0]), r"tiers\[1\].notional_floor"),
        (tiers(notional_floor=[1.0, 50_000.0, 250_000.0]), r"tiers\[0\].notional_floor"),
        (tiers(notional_cap=[50_000.0, 250_000.0, 250_000.0]), r"tiers\[2\].notional_cap"),
        (tiers(maintenance_margin_rate=[0.004, math.nan, 0.01]), r"tiers\[1\].maintenance_margin_rate"),
        (tiers(notional_floor=[]), "tiers"),
    ],
)
def test_tiers_with_a_gap_are_refused_at_their_row(broken: Tiers, field: str) -> None:
    check_tiers(TIERS)
    with pytest.raises(InvalidInput, match=f"^{field} is "):
        check_tiers(broken)


@pytest.mark.parametrize("price", [math.nan, 0.0, -1.0, math.inf])
@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_a_candle_whose_price_is_none_is_refused_at_its_row(field: str, price: float) -> None:
    candles = random_candles(np.random.default_rng(1), 50, 0.01)
    check_candles(candles)
    getattr(candles, field)[7] = price
    with pytest.raises(InvalidInput) as caught:
        check_candles(candles)
    assert caught.value.field == f"{field}[7]"


def test_a_candle_whose_high_is_below_its_low_is_refused() -> None:
    candles = random_candles(np.random.default_rng(1), 50, 0.01)
    candles.high[3] = candles.low[3] * 0.99
    with pytest.raises(InvalidInput, match=r"high\[3\]"):
        check_candles(candles)


@pytest.mark.parametrize(
    ("policy", "params", "words"),
    [
        ("volatility", VolatilityParams(low=0.9, high=0.95), "release threshold"),
        ("margin_ratio_band", MarginRatioBandParams(release_below=0.06), "release_below 0.06 must be below"),
        (
            "margin_ratio_band",
            MarginRatioBandParams(add_above=0.04),
            "margin.params.margin_ratio_band.add_above 0.04 above it",
        ),
        ("stop_anchor", StopAnchorParams(buffer_min=0.004), "stop_anchor.buffer_min 0.004: the floor"),
        ("stop_anchor", StopAnchorParams(buffer_sigmas=0.4), "stop_anchor.buffer_sigmas 0.4: the floor"),
        ("distance_band", DistanceBandParams(0.1, 5.0), "in one unit only"),
    ],
)
def test_thresholds_that_contradict_each_other_are_refused(policy: str, params: Any, words: str) -> None:
    check_settings(POLICIES[policy], POLICIES[policy].default, *ALL)
    with pytest.raises(InvalidInput, match=words):
        check_settings(POLICIES[policy], params, *ALL)
