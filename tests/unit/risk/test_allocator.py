"""The allocator's refusals, and the cases where hurdle, floor or ceiling decides alone."""

import math
from typing import Any

import numpy as np
import pytest

from bot.core.margin import liquidation_distance, maintenance_margin
from bot.core.profile import BINANCE_USDM, VenueProfile, bybit_entry_valued, okx
from bot.risk.allocator import (
    AllocationLeg,
    AllocationLegs,
    allocate,
    legs_from_rows,
    marginal_savings,
    wallet_leg,
)
from bot.risk.inputs import InvalidInput
from bot.risk.view import MarginView
from tests.property.risk.worlds import position_of, rules_of, view_of

LEG = AllocationLeg(1, 5_000.0, 0.004, 0.025, 45.0, 0.0, 0.0, math.inf)
THREE = [
    LEG,
    AllocationLeg(1, 3_000.0, 0.005, 0.035, 30.0, 0.0, 0.0, math.inf),
    AllocationLeg(-1, 2_000.0, 0.01, 0.05, 30.0, 0.0, 0.0, math.inf),
]


def kept(view: MarginView) -> float:
    return maintenance_margin(view.position, view.mark, view.rules)


BAD_LEGS = [
    ({"side": 0}, r"legs\[1\].side is 0.0; it must be 1"),
    ({"notional": 0.0}, r"legs\[1\].notional is 0.0"),
    ({"notional": math.nan}, r"legs\[1\].notional is nan"),
    ({"maintenance_rate": 1.0}, r"legs\[1\].maintenance_rate is 1.0"),
    ({"maintenance_rate": math.nan}, r"legs\[1\].maintenance_rate is nan"),
    ({"sigma_horizon": 0.0}, r"legs\[1\].sigma_horizon is 0.0"),
    ({"sigma_horizon": math.inf}, r"legs\[1\].sigma_horizon is inf"),
    ({"liquidation_cost": -1.0}, r"legs\[1\].liquidation_cost is -1.0"),
    ({"liquidation_cost": math.nan}, r"legs\[1\].liquidation_cost is nan"),
    ({"excess_at_zero": math.nan}, r"legs\[1\].excess_at_zero is nan"),
    ({"min_extra": -1.0}, r"legs\[1\].min_extra is -1.0"),
    ({"min_extra": math.nan}, r"legs\[1\].min_extra is nan"),
    ({"max_extra": math.nan}, r"legs\[1\].max_extra is nan"),
    ({"min_extra": 5.0, "max_extra": 4.0}, r"legs\[1\].max_extra is 4.0; it must be at least min_extra"),
    ({"excess_at_zero": -10.0, "min_extra": 9.0}, r"legs\[1\].min_extra is 9.0.*past liquidation"),
]


@pytest.mark.parametrize(("changed", "words"), BAD_LEGS)
def test_a_leg_that_makes_no_sense_is_named(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        legs_from_rows([LEG, LEG._replace(**changed)])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("changed", "words"), BAD_LEGS)
def test_a_split_of_a_leg_that_makes_no_sense_names_it_without_a_warning(
    changed: dict[str, Any], words: str
) -> None:
    columns = zip(*[LEG, LEG._replace(**changed)], strict=True)
    legs = AllocationLegs(*(np.array(column, dtype=np.float64) for column in columns))
    with pytest.raises(InvalidInput, match=words):
        allocate(legs, 1_000.0, 0.0005)


@pytest.mark.parametrize(
    ("budget", "hurdle", "words"),
    [
        (-1.0, 0.0, "budget is -1.0"),
        (math.nan, 0.0, "budget is nan"),
        (math.inf, 0.0, "budget is inf"),
        (100.0, -0.1, "hurdle is -0.1"),
        (100.0, math.nan, "hurdle is nan"),
        (99.0, 0.0, "budget is 99.0; it must be at least the sum of the floors, 100.0"),
    ],
)
def test_a_budget_that_cannot_be_split_is_named(budget: float, hurdle: float, words: str) -> None:
    legs = legs_from_rows([LEG._replace(min_extra=60.0), LEG._replace(min_extra=40.0)])
    with pytest.raises(ValueError, match=words):
        allocate(legs, budget, hurdle)


