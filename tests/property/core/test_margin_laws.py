"""Laws of isolated margin that hold for every tier table, side, venue rule and contract kind."""

import math
from typing import NamedTuple

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.core.margin import (
    addable_margin,
    bankruptcy_price,
    distance,
    equity,
    liquidation_price,
    liquidation_price_given_maintenance,
    maintenance_margin,
    margin_ratio,
    mark_at_distance,
    mark_at_ratio,
    notional,
    removable_margin,
    wallet_for_distance,
    wallet_for_liquidation_price,
)
from bot.core.position import Position
from bot.core.profile import (
    BINANCE_USDM,
    HYPERLIQUID,
    IN_MAINTENANCE_AT_LEVERAGE_BANKRUPTCY,
    MarginRules,
    VenueProfile,
    bybit,
    bybit_entry_valued,
    gate,
    okx,
)
from bot.core.tiers import LeverageTier, tiers_from_rows

MARK_VALUED = [BINANCE_USDM, HYPERLIQUID, bybit(0.00055), okx(0.0005), gate(0.00075)]
FIXED_FEE_AT_MARK = BINANCE_USDM._replace(
    close_fee=IN_MAINTENANCE_AT_LEVERAGE_BANKRUPTCY, close_fee_rate=0.0006
)
EVERY_PROFILE = [*MARK_VALUED, FIXED_FEE_AT_MARK, bybit_entry_valued(0.00055)]


class Book(NamedTuple):
    position: Position
    rules: MarginRules


@st.composite
def rules_of_markets(
    draw: st.DrawFn, profiles: list[VenueProfile], is_continuous: bool, tick_size: float
) -> MarginRules:
    caps = [draw(st.floats(1e3, 1e5))]
    for factor in draw(st.lists(st.floats(1.5, 6.0), max_size=5)):
        caps.append(caps[-1] * factor)
    rates = sorted(draw(st.lists(st.floats(0.002, 0.06), min_size=len(caps), max_size=len(caps))))
    rows, floor, amount, rate_below = [], 0.0, 0.0, rates[0]
    for cap, rate in zip(caps, rates, strict=True):
        amount += floor * (rate - rate_below) if is_continuous else 0.0
        rows.append(LeverageTier(floor, cap, rate, amount, 1.0 / rate))
        floor, rate_below = cap, rate
    tiers = tiers_from_rows(rows, is_continuous)
    return MarginRules(tiers, draw(st.sampled_from(profiles)), draw(st.booleans()), tick_size)


@st.composite
def books(
    draw: st.DrawFn,
    profiles: list[VenueProfile] = EVERY_PROFILE,
    is_continuous: bool = True,
    tick_size: float = 0.0,
) -> Book:
    """A position of 0.01 to 100 first tiers, at a leverage its tier allows, with or without added margin."""
    rules = draw(rules_of_markets(profiles, is_continuous, tick_size))
    entry = 10.0 ** draw(st.floats(-3.0, 5.0))
    value = float(rules.tiers.notional_cap[0]) * 10.0 ** draw(st.floats(-2.0, 2.0))
    quantity = value * entry if rules.is_inverse else value / entry
    top_rate = float(rules.tiers.maintenance_margin_rate[-1])
    leverage = draw(st.floats(1.0, 1.0 / (2.5 * (top_rate + 0.001))))
    wallet = value / leverage * draw(st.floats(0.9, 2.0))
    return Book(Position("X", draw(st.sampled_from([1, -1])), quantity, entry, wallet, leverage), rules)


def excess(position: Position, mark: float, rules: MarginRules) -> float:
    return equity(position, mark, rules) - maintenance_margin(position, mark, rules)


def can_be_liquidated(price: float) -> bool:
    """Entries are 1e-3 to 1e5: farther out is the float noise of a position that no price liquidates."""
    return 1e-12 < price < 1e15


def toward_liquidation(position: Position, price: float, share: float) -> float:
    """The mark between entry (share 0) and `price` (share 1)."""
    return position.entry_price + share * (price - position.entry_price)


@given(books())
def test_liquidation_price_solves_equity_equals_maintenance(book: Book) -> None:
    price = liquidation_price(*book)
    assume(can_be_liquidated(price))
    scale = max(notional(book.position, price, book.rules), book.position.isolated_wallet)
    assert abs(excess(book.position, price, book.rules)) <= 1e-9 * scale
    assert margin_ratio(book.position, price, book.rules) == pytest.approx(1.0, abs=1e-6)


@given(books())
def test_liquidation_price_agrees_with_bisection(book: Book) -> None:
    position, rules = book
    price, safe = liquidation_price(position, rules), position.entry_price
    lost = safe * 10.0 ** (-9 * position.side)
    assert excess(position, position.entry_price, rules) > 0.0
    if excess(position, lost, rules) > 0.0:
        assert position.side * price <= position.side * lost
        return
    for _ in range(200):
        middle = math.sqrt(safe * lost)
        safe, lost = (middle, lost) if excess(position, middle, rules) > 0.0 else (safe, middle)
    assert price == pytest.approx(lost, rel=1e-9)


