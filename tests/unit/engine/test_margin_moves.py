"""Margin moves: recorded whole, held back when they must be, never on prices one cannot trust."""

import math
from typing import Any

import pytest

from bot.core.event import (
    CandleClosed,
    EquityMarked,
    FeedGap,
    FundingDue,
    InvariantBroken,
    MarginHeld,
    MarginMoved,
    MarkPrice,
    OrderFilled,
)
from bot.core.intent import AddMargin, PlaceStop, ReducePosition, ReleaseMargin
from bot.risk.limits import BracketLimits, MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from tests.unit.engine.desk_builder import MINUTE_MS, START_MS, A, Bench, actions, kinds

NARROW = DistanceBandParams(low=0.9, high=1.1)
NO_TRAIL = BracketLimits(trail_activate_r=0.0, first_take_profit_r=3.0, second_take_profit_r=6.0)
ADD, RELEASE = 99.3, 101.5


def held_bench(**margin: Any) -> Bench:
    """A long at 100 with liquidation 5.67 % below; adds are due below 99.35, releases above 100.55."""
    limits = MarginLimits(**{"add_cooldown_ms": 60_000, "release_cooldown_ms": 120_000, **margin})
    bench = Bench(policy="distance_band", params=NARROW, margin=limits, bracket=NO_TRAIL)
    bench.enter()
    bench.tick(100.0)
    return bench


def moves(bench: Bench) -> list[MarginMoved]:
    return bench.told(MarginMoved)


def test_an_add_is_booked_with_the_risk_before_and_after_it() -> None:
    bench = held_bench()
    wallet = bench.holding().position.isolated_wallet
    assert kinds(bench.tick(ADD)) == ["AddMargin"]
    move, held, tally = moves(bench)[0], bench.holding(), bench.engine.state.tally
    assert move.before.isolated_wallet == wallet
    assert move.after.isolated_wallet == pytest.approx(wallet + move.amount_quote)
    assert move.after.distance > move.before.distance
    assert (move.reason, move.policy, move.before.mark, move.after.mark) == (
        "below_band",
        "distance_band",
        ADD,
        ADD,
    )
    assert held.position.isolated_wallet == move.after.isolated_wallet
    assert (held.adds, held.added_quote, held.last_add_ms) == (1, move.amount_quote, bench.ts_ms)
    assert (tally.margin_adds, tally.margin_added) == (1, move.amount_quote)
    assert bench.engine.state.free_quote == pytest.approx(bench.venue.balances()["free"])


def test_a_release_is_booked_likewise() -> None:
    bench = held_bench()
    wallet = bench.holding().position.isolated_wallet
    assert kinds(bench.tick(RELEASE)) == ["ReleaseMargin"]
    move, held, tally = moves(bench)[0], bench.holding(), bench.engine.state.tally
    assert move.amount_quote < 0.0
    assert (held.released_quote, held.last_release_ms, held.adds) == (-move.amount_quote, bench.ts_ms, 0)
    assert (tally.margin_releases, tally.margin_released) == (1, -move.amount_quote)
    assert held.position.isolated_wallet == pytest.approx(wallet + move.amount_quote)


def test_a_second_add_waits_for_its_cooldown_and_says_so_once() -> None:
    bench = held_bench(min_step_quote=0.0, min_step_fraction=0.0)
    bench.tick(ADD)
    early = [kinds(bench.tick(98.4)) for _ in range(59)]
    assert early == [[]] * 59
    assert [note.reason for note in bench.told(MarginHeld)] == ["add_cooldown"]
    assert kinds(bench.tick(98.4)) == ["AddMargin"]


def test_a_release_waits_for_the_cooldown_of_any_move() -> None:
    bench = held_bench()
    bench.tick(ADD)
    assert [kinds(bench.tick(RELEASE)) for _ in range(119)] == [[]] * 119
    assert kinds(bench.tick(RELEASE)) == ["ReleaseMargin"]


