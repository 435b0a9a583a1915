"""The manager's answers, the ladder's shape, and settings that contradict each other."""

import math
from typing import Any

import pytest

from bot.risk.contradictions import contradictions
from bot.risk.limits import (
    BRACKET_BOUNDS,
    ENTRY_BOUNDS,
    MARGIN_BOUNDS,
    BracketLimits,
    EntryLimits,
    MarginLimits,
)
from bot.risk.manager import RiskManager
from bot.risk.policies import DEFAULT_POLICY, POLICIES
from bot.risk.policies.distance_band import DistanceBandParams
from bot.risk.policies.stop_anchor import StopAnchorParams
from bot.risk.policies.volatility import VolatilityParams
from bot.risk.trailing import on_tick_toward_mark
from bot.risk.view import Ladder, MarginView, TakeProfit
from tests.property.risk.worlds import INSTRUMENT, book_of, position_of, view_of

HALF, REST = TakeProfit(62_700.0, 0.05), TakeProfit(65_400.0, 0.05)


def manager(policy: str, params: Any = None, **bracket: float) -> RiskManager:
    chosen = params or POLICIES[policy].default
    return RiskManager(policy, chosen, MarginLimits(), EntryLimits(), BracketLimits(**bracket))


def kinds(ladder: Ladder) -> list[str]:
    return [rung.kind for rung in ladder.rungs]


def price_of(ladder: Ladder, kind: str) -> float:
    return next(rung.price for rung in ladder.rungs if rung.kind == kind)


def test_the_ladder_of_a_long_ascends_from_liquidation_to_the_last_target() -> None:
    view = view_of(stop=57_000.0)
    ladder = manager("distance_band").ladder(view, (HALF, REST), 60_000.0, 57_000.0)
    assert kinds(ladder) == ["liquidation", "stop", "add", "take_profit", "trail", "release", "take_profit"]
    liquidation = price_of(ladder, "liquidation")
    low = 0.65 * view.entry_distance
    assert price_of(ladder, "add") == pytest.approx(liquidation / (1.0 - low), rel=1e-12)
    assert (ladder.sleep_low, ladder.sleep_high) == (price_of(ladder, "add"), price_of(ladder, "trail"))


def test_the_ladder_of_a_short_is_mirrored() -> None:
    view = view_of(position_of(side=-1), stop=63_000.0)
    ladder = manager("distance_band").ladder(view, (), 60_000.0, 63_000.0)
    assert kinds(ladder) == ["trail", "release", "add", "stop", "liquidation"]
    assert (ladder.sleep_low, ladder.sleep_high) == (price_of(ladder, "release"), price_of(ladder, "add"))


def test_static_sleeps_through_everything() -> None:
    ladder = manager("static").ladder(view_of(), (), 60_000.0, 0.0)
    assert kinds(ladder) == ["liquidation"]
    assert (ladder.sleep_low, ladder.sleep_high) == (0.0, math.inf)


def test_a_trail_that_is_already_due_wakes_at_every_mark() -> None:
    ladder = manager("static").ladder(view_of(stop=58_000.0), (), 63_000.0, 58_000.0)
    assert ladder.sleep_low > ladder.sleep_high


def test_an_add_that_is_already_due_is_not_slept_through() -> None:
    view = view_of(mark=56_000.0)
    ladder = manager("distance_band").ladder(view, (), 60_000.0, 0.0)
    assert view.mark < ladder.sleep_low
    amount = next(rung.amount for rung in ladder.rungs if rung.kind == "add")
    assert amount > 0.0


def test_a_position_that_cannot_be_liquidated_has_no_liquidation_rung() -> None:
    free = view_of(position_of(wallet=7_000.0, leverage=1.0))
    wide = manager("volatility").ladder(free, (), 60_000.0, 0.0)
    assert kinds(wide) == []
    assert wide.sleep_low > wide.sleep_high  # the venue lets the surplus out at this very mark
    tolerant = manager("volatility", VolatilityParams(high=20.0)).ladder(free, (), 60_000.0, 0.0)
    assert (tolerant.sleep_low, tolerant.sleep_high) == (0.0, math.inf)


def test_a_release_that_the_venue_blocks_has_its_rung_where_the_venue_lets_it_out() -> None:
    risk = manager("stop_anchor")
    held = position_of(wallet=600.0, leverage=10.0)
    for side, stop in ((1, 59_400.0), (-1, 60_600.0)):
        view = view_of(held._replace(side=side), mark=60_000.0, stop=stop, sigma=0.01)
        assert risk.decide_margin(view, book_of()).reason == "venue_removal_rule"
        ladder = risk.ladder(view, (), 60_000.0, stop)
        rung = next(rung for rung in ladder.rungs if rung.kind == "release")
        assert side * (rung.price - view.mark) > 0.0
        assert ladder.sleep_low < view.mark < ladder.sleep_high
        before, after = (view._replace(mark=rung.price * (1.0 + side * nudge)) for nudge in (-1e-5, 1e-5))
        assert risk.decide_margin(before, book_of()).reason == "venue_removal_rule"
        assert risk.decide_margin(after, book_of()).action == "release"


