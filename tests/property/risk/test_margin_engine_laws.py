"""Laws of the margin engine: no rule of the account is ever broken by a margin move."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.margin import liquidation_price, removable_margin
from bot.risk.adjust import decide_margin, reserved_band
from bot.risk.band import Band
from bot.risk.limits import MarginLimits
from bot.risk.policies import POLICIES
from bot.risk.release import anchor_floor
from bot.risk.view import MarginBook, MarginDecision, MarginView
from tests.property.risk.worlds import books, number, views

_LIMITS = MarginLimits()
_CLOSE = 1e-9
_MOVERS = st.sampled_from(sorted(set(POLICIES) - {"static"}))


@st.composite
def situations(draw: st.DrawFn) -> tuple[MarginView, Band, MarginBook]:
    view = draw(views())
    policy = POLICIES[draw(_MOVERS)]
    return view, policy.band(view, policy.default), draw(books(view))


@st.composite
def roomy(draw: st.DrawFn) -> tuple[MarginView, Band, MarginBook]:
    """Situations in which the account hardly ever says no, so that most draws move margin."""
    view, band, book = draw(situations())
    wallet = view.position.isolated_wallet
    return (
        view,
        band,
        book._replace(
            adds=0,
            added_quote=0.0,
            initial_wallet_quote=wallet * 9,
            last_add_ms=0,
            last_release_ms=0,
            agreed_loss_quote=wallet * 9,
            free_quote=wallet * 99,
            equity_quote=wallet * 100,
        ),
    )


def after(view: MarginView, book: MarginBook, decision: MarginDecision) -> tuple[MarginView, MarginBook]:
    """The world once the decision was executed at the same mark."""
    moved = view._replace(position=view.position._replace(isolated_wallet=decision.target_wallet_quote))
    if decision.action == "add":
        spent = book._replace(
            added_quote=book.added_quote + decision.amount_quote,
            adds=book.adds + 1,
            last_add_ms=view.ts_ms,
            free_quote=book.free_quote - decision.amount_quote,
        )
        return moved, spent
    return moved, book._replace(
        last_release_ms=view.ts_ms,
        released_quote=book.released_quote + decision.amount_quote,
        free_quote=book.free_quote + decision.amount_quote,
    )


@given(situations())
def test_an_add_stays_within_agreed_loss_caps_and_reserve(
    situation: tuple[MarginView, Band, MarginBook],
) -> None:
    view, band, book = situation
    decision = decide_margin(view, band, book, _LIMITS)
    if decision.action != "add":
        return
    target, slack = decision.target_wallet_quote, _CLOSE * book.equity_quote
    assert target <= book.agreed_loss_quote + slack
    assert target <= _LIMITS.position_cap_fraction * book.equity_quote + slack
    assert book.free_quote - decision.amount_quote >= _LIMITS.reserve_fraction * book.equity_quote - slack
    allowed = _LIMITS.max_added_fraction * book.initial_wallet_quote
    assert book.added_quote + decision.amount_quote <= allowed + slack
    assert book.adds < _LIMITS.max_adds


@given(roomy())
def test_an_add_reaches_the_band_and_never_brings_liquidation_closer(
    situation: tuple[MarginView, Band, MarginBook],
) -> None:
    view, band, book = situation
    decision = decide_margin(view, band, book, _LIMITS)
    if decision.action != "add":
        return
    moved, _ = after(view, book, decision)
    before, then = liquidation_price(view.position, view.rules), liquidation_price(moved.position, view.rules)
    assert view.position.side * (before - then) >= 0.0
    assert view.position.side * (view.mark - then) / view.mark >= band.low


@given(roomy())
def test_a_release_stays_within_the_venue_rule_and_outside_the_anchor(
    situation: tuple[MarginView, Band, MarginBook],
) -> None:
    view, band, book = situation
    decision = decide_margin(view, band, book, _LIMITS)
    if decision.action != "release":
        return
    assert 0.0 < decision.amount_quote <= removable_margin(view.position, view.mark, view.rules)
    if view.stop_price > 0.0:
        assert decision.target_wallet_quote >= anchor_floor(view, _LIMITS) - _CLOSE * book.equity_quote
        moved, _ = after(view, book, decision)
        liquidation = liquidation_price(moved.position, view.rules)
        assert view.position.side * (view.stop_price - liquidation) > 0.0


@settings(max_examples=300)
@given(roomy(), st.integers(0, 10_000_000))
def test_an_executed_move_is_followed_by_hold_at_the_same_mark(
    situation: tuple[MarginView, Band, MarginBook], later_ms: int
) -> None:
    view, band, book = situation
    decision = decide_margin(view, band, book, _LIMITS)
    if decision.action == "hold":
        return
    moved, spent = after(view, book, decision)
    again = decide_margin(moved._replace(ts_ms=view.ts_ms + later_ms), band, spent, _LIMITS)
    assert again.action == "hold"


@given(situations(), st.integers(5_001, 10**9))
def test_nothing_but_hold_is_decided_on_a_stale_mark(
    situation: tuple[MarginView, Band, MarginBook], age_ms: int
) -> None:
    view, band, book = situation
    decision = decide_margin(view._replace(mark_age_ms=age_ms), band, book, _LIMITS)
    assert (decision.action, decision.reason, decision.amount_quote) == ("hold", "stale", 0.0)


@given(
    situations(),
    st.sampled_from(["mark", "sigma_day"]),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0]),
)
def test_unusable_numbers_hold(
    situation: tuple[MarginView, Band, MarginBook], field: str, value: float
) -> None:
    view, band, book = situation
    decision = decide_margin(view._replace(**{field: value}), band, book, _LIMITS)
    assert (decision.action, decision.reason) == ("hold", "unusable_numbers")


@given(situations(), number(0.0, 0.01))
def test_adverse_funding_only_ever_asks_for_more(
    situation: tuple[MarginView, Band, MarginBook], rate: float
) -> None:
    view, band, _ = situation
    paying = view._replace(funding_rate=rate * view.position.side)
    earning = view._replace(funding_rate=-rate * view.position.side)
    assert reserved_band(earning, band, 3) == band
    assert reserved_band(paying, band, 3).target >= band.target
    assert reserved_band(paying, band, 3).low == band.low
