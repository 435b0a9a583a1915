"""A person's orders about one position: what is sent, what is refused in which words, and what is told."""

from typing import Any

import pytest

from bot.core.event import (
    FeedGap,
    InvariantBroken,
    MarginMoved,
    PositionClosed,
    TradeEvidence,
)
from bot.core.halt import NO_ENTRY, REDUCE_ONLY
from bot.core.instrument import quantity_down
from bot.core.intent import AddMargin, ReducePosition, ReleaseMargin
from bot.engine import by_hand, halts
from bot.engine.errand import DONE, REFUSED
from bot.risk.by_hand import Wish
from bot.risk.limits import MarginLimits
from tests.unit.engine.by_hand_bench import by_hand_intents, held_bench, order, wallet
from tests.unit.engine.desk_builder import A, B, kinds


def test_an_add_goes_through_the_write_protocol_and_is_booked_as_a_persons() -> None:
    bench = held_bench()
    before, free = wallet(bench), bench.engine.state.free_quote
    told = order(bench, "add", 50.0)
    assert told is not None
    assert (told.state, told.verb, told.symbol, told.command_id) == (DONE, "add", A, "1")
    assert "50.00 was added to long" in told.message
    assert wallet(bench) == pytest.approx(before + 50.0)
    assert bench.venue.balances()["free"] == pytest.approx(free - 50.0)
    (intent,) = by_hand_intents(bench)
    assert intent.action == AddMargin(A, before + 50.0)
    assert intent.facts["command_id"] == "1"
    (moved,) = bench.told(MarginMoved)
    assert (moved.reason, moved.amount_quote) == (by_hand.REASON, pytest.approx(50.0))
    assert moved.after.distance > moved.before.distance


def test_an_add_by_hand_leaves_the_policys_budget_as_it_was() -> None:
    bench = held_bench()
    state, market, held = bench.engine.state, bench.market(), bench.holding()
    before = state.book(market, held)
    order(bench, "add", 50.0)
    after = state.book(market, held)
    assert (after.adds, after.added_quote) == (before.adds, before.added_quote)
    assert held.added_quote == pytest.approx(50.0)
    assert held.by_hand_quote == pytest.approx(50.0)


def test_an_add_by_hand_may_exceed_what_the_policy_may_lose() -> None:
    bench = held_bench()
    agreed = bench.holding().agreed_loss_quote
    told = order(bench, "add", agreed)
    assert told is not None
    assert told.state == DONE
    assert wallet(bench) > agreed
    bench.tick(100.2)
    assert bench.told(InvariantBroken) == []


def test_no_add_by_hand_touches_the_reserve() -> None:
    bench = held_bench()
    state = bench.engine.state
    reserve = MarginLimits().reserve_fraction * state.equity_quote()
    most = state.free_quote - reserve
    told = order(bench, "add", most + 1.0)
    assert told is not None
    assert told.state == REFUSED
    assert "stays in reserve" in told.message
    assert f"At most {int(most * 100) / 100:,.2f} can be added now." in told.message
    assert by_hand_intents(bench) == []
    again = order(bench, "add", most - 0.01, command_id="2")
    assert again is not None
    assert again.state == DONE
    assert state.free_quote >= reserve


def test_a_release_leaves_liquidation_behind_the_stop() -> None:
    bench = held_bench()
    order(bench, "add", 200.0)
    told = order(bench, "release", 100.0, command_id="2")
    assert told is not None
    assert told.state == DONE, told.message
    assert "100.00 was released from long" in told.message
    held = bench.holding()
    assert (
        held.position.side * (bench.stop().trigger_price - bench.market().liquidation_price(held.position))
        > 0
    )
    (intent,) = [each for each in by_hand_intents(bench) if isinstance(each.action, ReleaseMargin)]
    assert intent.facts["band_low"] > 0.0
    assert held.by_hand_quote == pytest.approx(100.0)


def test_a_release_past_the_stop_is_refused_with_the_most_that_may_be_released() -> None:
    bench = held_bench()
    told = order(bench, "release", wallet(bench) * 0.9)
    assert told is not None
    assert told.state == REFUSED
    assert "can be released now" in told.message
    assert by_hand_intents(bench) == []


@pytest.mark.parametrize(
    ("level", "is_done"), [(NO_ENTRY, True), (REDUCE_ONLY, False), ("DISCONNECTED", False)]
)
def test_a_release_is_refused_where_a_halt_forbids_it_and_says_so(level: Any, is_done: bool) -> None:
    bench = held_bench()
    order(bench, "add", 200.0)
    halts.latch(bench.engine.desk, level, "test", "a test wants it")
    told = order(bench, "release", 50.0, command_id="2")
    assert told is not None
    assert (told.state == DONE) == is_done
    if not is_done:
        assert f"{level} stands (a test wants it)" in told.message
        assert "ringfence resume" in told.message
    assert order(bench, "add", 10.0, command_id="3").state == DONE  # pyright: ignore[reportOptionalMemberAccess]


def test_a_release_is_refused_on_old_prices_and_an_add_is_not() -> None:
    bench = held_bench()
    order(bench, "add", 200.0)
    bench.feed(FeedGap(bench.ts_ms + 1, A, bench.ts_ms + 600_000))
    told = order(bench, "release", 50.0, command_id="2")
    assert told is not None
    assert (told.state, "in a gap of the feed" in told.message) == (REFUSED, True)
    assert order(bench, "add", 10.0, command_id="3").state == DONE  # pyright: ignore[reportOptionalMemberAccess]


