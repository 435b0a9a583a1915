"""Laws over whole lives of positions: nothing oscillates, and no budget or cap is ever exceeded."""

from collections import Counter

import numpy as np
import pytest

from bot.core.margin import liquidation_price, removable_margin
from bot.risk.limits import MarginLimits
from bot.risk.policies import POLICIES
from tests.property.risk.accounts import Step, lived, random_limits
from tests.property.risk.worlds import RULES

_MOVERS = sorted(set(POLICIES) - {"static"})
_ONE_WAY = {"exchange_auto_add", "trend_regime"}  # the one never releases, the other waits for a regime
_RUNS = 10_000
_CENT = 1e-6


def assert_within_every_cap(step: Step, limits: MarginLimits) -> None:
    book, amount, wallet = step.before, step.decision.amount_quote, step.wallet
    held = step.view.position.isolated_wallet
    if step.decision.action == "add":
        assert wallet == pytest.approx(held + amount)
        assert book.adds < limits.max_adds
        assert step.after.added_quote <= limits.max_added_fraction * book.initial_wallet_quote + _CENT
        assert wallet <= min(limits.position_cap_fraction * book.equity_quote, book.agreed_loss_quote) + _CENT
        assert step.after.free_quote >= limits.reserve_fraction * book.equity_quote - _CENT
    elif step.decision.action == "release":
        assert amount <= removable_margin(step.view.position, step.view.mark, RULES)
    else:
        assert (amount, wallet) == (0.0, held)
    assert step.after.free_quote + wallet == pytest.approx(book.equity_quote)
    assert step.after.free_quote >= -_CENT


def test_budget_and_caps_hold_through_ten_thousand_lives() -> None:
    chance, moves = np.random.default_rng(2026), Counter[str]()
    for run in range(_RUNS):
        policy, limits = POLICIES[_MOVERS[run % len(_MOVERS)]], random_limits(chance)
        for step in lived(chance, policy, policy.default, limits, 6):
            assert_within_every_cap(step, limits)
            moves[step.decision.action] += 1
    assert min(moves[action] for action in ("add", "release", "hold")) > 1_000, moves


@pytest.mark.parametrize("name", _MOVERS)
def test_money_is_not_added_and_released_within_the_deadband(name: str) -> None:
    chance, policy = np.random.default_rng(7), POLICIES[name]
    free_hand = MarginLimits(
        min_step_quote=0.0,
        min_step_fraction=0.0,
        add_cooldown_ms=0,
        release_cooldown_ms=0,
        max_adds=1_000,
        max_added_fraction=20.0,
        position_cap_fraction=1.0,
        reserve_fraction=0.0,
    )
    turns = 0
    for _ in range(150):
        moved = None
        for step in lived(chance, policy, policy.default, free_hand, 40):
            if step.decision.action == "hold":
                continue
            if moved is not None and moved.decision.action != step.decision.action:
                assert_the_market_crossed_the_deadband(moved, step)
                turns += 1
            moved = step
    assert turns > 30 or name in _ONE_WAY


def assert_the_market_crossed_the_deadband(moved: Step, back: Step) -> None:
    """The mark has gone at least half the way from the band's target to its other end."""
    band, side = moved.band, moved.view.position.side
    gone = side * (back.view.mark / moved.view.mark - 1.0)
    if back.decision.action == "release":
        assert gone >= 0.5 * (band.high - band.target) / (1.0 + band.high)
    else:
        assert -gone >= 0.5 * (band.target - band.low) / (1.0 + band.target)


@pytest.mark.parametrize("name", _MOVERS)
def test_an_add_never_brings_liquidation_closer_in_any_life(name: str) -> None:
    chance, policy = np.random.default_rng(11), POLICIES[name]
    adds = 0
    for _ in range(60):
        for step in lived(chance, policy, policy.default, MarginLimits(), 30):
            if step.decision.action != "add":
                continue
            adds += 1
            held = step.view.position
            then = liquidation_price(held._replace(isolated_wallet=step.wallet), RULES)
            assert held.side * (liquidation_price(held, RULES) - then) > 0.0
    assert adds > 0
