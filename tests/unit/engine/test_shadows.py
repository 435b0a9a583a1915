"""Evidence from whole lives: what the static shadow of a position did while margin was moved, cut or lost.

A long at 100 with a stop at 98 and liquidation near 94.3; adds below 99.35 push it to about 93.7.
"""

from typing import Any

import pytest

from bot.core.event import ForecastResolved, FundingDue, MarginMoved, PositionClosed, TradeEvidence
from bot.core.intent import AddMargin, ReducePosition
from bot.engine.evidence import MarketEvidence
from bot.engine.state import restore
from bot.evidence.forecast import HORIZON_MS
from bot.risk.limits import BracketLimits, MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from tests.unit.engine.desk_builder import A, B, Bench, actions, kinds

NO_TRAIL = BracketLimits(trail_activate_r=0.0, first_take_profit_r=3.0, second_take_profit_r=6.0)
ADD, RELEASE = 99.3, 101.5
HOUR_MS = 3_600_000


def held_bench(direction: int = 1, **rules: Any) -> Bench:
    margin = MarginLimits(add_cooldown_ms=60_000, release_cooldown_ms=120_000)
    params = DistanceBandParams(low=0.9, high=1.1)
    rules = {"policy": "distance_band", "params": params, "margin": margin, "bracket": NO_TRAIL, **rules}
    bench = Bench(**rules)
    bench.enter(direction)
    bench.tick(100.0)
    return bench


def static_bench() -> Bench:
    return held_bench(policy="static", params=None)


def liquidation(bench: Bench) -> float:
    return bench.market().liquidation_price(bench.holding().position)


def evidence(bench: Bench) -> TradeEvidence:
    (told,) = bench.told(TradeEvidence)
    return told


def net_pnl(bench: Bench) -> float:
    (closed,) = bench.told(PositionClosed)
    return closed.realised_pnl_quote - closed.fees_quote + closed.funding_quote


def cut(bench: Bench, share: float, reason: str) -> None:
    """Let a policy close a share of the position (1: all of it)."""
    held = bench.holding().position
    quantity = 0.0 if share == 1.0 else round(held.quantity * share, 1)
    bench.engine.desk.outbox.intend(ReducePosition(A, held.side, quantity), reason)
    bench.perform(bench.engine.desk.outbox.take())
    bench.tick(bench.market().mark)


def test_without_any_move_the_shadow_is_the_position() -> None:
    bench = static_bench()
    price = liquidation(bench)
    bench.tick(97.0)
    told = evidence(bench)
    assert told.least_distance == pytest.approx((97.0 - price) / 97.0)
    assert told.pnl_quote == pytest.approx(net_pnl(bench), rel=1e-12)
    assert told.shadow_pnl_quote == pytest.approx(told.pnl_quote, rel=1e-12)
    assert (told.closed_by, told.shadow_closed_by, told.moves, told.added_quote) == ("stop", "stop", 0, 0.0)
    assert told.margin_quote_hours == pytest.approx(told.shadow_margin_quote_hours, rel=1e-12) != 0.0
    assert told.loss_beyond_stop_fraction == pytest.approx((98.0 - 97.0) / 98.0)
    assert (told.policy, told.position_id, told.side) == ("static", 1, 1)


def test_a_static_position_is_liquidated_together_with_its_shadow() -> None:
    bench = static_bench()
    bench.tick(90.0)
    told = evidence(bench)
    assert (told.liquidated, told.shadow_liquidated) == (True, True)
    assert told.pnl_quote == pytest.approx(told.shadow_pnl_quote, rel=1e-12)
    assert (told.added_lost_quote, told.least_distance, told.least_distance_sigma_hours) == (0.0, 0.0, 0.0)


