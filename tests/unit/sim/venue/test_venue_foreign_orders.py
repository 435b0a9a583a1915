"""What only foreign clients ask of the venue: partial stops, reducing limits, amendments, other terms."""

from typing import Any

import pytest

from bot.core.event import OrderAccepted, OrderFilled, Refused
from bot.core.intent import OpenPosition, SetLeverage
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.sim.requests import AmendLimit, ReduceAtLimit, RestStop, VenueAction

SYMBOL = "AAA/USDT:USDT"


def ask(bench: Any, action: VenueAction, client_id: str) -> tuple[Any, ...]:
    return bench.venue.perform(client_id, action, bench.ts_ms)


def refusal(bench: Any, action: VenueAction, client_id: str = "x") -> str:
    last = ask(bench, action, client_id)[-1]
    return last.code if isinstance(last, Refused) else ""


@pytest.fixture
def long(bench: Any) -> Any:
    """A long of 10 at 100 with 10x."""
    bench.do(SetLeverage(SYMBOL, 10))
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    return bench


def test_a_partial_stop_closes_its_part_and_no_more(long: Any) -> None:
    assert isinstance(ask(long, RestStop(SYMBOL, 1, 4.0, 98.0), "part")[0], OrderAccepted)
    (fill,) = long.tick(97.5)
    assert isinstance(fill, OrderFilled)
    assert fill.position is not None
    assert (fill.quantity, fill.position.quantity) == (4.0, 6.0)
    assert long.order_ids() == []


def test_a_partial_stop_is_clipped_to_what_is_left(long: Any) -> None:
    ask(long, RestStop(SYMBOL, 1, 8.0, 98.0), "first")
    ask(long, RestStop(SYMBOL, 1, 8.0, 97.0), "second")
    assert [event.quantity for event in long.tick(96.0) if isinstance(event, OrderFilled)] == [8.0, 2.0]
    assert long.venue.position_side(SYMBOL) == 0
    assert long.venue.conservation_error() < 1e-12


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (RestStop(SYMBOL, -1, 1.0, 98.0), "no_position"),
        (RestStop(SYMBOL, 1, 1.05, 98.0), "precision"),
        (RestStop(SYMBOL, 1, 1.0, 101.0), "would_trigger_immediately"),
        (ReduceAtLimit(SYMBOL, 1, 11.0, 105.0), "reduce_only"),
        (ReduceAtLimit(SYMBOL, 1, 0.0, 105.0), "not_finite"),
        (ReduceAtLimit(SYMBOL, 1, 1.0, 105.005), "precision"),
        (AmendLimit(SYMBOL, "nothing", 1.0, 99.0), "unknown_order"),
    ],
)
def test_impossible_requests_are_refused(action: VenueAction, code: str, long: Any) -> None:
    before = long.venue.balances()
    assert refusal(long, action) == code
    assert long.venue.balances() == before


def test_a_reducing_limit_rests_until_its_price_and_pays_the_maker_fee(long: Any) -> None:
    ask(long, ReduceAtLimit(SYMBOL, 1, 4.0, 105.0), "take")
    assert long.tick(104.0) == []
    (fill,) = long.tick(106.0)
    assert (fill.price, fill.quantity, fill.is_maker) == (105.0, 4.0, True)
    assert fill.fee_quote == pytest.approx(4.0 * 105.0 * 0.0002)
    assert fill.realised_pnl_quote == pytest.approx(20.0)


def test_a_reducing_limit_that_crosses_trades_at_once_as_taker(long: Any) -> None:
    accepted, fill = ask(long, ReduceAtLimit(SYMBOL, 1, 4.0, 99.0), "now")
    assert isinstance(accepted, OrderAccepted)
    assert (fill.price, fill.is_maker) == (100.0, False)


def test_an_amendment_moves_price_quantity_and_reserve(long: Any) -> None:
    free = long.free()
    long.do(OpenPosition(SYMBOL, 1, 10.0, "limit", 90.0), "rest")
    assert ask(long, AmendLimit(SYMBOL, "rest", 20.0, 95.0), "amend") == ()
    assert free - long.free() == pytest.approx(20.0 * 95.0 * (0.1 + 0.0005))
    assert long.tick(96.0) == []
    (fill,) = long.tick(94.0)
    assert (fill.price, fill.quantity, fill.client_id) == (95.0, 20.0, "rest")
    assert long.venue.conservation_error() < 1e-12


def test_an_amendment_that_the_account_cannot_carry_changes_nothing(long: Any) -> None:
    long.do(OpenPosition(SYMBOL, 1, 10.0, "limit", 90.0), "rest")
    before = long.venue.snapshot()
    assert refusal(long, AmendLimit(SYMBOL, "rest", 1100.0, 99.0)) == "insufficient_balance"
    after = long.venue.snapshot()
    assert (after["orders"], after["ledger"]) == (before["orders"], before["ledger"])


def test_other_terms_count_from_the_next_tick_on(long: Any) -> None:
    held = long.venue.state.positions[SYMBOL]
    before = long.venue.state.liquidation(held)
    tiers = tiers_from_rows([LeverageTier(0.0, 1e9, 0.05, 0.0, 10.0)])
    instrument = long.venue.state.instruments[SYMBOL]._replace(tiers=tiers, max_leverage=10.0)
    long.venue.change_instrument(instrument)
    after = long.venue.state.liquidation(held)
    assert after > before
    (event,) = [each for each in long.tick(0.5 * (before + after)) if type(each).__name__ == "Liquidated"]
    assert event.liquidation_price == after
