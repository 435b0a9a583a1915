"""Caps on the whole book: what counts, what each leg adds, how much of a new leg still fits."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.risk.stress import (
    CASCADE,
    CORRELATED_RISK,
    MARGIN,
    CapState,
    Exposure,
    StressCaps,
    assumed_correlation,
    cascade,
    correlated_risk,
    entry_room,
    shrunk,
    stress,
)
from tests.property.risk.worlds import number

BTC = Exposure("BTC", 1, 5_000.0, 500.0, 0.03)
ETH = Exposure("ETH", 1, 3_000.0, 300.0, 0.04)
SOL = Exposure("SOL", -1, 2_000.0, 200.0, 0.05)
BOOK = (BTC, ETH, SOL)
CAPS = StressCaps()
MEASURED = np.array([[1.0, 0.8, 0.6], [0.8, 1.0, 0.7], [0.6, 0.7, 1.0]])


def breached(states: tuple[CapState, ...]) -> list[str]:
    return [state.cap for state in states if state.is_breached]


def test_the_three_caps_by_hand() -> None:
    margin, risk, crash = stress(BOOK, MEASURED, 10_000.0, CAPS)
    assert (margin.cap, margin.value, margin.limit, margin.largest) == (MARGIN, 1_000.0, 6_000.0, "BTC")
    weights = (150.0, 120.0, -100.0)
    square = 150**2 + 120**2 + 100**2 + 2 * (0.9 * 150 * 120 - 0.8 * 150 * 100 - 0.85 * 120 * 100)
    assert (risk.cap, risk.limit) == (CORRELATED_RISK, 2_500.0)
    assert risk.value == pytest.approx(4.19 * math.sqrt(square))
    assert risk.largest == "BTC"
    first = weights[0] * (150.0 + 0.9 * 120.0 - 0.8 * 100.0)
    assert risk.contributions[0] == pytest.approx(4.19 * first / math.sqrt(square))
    assert (crash.cap, crash.limit) == (CASCADE, 5_000.0)
    assert crash.contributions == (500.0, 300.0, 200.0)
    assert breached((margin, risk, crash)) == []


def test_a_cascade_takes_no_more_than_the_margin_and_less_from_a_calm_leg() -> None:
    assert cascade((BTC._replace(margin_quote=900.0), BTC), 5.0).tolist() == [750.0, 500.0]


def test_each_cap_is_breached_by_its_own_excess() -> None:
    states = stress(BOOK, MEASURED, 1_000.0, CAPS)
    assert breached(states) == [MARGIN, CORRELATED_RISK, CASCADE]
    tight = CAPS._replace(risk_cap_fraction=0.01)
    assert breached(stress(BOOK, MEASURED, 10_000.0, tight)) == [CORRELATED_RISK]


def test_a_hedge_adds_negative_risk() -> None:
    assert correlated_risk(BOOK, MEASURED)[2] < 0.0


def test_correlation_is_shrunk_half_way_to_ones() -> None:
    assert shrunk(np.array([[1.0, -1.0], [-1.0, 1.0]])).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_an_unmeasured_book_counts_no_diversification_and_no_hedge() -> None:
    assert assumed_correlation(BOOK).tolist() == [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_an_empty_book_stresses_nothing() -> None:
    states = stress((), np.zeros((0, 0)), 1_000.0, CAPS)
    assert [(state.value, state.largest, state.is_breached) for state in states] == [(0.0, "", False)] * 3


def test_a_book_without_volatility_has_no_correlated_risk() -> None:
    assert correlated_risk((BTC._replace(sigma_day=0.0),), np.ones((1, 1))).tolist() == [0.0]


def test_what_fits_is_let_in_whole() -> None:
    room = entry_room(BOOK, Exposure("XRP", 1, 500.0, 50.0, 0.05), 10_000.0, CAPS)
    assert (room.fraction, room.cap) == (1.0, "")


def test_an_entry_is_made_smaller_by_the_cap_that_binds_first() -> None:
    large = Exposure("XRP", 1, 20_000.0, 2_000.0, 0.05)
    by_risk = entry_room(BOOK, large, 10_000.0, CAPS)
    assert by_risk.cap == CORRELATED_RISK
    by_cascade = entry_room(BOOK, large, 10_000.0, CAPS._replace(cascade_cap_fraction=0.12))
    assert (by_cascade.cap, by_cascade.fraction) == (CASCADE, pytest.approx(0.1))
    assert (by_cascade.held_quote, by_cascade.limit_quote) == (1_000.0, pytest.approx(1_200.0))


def test_a_book_beyond_its_caps_takes_nothing_but_a_hedge() -> None:
    crowded = (BTC._replace(notional_quote=40_000.0, margin_quote=1_000.0),)
    more, hedge = Exposure("XRP", 1, 500.0, 50.0, 0.05), Exposure("XRP", -1, 500.0, 50.0, 0.05)
    assert entry_room(crowded, more, 10_000.0, CAPS).fraction == 0.0
    assert entry_room(crowded, hedge, 10_000.0, CAPS).fraction == 1.0
    too_much = hedge._replace(notional_quote=1e6)
    part = entry_room(crowded, too_much, 10_000.0, CAPS)
    assert 0.0 < part.fraction < 1.0
    assert entry_room(crowded, more, 1_900.0, CAPS).fraction == 0.0


def test_a_leg_without_margin_or_volatility_needs_no_room() -> None:
    empty = Exposure("XRP", 1, 0.0, 0.0, 0.0)
    assert entry_room(BOOK, empty, 10_000.0, CAPS).fraction == 1.0


@pytest.mark.parametrize(
    ("leg", "correlation", "equity", "words"),
    [
        (BTC, np.ones((1, 1)), 0.0, "equity_quote is 0.0"),
        (BTC, np.ones((1, 1)), math.nan, "equity_quote is nan"),
        (BTC._replace(side=0), np.ones((1, 1)), 1.0, "BTC.side is 0"),
        (BTC._replace(sigma_day=math.nan), np.ones((1, 1)), 1.0, "BTC.sigma_day is nan"),
        (BTC._replace(margin_quote=-1.0), np.ones((1, 1)), 1.0, "BTC.margin_quote is -1.0"),
        (BTC, np.ones((2, 2)), 1.0, r"shape \(2, 2\)"),
        (BTC, np.array([[math.nan]]), 1.0, r"correlation\[0\]\[0\] is nan"),
        (BTC, np.array([[0.5]]), 1.0, "no correlation matrix"),
    ],
)
def test_numbers_that_stress_nothing_are_named(leg: Any, correlation: Any, equity: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        stress((leg,), correlation, equity, CAPS)


def test_an_asymmetric_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="symmetric"):
        stress((BTC, ETH), np.array([[1.0, 0.5], [0.4, 1.0]]), 1_000.0, CAPS)


@st.composite
def exposures(draw: st.DrawFn) -> Exposure:
    value = draw(number(10.0, 1e5))
    margin = value * draw(number(0.01, 1.0))
    return Exposure("X", draw(st.sampled_from([1, -1])), value, margin, draw(number(0.001, 0.3)))


@given(st.lists(exposures(), max_size=6), exposures(), number(100.0, 1e6))
def test_what_is_let_in_keeps_every_cap_or_leaves_the_book_no_worse(
    held: list[Exposure], new: Exposure, equity: float
) -> None:
    room = entry_room(held, new, equity, CAPS)
    assert 0.0 <= room.fraction <= 1.0
    part = new._replace(
        notional_quote=new.notional_quote * room.fraction, margin_quote=new.margin_quote * room.fraction
    )
    legs = [*held, part]
    before = stress(held, assumed_correlation(held), equity, CAPS)
    after = stress(legs, assumed_correlation(legs), equity, CAPS)
    for was, state in zip(before[1:], after[1:], strict=True):
        assert state.value <= max(state.limit, was.value) * (1.0 + 1e-6) + 1e-6
