"""Orders that carry our prefix and are not of this database: an older copy, or another bot that lives."""

import pytest

from bot.core.event import (
    AlertRaised,
    EntriesHalted,
    FundingDue,
    MarkPrice,
    OrderAccepted,
    OrderFilled,
    Reconciled,
)
from bot.core.intent import Intent, OpenPosition, ReducePosition
from bot.core.position import Position
from bot.engine import ours
from bot.engine.state import restore, snapshot
from bot.ports import OpenOrder
from tests.unit.engine.desk_builder import A, Bench, kinds

PREFIX = "RFL"
OTHER = f"{PREFIX}0000aa0000007"


def bench_of(*, began_ms: int = 0) -> Bench:
    bench = Bench()
    bench.engine.desk.outbox.prefix = PREFIX
    bench.engine.state.epoch = "0000bb"
    bench.engine.desk.began_ms = began_ms
    return bench


def filled(bench: Bench, client_id: str) -> list[Intent]:
    """Let a bot that this database does not know enter; return what the engine does about the fill."""
    told = bench.venue.handle(Intent(90, client_id, bench.ts_ms, OpenPosition(A, 1, 10.0), "", {}))
    fills = [event for event in told if isinstance(event, OrderFilled)]
    assert fills
    return [intent for fill in fills for intent in bench.hear(fill)]


def stop_of(position: Position, client_id: str, trigger_price: float) -> OpenOrder:
    return OpenOrder(client_id, position.symbol, "stop", -1, 0.0, trigger_price, "mark", 0.0, True, 1)


def causes(bench: Bench) -> list[str]:
    return [note.cause for note in bench.told(EntriesHalted)]


def test_what_our_ids_opened_before_the_start_is_taken_over_whatever_is_set_for_strangers() -> None:
    bench = bench_of()
    filled(bench, f"{OTHER}E")
    assert causes(bench) == []
    sent = bench.feed(MarkPrice(bench.ts_ms + 1, A, 101.0, 101.0))
    assert kinds(sent)[0] == "PlaceStop"
    assert bench.market().foreign is None
    assert not bench.market().foreign_is_ours


def test_that_it_is_ours_outlives_a_kill_before_the_next_mark() -> None:
    bench = bench_of()
    filled(bench, f"{OTHER}E")
    again = bench_of()
    restore(again.engine.state, snapshot(bench.engine.state))
    assert again.market().foreign_is_ours


def test_its_stop_is_kept_and_the_difference_is_journalled() -> None:
    bench = bench_of()
    filled(bench, f"{OTHER}E")
    market, actual = bench.market(), bench.market().foreign
    assert actual is not None
    stops = (stop_of(actual, f"{OTHER}S", 95.0), stop_of(actual, "byhand", 99.0))
    assert ours.recognise(bench.engine.desk, market, actual, stops)
    assert bench.stop().client_id == f"{OTHER}S"
    assert market.foreign is None
    assert bench.engine.desk.outbox.intents == ()
    notes = bench.engine.desk.outbox.take().notes
    assert [note.what for note in notes if isinstance(note, Reconciled)] == ["own_position"]
    assert [note.cause for note in notes if isinstance(note, AlertRaised)] == ["own_position"]


def test_a_position_without_our_ids_is_not_recognised() -> None:
    bench = bench_of()
    actual = Position(A, 1, 10.0, 100.0, 50.0, 20.0, 1)
    assert not ours.recognise(bench.engine.desk, bench.market(), actual, (stop_of(actual, "byhand", 95.0),))
    assert not bench.market().foreign_is_ours


def test_take_profits_of_ours_that_rest_are_counted_once() -> None:
    bench = bench_of()
    filled(bench, f"{OTHER}E")
    market, actual = bench.market(), bench.market().foreign
    assert actual is not None
    rung = stop_of(actual, f"{OTHER}T", 110.0)._replace(leg="take_profit", quantity=5.0)
    orders = (stop_of(actual, f"{OTHER}S", 95.0), rung)
    ours.recognise(bench.engine.desk, market, actual, orders)
    for _ in range(2):
        ours.know_take_profits(bench.engine.desk, bench.holding(), orders)
    assert list(bench.holding().take_profits) == [f"{OTHER}T"]


def test_an_order_of_a_run_we_do_not_know_while_we_trade_halts_entries() -> None:
    bench = bench_of(began_ms=1)
    bench.hear(OrderAccepted(bench.ts_ms, A, f"{OTHER}S", "stop"))
    bench.hear(OrderAccepted(bench.ts_ms, A, f"{OTHER}T", "take_profit"))
    assert causes(bench) == ["another_bot"]
    assert "stop one of them" in bench.told(EntriesHalted)[0].message
    assert kinds(bench.enter()) == []


