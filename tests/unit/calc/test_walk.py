"""A book along a path: stops before liquidation, the same money every way, policies as in the loop."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.calc.case_studies import portfolio_legs
from bot.calc.walk import PathLeg, PathOutcome, straight_path, what_if_path
from bot.calc.whatif import what_if
from bot.core.margin import liquidation_distance, liquidation_price
from bot.risk.limits import MarginLimits
from bot.risk.policies import POLICIES
from bot.risk.view import MarginView

LEGS = portfolio_legs()
BTC, ETH, SOL = LEGS
FALL = (-0.08, -0.14, -0.15)
LIMITS = MarginLimits()


def path_of(leg: Any, marks: Any, stop: float = 0.0, sigma: float = 0.03) -> PathLeg:
    away = liquidation_distance(leg.position, leg.mark, leg.rules)
    view = MarginView(
        ts_ms=0,
        mark=leg.mark,
        mark_age_ms=0,
        position=leg.position,
        rules=leg.rules,
        stop_price=stop,
        sigma_day=sigma,
        funding_rate=0.0,
        entry_distance=away,
    )
    return PathLeg(view, np.array(marks, dtype=np.float64), 0.01)


def walk(*paths: PathLeg, free: float = 1_000.0, policies: Any = None) -> dict[str, PathOutcome]:
    chosen = {"volatility": None} if policies is None else policies
    return {outcome.way: outcome for outcome in what_if_path(paths, free, chosen, LIMITS)}


def test_a_straight_walk_ends_where_the_static_table_does() -> None:
    paths = [path_of(leg, straight_path(leg.mark, s, 50)) for leg, s in zip(LEGS, FALL, strict=True)]
    outcomes = walk(*paths, policies={})
    for way in what_if(LEGS, 1_000.0, FALL):
        assert outcomes[way.way].pnl == pytest.approx(way.pnl)
        assert len(outcomes[way.way].liquidated) == way.liquidations
    assert outcomes["isolated"].liquidated == ("ETH",)
    assert outcomes["isolated"].least_distance == 0.0
    assert outcomes["cross"].least_distance is None


def test_a_straight_path_has_as_many_even_minutes() -> None:
    assert straight_path(100.0, -0.1, 4).tolist() == pytest.approx([97.5, 95.0, 92.5, 90.0])
    for mark, shock, minutes, words in (
        (0.0, 0.1, 4, "mark is 0.0"),
        (100.0, -1.0, 4, "shock is 0.0"),
        (100.0, 0.1, 0, "minutes is 0"),
    ):
        with pytest.raises(ValueError, match=words):
            straight_path(mark, shock, minutes)


def test_a_stop_is_met_before_liquidation_and_filled_at_the_worse_price() -> None:
    gentle = walk(path_of(BTC, [59_000.0, 57_900.0, 50_000.0], stop=58_000.0))
    for way in ("isolated", "cross"):
        assert gentle[way].stopped == ("BTC",)
        assert gentle[way].pnl == pytest.approx(-2_100.0 / 12.0)
    through = walk(path_of(BTC, [50_000.0], stop=58_000.0), policies={})["isolated"]
    assert through.stopped == ("BTC",)
    assert through.pnl == pytest.approx((liquidation_price(BTC.position, BTC.rules) - 60_000.0) / 12.0)


def test_a_stop_beyond_liquidation_saves_nobody() -> None:
    outcome = walk(path_of(BTC, [53_000.0], stop=54_000.0), policies={})["isolated"]
    assert (outcome.liquidated, outcome.stopped, outcome.pnl) == (("BTC",), (), -500.0)


def test_a_cross_account_that_ends_loses_everything_and_walks_no_further() -> None:
    outcome = walk(path_of(BTC, [50_000.0, 30_000.0, 90_000.0]))["cross"]
    assert (outcome.liquidated, outcome.pnl, outcome.left) == (("BTC",), -1_500.0, 0.0)
    assert outcome.margin_hours == pytest.approx(1_500.0 / 60.0)


def test_the_switch_of_the_exchange_adds_at_the_touch() -> None:
    outcome = walk(path_of(BTC, [54_000.0, 60_000.0]))["exchange_auto_add"]
    assert (outcome.adds, outcome.added) == (1, pytest.approx(500.0))
    assert outcome.pnl == pytest.approx(0.0, abs=1e-9)


def test_a_policy_adds_before_it_is_too_late_and_releases_when_it_may() -> None:
    away = np.concatenate([straight_path(60_000.0, -0.07, 60), straight_path(55_800.0, 0.4, 400)])
    outcome = walk(path_of(BTC, away), free=10_000.0, policies={"volatility": None, "static": None})
    saved = outcome["volatility"]
    assert saved.adds >= 1
    assert saved.releases >= 1
    assert saved.least_distance is not None
    assert saved.least_distance > (outcome["static"].least_distance or 0.0)
    assert outcome["static"].pnl == outcome["isolated"].pnl


def test_params_of_a_policy_are_taken_and_the_switch_s_namesake_is_left_out() -> None:
    switch = {name: None for name in POLICIES if name == "exchange_auto_add"}
    narrow = POLICIES["distance_band"].params_type(target_distance=0.2)
    outcome = walk(path_of(BTC, [60_000.0] * 3), free=10_000.0, policies={"distance_band": narrow, **switch})
    assert outcome["distance_band"].added > 0.0
    assert list(outcome) == ["isolated", "cross", "exchange_auto_add", "distance_band"]


@pytest.mark.parametrize(
    ("paths", "policies", "words"),
    [
        ([path_of(BTC, [])], {}, "BTC.marks has 0 steps"),
        ([path_of(BTC, [6e4]), path_of(ETH, [3e3, 3e3])], {}, "ETH.marks has 2 steps"),
        ([path_of(BTC, [6e4, math.nan])], {}, r"BTC.marks\[1\] is nan"),
        ([path_of(BTC, [6e4, 0.0])], {}, r"BTC.marks\[1\] is 0.0"),
        ([path_of(BTC, [6e4], sigma=0.0)], {}, "BTC.sigma_day is 0.0"),
        ([path_of(BTC, [6e4])._replace(margin_step=-1.0)], {}, "BTC.margin_step is -1.0"),
        ([path_of(BTC, [6e4])], {"hope": None}, "policies has 'hope'; known are static"),
        ([], {}, "legs is empty"),
    ],
)
def test_a_path_that_makes_no_sense_is_named(paths: Any, policies: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        what_if_path(paths, 100.0, policies, LIMITS)


MOVES = st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(MOVES, st.floats(0.0, 3_000.0), st.sampled_from([0.0, 58_000.0, 54_500.0]))
def test_margin_alone_never_makes_money_while_nothing_is_closed(
    moves: list[float], free: float, stop: float
) -> None:
    marks = BTC.mark * np.cumprod(1.0 + np.array(moves))
    outcomes = walk(path_of(BTC, marks, stop), free=free, policies=dict.fromkeys(POLICIES))
    untouched = BTC.position.quantity * (marks[-1] - BTC.mark)
    for outcome in outcomes.values():
        assert outcome.left >= -1e-9
        assert outcome.left == pytest.approx(500.0 + free + outcome.pnl)
        if not outcome.liquidated and not outcome.stopped:
            assert outcome.pnl == pytest.approx(untouched, abs=1e-6)
