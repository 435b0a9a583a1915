"""What a person may order about one position, by numbers that can be checked by hand."""

import math

import pytest

from bot.core.margin import liquidation_price
from bot.core.profile import AT_MARK, KEEP_ALL, NO_CLOSE_FEE, NOT_ROUNDED, VenueProfile
from bot.risk.by_hand import VERBS, Answer, Case, Wish, answer
from bot.risk.limits import MarginLimits
from bot.risk.view import MarginView
from tests.property.risk.worlds import INSTRUMENT, book_of, position_of, rules_of, view_of

LIMITS = MarginLimits()
# A long of 0.1 at 60,000 with 900 of margin: liquidation near 51,200.
RICH = position_of(wallet=900.0, leverage=50.0)


def asked(wish: Wish, view: MarginView | None = None, low: float = math.nan, **rules: object) -> Answer:
    seen = view or view_of(RICH, stop=58_000.0)
    instrument = INSTRUMENT._replace(**rules)
    return answer(wish, Case(seen, book_of(free=5_000.0, equity=10_000.0), instrument, LIMITS, low))


def test_an_add_is_rounded_up_to_the_venues_step() -> None:
    found = asked(Wish("add", 10.001))
    assert (found.refusal, found.amount_quote) == ("", pytest.approx(10.01))
    assert found.position is not None
    assert found.position.isolated_wallet == pytest.approx(910.01)


@pytest.mark.parametrize(("amount", "is_done"), [(3_000.0, True), (3_000.01, False)])
def test_an_add_leaves_the_reserve_to_the_cent(amount: float, is_done: bool) -> None:
    found = asked(Wish("add", amount))
    assert (found.refusal == "") == is_done
    if not is_done:
        assert "5,000.00 is free and 2,000.00 of it stays in reserve" in found.refusal
        assert "At most 3,000.00 can be added now." in found.refusal


def test_an_add_past_liquidation_is_refused() -> None:
    found = asked(Wish("add", 10.0), view_of(RICH, mark=50_000.0, stop=58_000.0))
    assert "past the liquidation price" in found.refusal


def test_a_release_is_rounded_down_to_the_venues_step() -> None:
    found = asked(Wish("release", 10.009))
    assert (found.refusal, found.amount_quote) == ("", pytest.approx(10.0))


def test_a_release_ends_where_half_the_anchors_buffer_is_left() -> None:
    found = asked(Wish("release", 880.0))
    assert "liquidation must stay behind the stop at 58000" in found.refusal
    most = float(found.refusal.split("At most ")[1].split(" ")[0])
    down_to = asked(Wish("release", most))
    assert down_to.refusal == ""
    assert down_to.position is not None
    liquidation = float(liquidation_price(down_to.position, rules_of()))
    assert liquidation == pytest.approx(58_000.0 * (1.0 - 0.5 * 0.03), rel=1e-4)  # half of one daily sigma
    assert asked(Wish("release", most + 0.02)).refusal != ""


def test_a_release_ends_at_the_policys_least_distance() -> None:
    found = asked(Wish("release", 880.0), low=0.12)
    assert "the policy keeps liquidation 12.00% away" in found.refusal


def test_a_release_ends_where_the_venue_keeps_the_rest() -> None:
    at_10x = view_of(position_of(wallet=900.0, leverage=10.0), stop=55_000.0)
    found = asked(Wish("release", 400.0), at_10x)
    assert "the exchange keeps the rest of the margin" in found.refusal


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (view_of(RICH), "No stop rests"),
        (view_of(RICH, stop=50_000.0), "comes before the stop"),
        (view_of(RICH, mark=57_000.0, stop=58_000.0), "has reached the stop"),
        (view_of(RICH, stop=58_000.0, sigma=math.nan), "is not known"),
        (view_of(RICH, stop=58_000.0, sigma=0.0), "is not known"),
        (
            view_of(
                RICH,
                stop=58_000.0,
                rules=rules_of(VenueProfile(AT_MARK, NO_CLOSE_FEE, 0.0, NOT_ROUNDED, KEEP_ALL)),
            ),
            "lets no margin out",
        ),
    ],
)
def test_nothing_is_released_where_the_stop_or_the_venue_does_not_allow_it(
    view: MarginView, words: str
) -> None:
    assert words in asked(Wish("release", 1.0), view).refusal


def test_a_reduction_is_rounded_down_and_pays_its_share_out() -> None:
    found = asked(Wish("reduce", fraction=0.255))
    assert (found.refusal, found.quantity) == ("", pytest.approx(0.025))
    assert found.position is not None
    assert found.position.quantity == pytest.approx(0.075)
    assert found.position.isolated_wallet == pytest.approx(675.0)


def test_a_reduction_leaves_no_remainder_that_cannot_be_traded() -> None:
    assert "would leave 0.01" in asked(Wish("reduce", fraction=0.9), min_quantity=0.02).refusal
    assert "smallest order" in asked(Wish("reduce", fraction=0.1), min_quantity=0.02).refusal
    assert "would leave" in asked(Wish("reduce", fraction=0.9), min_notional_quote=700.0).refusal
    assert asked(Wish("reduce", fraction=0.5), min_quantity=0.02).refusal == ""


def test_a_close_is_always_possible() -> None:
    found = asked(Wish("close"), view_of(RICH, mark=math.nan, sigma=math.nan))
    assert found == Answer("", None, 0.0, 0.1)


def test_every_verb_has_an_answer_and_no_other_word_has_one() -> None:
    assert all("There is no order" not in asked(Wish(verb)).refusal for verb in VERBS)
    assert asked(Wish("sell")).refusal.startswith('There is no order "sell".')
