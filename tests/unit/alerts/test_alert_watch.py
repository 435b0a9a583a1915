"""The look at the state: distances with hysteresis, budget, stop, drawdown, daily summary, what passed."""

import json

from bot.alerts.router import Looked, Raised, route
from bot.alerts.rules import RouteRule, Rules
from bot.alerts.sources import happenings
from bot.alerts.state import NOTHING, RouterState
from bot.core.event import AlertRaised, CandleClosed
from bot.engine import halts
from tests.unit.alerts.scenes import PAPER, WALL_MS, alerts, held_bench, overs, watch_of
from tests.unit.engine.desk_builder import MINUTE_MS, A, Bench

ALL = Rules((RouteRule("all", "info"),))


def quote(bench: Bench, mark: float) -> None:
    """Move the mark alone: nothing is decided, so that the distance is the mark's."""
    bench.market().mark = mark


def standing_after(events: list, bench: Bench, state: RouterState = NOTHING) -> RouterState:
    for each in happenings(events, bench.engine.state, PAPER):
        state = route(ALL, state, each, WALL_MS)[0]
    return state


def test_a_level_is_told_once_however_the_mark_trembles_and_again_after_it_was_left() -> None:
    bench = held_bench()
    watch, told = watch_of(bench), []
    for mark in (100.0, 99.0, 99.3, 99.0, 99.3, 102.0, 99.0):
        quote(bench, mark)
        told += [(mark, each.grade) for each in alerts(watch.look({}, WALL_MS))]
    assert told == [(99.0, "warning"), (99.0, "warning")]


def test_the_nearest_level_is_critical_and_says_it_for_those_before() -> None:
    bench = held_bench()
    watch = watch_of(bench)
    quote(bench, 96.0)
    (alert,) = alerts(watch.look({}, WALL_MS))
    assert (alert.kind, alert.grade) == ("liquidation_distance", "critical")
    assert alert.title == "CRITICAL AAA/USDT liquidation 1.74% away [paper]"
    stop = bench.stop().trigger_price
    for words in (
        f"long {bench.holding().position.quantity:.10g} AAA/USDT:USDT (position 1)",
        "from the mark 96.00",
        "told below 3.00%",
        f"the stop at {stop:.10g} rests",
        "The bot next: adds ",
        "Next step:",
        "UTC.",
        f"ringfence alerts ack {alert.alert_id}",
    ):
        assert words in alert.body
    quote(bench, 100.0)
    assert [each.key for each in overs(watch.look({}, WALL_MS))] == [
        f"liquidation_distance {A} 1 1"  # 5.67 % is not yet a quarter beyond the level of 5 %
    ]


def test_an_old_mark_says_nothing_of_the_distance() -> None:
    bench = held_bench()
    watch = watch_of(bench)
    quote(bench, 96.0)
    bench.engine.state.now_ms += 60_000
    assert alerts(watch.look({}, WALL_MS)) == []


def test_a_restart_tells_no_level_twice() -> None:
    bench = held_bench()
    watch = watch_of(bench)
    quote(bench, 96.0)
    assert alerts(watch.look({}, WALL_MS))
    again = watch_of(bench, memory=json.loads(json.dumps(watch.memory)))
    assert alerts(again.look({}, WALL_MS)) == []


def test_a_budget_that_is_nearly_spent_is_told_with_what_is_left() -> None:
    bench = held_bench()
    watch, holding = watch_of(bench), bench.holding()
    assert alerts(watch.look({}, WALL_MS)) == []
    whole = holding.agreed_loss_quote - holding.initial_wallet_quote
    wallet = holding.initial_wallet_quote + 0.85 * whole
    holding.position = holding.position._replace(isolated_wallet=wallet)
    (alert,) = (each for each in alerts(watch.look({}, WALL_MS)) if each.kind == "margin_budget")
    assert alert.grade == "warning"
    assert "85% of what may be added" in alert.body
    assert f"{0.15 * whole:,.2f} left" in alert.body
    assert [each for each in alerts(watch.look({}, WALL_MS)) if each.kind == "margin_budget"] == []