def test_a_reduction_closes_a_fraction_and_the_shadow_is_reduced_with_it() -> None:
    bench = held_bench()
    quantity = bench.holding().position.quantity
    cut = quantity_down(quantity * 0.25, bench.market().instrument)
    told = order(bench, "reduce", 0.25)
    assert told is not None
    assert told.state == DONE, told.message
    assert bench.holding().position.quantity == pytest.approx(quantity - cut)
    book = bench.market().evidence.book
    assert book is not None
    assert book.shadow.position.quantity == pytest.approx(quantity - cut)
    (intent,) = by_hand_intents(bench)
    assert isinstance(intent.action, ReducePosition)


def test_a_close_ends_the_position_and_says_by_whom() -> None:
    bench = held_bench()
    told = order(bench, "close")
    assert told is not None
    assert (told.state, "was closed at" in told.message) == (DONE, True)
    assert bench.market().holding is None
    assert [note.cause for note in bench.told(PositionClosed)] == [by_hand.REASON]
    assert [note.closed_by for note in bench.told(TradeEvidence)] == [by_hand.REASON]
    assert bench.venue._state.positions == {}


def test_what_the_venue_refuses_is_told_and_keeps_the_policy_free() -> None:
    bench = held_bench()
    bench.answers[AddMargin] = "insufficient_balance"
    told = order(bench, "add", 50.0)
    assert told is not None
    assert told.state == REFUSED
    assert "insufficient_balance: by script" in told.message
    assert bench.holding().margin_again_ms == 0
    bench.answers[ReducePosition] = "overloaded"
    refused = order(bench, "close", command_id="2")
    assert refused is not None
    assert refused.state == REFUSED
    assert not bench.holding().is_closing


@pytest.mark.parametrize(
    ("verb", "number", "about", "words"),
    [
        ("add", 0.0, {}, "must be a number above 0"),
        ("add", -5.0, {}, "must be a number above 0"),
        ("add", float("nan"), {}, "must be a number above 0"),
        ("add", float("inf"), {}, "must be a number above 0"),
        ("release", float("nan"), {}, "must be a number above 0"),
        ("release", 1e-9, {}, "less than the exchange's step"),
        ("add", 1e-300, {}, "less than the exchange's step"),
        ("reduce", 0.0, {}, "above 0 and below 1"),
        ("reduce", 1.0, {}, "Close it to end all of it"),
        ("reduce", float("nan"), {}, "above 0 and below 1"),
        ("reduce", 1e-6, {}, "smallest order"),
        ("close", 0.0, {"symbol": B}, f"Open are: {A}."),
        ("add", 5.0, {"symbol": "DOGE"}, 'No position of this bot is open in "DOGE"'),
        ("add", 5.0, {"position_id": 7}, "what is open in AAA/USDT:USDT now is long"),
    ],
)
def test_an_order_that_cannot_be_is_refused_in_words(
    verb: str, number: float, about: dict[str, Any], words: str
) -> None:
    bench = held_bench()
    before = wallet(bench)
    told = order(bench, verb, number, **about)
    assert told is not None
    assert told.state == REFUSED
    assert words in told.message
    assert by_hand_intents(bench) == []
    assert wallet(bench) == before
    assert bench.told(InvariantBroken) == []


@pytest.mark.parametrize(("verb", "number"), [("add", 50.0), ("release", 20.0), ("reduce", 0.3)])
def test_a_preview_says_what_then_happens(verb: str, number: float) -> None:
    bench = held_bench()
    order(bench, "add", 100.0, command_id="0")
    wish = Wish(verb, number, number)
    desk = bench.engine.desk
    seen = by_hand.preview(desk.state, desk.risk, A, wish)
    assert seen.refusal == ""
    assert order(bench, verb, number).state == DONE  # pyright: ignore[reportOptionalMemberAccess]
    is_now = desk.risk.risk_of(desk.view(bench.market(), bench.holding()))
    assert seen.after is not None
    # A reduction pays a fee out of the wallet.
    assert seen.after.isolated_wallet == pytest.approx(is_now.isolated_wallet, rel=1e-2)
    assert seen.after.liquidation_price == pytest.approx(is_now.liquidation_price, rel=1e-3)
    assert seen.after.liquidation_probability == pytest.approx(is_now.liquidation_probability, rel=0.02)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish("add", 1e9), "stays in reserve"),
        (Wish("release", 1e9), "can be released now"),
        (Wish("release", float("nan")), "must be a number above 0"),
        (Wish("reduce", 0.0, 2.0), "above 0 and below 1"),
        (Wish("dance"), 'no order "dance"'),
    ],
)
def test_a_preview_says_what_would_be_refused(wish: Wish, words: str) -> None:
    desk = held_bench().engine.desk
    assert words in by_hand.preview(desk.state, desk.risk, A, wish).refusal


def test_a_preview_knows_what_stands_against_it_and_moves_nothing() -> None:
    bench = held_bench()
    order(bench, "add", 200.0)
    desk, sent = bench.engine.desk, len(bench.sent)
    halts.latch(desk, REDUCE_ONLY, "test", "a test wants it")
    seen = by_hand.preview(desk.state, desk.risk, A, Wish("release", 20.0))
    assert "REDUCE_ONLY stands" in seen.refusal
    assert seen.after is not None
    assert "No position" in by_hand.preview(desk.state, desk.risk, B, Wish("close")).refusal
    assert len(bench.sent) == sent


def test_kinds_of_orders_are_told_apart() -> None:
    assert [by_hand.is_one(verb) for verb in ("add", "release", "reduce", "close")] == [True] * 4
    assert not any(by_hand.is_one(verb) for verb in ("halt", "flatten", "resume", ""))
    assert kinds([]) == []
