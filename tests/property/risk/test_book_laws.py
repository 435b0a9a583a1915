"""Laws of the split budget in random books: budget, caps and floors hold, and nothing oscillates."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from bot.core.margin import liquidation_distance, liquidation_price
from bot.core.position import Position
from bot.risk.allocator import legs_from_rows, liquidation_probabilities
from bot.risk.book import BookLeg, BookPlan
from bot.risk.inputs import InvalidInput
from bot.risk.limits import AllocationLimits, BracketLimits, CapLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.risk.release import anchor_floor, spare_at_venue
from bot.risk.view import MarginBook, MarginView
from bot.risk.wallet import minimum_step
from tests.property.risk.worlds import RULES, book_of, position_of, view_of

LIVES, STEPS = 1_250, 8
DEADBAND = 0.10
LIMITS = MarginLimits(max_adds=1_000)
POLICY_NAMES = ("static", "distance_band", "liquidation_probability", "hurdle", "stop_anchor")
CENT = 1e-6


class Leg(NamedTuple):
    """A position, its market and what was done to its margin."""

    view: MarginView
    book: MarginBook


class Account(NamedTuple):
    """Every position and the free balance."""

    legs: tuple[Leg, ...]
    free_quote: float

    @property
    def equity_quote(self) -> float:
        return self.free_quote + sum(leg.view.position.isolated_wallet for leg in self.legs)


def random_account(chance: np.random.Generator) -> Account:
    legs = []
    for number in range(int(chance.integers(1, 6))):
        side, leverage = int(chance.choice([1, -1])), float(chance.choice([5, 10, 25]))
        value = float(chance.uniform(500.0, 20_000.0))
        wallet = value / leverage
        held = position_of(side, value / 60_000.0, 60_000.0, wallet, leverage)._replace(symbol=f"S{number}")
        liquidation = liquidation_price(held, RULES)
        stop = (
            60_000.0 + chance.uniform(0.3, 0.7) * (liquidation - 60_000.0) if chance.random() < 0.4 else 0.0
        )
        view = view_of(held, stop=float(stop), sigma=float(chance.uniform(0.01, 0.08)))
        legs.append(Leg(view, book_of(initial=wallet, agreed=wallet * float(chance.uniform(1.0, 5.0)))))
    wallets = sum(leg.view.position.isolated_wallet for leg in legs)
    return Account(tuple(legs), wallets * float(chance.uniform(0.2, 3.0)))


def moved_on(account: Account, chance: np.random.Generator) -> Account:
    """Let time and marks go on; positions at or past their liquidation price are gone with their margin."""
    wait_ms = int(chance.integers(1_000, 7_200_000))
    common = chance.standard_t(4) * 0.01
    legs = []
    for leg in account.legs:
        view = leg.view
        mark = view.mark * math.exp(common + chance.standard_t(4) * 0.4 * view.sigma_day)
        view = view._replace(mark=mark, ts_ms=view.ts_ms + wait_ms)
        if liquidation_distance(view.position, mark, RULES) > 0.0:
            legs.append(leg._replace(view=view))
    return account._replace(legs=tuple(legs))


def book_at(leg: Leg, account: Account) -> MarginBook:
    return leg.book._replace(free_quote=account.free_quote, equity_quote=account.equity_quote)


def rows(risk: RiskManager, account: Account) -> list[BookLeg]:
    return [
        risk.book_leg(leg.view, book_at(leg, account), liquidation_price(leg.view.position, RULES))
        for leg in account.legs
    ]


def planned(risk: RiskManager, account: Account) -> BookPlan:
    equity = account.equity_quote
    spendable = max(account.free_quote - risk.reserve_quote(equity), 0.0)
    return risk.plan_book(rows(risk, account), risk.allocation.budget_fraction * equity, spendable)


def executed(account: Account, plan: BookPlan) -> Account:
    """Perform the moves in their order; free balance never goes below zero on the way."""
    legs, free = {leg.view.position.symbol: leg for leg in account.legs}, account.free_quote
    for move in plan.moves:
        leg = legs[move.symbol]
        position, book, now_ms = leg.view.position, leg.book, leg.view.ts_ms
        amount = move.amount_quote if move.kind == "add" else -move.amount_quote
        free -= amount
        assert free >= -CENT, "an add came before what pays for it"
        position = position._replace(isolated_wallet=position.isolated_wallet + amount)
        if amount > 0.0:
            book = book._replace(
                adds=book.adds + 1, added_quote=book.added_quote + amount, last_add_ms=now_ms
            )
        else:
            book = book._replace(released_quote=book.released_quote - amount, last_release_ms=now_ms)
        legs[move.symbol] = Leg(leg.view._replace(position=position), book)
    return Account(tuple(legs.values()), free)


def random_manager(chance: np.random.Generator) -> RiskManager:
    name = POLICY_NAMES[int(chance.integers(len(POLICY_NAMES)))]
    allocation = AllocationLimits(
        budget_fraction=float(chance.uniform(0.1, 0.9)),
        annual_hurdle=float(chance.choice([0.001, 0.2, 5.0])),
        deadband=DEADBAND,
    )
    return RiskManager(
        name, POLICIES[name].default, LIMITS, EntryLimits(), BracketLimits(), allocation, CapLimits()
    )


def assert_within_limits(risk: RiskManager, before: Account, plan: BookPlan, after: Account) -> None:
    equity = before.equity_quote
    budget = risk.allocation.budget_fraction * equity
    assert plan.target_quote <= max(budget, plan.wallets_quote) + CENT
    assert after.equity_quote == pytest.approx(equity)
    if any(move.kind == "add" for move in plan.moves):
        assert after.free_quote >= min(risk.reserve_quote(equity), before.free_quote) - CENT
    for leg, made in zip(before.legs, after.legs, strict=True):
        assert_leg(leg, made, equity)


def assert_leg(leg: Leg, made: Leg, equity: float) -> None:
    old, new = leg.view.position.isolated_wallet, made.view.position.isolated_wallet
    if new > old:
        cap = min(leg.book.agreed_loss_quote, LIMITS.position_cap_fraction * equity)
        assert new <= cap + CENT
        assert made.book.added_quote <= LIMITS.max_added_fraction * leg.book.initial_wallet_quote + CENT
    if new < old:
        assert new >= old - spare_at_venue(leg.view, LIMITS) - CENT
        if leg.view.stop_price > 0.0:
            assert new >= anchor_floor(leg.view, LIMITS) - CENT
        assert old - new >= DEADBAND * (new - leg.book.margin_step_quote) - leg.book.margin_step_quote
    if new != old:
        assert abs(new - old) >= minimum_step(old, LIMITS) - CENT
        assert liquidation_distance(made.view.position, leg.view.mark, RULES) > 0.0


def assert_at_rest(risk: RiskManager, account: Account, plan: BookPlan) -> None:
    """At the same marks, however much later, no money that was moved is moved back."""
    moved = {move.symbol: move.kind for move in plan.moves}
    later = tuple(
        leg._replace(view=leg.view._replace(ts_ms=leg.view.ts_ms + 2 * 86_400_000)) for leg in account.legs
    )
    try:
        again = planned(risk, account._replace(legs=later))
    except InvalidInput:
        return
    for move in again.moves:
        assert moved.get(move.symbol, move.kind) == move.kind


def test_budget_and_caps_hold_and_no_money_goes_back_in_ten_thousand_random_runs() -> None:
    chance = np.random.default_rng(20_250_203)
    runs = moves = refusals = 0
    for _ in range(LIVES):
        risk, account = random_manager(chance), random_account(chance)
        for _ in range(STEPS):
            account = moved_on(account, chance)
            runs += 1
            try:
                plan = planned(risk, account)
            except InvalidInput:
                refusals += 1
                continue
            after = executed(account, plan)
            assert_within_limits(risk, account, plan, after)
            if plan.moves:
                assert_at_rest(risk, after, plan)
            moves += len(plan.moves)
            account = after
    assert runs == 10_000
    assert moves > 3_000
    assert refusals < 0.25 * runs


def test_expected_loss_and_margin_never_both_grow_without_cause() -> None:
    """Where no leg is below its floor and no budget is short, a plan lowers loss + hurdle x margin."""
    chance = np.random.default_rng(5)
    tried = 0
    for _ in range(300):
        risk, account = random_manager(chance), random_account(chance)
        account = moved_on(account, chance)
        try:
            legs, plan = rows(risk, account), planned(risk, account)
        except InvalidInput:
            continue
        is_settled = all(leg.wallet_quote >= leg.leg.min_extra for leg in legs)
        if not plan.moves or not is_settled or plan.target_quote < plan.wallets_quote - CENT:
            continue
        tried += 1
        hurdle = risk.allocation.annual_hurdle / 365.0 * risk.allocation.horizon_days
        before = plan.loss_before_quote + hurdle * plan.wallets_quote
        assert plan.loss_after_quote + hurdle * plan.target_quote <= before * (1.0 + 1e-9)
    assert tried > 30


def test_the_loss_of_a_plan_is_that_of_the_allocators_own_law() -> None:
    chance = np.random.default_rng(9)
    risk, account = random_manager(chance), random_account(chance)
    legs = rows(risk, account)
    columns = legs_from_rows([leg.leg for leg in legs])
    wallets = np.array([leg.wallet_quote for leg in legs])
    loss = float(np.sum(columns.liquidation_cost * liquidation_probabilities(columns, wallets)))
    assert planned(risk, account).loss_before_quote == pytest.approx(loss)
    assert isinstance(account.legs[0].view.position, Position)
