"""One budget over the whole book: released money pays for adds, and nothing is added that was not paid."""

import asyncio
import json
import math
from typing import Any

import pytest

from bot.core.event import AlertRaised, BookRebalanced, FeedGap, MarginHeld, MarginMoved, MarkPrice
from bot.core.intent import AddMargin, ReleaseMargin
from bot.engine.state import restore
from bot.risk.limits import AllocationLimits, BracketLimits, MarginLimits
from tests.unit.engine.desk_builder import A, B, Bench, actions, as_text, kinds

HOUR_MS = 3_600_000
NO_TRAIL = BracketLimits(trail_activate_r=0.0, first_take_profit_r=3.0, second_take_profit_r=6.0)
UP = 101.5


def book_bench(release_cooldown_ms: int = HOUR_MS, **allocation: Any) -> Bench:
    """A long in A and a short in B at 100 under the policy static; stops are trusted with nothing."""
    limits = AllocationLimits(**{"budget_fraction": 0.06, "annual_hurdle": 0.001, **allocation})
    margin = MarginLimits(
        stop_failure_probability=1.0,
        max_adds=1_000,
        max_added_fraction=20.0,
        release_cooldown_ms=release_cooldown_ms,
    )
    bench = Bench(policy="static", margin=margin, bracket=NO_TRAIL, allocation=limits)
    bench.enter(stop_distance=0.03)
    both(bench, 100.0)
    bench.enter(-1, symbol=B, stop_distance=0.03)
    both(bench, 100.0)
    return bench


def both(bench: Bench, mark: float, after_ms: int = 1_000) -> list[Any]:
    """Quote `mark` in both markets; return what was sent."""
    return [*bench.tick(mark, A, after_ms), *bench.tick(mark, B, 1)]


def hedged(bench: Bench, mark: float = UP, hours: int = 1) -> list[Any]:
    """Let both markets rise, so that the long has margin to spare and the short needs it, and wait."""
    sent = both(bench, mark)
    sent += both(bench, mark, hours * HOUR_MS)
    return [*sent, *both(bench, mark)]


def wallets(bench: Bench) -> tuple[float, float]:
    return bench.holding(A).position.isolated_wallet, bench.holding(B).position.isolated_wallet


def alerts(bench: Bench) -> list[AlertRaised]:
    """Return the alerts of the whole book."""
    return [alert for alert in bench.told(AlertRaised) if alert.symbol == ""]


def targets(sent: list[Any], kind: Any) -> list[tuple[str, float]]:
    return [(action.symbol, action.target_wallet) for action in actions(sent, kind)]


def test_a_hedged_book_moves_margin_from_the_winner_to_the_loser() -> None:
    bench = book_bench()
    before = wallets(bench)
    sent = hedged(bench)
    assert [(kind, intent.reason) for kind, intent in zip(kinds(sent), sent, strict=True)] == [
        ("ReleaseMargin", "allocation"),
        ("AddMargin", "allocation"),
    ]
    after = wallets(bench)
    assert (after[0] < before[0], after[1] > before[1]) == (True, True)
    note = bench.told(BookRebalanced)[-1]
    assert note.loss_after_quote < 0.9 * note.loss_before_quote
    assert note.target_quote <= note.budget_quote
    assert sum(after) == pytest.approx(note.target_quote)
    assert note.facts[f"{A} target"] == pytest.approx(after[0])
    moves = bench.told(MarginMoved)
    assert [move.reason for move in moves[-2:]] == ["allocation", "allocation"]
    assert [move.before.isolated_wallet for move in moves[-2:]] == list(before)


def test_an_add_is_sent_only_when_the_release_that_pays_for_it_has_happened() -> None:
    bench = book_bench()
    bench.is_deaf = True
    sent = hedged(bench)
    assert kinds(sent) == ["ReleaseMargin"]
    rebalance = bench.engine.state.rebalance
    assert [move.symbol for move in rebalance.adds] == [B]
    bench.is_deaf = False
    outcome = bench.venue.handle(sent[0])
    assert kinds(bench.hear(outcome[0])) == ["AddMargin"]
    assert (rebalance.adds, rebalance.waiting) == ((), {})


def test_a_refused_release_aborts_the_add_and_says_so() -> None:
    bench = book_bench()
    before = wallets(bench)
    bench.answers[ReleaseMargin] = "beyond_removable"
    assert kinds(hedged(bench)) == ["ReleaseMargin"]
    assert wallets(bench) == before
    held = alerts(bench)[-1]
    assert held.cause == "release_failed"
    assert B in held.message
    assert bench.engine.state.rebalance.adds == ()


def test_a_plan_whose_release_took_too_long_is_dropped() -> None:
    bench = book_bench()
    bench.is_deaf = True
    sent = hedged(bench)
    bench.ts_ms += 61_000
    both(bench, UP, 0)
    bench.is_deaf = False
    outcome = bench.venue.handle(sent[0])[0]._replace(ts_ms=bench.ts_ms)
    assert kinds(bench.hear(outcome)) == []
    assert alerts(bench)[-1].cause == "plan_lapsed"


def test_a_book_that_was_split_is_left_alone_at_the_same_marks() -> None:
    bench = book_bench()
    hedged(bench)
    after = wallets(bench)
    assert [kinds(both(bench, UP, HOUR_MS)) for _ in range(12)] == [[]] * 12
    assert wallets(bench) == after


def test_small_changes_stay_within_the_deadband() -> None:
    bench = book_bench()
    hedged(bench, 100.0)
    assert [kinds(hedged(bench, mark, hours=3)) for mark in (100.1, 99.9, 100.1, 99.9)] == [[]] * 4


