"""The de-risk ladder at work: what it sends, what comes after a cut, and when it keeps still."""

from typing import Any

import pytest

from bot.core.event import AlertRaised, MarginHeld, MarginMoved, PositionClosed, TradeEvidence
from bot.core.intent import AddMargin, ReducePosition
from bot.core.margin import liquidation_price
from bot.engine.state import restore
from bot.risk.limits import AllocationLimits, BracketLimits, MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from tests.unit.engine.desk_builder import A, Bench, actions, instrument, kinds

NO_TRAIL = BracketLimits(trail_activate_r=0.0, first_take_profit_r=3.0, second_take_profit_r=6.0)
WIDE = DistanceBandParams(target_distance=0.30, low=0.9, high=1.3)


def short_of_margin(**margin: Any) -> Bench:
    """A long at 100 with liquidation 5.67 % below; the policy wants 27 % at least, and no add is allowed."""
    limits = MarginLimits(**{"max_adds": 0, **margin})
    bench = Bench(policy="distance_band", params=WIDE, margin=limits, bracket=NO_TRAIL)
    bench.enter()
    return bench


def without_stop(bench: Bench, sigma: float = 0.05) -> Bench:
    """The stop is believed gone and its replacement on the way for ever: the ladder sees no stop."""
    holding = bench.holding()
    holding.stop = None
    holding.close_again_ms = 2**62
    bench.market().sigma_day = sigma
    holding.wake()
    return bench


def cuts(bench: Bench) -> list[Any]:
    return [intent for intent in bench.sent if isinstance(intent.action, ReducePosition)]


def alerts_of(bench: Bench) -> list[AlertRaised]:
    """Return the alerts without the halt that follows from the missing stop."""
    return [note for note in bench.told(AlertRaised) if note.cause != "halted"]


def test_with_a_resting_stop_the_ladder_holds_and_tells_every_cost() -> None:
    bench = short_of_margin()
    for mark in (100.0, 99.5, 99.0, 98.5, 98.2):
        bench.tick(mark)
        bench.candle(mark)
    held = bench.told(MarginHeld)[0]
    assert held.reason == "max_adds"
    assert held.facts["derisk_move"] == "hold"
    assert 0.0 < held.facts["derisk_cost_hold"] < held.facts["derisk_cost_cut_quarter"]
    assert held.facts["derisk_cost_add"] is None
    assert cuts(bench) == []


def test_without_a_stop_it_cuts_reduce_only_and_brings_the_freed_margin_back() -> None:
    bench = without_stop(short_of_margin())
    before = bench.holding().position
    sent = bench.tick(99.0)
    assert kinds(sent) == ["ReducePosition", "AddMargin"]
    cut, back = sent
    assert (cut.reason, back.reason) == ("derisk_cut", "derisk_restore")
    assert 0.0 < cut.action.quantity < before.quantity
    after = bench.holding().position
    assert after.quantity == pytest.approx(before.quantity - cut.action.quantity)
    assert after.isolated_wallet == pytest.approx(cut.facts["derisk_wallet_quote"], rel=1e-3)
    rules = bench.market().rules
    assert liquidation_price(after, rules) < liquidation_price(before, rules)
    tally = bench.engine.state.tally
    assert (tally.derisk_cuts, tally.margin_adds) == (1, 1)
    assert bench.told(MarginMoved)[-1].reason == "derisk_restore"


def test_what_is_brought_back_is_no_add_but_is_in_the_books() -> None:
    bench = without_stop(short_of_margin())
    quantity = bench.holding().position.quantity
    bench.tick(99.0)
    held, book = bench.holding(), bench.engine.desk.book(bench.market(), bench.holding())
    assert held.added_quote == held.restored_quote > 0.0
    assert (held.adds, book.added_quote) == (0, 0.0)
    assert book.agreed_loss_quote == pytest.approx(held.agreed_loss_quote + held.realised_pnl_quote)
    assert held.realised_pnl_quote < 0.0
    assert held.kept_share == pytest.approx(held.position.quantity / quantity)


def test_what_is_brought_back_is_no_add_in_the_evidence_either() -> None:
    bench = without_stop(short_of_margin())
    bench.tick(99.0)
    assert bench.holding().restored_quote > 0.0
    price = bench.market().liquidation_price(bench.holding().position)
    bench.tick(price - 1.0)
    (told,) = bench.told(TradeEvidence)
    assert (told.closed_by, told.moves) == ("liquidation", 1)
    assert (told.added_quote, told.added_lost_quote, told.adds_without_reentry) == (0.0, 0.0, 0)


def test_the_same_cause_cuts_again_only_after_the_interval() -> None:
    bench = without_stop(short_of_margin(derisk_interval_ms=120_000))
    bench.tick(99.0)
    assert len(cuts(bench)) == 1
    for _ in range(119):
        bench.market().sigma_day = 0.2
        bench.holding().wake()
        bench.tick(99.0)
    assert len(cuts(bench)) == 1
    bench.market().sigma_day = 0.2
    bench.holding().wake()
    bench.tick(99.0)
    assert len(cuts(bench)) == 2


def test_after_the_last_cut_a_position_without_a_stop_is_closed() -> None:
    bench = without_stop(short_of_margin(derisk_interval_ms=60_000, max_derisk_cuts=1))
    bench.tick(99.0)
    bench.market().sigma_day = 0.2
    bench.holding().wake()
    assert kinds(bench.tick(99.0, after_ms=61_000)) == ["ReducePosition"]
    assert bench.sent[-1].reason == "derisk_close"
    closed = bench.told(PositionClosed)[-1]
    assert closed.cause == "derisk_close"
    assert closed.margin_added_quote == bench.engine.state.tally.margin_added
    assert bench.engine.state.tally.derisk_closes == 1


