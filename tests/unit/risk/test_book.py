"""The plan for the whole book: what moves, what the budget and free money allow, what is refused."""

import math
from typing import Any

import pytest

from bot.risk.allocator import AllocationLeg
from bot.risk.book import BookLeg, BookMoney, plan_book
from bot.risk.inputs import InvalidInput
from bot.risk.limits import AllocationLimits

LIMITS = AllocationLimits(budget_fraction=0.5, annual_hurdle=0.001)


def leg(symbol: str, wallet: float, sigma: float = 0.05, low: float = 50.0, high: float = 900.0) -> BookLeg:
    row = AllocationLeg(1, 5_000.0, 0.004, sigma, 45.0, 0.0, low, high)
    return BookLeg(symbol, wallet, 10.0, 0.01, row)


EVEN = (leg("A", 400.0), leg("B", 200.0))


def moves(legs: tuple[BookLeg, ...], budget: float, free: float) -> list[Any]:
    plan = plan_book(legs, BookMoney(budget, free), LIMITS)
    return [(move.symbol, move.kind, pytest.approx(move.amount_quote, abs=0.02)) for move in plan.moves]


def test_equal_legs_get_equal_margin_releases_first() -> None:
    assert moves(EVEN, 600.0, 0.0) == [("A", "release", 100.0), ("B", "add", 100.0)]


def test_a_plan_says_what_it_saves() -> None:
    plan = plan_book(EVEN, BookMoney(600.0, 0.0), LIMITS)
    assert (plan.wallets_quote, plan.target_quote) == (600.0, pytest.approx(600.0, abs=0.02))
    assert plan.loss_after_quote < plan.loss_before_quote
    assert plan.shadow_price > 0.0


def test_a_book_beyond_its_budget_releases_and_makes_that_good_before_it_adds() -> None:
    assert moves(EVEN, 500.0, 1_000.0) == [("A", "release", 150.0), ("B", "add", 50.0)]


def test_what_is_held_and_may_not_be_released_is_no_reason_to_refuse() -> None:
    stuck = (leg("A", 400.0, low=400.0), leg("B", 200.0, low=200.0))
    assert moves(stuck, 100.0, 0.0) == []


def test_floors_that_ask_for_adds_beyond_the_budget_are_refused_with_numbers() -> None:
    short = (leg("A", 400.0, low=400.0), leg("B", 200.0, low=300.0))
    with pytest.raises(
        InvalidInput, match=r"budget is 600\.0; it must be at least the sum of the floors, 700"
    ):
        plan_book(short, BookMoney(600.0, 0.0), LIMITS)


def test_a_leg_that_is_unusable_is_named_with_field_and_value() -> None:
    with pytest.raises(InvalidInput, match=r"B\.sigma_horizon is nan; it must be finite and above 0"):
        plan_book((leg("A", 400.0), leg("B", 200.0, sigma=math.nan)), BookMoney(600.0, 0.0), LIMITS)


def test_moves_below_the_least_step_are_not_made() -> None:
    near = (leg("A", 60.0)._replace(least_move_quote=20.0), leg("B", 40.0, low=40.0))
    assert moves(near, 100.0, 0.0) == []


def test_no_add_is_rounded_up_beyond_its_ceiling() -> None:
    capped = (leg("A", 100.0, high=150.005)._replace(margin_step_quote=1.0),)
    assert moves(capped, 1_000.0, 1_000.0) == [("A", "add", 50.0)]


def test_an_empty_book_has_no_moves() -> None:
    assert moves((), 500.0, 500.0) == []
