"""The contract of ports.Journal, over the file and over memory."""

from decimal import Decimal
from typing import Any, get_args

import pytest

from bot.core.event import (
    EquityMarked,
    Event,
    FeedGap,
    FundingSettled,
    Liquidated,
    MarginAdjusted,
    MarginMoved,
    MarketEvent,
    MarkPrice,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    PositionClosed,
    PositionOpened,
    PositionRisk,
    Refused,
)
from bot.core.intent import CancelOrder, Intent, OpenPosition, PlaceTrailingStop, SetLeverage
from bot.errors import Fatal
from bot.ports import Checkpoint, Commit, Recovered, Resolution
from bot.store import queries
from bot.store.journal import SqliteJournal
from bot.store.projection import PROJECTIONS
from bot.store.tables import TABLES
from tests.unit.store.story import (
    AFTER,
    BEFORE,
    BTC,
    add_margin,
    checkpoint,
    entry,
    funding_and_margin,
    held,
    stop_hit,
    whole_life,
    write,
)


def contents(journal: SqliteJournal) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with journal.read() as reader:
        return {
            name: [tuple(row) for row in reader.execute(table.select())] for name, table in TABLES.items()
        }


def rows(journal: SqliteJournal, table: str) -> list[Any]:
    with journal.read() as reader:
        return list(reader.execute(TABLES[table].select()))


def test_a_new_journal_has_nothing_to_recover(journal: SqliteJournal) -> None:
    assert journal.recover() is None


def test_recover_returns_the_last_checkpoint_and_the_pending_intents_in_order(journal: SqliteJournal) -> None:
    journal.commit(Commit(1, intents=(add_margin(2), add_margin(1)), checkpoint=checkpoint(1)))
    journal.commit(Commit(2, intents=(add_margin(3),)))
    journal.commit(Commit(3, resolutions=(Resolution(1, "done", ""),), checkpoint=checkpoint(2)))
    assert journal.recover() == Recovered(checkpoint(2), (add_margin(2), add_margin(3)))


def test_an_intent_resolved_as_unknown_stays_unresolved_until_its_fate_is_known(
    journal: SqliteJournal,
) -> None:
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    journal.commit(Commit(2, resolutions=(Resolution(1, "unknown", "timeout"),)))
    recovered = journal.recover()
    assert recovered is not None
    assert recovered.pending == (add_margin(1),)
    journal.commit(Commit(3, resolutions=(Resolution(1, "done", "found"),)))
    assert journal.recover() == Recovered(checkpoint(1), ())


def test_a_checkpoint_is_what_it_was_when_committed(journal: SqliteJournal) -> None:
    state: dict[str, Any] = {"ladder": [float("inf"), None], "name": "é", "nested": {"a": 0.1}}
    journal.commit(Commit(1, checkpoint=Checkpoint(state, {}, {})))
    state["ladder"] = []
    recovered = journal.recover()
    assert recovered is not None
    assert recovered.checkpoint.engine == {"ladder": [float("inf"), None], "name": "é", "nested": {"a": 0.1}}


def test_unresolved_intents_without_a_checkpoint_are_fatal(journal: SqliteJournal) -> None:
    journal.commit(Commit(1, intents=(add_margin(1),)))
    with pytest.raises(Fatal, match="no checkpoint"):
        journal.recover()


def test_every_action_comes_back_as_it_was(journal: SqliteJournal) -> None:
    actions = (
        SetLeverage(BTC, 10),
        OpenPosition(BTC, -1, 0.1, "limit", 101.5),
        PlaceTrailingStop(BTC, 1, 0.0, 0.01),
        CancelOrder(BTC, "p1S"),
    )
    intents = tuple(
        Intent(seq, f"c{seq}", seq, action, "r", {"x": None}) for seq, action in enumerate(actions, 1)
    )
    journal.commit(Commit(1, intents=intents, checkpoint=checkpoint(1)))
    assert journal.recover() == Recovered(checkpoint(1), intents)


