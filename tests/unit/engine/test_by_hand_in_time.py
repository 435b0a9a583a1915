"""Orders of a person in time: once each, after what is on its way, not late, and left alone for a minute."""

import json
from typing import Any

import pytest

from bot.core.event import (
    CommandDone,
    MarginHeld,
    Refused,
)
from bot.core.intent import AddMargin, PlaceStop, ReleaseMargin
from bot.engine import by_hand, halts
from bot.engine.errand import DONE, REFUSED, WAITING
from bot.engine.state import restore, snapshot
from bot.ports import Command
from bot.risk.limits import AllocationLimits
from bot.store.types import json_text
from tests.unit.engine.by_hand_bench import NARROW, by_hand_intents, give, held_bench, order, wallet
from tests.unit.engine.desk_builder import START_MS, A, B, engine_for


def test_the_same_order_heard_again_is_carried_out_once() -> None:
    bench = held_bench()
    before = wallet(bench)
    for _ in range(3):
        order(bench, "add", 50.0)
    assert wallet(bench) == pytest.approx(before + 50.0)
    assert len(bench.told(CommandDone)) == 1


def test_an_order_waits_for_the_outcome_of_the_request_before_it() -> None:
    bench = held_bench()
    before = wallet(bench)
    bench.is_deaf = True
    order(bench, "add", 50.0)
    order(bench, "add", 30.0, command_id="2")
    first, *more = by_hand_intents(bench)
    assert more == []
    bench.is_deaf = False
    for outcome in bench.venue.handle(first):
        assert bench.hear(outcome) == []  # nothing is decided in the step of an outcome
    assert by_hand.is_any_due(bench.engine.state)
    bench.perform(bench.engine.obey())
    assert not by_hand.is_any_due(bench.engine.state)
    assert wallet(bench) == pytest.approx(before + 80.0)
    assert [(note.command_id, note.state) for note in bench.told(CommandDone)] == [("1", DONE), ("2", DONE)]


def test_a_release_waits_for_a_stop_that_is_on_its_way() -> None:
    bench = held_bench()
    order(bench, "add", 200.0)
    intent = bench.engine.desk.outbox.intend(PlaceStop(A, 1, 98.5), "test")
    bench.engine.desk.outbox.take()
    assert order(bench, "release", 50.0, command_id="2").command_id == "1"  # pyright: ignore[reportOptionalMemberAccess]
    for outcome in bench.venue.handle(intent):
        bench.hear(outcome)
    bench.perform(bench.engine.obey())
    told = bench.told(CommandDone)[-1]
    assert (told.command_id, told.state) == ("2", DONE)


def test_a_second_reduction_waits_for_the_first() -> None:
    bench = held_bench()
    bench.is_deaf = True
    order(bench, "reduce", 0.5)
    order(bench, "reduce", 0.5, command_id="2")
    assert len(by_hand_intents(bench)) == 1


def test_the_last_orders_are_remembered_and_older_ones_forgotten() -> None:
    bench = held_bench()
    for number in range(60):
        order(bench, "dance" if number % 2 else "close", symbol=B, command_id=f"{number}")
    kept = [errand.command_id for errand in bench.engine.state.errands]
    assert kept == [f"{number}" for number in range(10, 60)]


def test_an_order_that_could_not_be_carried_out_within_a_minute_is_refused_as_late() -> None:
    bench = held_bench()
    bench.is_deaf = True
    order(bench, "add", 50.0)
    give(bench, "add", 30.0, command_id="2")
    bench.is_deaf = False
    bench.tick(100.0, after_ms=61_000)
    bench.perform(bench.engine.obey())
    (told,) = bench.told(CommandDone)
    assert (told.command_id, told.state) == ("2", REFUSED)
    assert "another request for the position has had no answer" in told.message


def test_nothing_is_decided_before_the_first_mark_after_a_start() -> None:
    bench = held_bench()
    bench.engine.desk.began_ms = 0
    assert order(bench, "add", 50.0) is None
    assert by_hand_intents(bench) == []
    bench.engine.desk.began_ms = bench.ts_ms + 1_000
    assert order(bench, "add", 50.0) is None
    bench.tick(100.0)
    assert order(bench, "add", 50.0).state == DONE  # pyright: ignore[reportOptionalMemberAccess]


def test_an_order_given_before_a_long_absence_is_refused_by_the_next_start() -> None:
    bench = held_bench()
    bench.engine.desk.began_ms = 0
    give(bench, "release", 5.0)
    bench.ts_ms += 3_600_000
    bench.engine.desk.began_ms = bench.ts_ms
    bench.tick(100.0)
    told = order(bench, "release", 5.0)
    assert told is not None
    assert (told.state, "the bot was not there" in told.message) == (REFUSED, True)


def test_errands_outlive_the_process_and_leave_no_trace_where_there_are_none() -> None:
    bench = held_bench()
    assert "errands" not in snapshot(bench.engine.state)
    bench.is_deaf = True
    order(bench, "add", 50.0)
    saved = json.loads(json.dumps(snapshot(bench.engine.state)))
    twin = engine_for(bench.strategy).state
    restore(twin, saved)
    assert twin.errands == bench.engine.state.errands
    assert twin.errands[0].state == WAITING
    saved.pop("errands")
    restore(twin, saved)
    assert twin.errands == []