def test_a_mark_past_the_anchor_asks_for_no_add() -> None:
    view = view_of(mark=55_000.0, stop=58_000.0)
    ladder = manager("stop_anchor").ladder(view, (), 60_000.0, 58_000.0)
    assert "add" not in kinds(ladder)
    assert manager("stop_anchor").decide_margin(view, book_of()).action == "hold"


def test_a_nan_volatility_moves_nothing() -> None:
    for policy in POLICIES:
        for stop in (0.0, 57_000.0):
            view = view_of(sigma=math.nan, stop=stop)
            risk = manager(policy)
            assert risk.decide_margin(view, book_of()).reason == "unusable_numbers"
            assert kinds(risk.ladder(view, (), 60_000.0, 0.0))[0] == "liquidation"


@pytest.mark.parametrize("changed", ["mark", "sigma_day", "quantity", "entry_price", "leverage"])
@pytest.mark.parametrize("value", [0.0, math.nan, math.inf, -1.0])
@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_holds_on_a_number_that_is_none(policy: str, changed: str, value: float) -> None:
    view = view_of()
    if changed in view._fields:
        view = view._replace(**{changed: value})
    else:
        view = view._replace(position=view.position._replace(**{changed: value}))
    decision = manager(policy).decide_margin(view, book_of())
    assert (decision.action, decision.reason, decision.amount_quote) == ("hold", "unusable_numbers", 0.0)
    assert not decision.wants_derisk


def test_an_unusable_mark_leaves_a_ladder_without_margin_rungs() -> None:
    ladder = manager("distance_band").ladder(view_of(mark=0.0), (), 60_000.0, 0.0)
    assert kinds(ladder) == ["liquidation"]


def test_the_stop_anchor_falls_back_to_the_hurdle_without_a_stop() -> None:
    view = view_of()
    assert manager("stop_anchor").band(view) == manager("hurdle").band(view)
    anchored = manager("stop_anchor").band(view._replace(stop_price=58_000.0))
    assert anchored.target == pytest.approx(1.0 - 58_000.0 * 0.97 / 60_000.0)


def test_the_distance_band_can_be_given_in_percent() -> None:
    band = manager("distance_band", DistanceBandParams(target_distance=0.08)).band(view_of())
    assert (band.low, band.target, band.high) == pytest.approx((0.052, 0.08, 0.12))


def test_volatility_targets_stay_between_their_ends() -> None:
    risk = manager("volatility")
    assert risk.band(view_of(sigma=1e-4)).target == 0.012
    assert risk.band(view_of(sigma=1.0)).target == 0.60


def test_the_trailing_stop_follows_the_best_mark_by_its_distance() -> None:
    risk = manager("static")
    assert risk.trailed_stop(1, 60_000.0, 58_000.0, 58_000.0, 61_999.0, 0.1) == 0.0
    assert risk.trailed_stop(1, 60_000.0, 58_000.0, 58_000.0, 62_500.0, 0.1) == 60_500.0
    assert risk.trailed_stop(1, 60_000.0, 58_000.0, 60_500.0, 62_600.0, 0.1) == 0.0
    assert risk.trailed_stop(-1, 60_000.0, 62_000.0, 62_000.0, 57_000.0, 0.1) == 59_000.0


@pytest.mark.parametrize(
    ("bracket", "initial_stop"),
    [({"trail_activate_r": 0.0}, 58_000.0), ({}, 0.0), ({}, 61_000.0)],
)
def test_no_trail_when_it_is_off_or_has_no_initial_risk(bracket: dict, initial_stop: float) -> None:
    risk = manager("static", **bracket)
    assert risk.trailed_stop(1, 60_000.0, initial_stop, 58_000.0, 70_000.0, 0.1) == 0.0


def test_a_missing_stop_trails_from_the_initial_one() -> None:
    assert manager("static").trailed_stop(1, 60_000.0, 58_000.0, 0.0, 63_000.0, 0.1) == 61_000.0


def test_a_trail_shorter_than_a_tick_does_not_move_the_stop_onto_the_mark() -> None:
    risk = manager("static", trail_distance_r=0.05)
    assert risk.trailed_stop(1, 100.0, 98.0, 98.0, 104.0, 0.5) == 0.0


def test_a_short_whose_trail_would_lie_below_zero_has_none() -> None:
    ladder = manager("static", trail_activate_r=50.0).ladder(
        view_of(position_of(side=-1), stop=63_000.0), (), 60_000.0, 63_000.0
    )
    assert "trail" not in kinds(ladder)


