"""The shadow's arithmetic by hand: a long of 10 at 100 with 100 of margin, maintenance 1 %."""

import math

import pytest

from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.core.profile import BINANCE_USDM, MarginRules
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.evidence.book import (
    TradeBook,
    accrue,
    brought_back,
    ended,
    evidence_of,
    filled,
    is_complete,
    moved,
    watch_gap,
)
from bot.evidence.forecast import HORIZON_MS, Forecast, is_over, is_touched
from bot.evidence.nearness import NO_PRICE, Nearness, left, rungs, seen
from bot.evidence.shadow import (
    STAYS,
    Exit,
    Orders,
    Shadow,
    closed,
    exit_at,
    funded,
    is_nearer,
    liquidated,
    liquidation_of,
    reduced,
)

RULES = MarginRules(tiers_from_rows([LeverageTier(0.0, 1e9, 0.01, 0.0, 50.0)]), BINANCE_USDM, False, 0.01)
LONG = Position("A", 1, 10.0, 100.0, 100.0, 10.0, 0)
SHORT = LONG._replace(side=-1)
NO_COST = Orders(98.0, 106.0, 0.0, 0.0)
HOUR_MS = 3_600_000


def book_of(position: Position = LONG, position_id: int = 1) -> TradeBook:
    return TradeBook(position_id, 0, Shadow(position), position.isolated_wallet, 0, NO_COST)


def row(book: TradeBook):
    return evidence_of(book, "A", "static", 9)


def test_half_of_a_long_closed_at_a_profit_pays_half_the_wallet_and_the_profit_out() -> None:
    half = reduced(Shadow(LONG), 0.5, 104.0, 0.05, RULES)
    assert half.position == LONG._replace(quantity=5.0, isolated_wallet=50.0)
    assert (half.realised_pnl_quote, half.fees_quote, half.pnl_quote) == (20.0, 0.25, 19.75)


def test_a_partial_loss_beyond_its_share_comes_out_of_the_wallet_that_stays() -> None:
    """A tenth of the wallet is 10; the tenth loses 12, so that 2 of the other 90 are gone."""
    rest = reduced(Shadow(LONG), 0.1, 88.0, 0.0, RULES)
    assert rest.position.isolated_wallet == pytest.approx(88.0)
    assert rest.position.quantity == pytest.approx(9.0)


def test_a_short_gains_as_the_price_falls() -> None:
    assert reduced(Shadow(SHORT), 1.0, 90.0, 0.0, RULES).pnl_quote == 100.0


def test_an_inverse_shadow_counts_in_coins() -> None:
    inverse = RULES._replace(is_inverse=True)
    held = LONG._replace(quantity=1_000.0)
    assert reduced(Shadow(held), 1.0, 125.0, 0.0, inverse).pnl_quote == pytest.approx(2.0)


def test_a_liquidated_shadow_loses_its_wallet_and_no_more() -> None:
    gone = liquidated(funded(Shadow(LONG), -3.0, 10.0), 7)
    assert (gone.pnl_quote, gone.closed_ms, gone.closed_by, gone.is_open) == (-100.0, 7, "liquidation", False)
    assert (gone.position.quantity, gone.position.isolated_wallet, liquidation_of(gone, RULES)) == (0, 0, 0)


def test_funding_follows_the_quantity() -> None:
    """The real position was cut to 4, so that the shadow of 10 pays two and a half times as much."""
    paid = funded(Shadow(LONG), -2.0, 4.0)
    assert (paid.position.isolated_wallet, paid.funding_quote) == (95.0, -5.0)


def test_orphans_end_at_stop_target_or_liquidation_and_stay_between() -> None:
    shadow = Shadow(LONG)
    price = liquidation_of(shadow, RULES)
    assert price == pytest.approx(900.0 / 9.9)
    assert exit_at(shadow, NO_COST, 98.01, RULES) is STAYS
    assert exit_at(shadow, NO_COST, 97.0, RULES) == Exit("stop", 97.0)
    assert exit_at(shadow, NO_COST, 107.0, RULES) == Exit("take_profit", 106.0)
    assert exit_at(shadow, NO_COST, price - 0.01, RULES).closed_by == "liquidation"
    worse = NO_COST._replace(cost_fraction=0.001)
    assert exit_at(shadow, worse, 97.0, RULES).price == pytest.approx(97.0 * 0.999)
    assert exit_at(shadow, worse, 107.0, RULES).price == pytest.approx(106.0 * 0.999)
    short = Orders(102.0, 94.0, 0.001, 0.0)
    assert exit_at(Shadow(SHORT), short, 103.0, RULES) == ("stop", pytest.approx(103.0 * 1.001))
    assert exit_at(Shadow(SHORT), short, 93.0, RULES) == ("take_profit", pytest.approx(94.0 * 1.001))
    assert exit_at(shadow, Orders(0.0, 0.0, 0.0, 0.0), 1e6, RULES) is STAYS