@pytest.mark.parametrize(("mark", "kind"), [(ADD, AddMargin), (RELEASE, ReleaseMargin)])
def test_a_refused_move_is_not_repeated_within_a_minute(mark: float, kind: type) -> None:
    bench = held_bench()
    bench.answers[kind] = "insufficient_balance"
    assert kinds(bench.tick(mark)) == [kind.__name__]
    refused_ms, again = bench.ts_ms, []
    for n in range(50):
        again += bench.tick(mark + (0.3 if n % 2 else -0.3) * (1 if mark > 100 else -1) * 0.9)
    again += bench.candle(mark)
    assert bench.ts_ms - refused_ms <= 60_000
    assert kinds(again) == []
    assert bench.told(MarginHeld)[0].reason == "refused:insufficient_balance"
    bench.answers.clear()
    bench.ts_ms = refused_ms + 60_000
    assert kinds(bench.tick(mark)) == [kind.__name__]


def test_a_rung_that_is_held_does_not_hide_the_trailing_stop_behind_it() -> None:
    trailing = BracketLimits(trail_activate_r=0.9, first_take_profit_r=3.0, second_take_profit_r=6.0)
    limits = MarginLimits(release_cooldown_ms=3_600_000)
    bench = Bench(policy="distance_band", params=NARROW, margin=limits, bracket=trailing)
    bench.enter()
    bench.tick(100.0)
    assert kinds(bench.tick(101.0)) == ["ReleaseMargin"]
    bench.tick(101.7)
    assert bench.told(MarginHeld)[-1].reason == "release_cooldown"
    assert kinds(bench.tick(101.85)) == ["PlaceStop", "CancelOrder"]


def test_no_margin_moves_while_the_feed_has_a_gap_and_the_first_mark_after_it_counts() -> None:
    bench = held_bench()
    bench.feed(FeedGap(bench.ts_ms, A, bench.ts_ms + 10_000))
    assert [kinds(bench.tick(ADD)) for _ in range(9)] == [[]] * 9
    assert kinds(bench.tick(ADD)) == ["AddMargin"]


