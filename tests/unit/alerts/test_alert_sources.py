"""What is committed, as alerts: of the right kind and grade, in the words of engine and journal."""

from typing import Any

import pytest

from bot.alerts.causes import KINDS, OF_A_MARKET, OF_THE_SESSION
from bot.alerts.sources import happenings
from bot.core.alert import KINDS as ALL_KINDS
from bot.core.event import (
    AlertRaised,
    EntriesHalted,
    Event,
    Liquidated,
    MarginMoved,
    PositionClosed,
    PositionRisk,
)
from bot.engine import halts
from bot.ports import Command
from tests.unit.alerts.scenes import PAPER, alerts, held_bench
from tests.unit.engine.desk_builder import START_MS, A, Bench

RAISED = AlertRaised(START_MS, A, 1, "critical", "stop_missing", "long 1 A: no stop rests: why. Doing.", {})


def told(bench: Bench, *events: Event) -> list[Any]:
    return alerts(happenings(events, bench.engine.state, PAPER))


def test_what_the_engine_raised_is_told_in_its_words_with_the_time_and_how_to_acknowledge() -> None:
    (alert,) = told(held_bench(), RAISED)
    assert (alert.kind, alert.cause, alert.grade) == ("stop", "stop_missing", "critical")
    assert (alert.symbol, alert.position_id) == (A, 1)
    assert alert.title == "CRITICAL AAA/USDT stop missing [paper]"
    assert alert.body.startswith("long 1 A: no stop rests: why. Doing.\n\n2025-02-01 00:00:00 UTC.")
    assert alert.body.endswith(f"ringfence alerts ack {alert.alert_id}")


def test_an_id_is_of_what_happened_and_of_nothing_else() -> None:
    bench = held_bench()
    first, second, third = told(bench, RAISED, RAISED, RAISED._replace(ts_ms=START_MS + 1))
    assert first.alert_id == second.alert_id != third.alert_id
    assert first.key == third.key


def test_a_halt_is_told_once_by_its_cause_and_level() -> None:
    bench = held_bench()
    halts.latch(bench.engine.desk, "REDUCE_ONLY", "daily_loss", "equity 9 is 50% below")
    notes = bench.engine.desk.outbox.take().notes
    (alert,) = told(bench, *notes)
    assert (alert.kind, alert.cause, alert.grade) == ("drawdown", "daily_loss", "critical")
    assert "halted REDUCE_ONLY, daily loss" in alert.title
    assert "ringfence resume" in alert.body


def test_a_halt_that_a_person_ordered_is_no_emergency() -> None:
    bench = held_bench()
    halts.obey(bench.engine.desk, Command("000000000000001-1", "halt", "NO_ENTRY", "lunch"))
    (alert,) = told(bench, *bench.engine.desk.outbox.take().notes)
    assert (alert.kind, alert.cause, alert.grade) == ("halt", "person", "warning")
    assert "lunch" in alert.body


def test_a_condition_is_told_by_the_alert_of_its_own() -> None:
    bench = held_bench()
    halt = EntriesHalted(START_MS, "", "feed_silent", "no data", "DISCONNECTED")
    silent = AlertRaised(START_MS, "", 0, "critical", "feed_silent", "no data. Open: ...", {})
    (alert,) = told(bench, halt, silent)
    assert (alert.kind, alert.cause) == ("feed", "feed_silent")


@pytest.mark.parametrize(("amount", "cause"), [(35.2, "margin_added"), (-12.0, "margin_released")])
def test_a_margin_move_is_told_with_the_risk_before_and_after_and_what_is_next(
    amount: float, cause: str
) -> None:
    bench = held_bench()
    before = PositionRisk(99.0, 300.0, 0.21, 94.3, 0.0475)
    after = PositionRisk(99.0, 300.0 + amount, 0.19, 93.6, 0.0545)
    moved = MarginMoved(START_MS, A, 1, "c1", amount, "distance_band", "below_band", before, after)
    (alert,) = told(bench, moved)
    assert (alert.kind, alert.cause, alert.grade) == ("margin_moved", cause, "info")
    for words in (
        f"long {bench.holding().position.quantity:.10g} AAA/USDT:USDT (position 1): distance_band",
        "below band",
        "liquidation 94.30 -> 93.60",
        "Mark 99.00",
        f"margin 300.00 -> {300.0 + amount:,.2f} USDT",
        "margin ratio 21.00% -> 19.00%",
        "The bot next: adds ",
    ):
        assert words in alert.body


def test_a_move_of_a_position_that_is_gone_is_told_all_the_same() -> None:
    bench = held_bench()
    bench.market().holding = None
    risk = PositionRisk(99.0, 300.0, 0.21, 94.3, 0.0475)
    (alert,) = told(bench, MarginMoved(START_MS, A, 1, "c1", 5.0, "p", "by_hand", risk, risk))
    assert alert.body.startswith("position 1: ")


def test_a_liquidation_is_critical_and_says_what_was_lost_and_what_follows() -> None:
    bench = held_bench()
    bench.market().cool_until_ms = START_MS + 3_600_000
    event = Liquidated(START_MS, A, 7, 1, 2.5, 94.1, 94.3, 93.0, 312.4, 2.0, 1.0, 9_000.0)
    (alert,) = told(bench, event)
    assert (alert.kind, alert.grade) == ("liquidation", "critical")
    for words in (
        "long 2.5",
        "mark 94.1",
        "312.40 USDT lost",
        "9,000.00 free",
        "before 2025-02-01 01:00:00 UTC",
    ):
        assert words in alert.body


def test_a_position_that_the_exchange_deleveraged_is_told_and_no_other_close() -> None:
    bench = held_bench()
    closed = PositionClosed(START_MS, A, 1, 1, "deleveraged", 101.5, 70.25, 1.0, 0.0, 0.0, 0.0)
    (alert,) = told(bench, closed, closed._replace(cause="stop"))
    assert (alert.kind, alert.cause, alert.grade) == ("liquidation", "deleveraged", "warning")
    assert "at 101.5 to fill somebody's liquidation (auto-deleveraging): PnL +70.25 USDT" in alert.body


def test_nothing_else_that_is_committed_is_told() -> None:
    bench = held_bench()
    others = [note for note in bench.notes if not isinstance(note, AlertRaised | MarginMoved | Liquidated)]
    assert others
    assert told(bench, *others) == []


def test_every_cause_has_a_kind_of_those_that_a_route_may_name() -> None:
    assert OF_A_MARKET | OF_THE_SESSION - {"disk_low", "database_damaged"} <= set(KINDS)
    assert set(KINDS.values()) <= set(ALL_KINDS)
