"""What a resting stop does to the de-risk ladder, the ladder's case, and what is brought back after a cut."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.margin import liquidation_price, notional
from bot.core.probability import first_passage_student, log_distance
from bot.risk.adjust import decide_margin
from bot.risk.band import Band
from bot.risk.derisk import DeriskCase, DeriskLimits, GapRisk, derisk, derisk_costs
from bot.risk.derisk_case import (
    Thesis,
    addable,
    derisk_case,
    derisk_limits,
    liquidation_cost_rate,
    restored_wallet,
)
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.permissions import UNRESTRICTED
from bot.risk.policies.stop_anchor import StopAnchorParams
from tests.property.risk.worlds import INSTRUMENT, RULES, book_of, number, position_of, view_of, views

LIMITS = DeriskLimits()
BAND = Band(0.10, 0.12, 0.18)
HELD = Thesis(False, 0, 1.0)
VIEW = view_of(position_of(wallet=400.0), sigma=0.03)
STOPPED = VIEW._replace(stop_price=58_800.0)


def case_of(view: Any, **changed: Any) -> DeriskCase:
    case = derisk_case(view, BAND, book_of(), MarginLimits(), UNRESTRICTED, HELD, INSTRUMENT, slippage=0.0005)
    return case._replace(**changed)


def hold_cost(view: Any, limits: DeriskLimits = LIMITS) -> float:
    return derisk_costs(view, case_of(view), limits, False).hold


def test_behind_a_stop_only_a_failed_stop_and_a_jump_past_liquidation_count() -> None:
    value = notional(STOPPED.position, STOPPED.mark, RULES)
    waste, bounded = 0.0165 * value, 0.004 * value  # behind a stop the fee is paid out of what is left
    liquidation = liquidation_price(STOPPED.position, RULES)
    away = min(1.0 - liquidation / 60_000.0, log_distance(60_000.0, liquidation))
    reached = first_passage_student(away, 0.03)
    assert hold_cost(VIEW) == pytest.approx(waste * reached)
    no_gap = LIMITS._replace(gap=GapRisk(0.0, 0.012, 0.024))
    assert hold_cost(STOPPED, no_gap) == pytest.approx(0.01 * bounded * reached)
    assert hold_cost(STOPPED, LIMITS._replace(stop_failure=1.0)) == pytest.approx(bounded * reached)
    assert hold_cost(STOPPED, no_gap) < hold_cost(STOPPED) < 0.1 * hold_cost(VIEW)


@pytest.mark.parametrize("stop", [0.0, 57_000.0, 60_000.0, 61_000.0])
def test_a_stop_beyond_liquidation_or_behind_the_mark_protects_nothing(stop: float) -> None:
    if stop == 57_000.0:
        assert stop < liquidation_price(position_of(wallet=250.0), RULES)
    view = view_of(position_of(wallet=250.0), sigma=0.03)
    assert hold_cost(view._replace(stop_price=stop)) == hold_cost(view)


@given(views(with_stop=True), number(0.0, 1.0))
def test_a_stop_never_makes_holding_dearer(view: Any, failure: float) -> None:
    limits = LIMITS._replace(stop_failure=failure)
    assert hold_cost(view, limits) <= hold_cost(view._replace(stop_price=0.0), limits) * (1.0 + 1e-12)


@given(
    st.sampled_from([1, -1]), number(0.01, 0.05), number(0.005, 0.06), number(0.001, 0.999), st.integers(0, 3)
)
def test_with_the_default_anchor_behind_a_stop_nothing_is_ever_cut(
    side: int, stop_distance: float, sigma: float, place: float, cuts: int
) -> None:
    """Liquidation lies one daily sigma, at least 1 %, beyond the stop: wherever the mark is, hold is best."""
    stop = 60_000.0 * (1.0 - side * stop_distance)
    anchor = stop * (1.0 - side * max(0.01, sigma))
    wallet = 0.1 * side * (60_000.0 - anchor) + 0.004 * 0.1 * anchor
    mark = stop + place * (60_000.0 - stop)
    view = view_of(position_of(side, wallet=wallet, leverage=20.0), mark, stop, sigma)
    decision = derisk(view, case_of(view, cuts_made=cuts), INSTRUMENT, LIMITS)
    assert decision.move == "hold", decision


def test_after_the_last_cut_a_resting_stop_leaves_the_choice() -> None:
    spent = case_of(VIEW, cuts_made=2)
    assert derisk(VIEW, spent, INSTRUMENT, LIMITS).move == "close"
    decision = derisk(STOPPED, spent, INSTRUMENT, LIMITS)
    assert (decision.move, decision.reason) == ("hold", "cuts_used_up")
    costly = LIMITS._replace(stop_failure=1.0)
    near = STOPPED._replace(sigma_day=0.2)
    decision = derisk(near, case_of(near, cuts_made=2, exit_rate=1e-5), INSTRUMENT, costly)
    assert (decision.move, decision.reason) == ("close", "cuts_used_up")


def test_where_a_cut_is_too_small_for_the_venue_the_cheaper_of_hold_and_close_is_done() -> None:
    coarse = INSTRUMENT._replace(quantity_step=0.1, min_quantity=0.1)
    cheap, dear = (case_of(VIEW, liquidation_cost_rate=0.0165, exit_rate=rate) for rate in (0.0005, 0.0018))
    for case, instead in ((cheap, "close"), (dear, "hold")):
        assert derisk(VIEW, case, INSTRUMENT, LIMITS).move == "cut"
        decision = derisk(VIEW, case, coarse, LIMITS)
        assert (decision.move, decision.reason) == (instead, "below_venue_minimum")


def test_the_case_takes_its_costs_from_instrument_tier_and_settings() -> None:
    case = case_of(VIEW._replace(trend_score=-0.4))
    assert case.exit_rate == INSTRUMENT.taker_fee_rate + 0.0005
    assert case.liquidation_cost_rate == pytest.approx(0.0165), "maintenance rate and liquidation fee"
    assert case_of(STOPPED).liquidation_cost_rate == pytest.approx(0.004), "what is left behind a stop"
    assert (case.trend, case.edge_day, case.adds_left, case.cuts_made) == (-0.4, 0.0, 6, 0)
    short = view_of(position_of(-1, wallet=400.0))._replace(trend_score=-0.4)
    assert case_of(short).trend == 0.4
    large = view_of(position_of(quantity=2.0, wallet=9_000.0))._replace(stop_price=58_800.0)
    assert liquidation_cost_rate(large, 0.01) == pytest.approx(0.005, rel=0.1)
    assert liquidation_cost_rate(view_of(position_of(wallet=7_000.0)), 0.01) == 0.014


def test_the_original_quantity_is_what_cuts_left_it_from() -> None:
    thesis = Thesis(True, 1, 0.25)
    case = derisk_case(VIEW, BAND, book_of(adds=5), MarginLimits(), UNRESTRICTED, thesis, INSTRUMENT, 0.0)
    assert (case.original_quantity, case.cuts_made, case.adds_left) == (0.4, 1, 1)
    assert case.does_reenter


def test_the_user_s_limits_reach_the_ladder() -> None:
    chosen = derisk_limits(MarginLimits(max_derisk_cuts=5, stop_failure_probability=0.2))
    assert (chosen.max_cuts, chosen.stop_failure) == (5, 0.2)
    assert chosen.min_share == DeriskLimits().min_share


@pytest.mark.parametrize(
    ("book", "may_add", "expected"),
    [
        (book_of(), False, 0.0),
        (book_of(agreed=700.0), True, 300.0),
        (book_of(agreed=405.0), True, 0.0),
        (book_of(agreed=300.0), True, 0.0),
    ],
)
def test_the_add_under_comparison_is_what_the_caps_leave(book: Any, may_add: bool, expected: float) -> None:
    limits = MarginLimits(position_cap_fraction=1.0)
    assert addable(VIEW, Band(0.2, 0.3, 0.4), book, limits, may_add) == pytest.approx(expected)


CUT = view_of(position_of(quantity=0.05, wallet=200.0))


@pytest.mark.parametrize(
    ("book", "target", "below", "expected"),
    [
        (book_of(agreed=1_800.0), 390.0, 0.0, 372.0),
        (book_of(agreed=1_800.0), 300.0, 0.0, 300.0),
        (book_of(agreed=1_800.0), 390.0, 0.2, 390.0),
        (book_of(agreed=250.0), 390.0, 0.0, 250.0),
        (book_of(agreed=150.0), 390.0, 0.0, 200.0),
        (book_of(agreed=1_800.0, free=2_050.0), 390.0, 0.0, 250.0),
        (book_of(agreed=1_800.0, adds=99, added=9_999.0), 300.0, 0.0, 300.0),
        (book_of(agreed=1_800.0), 205.0, 0.0, 200.0),
        (book_of(agreed=1_800.0), 100.0, 0.0, 200.0),
    ],
)
def test_what_is_brought_back_is_capped_by_band_budget_and_reserve(
    book: Any, target: float, below: float, expected: float
) -> None:
    wallet = restored_wallet(CUT, Band(0.10, 0.12, 0.18), book, MarginLimits(), below, target)
    assert wallet == pytest.approx(expected, abs=2.0)
    assert wallet >= CUT.position.isolated_wallet


def manager(**margin: Any) -> RiskManager:
    return RiskManager(
        "stop_anchor", StopAnchorParams(), MarginLimits(**margin), EntryLimits(), BracketLimits()
    )


def test_nothing_is_brought_back_on_stale_or_unusable_numbers() -> None:
    risk = manager()
    fresh = risk.restored_wallet(CUT, book_of(), 300.0)
    assert fresh == pytest.approx(300.0)
    assert risk.restored_wallet(CUT._replace(mark_age_ms=6_000), book_of(), 300.0) == 200.0
    assert risk.restored_wallet(CUT._replace(sigma_day=0.0), book_of(), 300.0) == 200.0


def test_the_manager_names_what_is_wrong_and_nothing_where_nothing_is() -> None:
    risk = manager()
    assert risk.fault_of(VIEW, book_of()) == ""
    assert risk.fault_of(VIEW._replace(sigma_day=0.0), book_of()).startswith("sigma_day is 0.0")
    assert risk.fault_of(VIEW, book_of(equity=0.0)).startswith("equity_quote is 0.0")
    assert risk.may_derisk
    assert not manager(allow_derisk=0).may_derisk


def test_nothing_is_released_into_the_distances_of_the_ladder() -> None:
    rich = view_of(position_of(wallet=2_000.0, leverage=25.0))
    plain = decide_margin(rich, BAND, book_of(), MarginLimits())
    kept = decide_margin(rich, BAND, book_of(), MarginLimits(), UNRESTRICTED._replace(derisk_below=0.25))
    assert plain.action == kept.action == "release"
    assert kept.target_wallet_quote > plain.target_wallet_quote
    assert kept.target_wallet_quote == pytest.approx(0.25 * 6_000.0, rel=0.05)
