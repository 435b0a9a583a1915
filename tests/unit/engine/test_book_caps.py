"""Caps on the whole book while positions are open: cut when the market breaks them, and not for a trifle."""

from typing import Any

import pytest

from bot.core.event import CapBreached
from bot.core.intent import ReducePosition
from bot.engine.book_caps import closed_quantity
from bot.engine.entries import portfolio
from bot.risk.limits import BracketLimits, CapLimits, EntryLimits
from tests.unit.engine.desk_builder import MINUTE_MS, A, B, Bench, actions, instrument

NO_TRAIL = BracketLimits(trail_activate_r=0.0, first_take_profit_r=3.0, second_take_profit_r=6.0)
# Two longs of 8 % of equity in the joint stress, under a cap of 9 %.
ENTRY = EntryLimits(risk_cap_fraction=0.09)


def book_bench(**caps: Any) -> Bench:
    bench = Bench(entry=ENTRY, bracket=NO_TRAIL, caps=CapLimits(**caps))
    for symbol in (A, B):
        bench.enter(symbol=symbol, stop_distance=0.03 if symbol == A else 0.05)
        bench.tick(100.0, symbol)
    return bench


def louder(bench: Bench, factor: float) -> list[Any]:
    """Let volatility be `factor` times what it was in both markets, and close a candle."""
    bench.ts_ms += MINUTE_MS
    sent: list[Any] = []
    for symbol in (A, B):
        bench.tick(100.0, symbol, 1)
    for market in bench.engine.state.markets.values():
        market.sigma_day *= factor
    # The candle of a flat minute changes the estimate by less than a thousandth.
    estimate = bench.engine._estimate
    bench.engine._estimate = lambda _market: None  # type: ignore[method-assign]
    for symbol in (A, B):
        sent += bench.candle(100.0, symbol)
    bench.engine._estimate = estimate  # type: ignore[method-assign]
    return sent


def cuts(sent: list[Any]) -> list[tuple[str, float]]:
    return [(action.symbol, action.quantity) for action in actions(sent, ReducePosition)]


def test_a_book_beyond_its_cap_is_cut_largest_contribution_first_down_to_the_cap() -> None:
    bench = book_bench()
    before = bench.holding(A).position.quantity
    sent = louder(bench, 2.0)
    assert cuts(sent)[0][0] == A
    assert {intent.reason for intent in sent if isinstance(intent.action, ReducePosition)} == {"book_cap"}
    note = bench.told(CapBreached)[0]
    assert (note.symbol, note.cap) == (A, "correlated_risk")
    assert note.value_quote > 1.25 * note.limit_quote
    assert note.after_quote == pytest.approx(note.limit_quote)
    left = bench.holding(A).position.quantity
    assert left == pytest.approx(before - note.quantity)


def test_an_excess_within_the_tolerance_is_left_alone() -> None:
    bench = book_bench()
    assert cuts(louder(bench, 1.2)) == []
    assert bench.told(CapBreached) == []


def test_with_zero_nothing_is_ever_cut() -> None:
    assert cuts(louder(book_bench(cut_above=0.0), 5.0)) == []


def test_a_second_cut_waits_for_its_cooldown() -> None:
    bench = book_bench(cut_cooldown_ms=10 * MINUTE_MS)
    assert cuts(louder(bench, 2.0)) != []
    assert cuts(louder(bench, 2.0)) == []
    bench.ts_ms += 10 * MINUTE_MS
    assert cuts(louder(bench, 1.0)) != []


def test_a_stale_position_is_not_cut() -> None:
    bench = book_bench()
    bench.market(A).gap_until_ms = bench.ts_ms + 10**9
    assert A not in [symbol for symbol, _ in cuts(louder(bench, 2.0))]


@pytest.mark.parametrize(
    ("fraction", "quantity"),
    [(1.0, 2.0), (0.5, 1.0), (0.999, 1.9), (0.04, 0.0), (0.26, 0.5)],
)
def test_what_is_closed_and_what_rests_meet_the_venues_minimum(fraction: float, quantity: float) -> None:
    """Steps and minimum are 0.1; 5 quote at a mark of 100 are one step."""
    assert closed_quantity(2.0, fraction, 100.0, instrument(A)) == pytest.approx(quantity)


def test_a_position_too_small_for_two_parts_is_closed_whole_or_left() -> None:
    assert closed_quantity(0.1, 0.5, 100.0, instrument(A)) == 0.0
    assert closed_quantity(0.1, 1.0, 100.0, instrument(A)) == 0.1


def test_a_position_in_profit_whose_wallet_funding_emptied_is_counted_with_no_margin() -> None:
    bench = book_bench()
    holding = bench.holding(A)
    holding.position = holding.position._replace(isolated_wallet=-1.0)
    exposures = {each.symbol: each.margin_quote for each in portfolio(bench.engine.desk).exposures}
    assert exposures[A] == 0.0
    assert exposures[B] > 0.0
    assert cuts(louder(bench, 2.0)) != []