@pytest.mark.parametrize(
    "second",
    [
        Commit(2, intents=(add_margin(1, ts_ms=2),)),
        Commit(2, intents=(add_margin(1)._replace(seq=2),)),  # another seq, the same client id
        Commit(2, resolutions=(Resolution(9, "done", ""),)),
        Commit(2, resolutions=(Resolution(1, "lost", ""),)),
        Commit(2, notes=(PositionClosed(2, BTC, 4, 1, "stop", 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),)),
        Commit(2, (Refused(2, BTC, "x", "precision", ""), OrderAccepted(2, None, "x", "stop"))),  # pyright: ignore
        Commit(2, (FundingSettled(2, BTC, 0.1, 1.0, float("nan"), held(1.0), 1.0),)),
        Commit(2, notes=(MarginMoved(2, BTC, 77, "p9M", 1.0, "p", "r", BEFORE, AFTER),)),
    ],
    ids=["seq", "client id", "no intent", "status", "not open", "null", "nan", "no position"],
)
def test_a_commit_that_contradicts_the_journal_is_fatal_and_changes_nothing(
    journal: SqliteJournal, second: Commit
) -> None:
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    before = contents(journal)
    accepted = OrderAccepted(2, BTC, "other", "stop")
    with pytest.raises(Fatal):
        journal.commit(second._replace(events=(accepted, *second.events), checkpoint=checkpoint(2)))
    assert contents(journal) == before


def test_the_same_end_of_an_intent_may_be_told_twice_but_not_another_one(journal: SqliteJournal) -> None:
    journal.commit(Commit(1, intents=(add_margin(1),), checkpoint=checkpoint(1)))
    journal.commit(Commit(2, resolutions=(Resolution(1, "done", ""),)))
    journal.commit(Commit(3, resolutions=(Resolution(1, "done", ""),)))
    with pytest.raises(Fatal, match="already done"):
        journal.commit(Commit(4, resolutions=(Resolution(1, "refused", ""),)))


def test_a_second_position_in_one_symbol_is_fatal(journal: SqliteJournal) -> None:
    write(journal, entry())
    again = PositionOpened(11, BTC, 2, 1, 1.0, 100.0, 10.0, 10.0, 95.0, 6.0)
    with pytest.raises(Fatal):
        journal.commit(Commit(11, notes=(again,)))


def test_market_events_are_never_stored(journal: SqliteJournal) -> None:
    journal.commit(Commit(1, (MarkPrice(1, BTC, 1.0, 1.0), FeedGap(1, BTC, 2)), checkpoint=checkpoint(1)))
    assert rows(journal, "event") == []


def test_every_event_type_is_either_a_market_event_or_mapped_to_the_tables() -> None:
    market = set(get_args(MarketEvent))
    assert set(PROJECTIONS) == set(get_args(Event)) - market


def test_events_and_notes_are_kept_in_the_order_they_were_given(journal: SqliteJournal) -> None:
    write(journal, entry())
    kinds = [row.kind for row in rows(journal, "event")]
    assert kinds == ["OrderFilled", "OrderAccepted", "SignalSeen", "PositionOpened"]


def test_the_event_table_refuses_changes_and_deletions(journal: SqliteJournal) -> None:
    write(journal, entry())
    for statement in ("DELETE FROM event", "UPDATE event SET ts_ms = 0"):
        with journal.read() as reader, pytest.raises(Exception, match="append-only"):
            reader.exec_driver_sql(statement)


def test_a_margin_adjustment_row_holds_its_reason_and_the_risk_before_and_after(
    journal: SqliteJournal,
) -> None:
    write(journal, [*entry(), *funding_and_margin()])
    with journal.read() as reader:
        (move,) = queries.margin_history(reader)
    assert (move.intent_seq, move.position_id, move.policy, move.reason) == (
        3,
        1,
        "distance_band",
        "touched_add",
    )
    assert str(move.amount_quote) == "2.51"
    before = [float(x) for x in move[9:14] if x is not None]
    after = [float(x) for x in move[14:19] if x is not None]
    assert (before, after) == (list(BEFORE[:5]), list(AFTER[:5]))
    assert move.venue_reply is not None
    assert move.venue_reply["type"] == "MarginAdjusted"


