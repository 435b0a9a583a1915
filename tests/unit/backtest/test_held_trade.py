"""What the venue does to one trade within one bar, by hand."""

import pytest

from bot.backtest.bars import Bar
from bot.backtest.held_trade import (
    DERISKED,
    HORIZON,
    LIQUIDATION,
    OPEN,
    STOP,
    TARGET,
    Brackets,
    Decided,
    Held,
    Terms,
    after_bar,
    bracketed,
    closed,
    entered,
    moved,
)
from bot.core.margin import liquidation_price
from tests.unit.backtest.recorded_markets import RULES, TERMS, bar

AT_100 = bar(100.0, 100.0, 100.0, 100.0)
QUANTITY = 50.0
FEE = 2.5
UNSTOPPED = TERMS._replace(stop_fraction=0.0, target_fraction=0.0)


def _after(one: Bar, side: int = 1, terms: Terms = TERMS) -> Held:
    held = entered(AT_100, side, terms)
    return after_bar(held, bracketed(held.position, terms, RULES), one, terms, RULES)


def _pnl(held: Held, terms: Terms = TERMS) -> float:
    return held.free - terms.account_quote


def test_entry_holds_the_notional_and_pays_one_fee() -> None:
    held = entered(AT_100, 1, TERMS)
    assert held.position.quantity == QUANTITY
    assert held.free + held.position.isolated_wallet == pytest.approx(2_000.0 - FEE)
    assert bracketed(held.position, TERMS, RULES)[:2] == pytest.approx((97.0, 106.0))


@pytest.mark.parametrize(("side", "low", "high"), [(1, 96.0, 100.0), (-1, 100.0, 104.0)])
def test_stop_fills_at_its_price_less_slippage(side: int, low: float, high: float) -> None:
    held = _after(bar(100.0, high, low, 100.0), side)
    price = 100.0 - side * 3.0 - side * 0.0005 * (100.0 - side * 3.0)
    assert held.ending == STOP
    assert _pnl(held) == pytest.approx(side * QUANTITY * (price - 100.0) - FEE - QUANTITY * price * 0.0005)


def test_stop_that_the_open_jumps_over_fills_at_the_open() -> None:
    held = _after(bar(95.0, 96.0, 94.0, 96.0))
    price = 95.0 * 0.9995
    assert held.ending == STOP
    assert _pnl(held) == pytest.approx(QUANTITY * (price - 100.0) - FEE - QUANTITY * price * 0.0005)


def test_stop_fills_within_the_gap_and_too_late_past_liquidation() -> None:
    terms = TERMS._replace(gap_share=0.25)
    held = _after(bar(100.0, 100.0, 89.0, 95.0), terms=terms)
    price = (97.0 - 0.25 * 8.0) * 0.9995
    assert held.ending == STOP
    assert _pnl(held) == pytest.approx(QUANTITY * (price - 100.0) - FEE - QUANTITY * price * 0.0005)
    assert _after(bar(100.0, 100.0, 65.0, 95.0), terms=terms).ending == LIQUIDATION


def test_open_beyond_liquidation_beats_the_stop_and_takes_the_whole_margin() -> None:
    held = _after(bar(85.0, 96.0, 84.0, 96.0))
    assert held.ending == LIQUIDATION
    assert _pnl(held) == pytest.approx(-500.0 - FEE)


def test_bar_that_touches_stop_and_target_ends_at_the_stop() -> None:
    assert _after(bar(100.0, 107.0, 96.0, 105.0)).ending == STOP


@pytest.mark.parametrize(("side", "low", "high"), [(1, 99.0, 107.0), (-1, 93.0, 101.0)])
def test_target_fills_at_its_price(side: int, low: float, high: float) -> None:
    held = _after(bar(100.0, high, low, 100.0), side)
    price = 100.0 + side * 6.0
    assert held.ending == TARGET
    assert _pnl(held) == pytest.approx(QUANTITY * 6.0 - FEE - QUANTITY * price * 0.0005)


def test_liquidation_happens_exactly_at_the_liquidation_price() -> None:
    price = liquidation_price(entered(AT_100, 1, UNSTOPPED).position, RULES)
    assert _after(bar(100.0, 100.0, price * 1.000001, 99.0), terms=UNSTOPPED).ending == OPEN
    assert _after(bar(100.0, 100.0, price, 99.0), terms=UNSTOPPED).ending == LIQUIDATION


