"""One case per rule of the margin engine."""

import math

import pytest

from bot.core.margin import liquidation_distance, maintenance_margin, wallet_for_distance
from bot.core.profile import HYPERLIQUID, KEEP_ALL, KEEP_INITIAL_OF_EQUITY, VenueProfile
from bot.risk.adjust import decide_margin
from bot.risk.band import Band
from bot.risk.limits import MarginLimits
from bot.risk.view import MarginBook, MarginDecision, MarginView
from tests.property.risk.worlds import RULES, book_of, position_of, rules_of, view_of

BAND = Band(0.08, 0.10, 0.15)
LIMITS = MarginLimits()
NOW_MS = 1_000_000_000

LOW = view_of(mark=58_000.0)  # distance 6.5 %
HIGH = view_of(position_of(wallet=1_500.0), mark=62_000.0)  # distance 27.2 %


def decide(
    view: MarginView, book: MarginBook | None = None, limits: MarginLimits = LIMITS, band: Band = BAND
) -> MarginDecision:
    return decide_margin(view, band, book or book_of(), limits)


def test_add_brings_liquidation_to_the_target_rounded_up_to_the_margin_step() -> None:
    decision = decide(LOW)
    exact = wallet_for_distance(LOW.position, LOW.mark, BAND.target, RULES)
    assert (decision.action, decision.reason) == ("add", "below_band")
    assert 0.0 <= decision.target_wallet_quote - exact < 0.01
    assert decision.amount_quote == pytest.approx(decision.target_wallet_quote - 600.0)


def test_restoring_ten_percent_costs_what_the_study_says() -> None:
    # Margin-science section 6: 500 USDT at 10x, entry 60,000, after -5 %: 242.10 restores 10 %.
    view = view_of(position_of(quantity=5_000.0 / 60_000.0, wallet=500.0), mark=57_000.0)
    decision = decide(view)
    assert decision.amount_quote == pytest.approx(242.10, abs=0.011)


def test_release_leaves_the_target_rounded_down_to_the_margin_step() -> None:
    exact = wallet_for_distance(HIGH.position, HIGH.mark, BAND.target, RULES)
    decision = decide(HIGH._replace(position=HIGH.position._replace(leverage=50.0)))
    assert (decision.action, decision.reason) == ("release", "above_band")
    assert -1e-9 <= decision.target_wallet_quote - exact < 0.01


def test_release_keeps_the_venues_initial_margin_and_a_cushion() -> None:
    decision = decide(view_of(position_of(wallet=700.0), mark=62_000.0), band=Band(0.02, 0.03, 0.05))
    # W + uPnL - N / leverage - 0.1 % of N = 700 + 200 - 620 - 6.2
    assert decision.amount_quote == pytest.approx(273.8, abs=0.011)
    at_entry = decide(view_of(), band=Band(0.02, 0.03, 0.05))
    assert (at_entry.action, at_entry.reason) == ("hold", "venue_removal_rule")


def test_nothing_is_released_where_the_venue_keeps_what_a_position_has() -> None:
    kept = RULES._replace(profile=RULES.profile._replace(removal_rule=KEEP_ALL))
    high = HIGH._replace(position=HIGH.position._replace(leverage=50.0))
    assert decide(high).action == "release"
    decision = decide(high._replace(rules=kept))
    assert (decision.action, decision.reason) == ("hold", "venue_keeps_margin")
    assert decide(LOW._replace(rules=kept)).action == "add"


_OF_EQUITY = RULES.profile._replace(removal_rule=KEEP_INITIAL_OF_EQUITY)


@pytest.mark.parametrize("profile", [HYPERLIQUID, _OF_EQUITY])
def test_a_release_in_profit_leaves_maintenance_in_the_wallet(profile: VenueProfile) -> None:
    """A short that has won more than its margin: the venue would let the profit out too."""
    limits = LIMITS._replace(removal_cushion_fraction=0.0)
    view = view_of(position_of(side=-1, wallet=600.0, leverage=50.0), 50_000.0, rules=rules_of(profile))
    assert wallet_for_distance(view.position, view.mark, BAND.target, view.rules) < 0.0
    decision = decide(view, limits=limits)
    assert (decision.action, decision.reason) == ("release", "above_band")
    kept = maintenance_margin(view.position, view.mark, view.rules)
    assert decision.target_wallet_quote == pytest.approx(kept, abs=0.011)
    assert decision.target_wallet_quote >= kept
    drained = view._replace(position=view.position._replace(isolated_wallet=0.5 * kept))
    assert decide(drained, limits=limits).action == "hold"