def test_rescued_and_better_when_the_static_position_would_have_been_liquidated() -> None:
    bench = held_bench()
    wallet, before = bench.holding().position.isolated_wallet, liquidation(bench)
    assert kinds(bench.tick(ADD)) == ["AddMargin"]
    jump = 0.5 * (before + liquidation(bench))
    quantity, fees = bench.holding().position.quantity, bench.holding().fees_quote
    bench.tick(jump)
    told = evidence(bench)
    assert (told.closed_by, told.liquidated) == ("stop", False)
    assert (told.shadow_closed_by, told.shadow_liquidated) == ("liquidation", True)
    assert told.shadow_pnl_quote == pytest.approx(-wallet - fees)
    assert told.pnl_quote == pytest.approx(-quantity * (100.0 - jump) - fees - 0.0005 * quantity * jump)
    assert told.pnl_quote > told.shadow_pnl_quote
    assert (told.added_lost_quote, told.moves) == (0.0, 1)
    assert told.added_quote == bench.told(MarginMoved)[0].amount_quote


def test_rescued_and_worse_when_the_rescued_position_lost_more_than_the_first_margin() -> None:
    """Adds at two marks push liquidation so far that the stop, jumped over, costs more than the wallet."""
    bench = held_bench()
    wallet, fees = bench.holding().position.isolated_wallet, bench.holding().fees_quote
    bench.tick(ADD)
    bench.tick(98.4, after_ms=61_000)
    quantity, last = bench.holding().position.quantity, liquidation(bench)
    bench.tick(last + 0.05)
    told = evidence(bench)
    assert (told.liquidated, told.shadow_liquidated) == (False, True)
    assert told.pnl_quote < told.shadow_pnl_quote == pytest.approx(-wallet - fees)
    assert told.added_lost_quote == pytest.approx(told.shadow_pnl_quote - told.pnl_quote)
    assert 0.0 < told.added_lost_quote < told.added_quote
    fees += 0.0005 * quantity * (last + 0.05)
    assert told.pnl_quote == pytest.approx(-quantity * (99.95 - last) - fees)


def test_still_liquidated_with_the_added_margin_lost_on_top() -> None:
    bench = held_bench()
    wallet, fees = bench.holding().position.isolated_wallet, bench.holding().fees_quote
    bench.tick(ADD)
    bench.tick(85.0)
    told = evidence(bench)
    assert (told.liquidated, told.shadow_liquidated) == (True, True)
    assert told.added_lost_quote == pytest.approx(told.added_quote)
    assert told.shadow_pnl_quote == pytest.approx(-wallet - fees)
    assert told.pnl_quote == pytest.approx(-wallet - told.added_quote - fees)
    assert told.loss_beyond_stop_fraction == pytest.approx(13.0 / 98.0)


def test_a_released_position_is_liquidated_where_its_shadow_is_stopped() -> None:
    bench = held_bench()
    before = liquidation(bench)
    assert kinds(bench.tick(RELEASE)) == ["ReleaseMargin"]
    jump = 0.5 * (before + liquidation(bench))
    quantity, fees = bench.holding().position.quantity, bench.holding().fees_quote
    bench.tick(jump)
    told = evidence(bench)
    assert (told.closed_by, told.shadow_closed_by) == ("liquidation", "stop")
    assert told.shadow_pnl_quote == pytest.approx(
        -quantity * (100.0 - jump) - fees - 0.0005 * quantity * jump
    )
    assert told.margin_quote_hours < told.shadow_margin_quote_hours


def test_a_volatility_cut_does_not_happen_to_the_shadow() -> None:
    bench = static_bench()
    whole = bench.holding().position.quantity
    cut(bench, 0.5, "volatility_cut")
    rest = bench.holding().position.quantity
    book = bench.market().evidence.book
    assert book is not None
    assert (rest, book.shadow.position.quantity) == (pytest.approx(whole / 2, abs=0.1), whole)
    bench.tick(97.0)
    told = evidence(bench)
    assert told.shadow_pnl_quote == pytest.approx(-3.0 * whole - 0.0005 * whole * (100.0 + 97.0))
    assert told.pnl_quote == pytest.approx(net_pnl(bench))
    assert told.pnl_quote > told.shadow_pnl_quote