def test_a_margin_move_without_equity_is_stored_without_a_ratio(journal: SqliteJournal) -> None:
    write(journal, entry())
    hopeless = PositionRisk(90.0, 10.0, float("inf"), 91.0, -0.01)
    moved = MarginMoved(30, BTC, 1, "p3M", 2.51, "static", "r", hopeless, AFTER)
    journal.commit(Commit(30, notes=(moved,)))
    with journal.read() as reader:
        (move,) = queries.margin_history(reader)
    assert move.margin_ratio_before is None
    assert float(move.liquidation_price_before or 0) == 91.0


def test_a_position_row_tells_the_whole_life_of_the_position(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    with journal.read() as reader:
        (trade,) = queries.trades(reader)
    assert (trade.cause, trade.opened_ms, trade.closed_ms, trade.side) == ("stop", 10, 40, 1)
    assert [float(x) for x in trade[6:18]] == [1, 100, 94.9, 10, 10, 95, 6, -5.1, 0.1, -0.01, 2.51, 0]
    assert trade.liquidation_loss_quote is None


def test_fills_belong_to_their_position_even_those_that_came_before_it_was_named(
    journal: SqliteJournal,
) -> None:
    write(journal, whole_life())
    assert [(row.trade_id, row.position_id) for row in rows(journal, "fill")] == [(501, 1), (502, 1)]
    assert [row.position_id for row in rows(journal, "funding")] == [1]


def test_a_position_reopened_in_the_commit_that_closed_one_gets_its_own_fill(journal: SqliteJournal) -> None:
    write(journal, [*entry(), *funding_and_margin()])
    (close,) = stop_hit()
    fill = OrderFilled(40, BTC, "p9E", 503, "entry", 1, 95.0, 1.0, 0.0, 0.05, False, 0.0, held(10.0), 984.74)
    opened = PositionOpened(40, BTC, 2, 1, 1.0, 95.0, 10.0, 10.0, 90.0, 6.0)
    journal.commit(close._replace(events=(*close.events, fill), notes=(*close.notes, opened)))
    assert [(row.trade_id, row.position_id) for row in rows(journal, "fill")] == [
        (501, 1),
        (502, 1),
        (503, 2),
    ]


def test_a_fill_reported_twice_counts_once(journal: SqliteJournal) -> None:
    write(journal, entry())
    before = {name: found for name, found in contents(journal).items() if name != "event"}
    journal.commit(Commit(11, entry()[1].events))
    assert {name: found for name, found in contents(journal).items() if name != "event"} == before


def test_a_trade_id_that_returns_with_another_price_is_fatal(journal: SqliteJournal) -> None:
    write(journal, entry())
    fill = entry()[1].events[0]
    assert isinstance(fill, OrderFilled)
    with pytest.raises(Fatal, match="reused a trade id"):
        journal.commit(Commit(11, (fill._replace(price=101.0),)))


def order_status(journal: SqliteJournal, client_id: str) -> tuple[str, str | None]:
    with journal.read() as reader:
        (found,) = [row for row in queries.orders(reader) if row.client_id == client_id]
    return found.status, found.cause


def test_an_order_is_pending_then_open_then_filled_and_never_reopened(journal: SqliteJournal) -> None:
    first, second = entry()
    journal.commit(first)
    assert order_status(journal, "p2S") == ("pending", None)
    journal.commit(second)
    assert order_status(journal, "p2S") == ("open", None)
    write(journal, [*funding_and_margin(), *stop_hit()])
    journal.commit(Commit(41, (OrderAccepted(41, BTC, "p2S", "stop"),)))
    journal.commit(Commit(41, (OrderCancelled(41, BTC, "p2S", "stop", "position_closed"),)))
    assert order_status(journal, "p2S") == ("filled", None)


def test_a_partial_fill_leaves_the_rest_on_the_order(journal: SqliteJournal) -> None:
    first, second = entry()
    fill = second.events[0]
    assert isinstance(fill, OrderFilled)
    journal.commit(first)
    journal.commit(Commit(10, (fill._replace(quantity=0.4, remaining_quantity=0.6),)))
    with journal.read() as reader:
        (found,) = [row for row in queries.orders(reader) if row.client_id == "p1E"]
    assert (found.status, str(found.remaining_quantity)) == ("partially_filled", "0.6")


def test_refused_cancelled_and_never_sent_orders_say_why(journal: SqliteJournal) -> None:
    journal.commit(entry()[0])
    journal.commit(Commit(11, (Refused(11, BTC, "p1E", "insufficient_balance", "needs 10"),)))
    journal.commit(Commit(11, resolutions=(Resolution(2, "superseded", "a newer plan"),)))
    assert order_status(journal, "p1E") == ("refused", "insufficient_balance: needs 10")
    assert order_status(journal, "p2S") == ("superseded", "a newer plan")
    journal.commit(Commit(12, (OrderCancelled(12, BTC, "venue1", "stop", "expired"),)))
    assert order_status(journal, "venue1") == ("cancelled", "expired")


def test_a_liquidation_is_a_fill_that_lost_the_isolated_wallet(journal: SqliteJournal) -> None:
    write(journal, entry())
    event = Liquidated(50, BTC, 900, 1, 1.0, 90.5, 90.6, 90.0, 10.0, 0.5, 0.1, 989.95)
    closed = PositionClosed(50, BTC, 1, 1, "liquidation", 90.0, -10.0, 0.05, 0.0, 0.0, 0.0)
    journal.commit(Commit(50, (event,), notes=(closed,)))
    with journal.read() as reader:
        (trade,) = queries.trades(reader)
        state = queries.status(reader)
        assert queries.totals(reader).liquidations == 1
    assert (trade.cause, str(trade.liquidation_loss_quote)) == ("liquidation", "10.0")
    assert (state.positions, str(state.wallet_quote)) == ((), "989.95")


def test_wallet_is_free_plus_committed_after_every_venue_event(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    with journal.read() as reader:
        points = queries.equity(reader)
    assert [(point.ts_ms, str(point.wallet_quote)) for point in points] == [
        (40, "994.79"),
        (30, "999.94"),
        (20, "999.94"),
        (10, "999.95"),
    ]


def test_a_margin_adjustment_nobody_explained_is_kept_all_the_same(journal: SqliteJournal) -> None:
    write(journal, entry())
    journal.commit(Commit(30, (MarginAdjusted(30, BTC, "hand", 2.5, held(12.5), 987.45),)))
    with journal.read() as reader:
        (move,) = queries.margin_history(reader)
    assert (move.client_id, move.reason, move.intent_seq, move.position_id) == ("hand", None, None, 1)


def test_every_move_by_hand_has_a_row_of_its_own(journal: SqliteJournal) -> None:
    write(journal, entry())
    for wallet in (12.5, 15.0):
        journal.commit(Commit(30, (MarginAdjusted(30, BTC, "", 2.5, held(wallet), 1000.0 - wallet),)))
    with journal.read() as reader:
        moves = queries.margin_history(reader)
    assert [str(move.amount_quote) for move in moves] == ["2.5", "2.5"]
    assert len({move.client_id for move in moves}) == 2


def test_a_position_found_gone_after_an_outage_is_no_longer_held(journal: SqliteJournal) -> None:
    write(journal, entry())
    gone = PositionClosed(60, BTC, 1, 1, "closed_while_away", 97.0, 0.0, 0.05, 0.0, 0.0, 0.0)
    journal.commit(Commit(60, notes=(gone,)))
    assert rows(journal, "holding") == []


def test_later_fills_of_the_entry_complete_the_position_row(journal: SqliteJournal) -> None:
    write(journal, entry())
    whole = held(20.0)._replace(quantity=2.0, entry_price=100.5)
    fill = OrderFilled(11, BTC, "p1E", 504, "entry", 1, 101.0, 1.0, 0.0, 0.05, False, 0.0, whole, 979.9)
    journal.commit(Commit(11, (fill,)))
    (row,) = rows(journal, "position")
    assert (row.quantity, row.entry_price, row.initial_margin_quote) == (2, Decimal("100.5"), 20)


def test_the_hourly_mark_keeps_unrealised_pnl_beside_the_wallet(journal: SqliteJournal) -> None:
    journal.commit(Commit(5, notes=(EquityMarked(5, "", 980.0, 1000.0, 20.0, -3.5),)))
    with journal.read() as reader:
        (point,) = queries.equity(reader)
    assert point == (5, 980, 20, 1000, Decimal("-3.5"))