def test_switch_adds_one_initial_margin_at_the_touch_and_the_trade_lives() -> None:
    terms = UNSTOPPED._replace(leverage=10.0, is_rescued=True)
    held = _after(bar(100.0, 100.0, 90.0, 95.0), terms=terms)
    assert held.ending == OPEN
    assert held.rescued == pytest.approx(500.0)
    assert held.position.isolated_wallet == pytest.approx(1_000.0)


def test_switch_that_runs_out_of_balance_loses_everything() -> None:
    terms = UNSTOPPED._replace(leverage=10.0, is_rescued=True)
    held = _after(bar(100.0, 100.0, 55.0, 95.0), terms=terms)
    assert held.ending == LIQUIDATION
    assert _pnl(held, terms) == pytest.approx(-2_000.0)


def test_switch_adds_nothing_when_the_stop_comes_first() -> None:
    terms = TERMS._replace(leverage=10.0, is_rescued=True)
    held = _after(bar(100.0, 100.0, 80.0, 95.0), terms=terms)
    assert (held.ending, held.rescued) == (STOP, 0.0)


def test_funding_leaves_the_wallet_before_anything_else() -> None:
    held = _after(bar(100.0, 101.0, 99.5, 100.0, paid_rate=0.001))
    assert held.position.isolated_wallet == pytest.approx(495.0)
    assert _after(bar(100.0, 100.5, 99.5, 100.0, paid_rate=0.001), -1).position.isolated_wallet == 505.0


def test_isolated_margin_bounds_the_loss_of_a_close() -> None:
    held = closed(entered(AT_100, 1, TERMS), 80.0, HORIZON, TERMS, RULES)
    assert _pnl(held) == pytest.approx(-500.0 - FEE)


def test_margin_moves_keep_the_account() -> None:
    before = entered(AT_100, 1, TERMS)
    after = moved(before, Decided(120.0, 0.0, 0.0, 0.0, False), 98.0, TERMS, RULES)
    assert after.position.isolated_wallet == 620.0
    assert after.free + after.position.isolated_wallet == pytest.approx(
        before.free + before.position.isolated_wallet
    )


@pytest.mark.parametrize("price", [104.0, 97.0, 91.0])
def test_cut_realises_its_share_and_nothing_else(price: float) -> None:
    before = entered(AT_100, 1, TERMS)
    after = moved(before, Decided(0.0, 0.0, 0.5, 0.0, False), price, TERMS, RULES)
    realised = 0.5 * (QUANTITY * (price - 100.0) - QUANTITY * price * 0.0005)
    assert after.position.quantity == 0.5 * QUANTITY
    assert after.free + after.position.isolated_wallet == pytest.approx(2_000.0 - FEE + realised)


@pytest.mark.parametrize("price", [104.0, 97.0, 91.0])
def test_cut_of_the_ladder_leaves_the_wallet_but_for_its_loss(price: float) -> None:
    before = entered(AT_100, 1, TERMS)
    after = moved(before, Decided(0.0, 0.0, 0.0, 0.25, True), price, TERMS, RULES)
    filled = price * 0.9995
    realised = 0.25 * (QUANTITY * (filled - 100.0) - QUANTITY * filled * 0.0005)
    assert after.position.quantity == 0.75 * QUANTITY
    assert after.position.isolated_wallet == pytest.approx(500.0 + min(realised, 0.0))
    assert after.free + after.position.isolated_wallet == pytest.approx(2_000.0 - FEE + realised)


def test_close_of_the_ladder_ends_the_trade() -> None:
    after = moved(entered(AT_100, 1, TERMS), Decided(0.0, 0.0, 0.0, 1.0, True), 95.0, TERMS, RULES)
    assert after.ending == DERISKED
    assert -270.0 < _pnl(after) < -250.0


def test_no_stop_and_no_target_leave_only_liquidation() -> None:
    held = entered(AT_100, 1, UNSTOPPED)
    assert bracketed(held.position, UNSTOPPED, RULES)[:2] == (0.0, 0.0)
    still = after_bar(held, Brackets(0.0, 0.0, 0.1), bar(100.0, 300.0, 91.0, 100.0), UNSTOPPED, RULES)
    assert still.ending == OPEN