def test_a_tightened_stop_is_rounded_toward_the_mark() -> None:
    assert on_tick_toward_mark(1, 100.03, 0.1) == 100.1
    assert on_tick_toward_mark(-1, 100.03, 0.1) == 100.0


def test_a_contract_settled_in_its_base_coin_is_no_leg_of_the_book() -> None:
    view = view_of(position_of(wallet=500.0))
    inverse = view._replace(rules=view.rules._replace(is_inverse=True))
    with pytest.raises(ValueError, match="is_inverse is True; it must be False: one budget needs one coin"):
        manager("static").book_leg(inverse, book_of(), 50_000.0)


def test_risk_of_is_plain_numbers() -> None:
    risk = manager("static").risk_of(view_of(position_of(quantity=5_000.0 / 60_000.0, wallet=500.0)))
    assert risk.liquidation_price == pytest.approx(54_216.867, abs=1e-3)
    assert all(type(value) is float for value in risk)


def test_the_manager_refuses_another_policys_params() -> None:
    with pytest.raises(TypeError, match="takes VolatilityParams"):
        manager("volatility", StopAnchorParams())
    assert manager(DEFAULT_POLICY).policy == "stop_anchor"


def test_take_profits_are_those_of_what_was_filled() -> None:
    assert manager("static").take_profits(1, 60_000.0, 58_200.0, 0.1, INSTRUMENT) == (HALF, REST)


@pytest.mark.parametrize(
    ("limits", "bounds"),
    [
        (MarginLimits(), MARGIN_BOUNDS),
        (EntryLimits(), ENTRY_BOUNDS),
        (BracketLimits(), BRACKET_BOUNDS),
    ],
)
def test_every_limit_has_a_bound(limits: Any, bounds: dict) -> None:
    assert tuple(bounds) == limits._fields
    assert all(bound.unit and bound.doc.endswith(".") for bound in bounds.values())


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_the_defaults_do_not_contradict_each_other(name: str) -> None:
    policy = POLICIES[name]
    assert contradictions(policy, policy.default, MarginLimits(), EntryLimits(), BracketLimits()) == ()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"params": VolatilityParams(low=1.6, high=0.9)}, "must be below 1"),
        ({"margin": MarginLimits(max_adds=-1)}, "margin.limits.max_adds is -1, allowed are 0 to 1000 count"),
        ({"entry": EntryLimits(max_leverage=0)}, "entry.max_leverage is 0, allowed are 1 to 125 x"),
        ({"entry": EntryLimits(risk_fraction=math.nan)}, "risk_fraction is nan"),
        ({"entry": EntryLimits(min_stop_distance=0.4)}, "not below entry.max_stop_distance"),
        ({"entry": EntryLimits(max_stop_distance=0.9, buffer_min=0.2)}, "beyond liquidation"),
        ({"entry": EntryLimits(min_reward_to_risk=5.0)}, "every entry would be refused"),
        ({"entry": EntryLimits(reserve_fraction=0.5)}, "more than the whole equity"),
        ({"entry": EntryLimits(portfolio_cap_fraction=0.2)}, "is above entry.portfolio_cap_fraction"),
        ({"margin": MarginLimits(position_cap_fraction=0.1)}, "could never be defended"),
        ({"entry": EntryLimits(risk_fraction=0.06)}, "one stop would end the day"),
        ({"entry": EntryLimits(buffer_min=0.004)}, "beyond the anchor floor"),
        (
            {"margin": MarginLimits(reserve_fraction=0.9, position_cap_fraction=0.5)},
            "margin.limits.reserve_fraction 0.9 and margin.limits.position_cap_fraction 0.5 are more than",
        ),
        ({"bracket": BracketLimits(first_take_profit_r=3.0)}, "is not below brackets.second_take_profit_r"),
        ({"bracket": BracketLimits(trail_distance_r=2.5)}, "behind the initial stop"),
    ],
)
def test_a_contradiction_is_named(changed: dict[str, Any], words: str) -> None:
    settings: dict[str, Any] = {
        "params": VolatilityParams(),
        "margin": MarginLimits(),
        "entry": EntryLimits(),
        "bracket": BracketLimits(),
        **changed,
    }
    assert any(words in text for text in contradictions(POLICIES["volatility"], **settings))


def view_with_entry_distance(distance: float) -> MarginView:
    return view_of()._replace(entry_distance=distance)


@pytest.mark.parametrize("distance", [0.0, math.nan, -0.1])
def test_an_unknown_entry_distance_moves_nothing(distance: float) -> None:
    decision = manager("distance_band").decide_margin(view_with_entry_distance(distance), book_of())
    assert decision.reason == "unusable_numbers"
