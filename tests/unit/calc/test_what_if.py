"""Case studies, cross margin and shocks: the guide's numbers, and the same by other means."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calc.autoadd import added_by_exchange
from bot.calc.book import Leg, book_equity, book_maintenance, shocked
from bot.calc.case_studies import btc_500, portfolio, portfolio_legs
from bot.calc.cross import cross_account, cross_liquidation
from bot.calc.position import new_position
from bot.calc.whatif import what_if
from bot.core.margin import liquidation_price
from bot.core.profile import BINANCE_COINM, MarginRules

BTC, ETH, SOL = LEGS = portfolio_legs()
FALL = (-0.08, -0.14, -0.15)


def test_the_guide_s_first_case_study() -> None:
    study = btc_500()
    assert study.before.liquidation_price == pytest.approx(54_216.87, abs=0.005)
    assert study.before.maintenance_margin == pytest.approx(20.0)
    assert study.after.equity == pytest.approx(250.0)
    assert study.after.maintenance_margin == pytest.approx(19.0)
    assert study.after.margin_ratio == pytest.approx(0.076)
    assert study.after.liquidation_distance == pytest.approx(0.0488, abs=5e-5)
    assert study.after.effective_leverage == pytest.approx(19.0)
    assert study.restore.amount == pytest.approx(242.10)
    assert (study.account_quote, study.safe_quote) == (2_000.0, 1_500.0)
    assert [(way.way, way.most_to_lose) for way in study.ways] == [
        ("isolated", 500.0),
        ("cross", 2_000.0),
        ("exchange_auto_add", 2_000.0),
    ]


def test_the_guide_s_second_case_study() -> None:
    study = portfolio()
    isolated, cross, _ = study.ways
    assert [leg.is_liquidated for leg in isolated.legs] == [False, True, False]
    assert isolated.legs[1].liquidation_price == pytest.approx(2_638.19, abs=0.005)
    assert [leg.pnl for leg in isolated.legs] == pytest.approx([-400.0, -300.0, 150.0])
    assert (isolated.pnl, isolated.left) == (pytest.approx(-550.0), pytest.approx(450.0))
    assert (cross.liquidations, cross.pnl) == (0, pytest.approx(-586.0))
    assert study.cross.effective_leverage == pytest.approx(8.4)
    assert study.symbols == ("BTC", "ETH", "SOL")
    assert study.shocks == FALL


def test_the_guide_s_table_in_numbers() -> None:
    rows = {row.measure: (row.isolated, row.cross) for row in portfolio().comparison}
    assert rows["most one position can take"] == (500.0, 1_000.0)
    assert rows["lost in this shock"] == pytest.approx((550.0, 586.0))
    assert rows["most leverage of a position"] == pytest.approx((10.0, 8.4))
    assert rows["positions liquidated"] == (1, 0)
    first, end = rows["shock at first liquidation"]
    assert first == pytest.approx((3_000.0 - 2_638.19) / 3_000.0 / 0.14, rel=1e-5)
    assert end == pytest.approx(1.648, abs=1e-3)
    through = rows["margin to come through it"]
    assert through[1] == pytest.approx(586.0 + 4_600 * 0.004 + 2_064 * 0.005 + 850 * 0.01)
    assert through[0] > through[1]


@pytest.mark.parametrize("account", [499.0, math.nan, math.inf])
def test_an_account_smaller_than_its_margin_is_refused(account: float) -> None:
    with pytest.raises(ValueError, match="account is"):
        btc_500(account)


def test_where_an_account_in_cross_ends_its_equity_is_its_maintenance() -> None:
    end = cross_liquidation(LEGS, 250.0, FALL)
    assert end.scale is not None
    assert end.marks == pytest.approx(
        [leg.mark * (1.0 + end.scale * s) for leg, s in zip(LEGS, FALL, strict=True)]
    )
    moved = shocked(LEGS, FALL, end.scale)
    assert book_equity(moved, 250.0) == pytest.approx(book_maintenance(moved), abs=1e-9)


def test_one_leg_in_cross_ends_where_an_isolated_one_with_all_the_money_would() -> None:
    end = cross_liquidation((BTC,), 300.0, (-1.0,))
    alone = BTC.position._replace(isolated_wallet=BTC.position.isolated_wallet + 300.0)
    assert end.marks == (pytest.approx(liquidation_price(alone, BTC.rules)),)


def test_a_shock_in_favour_ends_nothing() -> None:
    assert cross_liquidation((BTC,), 0.0, (1.0,)) == (None, None)
    assert cross_liquidation((SOL,), 0.0, (-1.0,)) == (None, None)
    assert cross_liquidation((BTC,), 1e6, (-1.0,)) == (None, None)


def test_a_short_leg_ends_on_the_way_up() -> None:
    end = cross_liquidation((SOL,), 0.0, (1.0,))
    assert end.marks == (pytest.approx(liquidation_price(SOL.position, SOL.rules)),)


def test_an_account_already_past_its_end_ends_at_once() -> None:
    fallen = (BTC._replace(mark=54_000.0),)
    assert cross_liquidation(fallen, 0.0, (-1.0,)) == (0.0, (54_000.0,))
    assert cross_account(fallen, 500.0).margin_ratio == pytest.approx(18.0 / 500.0)
    gone = cross_account(fallen, 0.0)
    assert (gone.equity, gone.margin_ratio, gone.effective_leverage) == (
        pytest.approx(0.0),
        math.inf,
        math.inf,
    )


@pytest.mark.parametrize(
    ("legs", "free", "direction", "words"),
    [
        (LEGS, 0.0, (-1.0,), "direction has 1 moves"),
        (LEGS, 0.0, (-1.0, math.nan, 0.0), r"direction\[1\] is nan"),
        (LEGS, 0.0, (0.0, 0.0, 0.0), "all zeros"),
        (LEGS, -1.0, FALL, "free_quote is -1.0"),
        ((), 0.0, (), "all zeros"),
    ],
)
def test_cross_names_what_makes_no_sense(legs: Any, free: float, direction: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cross_liquidation(legs, free, direction)


def test_an_account_is_of_one_coin_and_of_living_legs() -> None:
    coin = MarginRules(BTC.rules.tiers, BINANCE_COINM, True, 0.0)
    inverse = new_position("COIN", 1, quantity=1e3, entry_price=6e4, leverage=5.0, rules=coin)
    with pytest.raises(ValueError, match="COIN is settled in its base coin"):
        cross_account((Leg(inverse, 6e4, coin),), 0.0)
    with pytest.raises(ValueError, match="past its liquidation price"):
        what_if((BTC._replace(mark=54_000.0),), 0.0, (0.1,))
    with pytest.raises(ValueError, match=r"BTC\.mark is nan"):
        cross_account((BTC._replace(mark=math.nan),), 0.0)
    with pytest.raises(ValueError, match="legs is empty"):
        what_if((), 0.0, ())


@pytest.mark.parametrize(
    ("shocks", "words"), [((-0.1,), "one per leg, 3"), ((-0.1, -1.0, 0.0), r"1 \+ shocks\[1\] is 0.0")]
)
def test_shocks_that_make_no_sense_are_named(shocks: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        what_if(LEGS, 0.0, shocks)


def test_a_cross_account_that_ends_loses_everything() -> None:
    _, cross, _ = what_if(LEGS, 500.0, (-0.3, -0.3, 0.0))
    assert (cross.liquidations, cross.pnl, cross.left) == (3, -1_500.0, 0.0)
    assert all(leg.liquidation_price is None for leg in cross.legs)


def test_the_exchange_s_switch_saves_a_leg_while_the_balance_lasts() -> None:
    *_, saved = what_if(LEGS, 1_000.0, FALL)
    assert [leg.added for leg in saved.legs] == [0.0, 300.0, 0.0]
    assert saved.liquidations == 0
    *_, lost = what_if(LEGS, 1_000.0, (-0.4, -0.6, -0.15))
    assert lost.legs[1].added > 0.0
    assert sum(leg.added for leg in lost.legs) == pytest.approx(1_000.0)
    assert lost.pnl < what_if(LEGS, 1_000.0, (-0.4, -0.6, -0.15))[0].pnl


def test_the_switch_adds_whole_initial_margins_down_to_leverage_one() -> None:
    position, rules = BTC.position, BTC.rules
    assert added_by_exchange(position, 60_000.0, 1e9, rules) == 0.0
    assert added_by_exchange(position, 54_000.0, 1e9, rules) == pytest.approx(500.0)
    assert added_by_exchange(position, 47_000.0, 1e9, rules) == pytest.approx(1_000.0)
    assert added_by_exchange(position, 54_000.0, 200.0, rules) == 200.0
    short = position._replace(side=-1)
    assert added_by_exchange(short, 200_000.0, 1e9, rules) == pytest.approx(4_500.0)
    assert added_by_exchange(short, 200_000.0, 0.0, rules) == 0.0


@given(st.tuples(*(st.floats(-0.6, 0.6) for _ in LEGS)), st.floats(0.0, 3_000.0))
def test_no_way_loses_more_than_it_says_or_makes_money_out_of_nothing(
    shocks: tuple[float, ...], free: float
) -> None:
    account = 1_000.0 + free
    gain = sum(
        leg.position.side * leg.position.quantity * leg.mark * shock
        for leg, shock in zip(LEGS, shocks, strict=True)
    )
    for way in what_if(LEGS, free, shocks):
        assert way.pnl >= -way.most_to_lose - 1e-9
        assert way.left == pytest.approx(account + way.pnl)
        if way.liquidations == 0:
            assert way.pnl == pytest.approx(gain, abs=1e-6)