def test_a_fill_beyond_the_nearer_liquidation_of_the_shadow_has_liquidated_it() -> None:
    rescued, alone = book_of(), book_of()
    filled(rescued, LONG._replace(isolated_wallet=150.0), 1.0, Exit("stop", 90.0), 0.0, 5, RULES)
    filled(alone, LONG, 1.0, Exit("stop", 90.0), 0.0, 5, RULES)
    assert (rescued.shadow.closed_by, rescued.shadow.pnl_quote) == ("liquidation", -100.0)
    assert (alone.shadow.closed_by, alone.shadow.pnl_quote) == ("stop", -100.0)
    assert not is_nearer(Shadow(LONG), LONG._replace(isolated_wallet=100.0 + 1e-10), RULES)
    ended_before = rescued.shadow
    filled(rescued, LONG, 1.0, Exit("stop", 80.0), 0.0, 6, RULES)
    assert rescued.shadow is ended_before


@pytest.mark.parametrize(
    ("closed_by", "pnl", "lost"),
    [("stop", -80.0, 0.0), ("stop", -130.0, 30.0), ("stop", -190.0, 50.0), ("liquidation", -150.0, 50.0)],
    ids=["rescued and better", "rescued and worse", "lost more than was added", "still liquidated"],
)
def test_added_margin_that_was_lost(closed_by: str, pnl: float, lost: float) -> None:
    book = book_of()
    moved(book, 50.0, would_enter=False)
    book.wallet_quote = 150.0
    book.shadow = liquidated(book.shadow, 3)
    ended(book, closed_by, 4, pnl, NO_COST)
    assert is_complete(book)
    told = row(book)
    assert (told.added_lost_quote, told.added_quote, told.adds_without_reentry) == (lost, 50.0, 1)
    assert (told.liquidated, told.shadow_liquidated) == (closed_by == "liquidation", True)
    assert told.shadow_pnl_quote == -100.0


def test_margin_that_came_back_was_not_lost() -> None:
    book = book_of()
    moved(book, 50.0, would_enter=True)
    moved(book, -70.0, would_enter=False)
    book.wallet_quote = 80.0
    ended(book, "liquidation", 4, -80.0, NO_COST)
    book.shadow = closed(book.shadow, Exit("stop", 97.0), 0.0, 5, RULES)
    told = row(book)
    assert (told.added_lost_quote, told.adds_without_reentry, told.moves) == (0.0, 0, 2)
    assert told.shadow_pnl_quote == -30.0


@pytest.mark.parametrize(("added", "lost"), [(0.0, 0.0), (50.0, 50.0)], ids=["nothing added", "50 added"])
def test_margin_brought_back_after_a_cut_is_no_add_and_only_adds_are_lost(added: float, lost: float) -> None:
    book = book_of()
    if added:
        moved(book, added, would_enter=True)
    book.wallet_quote = 100.0 + added
    book.net_added_quote *= 0.75
    book.wallet_quote *= 0.75
    brought_back(book, (100.0 + added) / 4.0)
    book.wallet_quote = 100.0 + added
    book.shadow = liquidated(book.shadow, 3)
    ended(book, "liquidation", 4, -100.0 - added, NO_COST)
    told = row(book)
    assert (told.added_quote, told.adds_without_reentry, told.moves) == (added, 0, 2 if added else 1)
    assert told.added_lost_quote == pytest.approx(lost)