def test_a_stop_that_rests_makes_the_forced_close_void() -> None:
    bench = short_of_margin(max_derisk_cuts=0)
    bench.tick(99.0)
    assert cuts(bench) == []
    assert bench.told(MarginHeld)[-1].facts["derisk_reason"] == "cuts_used_up"


def test_switched_off_it_is_never_asked() -> None:
    bench = without_stop(short_of_margin(allow_derisk=0))
    bench.tick(99.0)
    assert cuts(bench) == []
    assert "derisk_move" not in bench.told(MarginHeld)[-1].facts
    assert "allow_derisk is 0" in alerts_of(bench)[-1].message


def test_a_cut_below_the_venue_s_minimum_is_not_sent() -> None:
    bench = without_stop(short_of_margin())
    market = bench.market()
    market.instrument = instrument(A)._replace(min_notional_quote=0.9 * market.mark * 50.0)
    quantity = bench.holding().position.quantity
    bench.tick(99.0)
    assert all(action.quantity in (0.0, quantity) for action in actions(bench.sent, ReducePosition))
    assert [intent.reason for intent in cuts(bench)] == ["derisk_close"]


def test_a_refused_cut_does_not_count_and_is_alerted() -> None:
    bench = without_stop(short_of_margin())
    bench.answers[ReducePosition] = "below_minimum"
    bench.tick(99.0)
    assert (bench.holding().derisk_cuts, bench.holding().kept_share) == (0, 1.0)
    assert bench.told(AlertRaised)[-1].cause == "cut_refused"
    bench.answers.clear()
    assert kinds(bench.tick(99.0, after_ms=30_000)) == []
    bench.holding().wake()
    assert "ReducePosition" in kinds(bench.tick(99.0, after_ms=31_000))


def test_when_the_venue_refuses_to_take_margin_back_liquidation_is_where_it_was() -> None:
    bench = without_stop(short_of_margin())
    before = liquidation_price(bench.holding().position, bench.market().rules)
    bench.answers[AddMargin] = "insufficient_balance"
    bench.tick(99.0)
    after = liquidation_price(bench.holding().position, bench.market().rules)
    assert after == pytest.approx(before, rel=1e-3)
    assert [note.cause for note in alerts_of(bench)] == ["add_forbidden", "add_refused"]


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_the_agreed_loss_caps_what_is_brought_back(share: float) -> None:
    bench = without_stop(short_of_margin())
    held = bench.holding()
    held.agreed_loss_quote = share * held.position.isolated_wallet
    sent = bench.tick(99.0)
    assert (kinds(sent) == ["ReducePosition"]) == (share < 0.5)
    assert held.position.isolated_wallet <= max(held.agreed_loss_quote, 0.5 * held.initial_wallet_quote)


def test_an_add_that_cannot_reach_the_band_is_made_only_while_the_strategy_would_enter_again() -> None:
    for is_wanted in (True, False):
        bench = without_stop(short_of_margin(max_adds=6, max_added_fraction=1.0), sigma=0.03)
        bench.holding().does_reenter = is_wanted
        bench.engine.state.markets[A].estimates = bench.market().estimates._replace(trend_score=0.0)
        sent = bench.tick(100.0)
        assert (kinds(sent)[0] == "AddMargin") == is_wanted
        if is_wanted:
            assert sent[0].reason == "derisk_add"
            assert bench.holding().adds == 1


def test_the_belief_that_would_enter_again_is_that_of_the_newest_candle_and_side() -> None:
    bench = short_of_margin()
    seen = []
    for direction in (0, 1, -1, 1, 0):
        bench.candle(100.0, direction=direction)
        seen.append(bench.holding().does_reenter)
    assert seen == [False, True, False, True, False]


def test_a_strategy_that_fails_wants_nothing_again() -> None:
    bench = short_of_margin()
    bench.candle(100.0, direction=1)

    def fail(_: Any) -> Any:
        raise RuntimeError("no idea")

    bench.strategy.answer = fail
    bench.candle(100.0)
    assert bench.holding().does_reenter is False


def test_a_restart_between_a_cut_and_its_fill_brings_the_margin_back_all_the_same() -> None:
    bench = without_stop(short_of_margin())
    bench.is_deaf = True
    cut = bench.tick(99.0)
    assert kinds(cut) == ["ReducePosition"]
    second = Bench(policy="distance_band", params=WIDE, margin=MarginLimits(max_adds=0), bracket=NO_TRAIL)
    restore(second.engine.state, bench.engine.snapshot())
    second.venue.restore(bench.venue.snapshot())
    assert repr(second.engine.snapshot()) == repr(bench.engine.snapshot())
    second.perform(second.engine.desk.outbox.take())
    for outcome in second.venue.handle(cut[0]):
        second.hear(outcome)
    assert [intent.reason for intent in second.sent] == ["derisk_restore"]


def test_under_one_budget_for_the_book_a_cut_has_it_split_anew_and_brings_nothing_back() -> None:
    bench = Bench(
        policy="distance_band",
        params=WIDE,
        margin=MarginLimits(max_adds=0),
        bracket=NO_TRAIL,
        allocation=AllocationLimits(budget_fraction=0.9),
    )
    bench.enter()
    bench.tick(100.0)
    without_stop(bench)
    bench.holding().does_reenter = True
    bench.holding().solved_probability = 0.5
    sent = bench.tick(99.0)
    assert [intent.reason for intent in sent if isinstance(intent.action, ReducePosition)] == ["derisk_cut"]
    assert "derisk_restore" not in {intent.reason for intent in bench.sent}
    assert sent[0].facts["derisk_add_refusal"] != "admissible"
    assert bench.holding().solved_probability == -1.0
