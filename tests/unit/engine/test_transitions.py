"""What an event may change, and how: each invariant on changes fires on a planted one."""

from typing import Any

import pytest

from bot.core.event import (
    AlertRaised,
    FundingDue,
    InvariantBroken,
    Liquidated,
    MarginAdjusted,
    MarkPrice,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    PositionClosed,
    Reconciled,
)
from bot.core.halt import NO_ENTRY
from bot.core.intent import AddMargin, CancelOrder, PlaceStop, ReleaseMargin
from bot.core.position import Position
from bot.engine import engine as engine_module
from bot.engine import fills, halts
from bot.engine.invariants import check_restored
from bot.engine.reconcile import check_converged
from bot.ports import Account, Command
from tests.unit.engine.desk_builder import A, Bench


def held_bench() -> Bench:
    bench = Bench()
    bench.enter()
    bench.tick(100.0)
    return bench


def broken(bench: Bench) -> list[str]:
    return [note.invariant for note in bench.told(InvariantBroken)]


def planted(bench: Bench, action: Any) -> str:
    """Let a request be on its way; return its id."""
    desk = bench.engine.desk
    facts = desk.risk_before(bench.market(), bench.holding())
    return desk.outbox.intend(action, "planted", facts).client_id


def adjusted(bench: Bench, client_id: str, amount: float, position: Position) -> None:
    bench.is_deaf = True
    bench.hear(MarginAdjusted(bench.ts_ms, A, client_id, amount, position, 9_000.0))


def a_fill(bench: Bench, trade_id: int) -> OrderFilled:
    position = bench.holding().position
    return OrderFilled(
        bench.ts_ms, A, "x", trade_id, "take_profit", -1, 100.0, 1.0, 0.0, 0.0, False, 0.0, position, 9_000.0
    )


# --- I4 -------------------------------------------------------------------------------------------


def test_an_add_that_moves_margin_away_is_told() -> None:
    bench = held_bench()
    position = bench.holding().position
    client_id = planted(bench, AddMargin(A, position.isolated_wallet + 1.0))
    adjusted(bench, client_id, -1.0, position._replace(isolated_wallet=position.isolated_wallet - 1.0))
    assert "I4" in broken(bench)


@pytest.mark.parametrize(("sign", "expected"), [(-1.0, []), (1.0, ["I4"])])
def test_an_add_that_brings_liquidation_nearer_is_told(
    monkeypatch: pytest.MonkeyPatch, sign: float, expected: list[str]
) -> None:
    """A long is liquidated below: a price that grows with the wallet is a model with the wrong sign."""
    bench = held_bench()
    position = bench.holding().position
    client_id = planted(bench, AddMargin(A, position.isolated_wallet + 1.0))
    monkeypatch.setattr(
        "bot.engine.transitions.liquidation_price", lambda held, _: 500.0 + sign * held.isolated_wallet
    )
    adjusted(bench, client_id, 1.0, position._replace(isolated_wallet=position.isolated_wallet + 1.0))
    assert broken(bench) == expected


def test_a_release_that_leaves_little_above_maintenance_is_told() -> None:
    bench = held_bench()
    position = bench.holding().position
    client_id = planted(bench, ReleaseMargin(A, 1.0))
    bare = position._replace(isolated_wallet=position.quantity * 100.0 * 0.0105)
    adjusted(bench, client_id, bare.isolated_wallet - position.isolated_wallet, bare)
    assert "I4" in broken(bench)


# --- I7, I8, I12 ----------------------------------------------------------------------------------


def test_a_request_that_ends_with_an_event_about_another_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = held_bench()
    planted(bench, PlaceStop(A, 1, 98.5))
    monkeypatch.setattr(engine_module.fills, "on_filled", lambda desk, *_: desk.state.in_flight.clear())
    bench.is_deaf = True
    bench.hear(a_fill(bench, 99))
    assert "I7" in broken(bench)


