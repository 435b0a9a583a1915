"""From a signal to a protected position: order of actions, leverage first, nothing on stale prices."""

import math

import pytest

from bot.core.event import (
    CandleClosed,
    EntriesHalted,
    EntriesResumed,
    EquityMarked,
    FeedGap,
    LeverageSet,
    MarkPrice,
    OrderCancelled,
    OrderFilled,
    SignalSeen,
)
from bot.core.intent import CancelOrder, OpenPosition, PlaceStop, PlaceTakeProfit, ReducePosition, SetLeverage
from bot.risk.limits import EntryLimits
from tests.unit.engine.desk_builder import MINUTE_MS, A, Bench, actions, kinds


def test_leverage_is_confirmed_before_the_entry_is_sent() -> None:
    bench = Bench()
    sent = bench.enter()
    assert kinds(sent)[:2] == ["SetLeverage", "OpenPosition"]
    assert bench.market().leverage == sent[0].action.leverage


def test_a_signal_is_journalled_under_the_name_that_the_user_gave() -> None:
    bench = Bench()
    bench.enter()
    assert bench.told(SignalSeen)[-1].strategy == "scripted"


def test_a_strategy_without_strength_is_refused_where_one_is_asked() -> None:
    bench = Bench(entry=EntryLimits(min_strength=0.7))
    assert kinds(bench.enter()) == []
    seen = bench.told(SignalSeen)[-1]
    assert seen.checks == (
        "the strategy gives this signal no strength; entry.min_strength asks for at least 0.7",
    )
    assert seen.facts["strength"] == 0.0


def test_an_approved_signal_keeps_odds_funding_share_and_the_caps_of_the_book() -> None:
    bench = Bench()
    bench.enter()
    facts = bench.told(SignalSeen)[-1].facts
    judged = {"stop_first", "target_first", "breakeven_hit_rate", "next_funding", "funding_share"}
    book = {"book_margin", "correlated_risk", "cascade"}
    assert judged | book | {f"{name}_limit" for name in book} <= set(facts)


def test_an_entry_with_the_leverage_already_set_goes_at_once() -> None:
    bench = Bench()
    first = bench.enter()
    bench.candle(direction=1, is_exit=True)
    bench.market().leverage = first[0].action.leverage
    assert kinds(bench.enter())[0] == "OpenPosition"


def test_the_stop_follows_the_first_entry_fill_before_anything_else() -> None:
    sent = Bench().enter()
    assert kinds(sent) == ["SetLeverage", "OpenPosition", "PlaceStop", "PlaceTakeProfit", "PlaceTakeProfit"]


def test_a_partly_filled_entry_is_stopped_at_once_and_gets_take_profits_when_complete() -> None:
    bench = Bench(depth=2_000.0)
    assert kinds(bench.enter()) == ["SetLeverage", "OpenPosition", "PlaceStop"]
    first = bench.holding().position.quantity
    assert kinds(bench.tick(100.0)) == []
    assert first < bench.holding().position.quantity
    assert kinds(bench.tick(100.0)) == ["PlaceTakeProfit", "PlaceTakeProfit"]
    assert bench.holding().is_filled
    assert bench.market().entry is None
    assert bench.holding().initial_wallet_quote == bench.holding().position.isolated_wallet


def test_no_margin_moves_while_the_entry_is_incomplete() -> None:
    bench = Bench(depth=50.0, policy="distance_band")
    bench.enter()
    assert not bench.holding().is_filled
    sent = [intent for _ in range(3) for intent in bench.tick(98.1)]
    assert kinds(sent) == []


def test_the_last_take_profit_closes_whatever_is_left() -> None:
    rungs = actions(Bench().enter(), PlaceTakeProfit)
    assert [rung.quantity == 0.0 for rung in rungs] == [False, True]


def test_a_signal_without_a_stop_distance_leaves_it_to_the_risk_manager() -> None:
    bench = Bench()
    stop = actions(bench.enter(stop_distance=math.nan), PlaceStop)[0].trigger_price
    assert stop == pytest.approx(100.0 * (1.0 - bench.market().sigma_day), rel=1e-3)


@pytest.mark.parametrize("refused", [SetLeverage, OpenPosition])
def test_a_refused_step_of_an_entry_clears_the_way_for_the_next_signal(refused: type) -> None:
    bench = Bench()
    bench.answers[refused] = "leverage_refused"
    bench.enter()
    assert bench.market().entry is None
    assert bench.engine.state.in_flight == {}
    bench.answers.clear()
    bench.enter()
    assert bench.holding().is_filled


def test_an_entry_that_waits_for_its_leverage_is_not_asked_again() -> None:
    bench = Bench()
    bench.is_deaf = True
    assert kinds(bench.enter()) == ["SetLeverage"]
    assert kinds(bench.enter()) == []


def test_a_leverage_other_than_the_planned_one_sends_no_entry() -> None:
    bench = Bench()
    bench.is_deaf = True
    asked = bench.enter()[0]
    bench.is_deaf = False
    sent = bench.hear(leverage_set(bench, asked.client_id, asked.action.leverage + 1))
    assert kinds(sent) == []
    assert bench.market().entry is None


def test_a_leverage_confirmed_too_late_sends_no_entry() -> None:
    bench = Bench()
    bench.is_deaf = True
    asked = bench.enter()[0]
    bench.is_deaf = False
    bench.ts_ms += 10_000
    sent = bench.hear(leverage_set(bench, asked.client_id, asked.action.leverage))
    assert kinds(sent) == []
    assert bench.market().entry is None
    assert not bench.told(SignalSeen)[-1].is_approved


