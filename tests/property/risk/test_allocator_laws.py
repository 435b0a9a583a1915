"""Laws of the allocator: KKT conditions, budget and bounds, monotone in the budget, no better split."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.risk.allocator import (
    Allocation,
    AllocationLeg,
    AllocationLegs,
    allocate,
    legs_from_rows,
    liquidation_probabilities,
    marginal_savings,
    summed,
)
from tests.property.risk.worlds import number


@st.composite
def rows(draw: st.DrawFn) -> AllocationLeg:
    value = draw(number(100.0, 1e6))
    low = value * draw(st.one_of(st.just(0.0), number(0.0, 0.1)))
    room = value * draw(st.one_of(st.just(0.0), number(0.0, 0.5), st.just(math.inf)))
    return AllocationLeg(
        draw(st.sampled_from([1, -1])),
        value,
        draw(number(0.0, 0.05)),
        draw(number(0.001, 0.3)),
        value * draw(st.one_of(st.just(0.0), number(1e-4, 0.05))),
        draw(number(-1.0, 1.0)) * low if low > 0.0 else value * draw(number(0.0, 0.2)),
        low,
        low + room,
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[AllocationLegs, float, float]:
    legs = legs_from_rows(draw(st.lists(rows(), min_size=1, max_size=8)))
    floors = summed(legs.min_extra)
    budget = floors + draw(st.one_of(st.just(0.0), number(0.0, 2.0))) * float(np.sum(legs.notional))
    return legs, budget, draw(st.one_of(st.just(0.0), number(1e-6, 0.05)))


def objective(legs: AllocationLegs, margins: np.ndarray, hurdle: float) -> float:
    chance = liquidation_probabilities(legs, margins)
    return float(np.sum(legs.liquidation_cost * chance) + hurdle * np.sum(margins))


@settings(max_examples=400)
@given(worlds())
def test_budget_and_bounds_are_never_exceeded(world: tuple[AllocationLegs, float, float]) -> None:
    legs, budget, hurdle = world
    split = allocate(legs, budget, hurdle)
    assert np.all(split.extra_margin >= legs.min_extra)
    assert np.all(split.extra_margin <= legs.max_extra)
    assert split.total_extra <= budget
    assert split.total_extra == pytest.approx(float(np.sum(split.extra_margin)), rel=1e-12)


@settings(max_examples=400)
@given(worlds())
def test_the_split_meets_the_kkt_conditions(world: tuple[AllocationLegs, float, float]) -> None:
    """Interior legs save the shadow price; at the floor at most that, at the ceiling at least that."""
    legs, budget, hurdle = world
    split = allocate(legs, budget, hurdle)
    savings, price = marginal_savings(legs, split.extra_margin), split.shadow_price
    slack = 1e-7 * price + 1e-300
    room = 1e-9 * legs.notional
    for index, margin in enumerate(split.extra_margin):
        if margin > legs.min_extra[index] + room[index]:
            assert savings[index] >= price - slack
        if margin < legs.max_extra[index] - room[index]:
            assert savings[index] <= price + slack
    assert price >= hurdle
    if price > hurdle * (1.0 + 1e-9):
        resolution = 1e-8 * float(np.max(legs.notional * legs.sigma_horizon))
        assert split.total_extra == pytest.approx(budget, rel=1e-10, abs=resolution)


@settings(max_examples=200)
@given(worlds(), number(1.0, 3.0))
def test_more_budget_takes_margin_from_no_leg(
    world: tuple[AllocationLegs, float, float], factor: float
) -> None:
    legs, budget, hurdle = world
    less, more = allocate(legs, budget, hurdle), allocate(legs, budget * factor, hurdle)
    assert np.all(more.extra_margin >= less.extra_margin - 1e-9 * np.maximum(less.extra_margin, budget))
    assert more.shadow_price <= less.shadow_price * (1.0 + 1e-9)
    assert more.expected_liquidation_loss <= less.expected_liquidation_loss * (1.0 + 1e-9) + 1e-12


@settings(max_examples=200)
@given(worlds(), st.data())
def test_moving_margin_between_two_legs_never_helps(
    world: tuple[AllocationLegs, float, float], data: st.DataObject
) -> None:
    legs, budget, hurdle = world
    split = allocate(legs, budget, hurdle)
    count = len(split.extra_margin)
    source, target = data.draw(st.integers(0, count - 1)), data.draw(st.integers(0, count - 1))
    share = data.draw(number(0.0, 1.0))
    spare = float(split.extra_margin[source] - legs.min_extra[source])
    room = float(min(legs.max_extra[target] - split.extra_margin[target], spare))
    moved = split.extra_margin.copy()
    moved[source] -= share * room
    moved[target] += share * room
    best = objective(legs, split.extra_margin, hurdle)
    assert objective(legs, moved, hurdle) >= best - 1e-9 * abs(best) - 1e-12


def _brute_force(legs: AllocationLegs, budget: float, hurdle: float) -> np.ndarray:
    """Projected gradient by trial: pairs of legs trade ever smaller amounts while the objective falls."""
    margins = legs.min_extra.copy()
    outside = budget - float(np.sum(margins))
    best, step = objective(legs, margins, hurdle), outside
    count = len(margins)
    while step > 1e-9 * budget:
        has_moved = False
        for source in range(-1, count):
            for target in range(-1, count):
                spare = outside if source < 0 else margins[source] - legs.min_extra[source]
                room = math.inf if target < 0 else legs.max_extra[target] - margins[target]
                amount = min(step, spare, room)
                if source == target or amount <= 0.0:
                    continue
                tried, left = margins.copy(), outside
                if source < 0:
                    left -= amount
                else:
                    tried[source] -= amount
                if target < 0:
                    left += amount
                else:
                    tried[target] += amount
                cost = objective(legs, tried, hurdle)
                if cost < best * (1.0 - 1e-15):
                    margins, outside, best, has_moved = tried, left, cost, True
        step = step if has_moved else 0.5 * step
    return margins


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("hurdle", [0.0, 0.002])
def test_a_search_without_formulas_finds_the_same_split(seed: int, hurdle: float) -> None:
    random = np.random.default_rng(seed)
    value = random.uniform(500.0, 9_000.0, 3)
    low = value * random.uniform(0.0, 0.03, 3)
    legs = AllocationLegs(
        random.choice([-1.0, 1.0], 3),
        value,
        random.uniform(0.003, 0.02, 3),
        random.uniform(0.01, 0.08, 3),
        value * random.uniform(0.005, 0.02, 3),
        random.uniform(0.0, 0.02, 3) * value,
        low,
        low + value * random.uniform(0.02, 0.4, 3),
    )
    budget = float(np.sum(low)) + float(np.sum(value)) * random.uniform(0.01, 0.2)
    split: Allocation = allocate(legs, budget, hurdle)
    found = _brute_force(legs, budget, hurdle)
    exact = objective(legs, split.extra_margin, hurdle)
    assert exact <= objective(legs, found, hurdle) * (1.0 + 1e-12)
    assert split.extra_margin == pytest.approx(found, abs=2e-4 * budget)