def test_a_request_that_ends_with_the_end_of_what_it_cancels_is_in_order() -> None:
    bench = held_bench()
    stop = bench.stop()
    planted(bench, CancelOrder(A, stop.client_id))
    bench.is_deaf = True
    bench.hear(OrderCancelled(bench.ts_ms, A, stop.client_id, "stop", "requested"))
    assert "I7" not in broken(bench)


def test_a_fill_that_is_told_twice_is_told() -> None:
    bench = held_bench()
    bench.is_deaf = True
    bench.hear(a_fill(bench, 99))
    assert broken(bench) == []
    bench.hear(a_fill(bench, 99))
    assert broken(bench) == ["I8"]


def test_an_order_that_rests_for_a_minute_with_nothing_held_is_told_once() -> None:
    bench = Bench()
    bench.hear(OrderAccepted(bench.ts_ms, A, "T1S", "stop"))
    bench.tick(100.0, after_ms=59_000)
    bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    assert broken(bench) == []
    for _ in range(2):
        bench.tick(100.0, after_ms=2_000)
        bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    assert broken(bench) == ["I12"]


def test_an_order_that_goes_in_time_is_no_orphan() -> None:
    bench = Bench()
    bench.hear(OrderAccepted(bench.ts_ms, A, "T1S", "stop"))
    bench.hear(OrderCancelled(bench.ts_ms, A, "T1S", "stop", "position_closed"))
    bench.tick(100.0, after_ms=90_000)
    bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    assert broken(bench) == []


def test_three_stops_on_their_way_are_told() -> None:
    bench = held_bench()
    bench.is_deaf = True
    for number, expected in enumerate(([], [], ["I12"])):
        planted(bench, PlaceStop(A, 1, 98.5 + 0.1 * number))
        bench.engine.desk.outbox.take()
        bench.hear(FundingDue(bench.ts_ms, A, 0.0))
        assert broken(bench) == expected


# --- I1, I20, I21 ---------------------------------------------------------------------------------


def test_a_stop_that_is_on_its_way_for_too_long_is_told() -> None:
    bench = held_bench()
    bench.holding().stop, bench.holding().unprotected_since_ms = None, bench.ts_ms
    planted(bench, PlaceStop(A, 1, 98.5))
    bench.is_deaf = True
    bench.engine.desk.outbox.take()
    for elapsed_ms, expected in ((30_000, []), (1_000, ["I1"])):
        bench.ts_ms += elapsed_ms
        bench.hear(FundingDue(bench.ts_ms, A, 0.0))
        assert broken(bench) == expected


def test_a_request_without_an_outcome_for_ten_minutes_is_told() -> None:
    bench = held_bench()
    planted(bench, AddMargin(A, bench.holding().position.isolated_wallet + 1.0))
    bench.engine.desk.outbox.take()
    bench.is_deaf = True
    for elapsed_ms, expected in ((600_000, []), (1_000, ["I20"])):
        bench.ts_ms += elapsed_ms
        bench.hear(FundingDue(bench.ts_ms, A, 0.0))
        assert broken(bench) == expected


def test_a_market_that_runs_sixty_times_as_fast_gives_sixty_times_as_long() -> None:
    bench = held_bench()
    bench.engine.desk.pace = 60.0
    planted(bench, AddMargin(A, bench.holding().position.isolated_wallet + 1.0))
    bench.engine.desk.outbox.take()
    bench.is_deaf = True
    for elapsed_ms, expected in ((36_000_000, []), (1_000, ["I20"])):
        bench.ts_ms += elapsed_ms
        bench.hear(FundingDue(bench.ts_ms, A, 0.0))
        assert broken(bench) == expected


def test_more_requests_on_their_way_than_can_be_are_told() -> None:
    bench = held_bench()
    for number in range(257):
        planted(bench, CancelOrder(A, f"T{number}"))
    bench.engine.desk.outbox.take()
    bench.is_deaf = True
    bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    assert "I20" in broken(bench)


