"""Laws of a person's orders over random positions: no amount crosses a rule that binds it."""

import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.core.margin import liquidation_price, removable_margin
from bot.core.profile import BINANCE_USDM, HYPERLIQUID, VenueProfile
from bot.risk.by_hand import Answer, Case, Wish, answer
from bot.risk.limits import MarginLimits
from bot.risk.view import MarginView
from tests.property.risk.worlds import INSTRUMENT, books, number, rules_of, views

LIMITS = MarginLimits()
NOISE = 1e-9
profiles = st.sampled_from([None, BINANCE_USDM, HYPERLIQUID])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    view = draw(views(with_stop=True))
    profile: VenueProfile | None = draw(profiles)
    rules = rules_of(profile, view.rules.tick_size)
    liquidation = liquidation_price(view.position, rules)
    assume(view.position.side * (view.mark - liquidation) > 0.0)
    seen = view._replace(rules=rules)
    low = draw(st.one_of(st.just(math.nan), number(0.0, 0.5)))
    return Case(seen, draw(books(seen)), INSTRUMENT, LIMITS, low)


def done(case: Case, wish: Wish) -> Answer:
    found = answer(wish, case)
    assume(found.refusal == "" and found.position is not None)
    return found


def wallet_of(found: Answer) -> float:
    assert found.position is not None
    return found.position.isolated_wallet


def distance_of(view: MarginView, found: Answer) -> float:
    assert found.position is not None
    return view.position.side * (view.mark - float(liquidation_price(found.position, view.rules)))


@settings(max_examples=60)
@given(cases(), number(0.0, 1.0))
def test_an_add_never_touches_the_reserve_and_never_brings_liquidation_nearer(
    case: Case, share: float
) -> None:
    view, book = case.view, case.book
    found = done(case, Wish("add", share * book.free_quote))
    wallet = view.position.isolated_wallet
    assert wallet_of(found) - wallet >= share * book.free_quote * (1.0 - NOISE) - NOISE * wallet
    assert found.amount_quote > 0.0
    left = book.free_quote - found.amount_quote
    assert left >= LIMITS.reserve_fraction * book.equity_quote - NOISE * book.equity_quote
    before = view.position.side * (view.mark - float(liquidation_price(view.position, view.rules)))
    assert distance_of(view, found) >= before - NOISE * view.mark


@settings(max_examples=60)
@given(cases(), number(0.0, 1.0))
def test_a_release_never_takes_more_than_the_venue_lets_out_and_never_passes_the_stop(
    case: Case, share: float
) -> None:
    view = case.view
    wallet = view.position.isolated_wallet
    found = done(case, Wish("release", share * wallet))
    assert 0.0 < found.amount_quote <= share * wallet * (1.0 + NOISE)
    assert found.amount_quote <= removable_margin(view.position, view.mark, view.rules) + 2 * NOISE * wallet
    assert found.position is not None
    liquidation = float(liquidation_price(found.position, view.rules))
    assert view.position.side * (view.stop_price - liquidation) > 0.0
    if case.band_low > 0.0:
        assert distance_of(view, found) >= (case.band_low - 1e-4) * view.mark - view.rules.tick_size


@settings(max_examples=60)
@given(cases(), st.sampled_from(["add", "release"]), number(0.0, 4.0))
def test_the_most_that_a_refusal_names_is_never_refused(case: Case, verb: str, factor: float) -> None:
    refused = answer(Wish(verb, 1.0 + factor * case.book.equity_quote), case)
    assume("At most " in refused.refusal)
    most = float(refused.refusal.split("At most ")[1].split(" ")[0].replace(",", ""))
    step = case.book.margin_step_quote
    assume(most >= step)
    assert answer(Wish(verb, step * math.floor(most / step + NOISE)), case).refusal == ""


@settings(max_examples=60)
@given(cases(), number(0.0, 1.0))
def test_a_reduction_never_closes_more_than_was_ordered_nor_leaves_dust(case: Case, fraction: float) -> None:
    found = done(case, Wish("reduce", fraction=fraction))
    held = case.view.position
    assert found.position is not None
    assert 0.0 < found.quantity <= fraction * held.quantity * (1.0 + NOISE)
    assert found.position.quantity >= INSTRUMENT.min_quantity * (1.0 - NOISE)
    assert math.isclose(found.quantity + found.position.quantity, held.quantity)


@settings(max_examples=60)
@given(cases(), st.sampled_from(["add", "release", "reduce", "close", ""]), st.floats(), st.floats())
def test_whatever_is_ordered_is_answered_with_finite_numbers_or_in_words(
    case: Case, verb: str, amount: float, fraction: float
) -> None:
    found = answer(Wish(verb, amount, fraction), case)
    assert found.refusal == found.refusal.strip()
    if not found.refusal:
        assert math.isfinite(found.amount_quote)
        assert found.position is None or 0.0 < found.position.isolated_wallet < math.inf