def test_the_shadow_of_a_derisked_position_lives_on_to_its_stop_its_target_or_an_exit_signal() -> None:
    ends = {}
    for name in ("stop", "take_profit", "exit"):
        bench = static_bench()
        quantity = bench.holding().position.quantity
        cut(bench, 1.0, "derisk_close")
        assert bench.told(TradeEvidence) == []
        assert bench.market().holding is None
        if name == "exit":
            bench.candle(101.0, direction=1, is_exit=True)
        else:
            bench.tick(99.0)
            bench.tick(97.5 if name == "stop" else 112.5)
        told = evidence(bench)
        assert (told.closed_by, told.shadow_closed_by) == ("derisk", name)
        assert told.pnl_quote == pytest.approx(-0.0005 * quantity * 200.0)
        assert told.shadow_closed_ms > told.closed_ms
        ends[name] = (told.shadow_pnl_quote + 0.0005 * quantity * 100.0) / quantity
    assert ends["stop"] == pytest.approx(-2.5 - 0.0005 * 97.5)
    assert ends["take_profit"] == pytest.approx(12.0 - 0.0005 * 112.0)
    assert ends["exit"] == pytest.approx(1.0 - 0.0005 * 101.0)


def test_an_orphan_is_remembered_by_a_restart_and_beside_a_new_position() -> None:
    bench, twin = static_bench(), Bench(policy="static", bracket=NO_TRAIL)
    cut(bench, 1.0, "derisk_close")
    bench.enter()
    bench.tick(100.0)
    restore(twin.engine.state, bench.engine.snapshot())
    assert repr(twin.engine.snapshot()) == repr(bench.engine.snapshot())
    bench.tick(97.5)
    assert sorted(told.position_id for told in bench.told(TradeEvidence)) == [1, 2]


def test_funding_drains_the_shadow_in_proportion_to_its_quantity() -> None:
    bench = static_bench()
    cut(bench, 0.5, "volatility_cut")
    book = bench.market().evidence.book
    assert book is not None
    wallet, whole = book.shadow.position.isolated_wallet, book.shadow.position.quantity
    bench.tick(100.0)
    bench.feed(FundingDue(bench.ts_ms, A, 0.001))
    assert bench.holding().funding_quote == pytest.approx(-0.1 * bench.holding().position.quantity)
    assert book.shadow.funding_quote == pytest.approx(-0.1 * whole)
    assert book.shadow.position.isolated_wallet == pytest.approx(wallet - 0.1 * whole)


def test_a_partial_take_profit_takes_the_same_share_of_the_shadow() -> None:
    bench = static_bench()
    whole = bench.holding().position.quantity
    bench.tick(106.5)
    left = bench.holding().position
    book = bench.market().evidence.book
    assert book is not None
    assert 0.0 < left.quantity < whole
    assert book.shadow.position.quantity == pytest.approx(left.quantity, rel=1e-12)
    assert book.shadow.position.isolated_wallet == pytest.approx(left.isolated_wallet, rel=1e-12)
    bench.tick(97.0)
    told = evidence(bench)
    assert told.shadow_pnl_quote == pytest.approx(told.pnl_quote, rel=1e-12)


def test_a_stop_that_trailed_is_a_line_of_defence_of_its_own() -> None:
    bench = held_bench(policy="static", params=None, bracket=BracketLimits(trail_activate_r=0.9))
    bench.tick(102.4)
    assert bench.stop().trigger_price > 98.0
    bench.tick(99.0)
    assert evidence(bench).closed_by == evidence(bench).shadow_closed_by == "trailing"


def test_refused_moves_are_counted_and_move_nothing() -> None:
    bench = held_bench()
    bench.answers[AddMargin] = "insufficient_balance"
    bench.tick(ADD)
    assert actions(bench.sent, AddMargin)
    bench.tick(97.0)
    assert (evidence(bench).moves, evidence(bench).moves_refused, evidence(bench).added_quote) == (0, 1, 0.0)


def test_an_add_on_a_candle_that_would_enter_here_stands_the_reentry_test() -> None:
    bench = held_bench()
    silent = held_bench()
    bench.candle(100.0, direction=1)
    silent.candle(100.0)
    for each in (bench, silent):
        assert kinds(each.tick(ADD)) == ["AddMargin"]
        each.tick(97.0)
    assert (evidence(bench).moves, evidence(bench).adds_without_reentry) == (1, 0)
    assert (evidence(silent).moves, evidence(silent).adds_without_reentry) == (1, 1)


