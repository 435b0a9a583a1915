"""Somebody opens a position while the bot runs: noticed with its fill, and treated as the user set it."""

import json

import pytest

from bot.core.event import AlertRaised, EntriesHalted, FeedGap, MarkPrice, OrderFilled, Reconciled, SignalSeen
from bot.core.intent import Intent, OpenPosition, ReducePosition
from bot.core.position import Position
from bot.engine import foreign, halts
from bot.engine.state import restore, snapshot
from bot.ports import OpenOrder
from bot.risk.limits import ADOPT, HALT, IGNORE, ForeignPositions
from tests.unit.engine.desk_builder import A, B, Bench, kinds


def opened_by_hand(bench: Bench, symbol: str = A, quantity: float = 10.0) -> list[Intent]:
    """Let somebody buy at the venue; return what the engine does about the fill."""
    action = OpenPosition(symbol, 1, quantity)
    told = bench.venue.handle(Intent(90, f"byhand{symbol}{quantity}", bench.ts_ms, action, "", {}))
    fills = [event for event in told if isinstance(event, OrderFilled)]
    assert fills
    return [intent for fill in fills for intent in bench.hear(fill)]


def test_a_position_opened_by_hand_stops_entries_while_the_bot_runs() -> None:
    bench = Bench()
    assert kinds(opened_by_hand(bench)) == []
    assert [note.cause for note in bench.told(EntriesHalted)] == ["foreign_position"]
    assert [(note.symbol, note.what) for note in bench.told(Reconciled)] == [(A, "foreign_position")]
    assert kinds(bench.enter()) == []
    assert bench.venue.position_side(A) == 1
    assert bench.market().holding is None


def test_it_is_told_once_and_again_for_another_symbol() -> None:
    bench = Bench()
    opened_by_hand(bench)
    opened_by_hand(bench, quantity=5.0)
    opened_by_hand(bench, B)
    assert [note.symbol for note in bench.told(EntriesHalted)] == [A, B]


def test_a_fill_by_hand_is_not_taken_for_the_entry_on_its_way() -> None:
    bench = Bench(latency_ms=500)
    assert kinds(bench.enter()) == ["SetLeverage", "OpenPosition"]
    entry = bench.market().entry
    told = Bench().venue.handle(Intent(90, "byhand", bench.ts_ms, OpenPosition(A, 1, 10.0), "", {}))
    for fill in told:
        if isinstance(fill, OrderFilled):
            assert kinds(bench.hear(fill)) == []
    assert bench.market().entry == entry
    assert bench.market().holding is None
    assert [note.cause for note in bench.told(EntriesHalted)] == ["foreign_position"]


def treated(treatment: str, stop_fraction: float = 0.5) -> Bench:
    bench = Bench()
    bench.engine.desk.foreign = ForeignPositions(treatment, stop_fraction)
    return bench


def closed_by_hand(bench: Bench, symbol: str = A) -> None:
    told = bench.venue.handle(
        Intent(91, f"closed{symbol}", bench.ts_ms, ReducePosition(symbol, 1, 10.0), "", {})
    )
    for fill in told:
        if isinstance(fill, OrderFilled):
            bench.hear(fill)


def test_an_ignored_position_stops_entries_in_its_symbol_only_and_until_it_is_closed() -> None:
    bench = treated(IGNORE)
    assert kinds(opened_by_hand(bench)) == []
    assert bench.told(EntriesHalted) == []
    assert [alert.cause for alert in bench.told(AlertRaised)] == ["foreign_position"]
    assert kinds(bench.enter()) == []
    assert "did not open" in bench.told(SignalSeen)[-1].checks[0]
    closed_by_hand(bench)
    assert bench.market().foreign is None
    assert "OpenPosition" in kinds(bench.enter())


def test_a_symbol_stays_closed_to_entries_when_a_person_lifts_the_halt() -> None:
    bench = treated(HALT)
    opened_by_hand(bench)
    halts.lift(bench.engine.desk, "I know of it")
    assert bench.engine.state.halts == {}
    assert kinds(bench.enter()) == []


