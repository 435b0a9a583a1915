"""Rungs in closed form are those that the general search finds."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.backtest.kernel import rungs
from bot.backtest.kernel.books import Limits
from bot.backtest.kernel.policy_codes import CODES, band_of, numbers_of
from bot.backtest.kernel.rungs import rungs_of
from bot.core.instrument import margin_rules
from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.core.profile import BINANCE_USDM
from bot.risk.derisk import DeriskLimits
from bot.risk.entry_judgement import stress_caps
from bot.risk.limits import AllocationLimits, BracketLimits, EntryLimits, MarginLimits
from bot.risk.policies import POLICIES
from bot.risk.triggers import Due, MarginRungs, margin_rungs
from bot.risk.view import MarginView
from bot.sim.embedded import instrument_for

SYMBOL = "BTC/USDT:USDT"
ENTRY = 60_000.0
RULES = margin_rules(instrument_for(SYMBOL), BINANCE_USDM)

views = st.builds(
    lambda side, leverage, away, stop, sigma, rate: MarginView(
        0,
        ENTRY * (1.0 + side * away),
        0,
        Position(SYMBOL, side, 0.5, ENTRY, 0.5 * ENTRY / leverage, leverage, 0),
        RULES,
        ENTRY * (1.0 - side * stop),
        sigma,
        rate,
        0.2,
    ),
    st.sampled_from((1, -1)),
    st.floats(2.0, 30.0),
    st.floats(-0.05, 0.2),
    st.floats(0.005, 0.1),
    st.floats(0.002, 0.2),
    st.floats(-0.002, 0.002),
)


def limits_of(policy: str) -> Limits:
    """The usual limits with a policy of usual parameters."""
    entry = EntryLimits()
    return Limits(
        CODES[policy],
        numbers_of(POLICIES[policy].default),
        MarginLimits(funding_payments_ahead=3),
        entry,
        BracketLimits(),
        DeriskLimits(),
        stress_caps(entry),
        AllocationLimits(),
    )


def is_same(one: Due, other: Due) -> bool:
    return all(
        math.isclose(a, b, rel_tol=1e-9) or (math.isinf(a) and a == b)
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("policy", ["stop_anchor", "volatility", "liquidation_probability", "hurdle"])
@given(view=views)
def test_lines_are_cut_where_the_search_cuts_them(policy: str, view: MarginView) -> None:
    limits = limits_of(policy)
    liquidation = float(liquidation_price(view.position, view.rules))
    assume(view.position.side * (view.mark - liquidation) > 1e-4 * view.mark)
    known = margin_rungs(view, band_of, limits, limits.margin.funding_payments_ahead)
    found = rungs_of(view, liquidation, limits)
    assert is_same(found.add, known.add), (found.add, known.add)
    assert is_same(found.release, known.release), (found.release, known.release)


def test_most_positions_need_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[MarginView] = []
    never = Due(0.0, 0.0, math.inf)

    def search(view: MarginView, *_: object) -> MarginRungs:
        searched.append(view)
        return MarginRungs(0.0, never, never)

    monkeypatch.setattr(rungs, "margin_rungs", search)
    for leverage in (5.0, 8.0, 10.0):
        for side in (1, -1):
            held = Position(SYMBOL, side, 0.5, ENTRY, 0.5 * ENTRY / leverage, leverage, 0)
            view = MarginView(0, ENTRY, 0, held, RULES, ENTRY * (1.0 - side * 0.02), 0.03, 0.0001, 0.2)
            rungs_of(view, float(liquidation_price(held, RULES)), limits_of("stop_anchor"))
    assert not searched
