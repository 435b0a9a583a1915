"""Rounding to steps: the safe side, exact decimals, and no surprise from float noise."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.instrument import Instrument, quantity_down
from bot.core.steps import is_on_step, step_down, step_up
from bot.core.tiers import LeverageTier, tiers_from_rows

STEPS = ["0.00000001", "0.0001", "0.001", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "5", "10", "100"]
steps = st.sampled_from(STEPS)
TIERS = tiers_from_rows([LeverageTier(0.0, 1e6, 0.005, 0.0, 100.0)])


def instrument(step: float) -> Instrument:
    return Instrument(
        "X", step, step, step, 5.0, step, 1.0, False, 0.0002, 0.0005, 0.0, 100.0, 28_800_000, TIERS
    )


@given(steps, st.integers(-(10**9), 10**9))
def test_a_multiple_stays_and_is_the_nearest_float_to_its_decimal(step: str, count: int) -> None:
    exact = float(Decimal(step) * count)
    noisy = float(step) * count
    assert step_down(noisy, float(step)) == step_up(noisy, float(step)) == exact
    assert is_on_step(noisy, float(step))


@given(steps, st.integers(0, 10**9), st.floats(0.001, 0.999))
def test_a_value_between_two_steps_goes_down_or_up_to_its_neighbours(
    step: str, count: int, part: float
) -> None:
    value = float(step) * (count + part)
    assert step_down(value, float(step)) == float(Decimal(step) * count)
    assert step_up(value, float(step)) == float(Decimal(step) * (count + 1))
    assert not is_on_step(value, float(step))


@given(steps, st.floats(0.0, 1e6))
def test_a_value_is_rounded_by_less_than_a_step_and_a_quantity_down(step: str, value: float) -> None:
    market, noise = instrument(float(step)), 1e-8 * float(step) + 1e-14 * value
    down, up = step_down(value, float(step)), step_up(value, float(step))
    assert down - noise <= value <= up + noise
    assert up - down <= float(step) + 2.0 * noise
    assert quantity_down(value, market) == down


def test_trillions_of_steps_still_round_to_the_neighbour() -> None:
    assert step_down(99_903.0, 1e-8) == step_up(99_903.0, 1e-8) == 99_903.0
    assert step_down(99_903.000000015, 1e-8) == 99_903.00000001
    assert not is_on_step(99_903.000000015, 1e-8)


@pytest.mark.parametrize(
    ("value", "step", "down", "up"),
    [
        (0.3, 0.1, 0.3, 0.3),
        (0.7, 0.3, 0.6, 0.8999999999999999),
        (2.675, 0.01, 2.67, 2.68),
        (7.0, 2.5, 5.0, 7.5),
    ],
)
def test_known_roundings(value: float, step: float, down: float, up: float) -> None:
    assert (step_down(value, step), step_up(value, step)) == (down, up)


@given(st.floats(-1e9, 1e9))
def test_a_market_without_a_step_takes_every_value(value: float) -> None:
    assert step_down(value, 0.0) == step_up(value, 0.0) == value