def test_an_adopted_position_has_a_stop_between_mark_and_liquidation_with_the_next_mark() -> None:
    bench = treated(ADOPT, 0.25)
    assert kinds(opened_by_hand(bench)) == []
    position = bench.market().foreign
    assert position is not None
    sent = bench.feed(MarkPrice(bench.ts_ms + 1, A, 101.0, 101.0))
    assert kinds(sent)[0] == "PlaceStop"
    holding = bench.holding()
    liquidation = bench.market().liquidation_price(holding.position)
    assert bench.stop().trigger_price == pytest.approx(101.0 - 0.25 * (101.0 - liquidation), abs=0.01)
    assert bench.stop().trigger_price > liquidation
    assert holding.is_filled
    assert not holding.take_profits
    assert holding.agreed_loss_quote == pytest.approx(10.0 * (101.0 - holding.initial_stop))
    assert bench.market().foreign is None
    assert [alert.cause for alert in bench.told(AlertRaised)] == ["foreign_position", "adopted"]


def test_a_bad_mark_adopts_nothing() -> None:
    bench = treated(ADOPT)
    opened_by_hand(bench)
    assert kinds(bench.hear(MarkPrice(bench.ts_ms + 1, A, float("nan"), 100.0))) == []
    assert bench.market().holding is None


def test_nothing_is_adopted_in_a_gap_of_the_feed() -> None:
    bench = treated(ADOPT)
    opened_by_hand(bench)
    bench.hear(FeedGap(bench.ts_ms, A, bench.ts_ms + 60_000))
    assert kinds(bench.feed(MarkPrice(bench.ts_ms + 1, A, 101.0, 101.0))) == []
    assert bench.market().holding is None


def test_what_somebody_holds_survives_a_restart() -> None:
    bench = treated(IGNORE)
    opened_by_hand(bench)
    state = Bench().engine.state
    restore(state, json.loads(json.dumps(snapshot(bench.engine.state))))
    assert state.markets[A].foreign == bench.market().foreign
    assert state.markets[A].foreign is not None


def test_money_of_a_position_that_is_ignored_is_not_told_as_unexplained() -> None:
    bench = treated(IGNORE)
    bench.enter()
    bench.candle(direction=1, is_exit=True)
    opened_by_hand(bench)
    assert bench.market().foreign is not None
    assert [alert.cause for alert in bench.told(AlertRaised)] == ["foreign_position"]


@pytest.mark.parametrize("treatment", [HALT, IGNORE, ADOPT])
def test_the_alert_is_critical_and_names_size_and_stop_and_no_symbol_twice(treatment: str) -> None:
    bench = treated(treatment)
    opened_by_hand(bench)
    (alert,) = [each for each in bench.told(AlertRaised) if each.cause == "foreign_position"]
    assert (alert.severity, alert.symbol) == ("critical", A)
    assert "long 10 from" in alert.message
    assert "whether a stop rests for it was not looked at" in alert.message
    assert all(f"{each.symbol} {each.message}".count(A) == 1 for each in bench.told(AlertRaised))


@pytest.mark.parametrize(
    ("stops", "says"), [((), "no stop rests for it"), ((90.0, 95.0), "its stop rests at 95")]
)
def test_at_a_start_the_alert_says_whether_a_stop_rests(stops: tuple[float, ...], says: str) -> None:
    bench = treated(HALT)
    position = Position(A, 1, 10.0, 100.0, 50.0, 20.0, 1)
    orders = tuple(
        OpenOrder(f"byhand{price}", A, "stop", -1, 0.0, price, "mark", 0.0, True, 1) for price in stops
    )
    foreign.seen(bench.engine.desk, bench.market(), position, orders)
    alerts = [note for note in bench.engine.desk.outbox.take().notes if isinstance(note, AlertRaised)]
    assert says in alerts[0].message