def test_no_add_aims_at_a_wallet_below_zero() -> None:
    """Losses of a closed part, or funding, may leave less than nothing of the wallet of one in profit."""
    short, band = position_of(side=-1, wallet=-480.0, leverage=50.0), Band(0.11, 0.13, 0.15)
    view = view_of(short, 50_000.0, rules=rules_of(HYPERLIQUID))
    assert wallet_for_distance(short, 50_000.0, band.target, view.rules) < 0.0
    kept = maintenance_margin(short, 50_000.0, view.rules)
    assert decide(view, band=band).target_wallet_quote == pytest.approx(kept, abs=0.011)
    capped = decide(view, book_of(initial=100.0, added=0.0), band=band)
    assert (capped.action, capped.reason, capped.wants_derisk) == ("hold", "max_added", True)


def test_inside_the_band_nothing_moves() -> None:
    assert decide(view_of()).reason == "in_band"


def test_funding_ahead_is_posted_on_top_of_the_target() -> None:
    plain = decide(LOW).amount_quote
    paying = decide(LOW._replace(funding_rate=0.001)).amount_quote
    assert paying - plain == pytest.approx(3 * 0.001 * 58_000.0 * 0.1, rel=0.02)
    assert decide(LOW._replace(funding_rate=-0.001)).amount_quote == plain


@pytest.mark.parametrize(
    ("book", "reason"),
    [
        (book_of(adds=6), "max_adds"),
        (book_of(agreed=600.0), "agreed_loss"),
        (book_of(equity=2_000.0), "position_cap"),
        (book_of(free=2_000.0), "reserve"),
        (book_of(initial=300.0, added=600.0), "max_added"),
        (book_of(agreed=625.0), "agreed_loss"),
        (book_of(agreed=650.0), "cannot_reach_band"),
        (book_of(last_add_ms=NOW_MS - 59_999), "add_cooldown"),
    ],
)
def test_the_rule_that_stops_an_add_is_named(book: MarginBook, reason: str) -> None:
    decision = decide(LOW, book)
    assert (decision.action, decision.reason, decision.amount_quote) == ("hold", reason, 0.0)


def test_cooldowns_say_when_to_ask_again() -> None:
    assert decide(LOW, book_of(last_add_ms=NOW_MS - 1_000)).retry_at_ms == NOW_MS + 59_000
    free = HIGH._replace(position=HIGH.position._replace(leverage=50.0))
    released = decide(free, book_of(last_release_ms=NOW_MS - 1_000))
    assert (released.reason, released.retry_at_ms) == ("release_cooldown", NOW_MS + 3_599_000)
    added = decide(free, book_of(last_add_ms=NOW_MS - 2_000))
    assert (added.reason, added.retry_at_ms) == ("release_cooldown", NOW_MS + 3_598_000)


def test_a_cooldown_ends_on_time() -> None:
    assert decide(LOW, book_of(last_add_ms=NOW_MS - 60_000)).action == "add"


def test_an_emergency_does_not_wait_for_the_cooldown_or_the_minimum_step() -> None:
    wild = LOW._replace(sigma_day=0.15)
    recent = book_of(last_add_ms=NOW_MS - 1)
    assert decide(wild, recent).reason == "emergency"
    near = Band(0.066, 0.0661, 0.15)
    assert decide(LOW, band=near).reason == "below_minimum_step"
    assert decide(wild, band=near).reason == "emergency"


def test_an_emergency_still_obeys_the_caps() -> None:
    assert decide(LOW._replace(sigma_day=0.15), book_of(agreed=600.0)).action == "hold"