def test_what_another_bot_opens_while_we_trade_is_not_taken_over() -> None:
    bench = bench_of(began_ms=1)
    filled(bench, f"{OTHER}E")
    assert causes(bench) == ["another_bot", "foreign_position"]
    assert kinds(bench.feed(MarkPrice(bench.ts_ms + 1, A, 101.0, 101.0))) == []


@pytest.mark.parametrize("client_id", ["byhand", "RFT0000aa0000007S", f"{PREFIX}0000bb0000001S"])
def test_orders_of_others_and_of_our_own_runs_show_no_other_bot(client_id: str) -> None:
    bench = bench_of(began_ms=1)
    bench.engine.state.runs.append("0000bb")
    bench.hear(OrderAccepted(bench.ts_ms, A, client_id, "stop"))
    assert causes(bench) == []


def test_what_was_ordered_before_our_first_mark_shows_no_other_bot() -> None:
    bench = bench_of()
    bench.engine.desk.began_ms = bench.ts_ms
    bench.hear(OrderAccepted(bench.ts_ms, A, f"{OTHER}S", "stop"))
    assert causes(bench) == []


def test_the_runs_of_a_database_are_kept() -> None:
    bench = bench_of()
    bench.enter()
    bench.engine.state.epoch = "0000cc"
    bench.engine.desk.outbox.intend(OpenPosition(A, 1, 1.0), "again")
    again = bench_of()
    restore(again.engine.state, snapshot(bench.engine.state))
    assert again.engine.state.runs == ["0000bb", "0000cc"]


def sell(bench: Bench, client_id: str, quantity: float) -> None:
    """Let the bot that this database does not know close a part."""
    intent = Intent(91, client_id, bench.ts_ms, ReducePosition(A, 1, quantity), "", {})
    for event in bench.venue.handle(intent):
        if isinstance(event, OrderFilled):
            bench.hear(event)


def test_what_was_told_of_it_before_is_booked_when_it_is_all_of_it() -> None:
    bench = bench_of()
    filled(bench, f"{OTHER}E")
    bench.venue._state.tapes[A].jump(MarkPrice(bench.ts_ms, A, 101.0, 101.0))
    sell(bench, f"{OTHER}X", 4.0)
    for event in bench.venue.advance(FundingDue(bench.ts_ms + 1, A, 0.001)):
        bench.hear(event)
    market, actual = bench.market(), bench.venue.truth().positions[0]
    assert ours.recognise(bench.engine.desk, market, actual, (stop_of(actual, f"{OTHER}S", 95.0),))
    held = bench.holding()
    assert held.fees_quote == pytest.approx(0.0005 * (10.0 * 100.0 + 4.0 * 101.0))
    assert held.realised_pnl_quote == pytest.approx(4.0)
    assert held.funding_quote == held.drained_quote == pytest.approx(-0.001 * 6.0 * 101.0)
    book = market.evidence.book
    assert book is not None
    assert book.shadow.pnl_quote == held.realised_pnl_quote - held.fees_quote + held.funding_quote
    (alert,) = (note for note in bench.engine.desk.outbox.take().notes if isinstance(note, AlertRaised))
    assert "before is booked" in alert.message
    assert bench.engine.desk.witness.priors == {}


def test_what_was_told_of_a_part_of_it_is_not_booked() -> None:
    """The first fills are older than what the venue tells."""
    bench = bench_of()
    bench.venue.handle(Intent(90, f"{OTHER}E", bench.ts_ms, OpenPosition(A, 1, 10.0), "", {}))
    sell(bench, f"{OTHER}X", 4.0)
    market, actual = bench.market(), bench.venue.truth().positions[0]
    assert ours.recognise(bench.engine.desk, market, actual, (stop_of(actual, f"{OTHER}S", 95.0),))
    held = bench.holding()
    assert (held.fees_quote, held.realised_pnl_quote, held.funding_quote) == (0.0, 0.0, 0.0)
    (alert,) = (note for note in bench.engine.desk.outbox.take().notes if isinstance(note, AlertRaised))
    assert "before is not known" in alert.message


def test_what_is_taken_over_with_the_next_mark_is_booked_too() -> None:
    bench = bench_of()
    filled(bench, f"{OTHER}E")
    bench.feed(MarkPrice(bench.ts_ms + 1, A, 101.0, 101.0))
    assert bench.holding().fees_quote == pytest.approx(0.5)


def test_an_earlier_trade_of_it_is_not_booked_with_the_last() -> None:
    bench = bench_of()
    filled(bench, f"{OTHER}E")
    sell(bench, f"{OTHER}X", 10.0)
    filled(bench, f"{PREFIX}0000aa0000009E")
    bench.feed(MarkPrice(bench.ts_ms + 1, A, 101.0, 101.0))
    assert bench.holding().fees_quote == pytest.approx(0.5)