def test_nothing_is_entered_in_a_gap_of_the_feed() -> None:
    bench = Bench()
    bench.feed(FeedGap(bench.ts_ms, A, bench.ts_ms + 10 * MINUTE_MS))
    assert kinds(bench.enter()) == []
    assert "in a gap" in bench.told(SignalSeen)[-1].checks[0]


def test_an_outage_is_told_when_it_begins_and_when_it_ends() -> None:
    bench = Bench()
    bench.candle()
    bench.feed(FeedGap(bench.ts_ms, A, bench.ts_ms + 10 * MINUTE_MS))
    assert [note.cause for note in bench.told(EntriesHalted)] == ["feed_gap"]
    bench.candle()
    assert bench.told(EntriesResumed) == []
    bench.ts_ms += 20 * MINUTE_MS
    bench.candle()
    assert [note.cause for note in bench.told(EntriesResumed)] == ["feed_gap"]


def test_equity_is_marked_with_the_time_it_was_read() -> None:
    bench = Bench()
    bench.ts_ms += 90 * MINUTE_MS
    bench.candle()
    assert bench.told(EquityMarked)[-1].ts_ms == bench.engine.state.now_ms


def test_nothing_is_entered_on_a_stale_mark() -> None:
    bench = Bench()
    close_ms = bench.ts_ms + MINUTE_MS
    bench.strategy.wishes[close_ms] = (1, False, 0.02)
    assert kinds(bench.hear(closed(close_ms, 100.0))) == []
    assert not bench.told(SignalSeen)[-1].is_approved
    assert bench.engine.state.tally.entries_refused == 1


def test_a_candle_delivered_twice_is_acted_on_once() -> None:
    bench = Bench()
    bench.answers[OpenPosition] = "insufficient_balance"
    bench.enter()
    assert kinds(bench.hear(closed(bench.ts_ms, 100.0))) == []


def test_an_exit_signal_closes_once() -> None:
    bench = Bench()
    bench.enter()
    bench.is_deaf = True
    assert kinds(bench.candle(direction=1, is_exit=True)) == ["ReducePosition"]
    assert kinds(bench.candle(direction=1, is_exit=True)) == []


def test_an_exit_of_the_other_side_leaves_the_position() -> None:
    bench = Bench()
    bench.enter()
    assert kinds(bench.candle(direction=-1, is_exit=True)) == []
    assert kinds(bench.candle(direction=0, is_exit=True)) == ["ReducePosition"]


def test_a_refused_exit_can_be_asked_for_again() -> None:
    bench = Bench()
    bench.enter()
    bench.answers[ReducePosition] = "in_liquidation"
    bench.candle(direction=1, is_exit=True)
    bench.answers.clear()
    assert kinds(bench.candle(direction=1, is_exit=True)) == ["ReducePosition"]
    assert bench.market().holding is None


def test_the_rest_of_an_entry_is_taken_back_when_its_position_ends() -> None:
    bench = Bench(depth=500.0)
    bench.enter()
    held, entry = bench.holding(), bench.market().entry
    assert entry is not None
    bench.is_deaf = True
    assert held.stop is not None
    sent = bench.hear(stop_filled(bench, held.stop.client_id, held.position.quantity))
    assert [action.target_client_id for action in actions(sent, CancelOrder)] == [entry.client_id]
    bench.hear(OrderCancelled(bench.ts_ms, A, entry.client_id, "entry", "requested"))
    assert bench.market().entry is None
    assert bench.engine.state.in_flight == {}


def test_a_cancelled_entry_gives_back_what_it_had_reserved() -> None:
    bench = Bench(depth=500.0)
    bench.enter()
    entry, free_quote = bench.market().entry, bench.engine.state.free_quote
    assert entry is not None
    bench.hear(OrderCancelled(bench.ts_ms, A, entry.client_id, "entry", "requested", free_quote + 70.0))
    assert bench.engine.state.free_quote == free_quote + 70.0


def stop_filled(bench: Bench, client_id: str, quantity: float) -> OrderFilled:
    return OrderFilled(
        bench.ts_ms, A, client_id, 99, "stop", -1, 98.0, quantity, 0.0, 0.1, False, -2.0, None, 9e3
    )


def leverage_set(bench: Bench, client_id: str, leverage: int) -> LeverageSet:
    return LeverageSet(bench.ts_ms, A, client_id, leverage)


def closed(ts_ms: int, price: float) -> CandleClosed:
    return CandleClosed(ts_ms, A, MINUTE_MS, price, price, price, price, 1.0, 0.0)


def test_marks_alone_never_enter() -> None:
    bench = Bench()
    assert [bench.hear(MarkPrice(bench.ts_ms + n, A, 90.0 + n, 90.0 + n)) for n in range(20)] == [[]] * 20


def test_nothing_is_entered_in_a_symbol_that_is_leaving_and_what_is_held_is_managed() -> None:
    bench = Bench()
    bench.enter()
    bench.market().is_leaving = True
    bench.candle(direction=1, is_exit=True)
    assert "ReducePosition" in kinds(bench.sent)
    assert bench.market().holding is None
    assert kinds(bench.enter()) == []
    assert "not among feed.symbols" in bench.told(SignalSeen)[-1].checks[0]