def test_a_stop_that_moved_is_told_with_both_prices() -> None:
    bench = held_bench()
    watch = watch_of(bench)
    assert alerts(watch.look({}, WALL_MS)) == []
    stop = bench.stop()
    before = stop.trigger_price
    stop.trigger_price = before + 0.5
    (alert,) = alerts(watch.look({}, WALL_MS))
    assert (alert.kind, alert.cause, alert.grade) == ("stop", "stop_moved", "info")
    assert f"follows from {before:.2f} to {before + 0.5:.2f}" in alert.body
    assert alerts(watch.look({}, WALL_MS)) == []


def test_a_drawdown_is_told_at_each_level_the_deepest_as_critical() -> None:
    bench = held_bench()
    watch, state = watch_of(bench), bench.engine.state
    told = []
    for equity in (10_000.0, 8_900.0, 9_050.0, 8_950.0, 7_900.0, 9_900.0, 8_900.0):
        state.peak_equity_quote = 10_000.0
        state.free_quote += equity - state.equity_quote()
        told += [(equity, each.grade) for each in alerts(watch.look({}, WALL_MS)) if each.kind == "drawdown"]
    assert told == [(8_900.0, "warning"), (7_900.0, "critical"), (8_900.0, "warning")]


def test_the_summary_comes_once_a_day_at_its_time_and_not_at_the_first_start() -> None:
    bench = held_bench()
    watch = watch_of(bench, summary_minute=9 * 60)
    hour = 3_600_000
    told = [
        (hours, each)
        for hours in (0, 0.99, 1, 1.5, 20, 25, 26)
        for each in alerts(watch.look({}, WALL_MS + int(hours * hour)))
    ]
    assert [hours for hours, _ in told] == [1, 25]
    body = told[0][1].body
    assert f"long {bench.holding().position.quantity:.10g} AAA/USDT:USDT (position 1): 5.67% to" in body
    assert "Nothing is halted." in body
    assert told[0][1].kind == "daily_summary"


def test_an_alert_of_the_engine_is_over_when_its_cause_is_gone() -> None:
    bench = held_bench()
    hear_no_candle(bench)
    state = standing_after(bench.told(AlertRaised), bench)
    watch = watch_of(bench)
    assert overs(watch.look(state.standing, WALL_MS)) == []
    bench.market().alerts.clear()
    (over,) = overs(watch.look(state.standing, WALL_MS))
    assert over.title.startswith("OVER AAA/USDT")
    state = route(ALL, state, over, WALL_MS)[0]
    assert overs(watch.look(state.standing, WALL_MS)) == []


def hear_no_candle(bench: Bench) -> None:
    """Let the engine hear a candle that is none: it says so until the next sound one."""
    nan = float("nan")
    bench.hear(CandleClosed(bench.ts_ms + 1, A, MINUTE_MS, nan, nan, nan, nan, 1.0, 0.0))


def test_a_position_that_is_closed_ends_what_was_told_of_it() -> None:
    bench = held_bench()
    watch = watch_of(bench)
    quote(bench, 96.0)
    state = NOTHING
    for each in watch.look({}, WALL_MS):
        state = route(ALL, state, each, WALL_MS)[0]
    bench.market().holding = None
    (over,) = overs(watch.look(state.standing, WALL_MS))
    assert "no longer open" in over.body


def test_a_lifted_halt_ends_its_repetition_without_a_message_of_its_own() -> None:
    """The engine tells that a person lifted it."""
    bench = held_bench()
    halts.latch(bench.engine.desk, "REDUCE_ONLY", "drawdown", "too much")
    notes = bench.engine.desk.outbox.take().notes
    state = standing_after(list(notes), bench)
    (standing,) = state.standing.values()
    assert (standing.alert.kind, standing.alert.cause, standing.alert.grade) == (
        "drawdown",
        "drawdown",
        "critical",
    )
    halts.lift(bench.engine.desk, "")
    (over,) = overs(watch_of(bench).look(state.standing, WALL_MS))
    assert over.title == ""
    state, deliveries = route(ALL, state, over, WALL_MS)
    assert (state.standing, deliveries) == ({}, ())
    assert route(ALL, state, Looked(), WALL_MS + 10**7)[1] == ()


def test_what_the_look_raises_has_one_id_in_any_process() -> None:
    bench = held_bench()
    quote(bench, 96.0)
    first, second = watch_of(bench), watch_of(bench)
    assert [each.alert_id for each in alerts(first.look({}, WALL_MS))] == [
        each.alert.alert_id for each in second.look({}, WALL_MS + 5) if isinstance(each, Raised)
    ]