def test_a_doubled_probability_is_acted_on_before_the_hour_is_over() -> None:
    bench = book_bench(release_cooldown_ms=0)
    hedged(bench, 100.0)
    solved = bench.holding(B).solved_probability
    sent: list[Any] = []
    mark = 100.0
    while not sent and mark < 102.9:
        mark += 0.05
        sent = both(bench, mark)
    assert {intent.reason for intent in sent} == {"allocation"}
    assert bench.told(BookRebalanced)[-1].cause == "risk_doubled"
    assert bench.told(BookRebalanced)[-1].facts[f"{B} probability"] > 2.0 * solved


def test_quiet_marks_are_slept_through() -> None:
    bench = book_bench()
    hedged(bench)
    both(bench, UP)
    for symbol in (A, B):
        held = bench.holding(symbol)
        assert held.sleep_low < UP < held.sleep_high
        assert held.recheck_at_ms > bench.ts_ms + HOUR_MS - 60_000


def test_no_policy_moves_margin_while_the_budget_does() -> None:
    limits = AllocationLimits(budget_fraction=0.6)
    bench = Bench(policy="distance_band", bracket=NO_TRAIL, allocation=limits)
    bench.enter()
    for mark in (100.0, 99.3, 98.9, 101.0, 101.8):
        bench.tick(mark)
    assert {intent.reason for intent in bench.sent if isinstance(intent.action, AddMargin)} <= {"allocation"}
    assert {move.reason for move in bench.told(MarginMoved)} <= {"allocation"}
    assert "above_band" not in {note.reason for note in bench.told(MarginHeld)}


def test_an_unusable_volatility_moves_nothing_and_is_named() -> None:
    bench = book_bench()
    before = wallets(bench)
    bench.market(B).sigma_day = 0.0
    assert kinds(hedged(bench)) == []
    assert wallets(bench) == before
    held = alerts(bench)
    assert [note.cause for note in held] == ["no_split"]
    assert f"{B}.sigma_horizon is 0.0" in held[0].message


def test_a_stale_position_keeps_its_margin_and_holds_up_the_hourly_split() -> None:
    bench = book_bench()
    both(bench, UP)
    before = wallets(bench)
    assert kinds([*bench.tick(UP, A, HOUR_MS), *bench.tick(UP, A)]) == []
    bench.feed(FeedGap(bench.ts_ms, B, bench.ts_ms + 30_000))
    assert kinds([*bench.tick(UP, B), *bench.tick(UP, A)]) == []
    assert wallets(bench) == before


def test_a_cooldown_stops_the_release_that_would_follow_an_add() -> None:
    bench = book_bench()
    hedged(bench)
    sent: list[Any] = []
    mark = UP
    while mark > 97.6:
        mark -= 0.05
        sent += both(bench, mark)
    assert targets(sent, ReleaseMargin) == []


def settled(bench: Bench) -> None:
    """Ask the venue for what became of every intent in flight, send what never arrived, as a start does."""
    for intent in tuple(bench.engine.state.in_flight.values()):
        known = asyncio.run(bench.venue.outcome_of(intent))
        for event in bench.venue.handle(intent) if known is None else known:
            bench.hear(event)


def dies_after(bench: Bench, heard: int, done: int) -> None:
    """Decide the plan, then let the venue perform `done` of its moves, of which the engine hears `heard`."""
    both(bench, UP)
    bench.is_deaf = True
    pending = both(bench, UP, HOUR_MS)
    for number in range(done):
        outcome = bench.venue.handle(pending[number])
        if number < heard:
            pending += bench.hear(outcome[0])


@pytest.mark.parametrize(("heard", "done"), [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)])
def test_a_restart_between_any_two_steps_of_a_plan_ends_where_an_undisturbed_one_does(
    heard: int, done: int
) -> None:
    whole, first, second = book_bench(), book_bench(), book_bench()
    hedged(whole)
    dies_after(first, heard, done)
    second.ts_ms = first.ts_ms
    second.venue.restore(first.venue.snapshot())
    saved = json.loads(json.dumps(first.engine.snapshot()))
    restore(second.engine.state, saved)
    assert as_text(second.engine.snapshot()) == as_text(first.engine.snapshot())
    settled(second)
    both(second, UP)
    assert wallets(second) == pytest.approx(wallets(whole), abs=1e-6)
    assert second.engine.state.rebalance.waiting == {}


def test_a_release_that_a_restart_lost_aborts_its_add() -> None:
    bench = book_bench()
    bench.is_deaf = True
    hedged(bench)
    bench.engine.state.in_flight.clear()
    bench.is_deaf = False
    bench.holding(A).wake()
    bench.tick(UP)
    rebalance = bench.engine.state.rebalance
    assert (rebalance.waiting, rebalance.adds) == ({}, ())
    assert alerts(bench)[-1].cause == "release_failed"


def test_a_position_that_closed_meanwhile_gets_no_add() -> None:
    bench = book_bench()
    bench.is_deaf = True
    sent = hedged(bench)
    bench.is_deaf = False
    bench.hear(MarkPrice(bench.ts_ms, B, 100.0, 100.0))
    bench.market(B).holding = None
    outcome = bench.venue.handle(sent[0])
    assert kinds(bench.hear(outcome[0])) == []


def test_the_reserve_stays_free_whatever_the_budget() -> None:
    bench = book_bench(budget_fraction=0.95)
    hedged(bench)
    state = bench.engine.state
    assert state.free_quote >= 0.2 * state.equity_quote() - 1e-6
    for symbol in (A, B):
        held = bench.holding(symbol)
        assert held.position.isolated_wallet <= held.agreed_loss_quote + 1e-6
        assert math.isfinite(held.solved_probability)