def test_a_mark_from_the_past_is_told() -> None:
    bench = Bench()
    bench.hear(MarkPrice(bench.ts_ms - 2_000, A, 100.0, 100.0))
    assert broken(bench) == []
    bench.hear(MarkPrice(bench.ts_ms, A, 100.0, 100.0))
    bench.market().evidence.watch_low = 101.0  # the fast path compares no times
    bench.hear(MarkPrice(bench.ts_ms - 2_001, A, 100.0, 100.0))
    assert broken(bench) == ["I21"]


# --- I10, I11, I17, I23, I24 ----------------------------------------------------------------------


def test_a_checkpoint_that_was_not_restored_whole_is_told() -> None:
    bench = held_bench()
    saved = bench.engine.snapshot()
    check_restored(bench.engine.desk, {**saved, "of_a_later_version": 1})
    assert bench.engine.desk.outbox.notes == ()
    saved["markets"][A]["holding"]["adds"] += 1
    check_restored(bench.engine.desk, saved)
    (told,) = [note for note in bench.engine.desk.outbox.notes if isinstance(note, InvariantBroken)]
    assert (told.invariant, ".adds was 1, is 0" in told.message) == ("I10", True)


def test_a_belief_that_the_venue_does_not_share_is_told() -> None:
    bench = held_bench()
    holding = bench.holding()
    resting = tuple(order.as_open_order() for order in bench.venue._state.orders)
    account = Account(bench.ts_ms, 9_000.0, 9_100.0, (holding.position,), resting, {})
    check_converged(bench.engine.desk, account)
    assert bench.engine.desk.outbox.notes == ()
    check_converged(bench.engine.desk, account._replace(positions=()))
    check_converged(bench.engine.desk, account._replace(orders=()))
    notes = [note for note in bench.engine.desk.outbox.notes if isinstance(note, InvariantBroken)]
    assert [note.invariant for note in notes] == ["I11", "I11"]


def test_a_latch_that_nobody_lifted_is_told() -> None:
    bench = Bench()
    halts.latch(bench.engine.desk, NO_ENTRY, "drawdown", "planted")
    bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    halts.obey(bench.engine.desk, Command("1", "resume", "", ""))
    bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    assert broken(bench) == []
    halts.latch(bench.engine.desk, NO_ENTRY, "drawdown", "planted")
    bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    del bench.engine.state.halts["drawdown"]
    bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    assert broken(bench) == ["I17"]


def residuals(bench: Bench) -> list[float]:
    return [note.facts["residual_quote"] for note in bench.told(Reconciled) if note.what == "money"]


def test_money_that_nothing_explains_is_told_and_halts_nothing() -> None:
    bench = Bench()
    for _ in range(3):
        bench.enter()
        bench.candle(is_exit=True)
    assert residuals(bench) == []
    bench.enter()
    bench.venue._state.ledger.transfer("market", "free", 12.5)
    bench.candle(is_exit=True)
    assert residuals(bench) == [pytest.approx(12.5)]
    assert [note.cause for note in bench.told(AlertRaised)] == ["money"]
    assert bench.engine.state.halts == {}
    bench.enter()
    bench.candle(is_exit=True)
    assert len(residuals(bench)) == 1


def liquidation(bench: Bench) -> Liquidated:
    held = bench.holding().position
    return Liquidated(bench.ts_ms, A, 77, held.side, held.quantity, 90.0, 90.0, 89.0, 50.0, 1.0, 0.0, 9_000.0)


def test_a_liquidation_that_is_booked_as_something_else_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = held_bench()
    bench.is_deaf = True
    bench.hear(liquidation(bench))
    assert broken(bench) == []
    assert [note.cause for note in bench.told(PositionClosed)] == ["liquidation"]
    bench = held_bench()
    bench.is_deaf = True
    monkeypatch.setattr(fills, "_end", lambda *_: None)
    bench.hear(liquidation(bench))
    assert "I24" in broken(bench)