def test_least_distance_is_that_of_the_worst_mark_to_a_basis_point() -> None:
    bench = static_bench()
    price = liquidation(bench)
    for mark in (99.5, 99.0, 98.2, 99.9, 101.0, 98.5):
        bench.tick(mark)
    bench.tick(112.5)
    told = evidence(bench)
    assert told.least_distance == pytest.approx((98.2 - price) / 98.2, abs=2e-4)
    assert told.least_distance_sigma_hours is not None
    assert told.near_miss_ms == 0


def test_forecasts_are_told_once_an_hour_and_come_true_also_after_the_position() -> None:
    bench = static_bench()
    first, side = liquidation(bench), bench.holding().position.side
    bench.candle(100.0)
    bench.ts_ms += HOUR_MS
    bench.candle(100.0)
    bench.candle(100.0)
    assert [forecast.side for forecast in bench.market().evidence.forecasts] == [side] * 2
    bench.tick(97.0)
    assert bench.market().holding is None
    assert bench.told(ForecastResolved) == []
    bench.tick(first - 0.01)
    came = bench.told(ForecastResolved)
    assert [(note.touched, note.position_id) for note in came] == [(True, 1)] * 2
    assert [note.liquidation_price for note in came] == [first] * 2
    assert all(0.0 < note.probability < 1.0 for note in came)
    assert came[0].ts_ms == bench.ts_ms
    assert bench.market().evidence.forecasts == []


def test_a_forecast_that_did_not_come_true_is_decided_after_its_day() -> None:
    bench = static_bench()
    bench.candle(100.0)
    told_ms = bench.market().evidence.forecasts[0].ts_ms
    bench.ts_ms = told_ms + HORIZON_MS - 1
    bench.candle(100.0)
    assert bench.told(ForecastResolved) == []
    bench.candle(100.0)
    (note,) = [note for note in bench.told(ForecastResolved) if note.forecast_ms == told_ms]
    assert (note.touched, note.horizon_ms) == (False, HORIZON_MS)


def test_margin_freed_by_one_position_and_locked_by_a_later_one_is_redeployed() -> None:
    bench = held_bench()
    bench.tick(RELEASE)
    freed = -bench.told(MarginMoved)[0].amount_quote
    began_ms = bench.ts_ms
    bench.tick(RELEASE, after_ms=HOUR_MS)
    bench.enter(symbol=B)
    bench.tick(100.0, symbol=B)
    opened_ms, locked = bench.holding(B).opened_ms, bench.holding(B).position.isolated_wallet
    bench.tick(RELEASE, after_ms=HOUR_MS)
    bench.tick(97.0)
    (told,) = [told for told in bench.told(TradeEvidence) if told.symbol == A]
    hours = (told.closed_ms - opened_ms) / HOUR_MS
    assert told.released_redeployed_quote_hours == pytest.approx(min(freed, locked) * hours, rel=1e-6)
    assert told.shadow_margin_quote_hours - told.margin_quote_hours == pytest.approx(
        freed * (told.closed_ms - began_ms) / HOUR_MS, rel=1e-6
    )


def test_a_checkpoint_of_the_first_revision_goes_on_and_its_position_ends_without_a_row() -> None:
    bench, twin = held_bench(), held_bench()
    bench.engine.desk.outbox.take()
    saved = bench.engine.snapshot()
    for market in saved["markets"].values():
        del market["evidence"]
        if market["holding"] is not None:
            del market["holding"]["quiet_low"], market["holding"]["quiet_high"]
    restore(twin.engine.state, saved)
    twin.market().evidence = MarketEvidence()
    twin.venue.restore(bench.venue.snapshot())
    assert kinds(twin.tick(ADD)) == ["AddMargin"]
    twin.candle(ADD)
    twin.tick(97.0)
    assert len(twin.told(PositionClosed)) == 1
    assert twin.told(TradeEvidence) == []
    twin.enter()
    twin.tick(100.0)
    assert twin.market().evidence.book is not None