@pytest.mark.parametrize(
    "about",
    [
        {"amount_quote": float("nan")},
        {"amount_quote": float("inf")},
        {"amount_quote": 5.0, "position_id": 10**30},
        {"amount_quote": 5.0, "position_id": -1},
        {"amount_quote": 5.0, "symbol": "X" * 100_000},
    ],
)
def test_whatever_is_ordered_the_checkpoint_can_be_written(about: dict[str, Any]) -> None:
    bench = held_bench()
    bench.engine.desk.began_ms = 0
    by_hand.take(bench.engine.desk, Command("1", "add", "", "", **{"symbol": A, **about}))
    errands = snapshot(bench.engine.state)["errands"]
    json.dumps(errands, allow_nan=False)
    assert len(json_text(errands)) < 1_000
    bench.engine.desk.began_ms = START_MS
    bench.perform(bench.engine.obey())
    assert [note.state for note in bench.told(CommandDone)] == [REFUSED]


def test_what_nobody_told_the_outcome_of_ends_as_refused_and_says_how_it_stands() -> None:
    bench = held_bench()
    bench.is_deaf = True
    order(bench, "add", 50.0)
    bench.engine.state.in_flight.clear()  # as a start does that found nothing on its way
    bench.perform(bench.engine.obey())
    (told,) = bench.told(CommandDone)
    assert told.state == REFUSED
    assert "was not told" in told.message


def test_a_move_that_was_lost_but_for_a_probe_is_decided_anew_for_the_rest() -> None:
    """Bybit shows the wallet by a least move after one that was left without an answer."""
    bench = held_bench()
    before = wallet(bench)
    bench.is_deaf = True
    order(bench, "add", 50.0)
    (intent,) = by_hand_intents(bench)
    probe = intent._replace(action=AddMargin(A, before + 0.0001))
    bench.is_deaf = False
    for outcome in bench.venue.handle(probe):
        bench.hear(outcome)
    assert bench.told(CommandDone) == []
    bench.perform(bench.engine.obey())
    assert wallet(bench) == pytest.approx(before + 50.0)
    assert [note.state for note in bench.told(CommandDone)] == [DONE]


def test_an_add_that_somebody_else_has_made_meanwhile_is_done() -> None:
    bench = held_bench()
    before = wallet(bench)
    bench.is_deaf = True
    order(bench, "add", 50.0)
    (intent,) = by_hand_intents(bench)
    bench.venue.handle(intent._replace(client_id="somebody", action=AddMargin(A, before + 45.0)))
    bench.is_deaf = False
    for outcome in bench.venue.handle(intent):
        bench.hear(outcome)
    bench.perform(bench.engine.obey())
    assert wallet(bench) == pytest.approx(before + 50.0)
    assert [note.state for note in bench.told(CommandDone)] == [DONE]


def test_what_a_start_may_not_send_yet_is_decided_anew() -> None:
    bench = held_bench()
    order(bench, "add", 200.0)
    bench.is_deaf = True
    order(bench, "release", 50.0, command_id="2")
    bench.is_deaf, bench.engine.desk.began_ms = False, 0
    intent = by_hand_intents(bench)[-1]
    bench.hear(Refused(bench.ts_ms, A, intent.client_id, halts.HALTED, "not sent: the position was not read"))
    assert [note.command_id for note in bench.told(CommandDone)] == ["1"]
    bench.engine.desk.began_ms = START_MS
    bench.perform(bench.engine.obey())
    assert [(note.command_id, note.state) for note in bench.told(CommandDone)] == [("1", DONE), ("2", DONE)]


def test_a_close_whose_position_ended_meanwhile_is_done() -> None:
    bench = held_bench()
    bench.is_deaf = True
    order(bench, "close")
    bench.is_deaf = False
    bench.market().holding = None
    bench.engine.state.in_flight.clear()
    bench.perform(bench.engine.obey())
    (told,) = bench.told(CommandDone)
    assert (told.state, "is closed" in told.message) == (DONE, True)


def test_the_bot_takes_nothing_of_a_persons_add_back_within_a_minute() -> None:
    bench = held_bench(NARROW, limits={"min_step_quote": 0.0, "min_step_fraction": 0.0})
    order(bench, "add", 200.0)
    began_ms = bench.ts_ms
    while not any(isinstance(each.action, ReleaseMargin) for each in bench.sent):
        bench.tick(100.0)
        assert bench.ts_ms < began_ms + 600_000
    assert bench.ts_ms - began_ms >= by_hand.LEFT_ALONE_MS
    assert by_hand.REASON in [note.reason for note in bench.told(MarginHeld)]


def test_a_split_of_the_book_leaves_a_persons_add_alone_for_a_minute() -> None:
    allocation = AllocationLimits(budget_fraction=0.05, interval_ms=1_000)
    limits = {"min_step_quote": 0.0, "min_step_fraction": 0.0}
    bench = held_bench(NARROW, limits=limits, allocation=allocation)
    order(bench, "add", 200.0)
    began_ms = bench.ts_ms
    while not any(isinstance(each.action, ReleaseMargin) for each in bench.sent):
        bench.tick(100.0)
        assert bench.ts_ms < began_ms + 600_000
    assert bench.ts_ms - began_ms >= by_hand.LEFT_ALONE_MS
