"""Moves between wallets: releases pay for adds, and a failed release stops what it was to pay for."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.risk.rebalance import (
    MarginMove,
    WalletTarget,
    moves_after_failure,
    rebalance_plan,
)
from tests.property.risk.worlds import number

RICH = WalletTarget("BTC", 500.0, 300.0, 0.01)
POOR = WalletTarget("ETH", 100.0, 250.0, 0.01)
POORER = WalletTarget("SOL", 100.0, 200.0, 0.01)


def test_releases_come_before_adds_and_the_largest_first() -> None:
    small = WalletTarget("XRP", 80.0, 60.0, 0.01)
    moves = rebalance_plan([POORER, small, POOR, RICH], free_quote=1_000.0)
    assert [(move.symbol, move.kind, move.amount_quote) for move in moves] == [
        ("BTC", "release", 200.0),
        ("XRP", "release", 20.0),
        ("ETH", "add", 150.0),
        ("SOL", "add", 100.0),
    ]


def test_a_leg_within_ten_percent_of_its_target_is_left_alone() -> None:
    assert rebalance_plan([WalletTarget("BTC", 110.0, 100.0, 0.01)], 0.0) == ()
    assert rebalance_plan([WalletTarget("BTC", 90.0, 100.0, 0.01)], 100.0) == ()
    assert len(rebalance_plan([WalletTarget("BTC", 110.1, 100.0, 0.01)], 0.0)) == 1
    assert len(rebalance_plan([WalletTarget("BTC", 105.0, 100.0, 0.01)], 0.0, deadband=0.01)) == 1


def test_free_balance_is_spent_before_released_money() -> None:
    moves = rebalance_plan([RICH, POOR, POORER], free_quote=150.0)
    assert moves[1] == MarginMove("ETH", "add", 150.0, ())
    assert moves[2] == MarginMove("SOL", "add", 100.0, ("BTC",))


def test_a_failed_release_stops_the_adds_it_was_to_pay_for_and_no_other() -> None:
    moves = rebalance_plan([RICH, POOR, POORER], free_quote=150.0)
    assert moves_after_failure(moves, "BTC") == (MarginMove("ETH", "add", 150.0, ()),)


def test_an_add_paid_by_two_releases_falls_with_either() -> None:
    first, second = WalletTarget("A", 160.0, 100.0, 0.0), WalletTarget("B", 140.0, 100.0, 0.0)
    moves = rebalance_plan([first, second, POORER], 0.0)
    assert moves[2] == MarginMove("SOL", "add", 100.0, ("A", "B"))
    for failed in ("A", "B"):
        assert all(move.kind == "release" for move in moves_after_failure(moves, failed))


def test_adds_that_cannot_be_paid_get_less_or_nothing() -> None:
    moves = rebalance_plan([POOR, POORER], free_quote=200.0)
    assert [(move.symbol, move.amount_quote) for move in moves] == [("ETH", 150.0), ("SOL", 50.0)]
    assert rebalance_plan([POOR, POORER], free_quote=0.0) == ()


def test_adds_round_up_and_releases_down_to_the_venues_step() -> None:
    release, add = rebalance_plan(
        [WalletTarget("A", 200.0, 100.04, 0.1), WalletTarget("B", 50.0, 100.04, 0.1)], 100.0
    )
    assert (release.amount_quote, add.amount_quote) == (99.9, 50.1)
    assert rebalance_plan([WalletTarget("A", 3.0, 2.0, 5.0)], 0.0) == ()


@pytest.mark.parametrize(
    ("leg", "free", "deadband", "words"),
    [
        (RICH._replace(wallet_quote=math.nan), 0.0, 0.1, "BTC.wallet_quote is nan"),
        (RICH._replace(target_quote=-1.0), 0.0, 0.1, "BTC.target_quote is -1.0"),
        (RICH, math.nan, 0.1, "free_quote is nan"),
        (RICH, 0.0, -0.1, "deadband is -0.1"),
    ],
)
def test_numbers_that_plan_nothing_are_named(leg: Any, free: float, deadband: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rebalance_plan([leg], free, deadband)


LEGS = st.lists(st.tuples(number(0.0, 1e5), number(0.0, 1e5), st.sampled_from([0.0, 0.01, 1.0])), max_size=12)


@given(LEGS, number(0.0, 1e5))
def test_no_add_spends_money_that_is_not_there(rows: list[tuple[float, float, float]], free: float) -> None:
    legs = [WalletTarget(str(index), *row) for index, row in enumerate(rows)]
    balance = free
    for move in rebalance_plan(legs, free):
        balance += move.amount_quote if move.kind == "release" else -move.amount_quote
        assert balance >= -1e-6
        leg = legs[int(move.symbol)]
        if move.kind == "release":
            assert leg.wallet_quote - move.amount_quote >= leg.target_quote - 1e-6
        else:
            assert move.amount_quote <= leg.target_quote - leg.wallet_quote + leg.margin_step_quote + 1e-6