def test_the_hurdle_binds_before_a_large_budget_and_leaves_the_rest() -> None:
    legs = legs_from_rows(THREE)
    split = allocate(legs, 5_000.0, 0.005)
    assert split.shadow_price == 0.005
    assert split.total_extra < 5_000.0
    assert marginal_savings(legs, split.extra_margin) == pytest.approx([0.005] * 3, rel=1e-9)
    assert allocate(legs, 50_000.0, 0.005).extra_margin == pytest.approx(split.extra_margin, rel=1e-12)


def test_a_hurdle_no_leg_can_earn_leaves_every_floor() -> None:
    split = allocate(legs_from_rows([leg._replace(min_extra=10.0) for leg in THREE]), 1_000.0, 10.0)
    assert split.extra_margin.tolist() == [10.0, 10.0, 10.0]
    assert split.shadow_price == 10.0


def test_the_exact_floors_as_budget_leave_the_floors() -> None:
    legs = legs_from_rows([leg._replace(min_extra=0.1 * (1 + i)) for i, leg in enumerate(THREE)])
    budget = float(np.sum(legs.min_extra))
    split = allocate(legs, budget, 0.0)
    assert split.extra_margin == pytest.approx(legs.min_extra, rel=1e-9)
    assert split.shadow_price == pytest.approx(
        float(np.max(marginal_savings(legs, legs.min_extra))), rel=1e-6
    )


def test_free_margin_fills_every_ceiling_and_its_last_unit_is_worth_the_hurdle() -> None:
    legs = legs_from_rows([leg._replace(max_extra=100.0) for leg in THREE])
    split = allocate(legs, 1_000.0, 0.0)
    assert split.extra_margin.tolist() == [100.0, 100.0, 100.0]
    assert split.shadow_price == 0.0


def test_a_leg_whose_liquidation_costs_nothing_gets_its_floor() -> None:
    legs = legs_from_rows([LEG, LEG._replace(liquidation_cost=0.0, min_extra=5.0)])
    assert allocate(legs, 500.0, 0.0).extra_margin == pytest.approx([495.0, 5.0])
    only_free = legs_from_rows([LEG._replace(liquidation_cost=0.0)])
    assert allocate(only_free, 500.0, 0.0).total_extra == 0.0


def test_no_leg_needs_nothing() -> None:
    split = allocate(legs_from_rows([]), 100.0, 0.01)
    assert split.extra_margin.tolist() == []
    assert (split.total_extra, split.expected_liquidation_loss, split.shadow_price) == (0.0, 0.0, 0.01)


def test_a_short_leg_needs_more_than_the_long_one_of_the_same_size() -> None:
    """Its maintenance margin grows as the price goes against it."""
    legs = legs_from_rows([LEG, LEG._replace(side=-1)])
    long, short = allocate(legs, 500.0, 0.0).extra_margin
    assert short > long


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("profile", [BINANCE_USDM, okx(0.0005), bybit_entry_valued(0.0005)])
def test_a_wallet_leg_is_as_far_from_liquidation_as_its_position(side: int, profile: VenueProfile) -> None:
    rules = rules_of(profile, tick_size=0.0)
    view = view_of(position_of(side, wallet=500.0), mark=60_500.0, rules=rules)
    row = wallet_leg(view, 45.0, 1.0, 0.0, 5_000.0, kept(view))
    wallet = view.position.isolated_wallet
    distance = (row.excess_at_zero + wallet) / (row.notional * (1.0 - side * row.maintenance_rate))
    assert distance == pytest.approx(liquidation_distance(view.position, view.mark, rules), rel=1e-9)
    assert row.min_extra == pytest.approx(max(-row.excess_at_zero, 0.0))
    split = allocate(legs_from_rows([row, row]), 1_500.0, 0.0)
    assert split.extra_margin == pytest.approx([750.0, 750.0])


def test_a_wallet_leg_keeps_what_may_not_leave_it() -> None:
    view = view_of(position_of(wallet=500.0))
    row = wallet_leg(view, 45.0, 1.0, 400.0, 300.0, kept(view))
    assert (row.min_extra, row.max_extra) == (400.0, 400.0)