def test_no_margin_moves_on_a_stale_mark_and_the_next_mark_is_looked_at() -> None:
    bench = held_bench()
    bench.tick(ADD - 0.02)
    bench.hear(MarkPrice(bench.ts_ms, A, 98.5, 98.5))
    late_ms = (bench.ts_ms // MINUTE_MS + 2) * MINUTE_MS
    assert kinds(bench.hear(CandleClosed(late_ms, A, MINUTE_MS, 98.5, 98.5, 98.5, 98.5, 1.0, 0.0))) == []
    bench.ts_ms = late_ms
    assert kinds(bench.tick(98.5, after_ms=0)) == ["AddMargin"]


def test_a_candle_that_arrives_after_newer_marks_moves_margin_all_the_same() -> None:
    bench = held_bench()
    bench.is_deaf = True
    close_ms = bench.ts_ms + MINUTE_MS - 1_000
    bench.market().mark, bench.market().mark_ms = ADD, close_ms + 500
    sent = bench.hear(CandleClosed(close_ms, A, MINUTE_MS, 100.0, 100.0, ADD, ADD, 1.0, 0.0))
    assert kinds(sent) == ["AddMargin"]


def test_no_margin_moves_while_a_stop_is_in_flight() -> None:
    bench = held_bench()
    bench.is_deaf = True
    bench.engine.desk.outbox.intend(PlaceStop(A, 1, 98.5), "trailing")
    bench.engine.desk.outbox.take()
    assert [kinds(bench.tick(mark)) for mark in (ADD, RELEASE)] == [[], []]


def test_a_move_in_flight_is_not_asked_twice() -> None:
    bench = held_bench()
    bench.is_deaf = True
    assert kinds(bench.tick(ADD)) == ["AddMargin"]
    assert [kinds(bench.tick(mark)) for mark in (ADD, 98.6, RELEASE)] == [[], [], []]


def test_the_target_is_sent_not_the_amount() -> None:
    bench = held_bench()
    sent = bench.tick(ADD)
    target = actions(sent, AddMargin)[0].target_wallet
    assert bench.holding().position.isolated_wallet == pytest.approx(target, abs=1e-7)


def test_quiet_marks_inside_the_band_are_slept_through() -> None:
    bench = held_bench()
    held = bench.holding()
    assert held.sleep_low == pytest.approx(99.36, abs=0.05)
    assert held.sleep_high == pytest.approx(100.55, abs=0.1)
    assert held.recheck_at_ms > bench.ts_ms + 10**9
    low, high = held.sleep_low, held.sleep_high
    bench.tick(math.nextafter(low, high))
    bench.tick(math.nextafter(high, low))
    assert moves(bench) == []
    assert (held.sleep_low, held.sleep_high) == (low, high)


def test_moves_of_one_position_leave_another_alone() -> None:
    bench = held_bench()
    bench.enter(symbol="BBB/USDT:USDT")
    bench.tick(100.0, "BBB/USDT:USDT")
    other = bench.holding("BBB/USDT:USDT").position
    bench.tick(ADD)
    assert bench.holding("BBB/USDT:USDT").position == other
    assert len(moves(bench)) == 1


def test_an_incomplete_entry_is_left_alone_even_where_an_add_would_be_due() -> None:
    limits = MarginLimits(min_step_quote=0.0, min_step_fraction=0.0)
    bench = Bench(policy="distance_band", params=NARROW, margin=limits, bracket=NO_TRAIL, depth=500.0)
    bench.enter()
    assert kinds(bench.tick(98.2)) == []
    assert not bench.holding().is_filled
    while not bench.holding().is_filled:
        bench.tick(100.0)
    bench.tick(100.0)
    assert kinds(bench.tick(98.9)) == ["AddMargin"]


def test_a_new_funding_rate_is_looked_at_with_the_next_mark() -> None:
    bench = held_bench()
    bench.hear(FundingDue(bench.ts_ms, A, 0.0001))
    assert (bench.holding().sleep_low, bench.holding().sleep_high) == (0.0, 0.0)
    assert bench.market().funding_rate == 0.0001


def test_a_gap_inside_another_does_not_end_it() -> None:
    bench = held_bench()
    bench.feed(FeedGap(bench.ts_ms, A, bench.ts_ms + 10_000))
    bench.feed(FeedGap(bench.ts_ms, A, bench.ts_ms + 2_000))
    assert [kinds(bench.tick(ADD)) for _ in range(9)] == [[]] * 9


def test_a_day_begins_with_its_own_equity() -> None:
    bench = held_bench()
    bench.hear(MarkPrice(bench.ts_ms, A, 100.4, 100.4))
    state = bench.engine.state
    began_ms, midnight_ms = state.day_start_ms, state.day_start_ms + 86_400_000
    assert began_ms == START_MS
    bench.hear(CandleClosed(midnight_ms, A, MINUTE_MS, 100.4, 100.4, 100.4, 100.4, 1.0, 0.0))
    assert state.day_start_ms == midnight_ms
    gain = bench.holding().position.quantity * 0.4
    assert state.day_start_equity_quote == pytest.approx(state.equity_quote() + gain)
    assert bench.told(EquityMarked)[-1].unrealised_pnl_quote == pytest.approx(gain)


@pytest.mark.parametrize("quantity", [0.5, 1.0])
def test_nothing_is_released_while_a_part_is_being_closed(quantity: float) -> None:
    """A take-profit at market that fills late: what is left afterwards needs another wallet."""
    bench = held_bench()
    outbox, held = bench.engine.desk.outbox, bench.holding().position
    taking = outbox.intend(ReducePosition(A, held.side, quantity), "take_profit")
    outbox.take()
    assert kinds(bench.tick(RELEASE)) == []
    assert [note.reason for note in bench.told(MarginHeld)] == ["reducing"]
    assert bench.told(InvariantBroken) == []
    left = held._replace(quantity=held.quantity - quantity, isolated_wallet=0.9 * held.isolated_wallet)
    fill = (RELEASE, quantity, 0.0, 0.1, False, 1.0, left, bench.engine.state.free_quote)
    bench.is_deaf = True
    bench.hear(OrderFilled(bench.ts_ms, A, taking.client_id, 99, "exit", -1, *fill))
    assert kinds(bench.tick(RELEASE)) == ["ReleaseMargin"]


def test_an_add_does_not_wait_for_a_part_that_is_being_closed() -> None:
    bench = held_bench()
    bench.engine.desk.outbox.intend(ReducePosition(A, 1, 1.0), "take_profit")
    bench.engine.desk.outbox.take()
    assert kinds(bench.tick(ADD)) == ["AddMargin"]