def test_the_last_step_of_an_add_never_passes_the_ceiling() -> None:
    decision = decide(LOW, book_of(agreed=780.005, step=1.0), band=Band(0.08, 0.11, 0.15))
    assert decision.action == "add"
    assert decision.target_wallet_quote == 780.0


def test_small_releases_are_not_made() -> None:
    view = view_of(position_of(leverage=50.0))
    assert decide(view, band=Band(0.08, 0.095, 0.0955)).reason == "below_minimum_step"


def test_release_stops_at_the_anchor_of_a_resting_stop() -> None:
    view = view_of(position_of(wallet=1_500.0, leverage=50.0), stop=57_000.0)
    near = Band(0.02, 0.03, 0.04)
    decision = decide(view, band=near)
    assert decision.action == "release"
    moved = view.position._replace(isolated_wallet=decision.target_wallet_quote)
    # Half of one daily sigma (3 %) stays between stop and liquidation.
    liquidation = view.mark * (1.0 - liquidation_distance(moved, view.mark, RULES))
    assert liquidation == pytest.approx(57_000.0 * (1.0 - 0.015), rel=1e-5)
    again = decide(view._replace(position=moved), band=near)
    assert again.reason == "anchor_floor"


@pytest.mark.parametrize(
    ("stop", "reason"), [(45_000.0, "stop_not_inside_liquidation"), (62_500.0, "stop_passed")]
)
def test_no_release_behind_a_stop_that_does_not_protect(stop: float, reason: str) -> None:
    view = HIGH._replace(stop_price=stop)
    assert decide(view).reason == reason


def test_a_position_past_its_liquidation_is_left_to_the_venue() -> None:
    assert decide(view_of(mark=54_000.0)).reason == "past_liquidation"


@pytest.mark.parametrize("age_ms", [5_001, -1])
def test_a_mark_of_impossible_or_old_age_moves_nothing(age_ms: int) -> None:
    assert decide(LOW._replace(mark_age_ms=age_ms)).reason == "stale"


@pytest.mark.parametrize(
    "view",
    [
        LOW._replace(mark=math.nan),
        LOW._replace(sigma_day=math.nan),
        LOW._replace(sigma_day=0.0),
        LOW._replace(stop_price=math.nan),
        LOW._replace(funding_rate=math.nan),
        LOW._replace(position=position_of(quantity=0.0)),
        LOW._replace(position=position_of(wallet=math.nan)),
        LOW._replace(position=position_of(entry=0.0)),
        LOW._replace(position=position_of(leverage=0.0)),
    ],
)
def test_unusable_position_numbers_hold(view: MarginView) -> None:
    assert decide(view).reason == "unusable_numbers"


@pytest.mark.parametrize(
    "book",
    [book_of(free=math.nan), book_of(equity=0.0), book_of(equity=math.inf), book_of(agreed=math.nan)],
)
def test_unusable_account_numbers_hold(book: MarginBook) -> None:
    assert decide(LOW, book).reason == "unusable_numbers"


@pytest.mark.parametrize(
    "band",
    [Band(0.2, 0.1, 0.3), Band(0.0, 0.1, 0.3), Band(0.05, 0.2, 0.1), Band(math.nan, math.nan, math.nan)],
)
def test_a_band_out_of_order_holds(band: Band) -> None:
    assert decide(LOW, band=band).reason == "unusable_numbers"


def test_a_long_that_cannot_be_liquidated_has_no_liquidation_probability() -> None:
    decision = decide(view_of(position_of(wallet=7_000.0, leverage=1.0)), band=Band(0.5, 0.9, 1.2))
    assert decision.facts["liquidation_probability_1h"] == 0.0
    assert decision.facts["distance"] == 1.0


def test_a_target_beyond_the_whole_price_keeps_a_longs_liquidation_above_zero() -> None:
    decision = decide(LOW, book_of(agreed=1e6, equity=1e6, initial=1e5, free=1e6), band=Band(0.9, 2.0, 3.0))
    assert decision.action == "add"
    assert decision.target_wallet_quote < 6_000.0


def test_facts_are_plain_values() -> None:
    for view in (LOW, HIGH, view_of(mark=math.nan)):
        assert all(type(value) in {int, float, bool, str} for value in decide(view).facts.values())
