"""Caps held against market moves: the largest part is cut first, down to the cap, and not again at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.risk.stress import (
    CASCADE,
    CORRELATED_RISK,
    MARGIN,
    Exposure,
    StressCaps,
    assumed_correlation,
    cap_cuts,
    is_far_within,
    stress,
)
from tests.property.risk.worlds import number

BTC = Exposure("BTC", 1, 50_000.0, 2_500.0, 0.03)
ETH = Exposure("ETH", 1, 20_000.0, 1_500.0, 0.04)
SOL = Exposure("SOL", -1, 10_000.0, 700.0, 0.05)
BOOK = (BTC, ETH, SOL)
CAPS = StressCaps()


def values(legs: tuple[Exposure, ...], equity: float) -> dict[str, float]:
    """Each cap's value as a multiple of its limit."""
    states = stress(legs, assumed_correlation(legs), equity, CAPS)
    return {state.cap: state.value / state.limit for state in states}


def cut_down(legs: tuple[Exposure, ...], equity: float, cut_above: float) -> tuple[Exposure, ...]:
    gone = {cut.symbol: cut.fraction for cut in cap_cuts(legs, equity, CAPS, cut_above)}
    return tuple(
        leg._replace(
            notional_quote=leg.notional_quote * (1.0 - gone.get(leg.symbol, 0.0)),
            margin_quote=leg.margin_quote * (1.0 - gone.get(leg.symbol, 0.0)),
        )
        for leg in legs
    )


def test_the_largest_contribution_is_cut_first_and_only_to_the_cap() -> None:
    (cut,) = cap_cuts(BOOK, 20_000.0, CAPS, 1.25)
    assert (cut.symbol, cut.cap) == ("BTC", CORRELATED_RISK)
    assert cut.value > 1.25 * cut.limit
    assert cut.after == pytest.approx(cut.limit)
    assert values(cut_down(BOOK, 20_000.0, 1.25), 20_000.0)[CORRELATED_RISK] == pytest.approx(1.0)


def test_between_the_cap_and_its_tolerance_nothing_is_cut() -> None:
    equity = 20_000.0 * values(BOOK, 20_000.0)[CORRELATED_RISK] / 1.2
    assert values(BOOK, equity)[CORRELATED_RISK] == pytest.approx(1.2)
    assert cap_cuts(BOOK, equity, CAPS, 1.25) == ()
    assert len(cap_cuts(BOOK, equity, CAPS, 1.1)) == 1


def test_a_book_that_was_cut_is_not_cut_again() -> None:
    once = cut_down(BOOK, 9_000.0, 1.0)
    assert cap_cuts(once, 9_000.0, CAPS, 1.0001) == ()


def test_a_hedging_leg_is_never_cut_for_the_correlated_risk() -> None:
    assert all(cut.symbol != "SOL" for cut in cap_cuts(BOOK, 15_000.0, CAPS, 1.0))


@pytest.mark.parametrize(
    ("leg", "cap"),
    [(Exposure("A", 1, 100.0, 900.0, 0.001), MARGIN), (Exposure("A", 1, 10_000.0, 590.0, 0.012), CASCADE)],
)
def test_margin_and_cascade_are_cut_in_proportion(leg: Exposure, cap: str) -> None:
    caps = CAPS._replace(risk_cap_fraction=1.0, margin_cap_fraction=0.6)
    (cut,) = cap_cuts((leg,), 1_000.0, caps, 1.0)
    assert cut.cap == cap
    assert cut.fraction == pytest.approx(1.0 - cut.limit / cut.value)


def test_an_empty_book_is_cut_nowhere() -> None:
    assert cap_cuts((), 1_000.0, CAPS, 1.25) == ()


LEGS = st.lists(
    st.tuples(
        st.sampled_from([1, -1]),
        number(0.0, 1e5),
        number(0.0, 1e4),
        st.one_of(st.just(0.0), number(0.001, 0.3)),
    ),
    max_size=9,
)


@settings(max_examples=300)
@given(LEGS, number(10.0, 1e5), number(1.0, 3.0))
def test_no_cap_is_exceeded_after_the_cuts_and_no_leg_grows_or_turns(
    rows: list[tuple[int, float, float, float]], equity: float, cut_above: float
) -> None:
    legs = tuple(Exposure(str(index), *row) for index, row in enumerate(rows))
    due = {cap for cap, value in values(legs, equity).items() if value > cut_above}
    cuts = cap_cuts(legs, equity, CAPS, cut_above)
    assert bool(cuts) == bool(due)
    assert all(0.0 < cut.fraction <= 1.0 for cut in cuts)
    after = values(cut_down(legs, equity, cut_above), equity)
    assert all(after[cap] <= 1.0 + 1e-6 for cap in due)


@given(number(5_000.0, 60_000.0), number(0.0, 1.0), number(0.0, 1.0), number(0.0, 1.0), number(1.0, 2.0))
@settings(max_examples=100)
def test_a_book_far_within_its_caps_exceeds_none_and_no_smaller_one_does(
    equity: float, notional: float, margin: float, sigma: float, cut_above: float
) -> None:
    smaller = tuple(
        leg._replace(
            notional_quote=notional * leg.notional_quote,
            margin_quote=margin * leg.margin_quote,
            sigma_day=sigma * leg.sigma_day,
        )
        for leg in BOOK
    )
    if is_far_within(BOOK, equity, CAPS, cut_above):
        assert is_far_within(smaller, equity, CAPS, cut_above)
        assert all(value <= cut_above for legs in (BOOK, smaller) for value in values(legs, equity).values())