@given(books(tick_size=1e-4, is_continuous=False), st.floats(0.0, 3.0))
def test_adding_margin_never_brings_liquidation_closer(book: Book, share: float) -> None:
    position, rules = book
    richer = position._replace(isolated_wallet=position.isolated_wallet * (1.0 + share))
    before, after = liquidation_price(position, rules), liquidation_price(richer, rules)
    assert position.side * after <= position.side * before * (1.0 + position.side * 1e-12)


@given(books(profiles=MARK_VALUED, is_continuous=False), st.floats(0.001, 0.999))
def test_no_mark_on_the_safe_side_of_a_jumping_table_is_liquidated(book: Book, share: float) -> None:
    position, rules = book
    price = liquidation_price(position, rules)
    assume(can_be_liquidated(price))
    safe = price / share if position.side > 0 else price * share
    assert excess(position, safe, rules) > 0.0


@given(books(profiles=MARK_VALUED, is_continuous=False))
def test_liquidation_price_of_a_jumping_table_is_not_early(book: Book) -> None:
    position, rules = book
    price = liquidation_price(position, rules)
    assume(can_be_liquidated(price))
    beyond = price * (1.0 - position.side * 1e-9)
    assert excess(position, beyond, rules) <= 1e-9 * notional(position, price, rules)


@given(books(), st.floats(0.0, 0.95))
def test_mark_at_ratio_inverts_margin_ratio(book: Book, share: float) -> None:
    position, rules = book
    price = liquidation_price(position, rules)
    assume(can_be_liquidated(price))
    mark = toward_liquidation(position, price, share)
    ratio = margin_ratio(position, mark, rules)
    assume(ratio > 1.1 * float(rules.tiers.maintenance_margin_rate[-1]) + 0.002)
    assert mark_at_ratio(position, ratio, rules) == pytest.approx(mark, rel=1e-9)


@given(books(), st.floats(0.01, 0.9))
def test_wallet_for_distance_puts_liquidation_there(book: Book, wanted: float) -> None:
    position, rules = book
    target = position.entry_price * (1.0 - position.side * wanted)
    wallet = wallet_for_distance(position, position.entry_price, wanted, rules)
    assert wallet == wallet_for_liquidation_price(position, target, rules)
    moved = liquidation_price(position._replace(isolated_wallet=wallet), rules)
    assert moved == pytest.approx(target, rel=1e-9)


@given(books(profiles=MARK_VALUED), st.floats(-0.5, 0.99))
def test_removing_all_that_is_removable_never_liquidates(book: Book, share: float) -> None:
    position, rules = book
    price = liquidation_price(position, rules)
    assume(can_be_liquidated(price))
    mark = toward_liquidation(position, price, share)
    assume(mark > 0.0)
    removed = removable_margin(position, mark, rules)
    assert removed >= 0.0
    if removed > 0.0:
        rest = position._replace(isolated_wallet=position.isolated_wallet - removed)
        assert margin_ratio(rest, mark, rules) < 1.0


@given(st.sampled_from([1, -1]), st.floats(1e-3, 1e6), st.floats(-0.5, 0.99))
def test_mark_at_distance_inverts_distance(side: int, liquidation: float, wanted: float) -> None:
    assert distance(side, mark_at_distance(side, liquidation, wanted), liquidation) == pytest.approx(
        wanted, abs=1e-12
    )


@given(books())
def test_liquidation_comes_before_bankruptcy(book: Book) -> None:
    position, rules = book
    price, bankruptcy = liquidation_price(position, rules), bankruptcy_price(position, rules)
    assume(can_be_liquidated(price))
    assert position.side * price >= position.side * bankruptcy * (1.0 - position.side * 1e-12)


@given(books(tick_size=1e-4))
def test_a_reported_price_is_never_farther_than_the_exact_one(book: Book) -> None:
    position, rules = book
    exact = liquidation_price(position, rules._replace(tick_size=0.0))
    reported = liquidation_price(position, rules)
    tolerance = 1e-9 * rules.tick_size + 1e-12 * abs(exact) if can_be_liquidated(exact) else 0.0
    assert reported == exact or position.side * (reported - exact) >= -tolerance


@given(books(), st.floats(0.0, 0.5))
def test_given_maintenance_is_met_at_the_price_it_yields(book: Book, share: float) -> None:
    position, rules = book
    needed = share * position.isolated_wallet
    price = liquidation_price_given_maintenance(position, needed, rules)
    assume(can_be_liquidated(price))
    scale = max(notional(position, price, rules), position.isolated_wallet)
    assert equity(position, price, rules) == pytest.approx(needed, abs=1e-9 * scale)


@example(5.0, 0.0, 10.0, 0.0)
@given(*[st.floats(0.0, 1e9) for _ in range(4)])
def test_addable_margin_stays_within_the_free_balance(
    available: float, wallet: float, orders: float, cross: float
) -> None:
    addable = addable_margin(available, wallet, orders, cross)
    assert 0.0 <= addable <= available
    assert addable <= max(wallet - orders - cross, 0.0)