def test_margin_hours_and_what_later_positions_used_of_the_freed_margin() -> None:
    """The first frees 40, the second 10; the third locks 30: 10 of it count for the second, 20 for the first.

    The second locks 90 of its own, of which the first can have freed the missing 20.
    """
    books = [book_of(position_id=number) for number in (1, 2, 3)]
    books[0].wallet_quote, books[1].wallet_quote, books[2].wallet_quote = 60.0, 90.0, 30.0
    books[2].shadow = Shadow(LONG._replace(isolated_wallet=30.0))
    accrue(books, HOUR_MS)
    accrue(books, HOUR_MS)
    hours = [
        (b.margin_quote_ms / HOUR_MS, b.shadow_margin_quote_ms / HOUR_MS, b.redeployed_quote_ms / HOUR_MS)
        for b in books
    ]
    assert hours == [(60.0, 100.0, 40.0), (90.0, 100.0, 10.0), (30.0, 30.0, 0.0)]


def test_freed_margin_that_nobody_uses_is_not_redeployed() -> None:
    book = book_of()
    book.wallet_quote = 60.0
    accrue([book], HOUR_MS)
    assert book.redeployed_quote_ms == 0.0


def test_time_near_liquidation_and_least_distances_are_those_of_every_look() -> None:
    """Liquidation at 90, an hourly sigma of 2 %: near below 90 / 0.98 = 91.84."""
    near = seen(Nearness(), 1, 100.0, 90.0, 0.02, 1_000)
    assert (near.least_distance, near.least_sigmas, near.near_since_ms) == (0.1, 5.0, 0)
    adverse, favourable = rungs(near, 1, 90.0, 0.02)
    assert (adverse, favourable) == (pytest.approx(100.0 * (1 - 1e-4)), 0.0)
    near = seen(near, 1, 91.0, 90.0, 0.02, 2_000)
    assert near.near_since_ms == 2_000
    assert near.least_sigmas == pytest.approx(1.0 / 91.0 / 0.02)
    assert rungs(near, 1, 90.0, 0.02) == (pytest.approx(91.0 * (1 - 1e-4)), pytest.approx(90.0 / 0.98))
    near = seen(near, 1, 92.0, 90.0, 0.02, 5_000)
    assert (near.near_ms, near.near_since_ms, near.least_distance) == (3_000, 0, pytest.approx(1.0 / 91.0))
    assert rungs(near, 1, 90.0, 0.02)[0] == pytest.approx(90.0 / 0.98)  # again near, before any new record


def test_a_short_is_near_from_above() -> None:
    near = seen(Nearness(), -1, 100.0, 110.0, 0.02, 1_000)
    assert rungs(near, -1, 110.0, 0.02)[0] == pytest.approx(100.0 * (1 + 1e-4))
    near = seen(near, -1, 109.0, 110.0, 0.02, 2_000)
    assert left(near, 2_500).near_ms == 500
    assert rungs(near, -1, 110.0, 0.02)[1] == pytest.approx(110.0 / 1.02)


@pytest.mark.parametrize("never", [0.0, math.inf])
def test_a_position_that_nothing_liquidates_has_no_distance(never: float) -> None:
    near = seen(Nearness(), 1, 100.0, never, 0.02, 1_000)
    assert near == Nearness()
    assert rungs(near, 1, never, 0.02) == (0.0, 0.0)
    book = book_of()
    assert (row(book).least_distance, row(book).least_distance_sigma_hours) == (None, None)


def test_without_volatility_only_the_distance_is_measured() -> None:
    near = seen(Nearness(), 1, 100.0, 90.0, 0.0, 1_000)
    assert (near.least_distance, near.least_sigmas) == (0.1, NO_PRICE)


def test_the_gap_behind_the_stop_is_timed_from_breach_to_repair() -> None:
    book = book_of()
    for is_kept, ts_ms in [(True, 1_000), (False, 2_000), (False, 3_000), (True, 4_500), (True, 9_000)]:
        watch_gap(book, is_kept, ts_ms)
    assert book.gap_ms == 2_500


def test_a_forecast_counts_every_mark_of_its_day_and_none_after_it() -> None:
    told = Forecast(1_000, 1, 1, 0.1, 90.0)
    assert [is_touched(told, mark) for mark in (90.1, 90.0, 89.0)] == [False, True, True]
    assert is_touched(told._replace(side=-1), 90.0)
    assert not is_over(told, 1_000 + HORIZON_MS)
    assert is_over(told, 1_001 + HORIZON_MS)


def test_the_shadow_is_liquidated_where_the_core_says() -> None:
    assert liquidation_of(Shadow(SHORT), RULES) == liquidation_price(SHORT, RULES)
