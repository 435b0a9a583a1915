"""Where the venue begins to let margin out: the mark from which `removable_margin` covers an amount."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.margin import mark_at_removable, notional, removable_margin, unrealised_pnl
from bot.core.position import Position
from bot.core.profile import (
    AT_MARK,
    KEEP_INITIAL_OR_TENTH_OF_EQUITY,
    NO_CLOSE_FEE,
    NOT_ROUNDED,
    MarginRules,
    VenueProfile,
)
from bot.core.tiers import LeverageTier, tiers_from_rows

_TIERS = tiers_from_rows([LeverageTier(0.0, 1e12, 0.004, 0.0, 125.0)])
_CUSHION = 0.001


def _rules(removal_rule: int, is_inverse: bool) -> MarginRules:
    profile = VenueProfile(AT_MARK, NO_CLOSE_FEE, 0.0, NOT_ROUNDED, removal_rule)
    return MarginRules(_TIERS, profile, is_inverse, 0.0)


@given(
    side=st.sampled_from([1, -1]),
    leverage=st.sampled_from([1.0, 2.0, 5.0, 10.0, 25.0, 100.0]),
    share=st.floats(0.05, 3.0),
    wanted=st.floats(0.001, 0.5),
    removal_rule=st.sampled_from([0, 1, 2]),
    is_inverse=st.booleans(),
    nudge=st.floats(1e-4, 0.5),
)
def test_the_venue_lets_an_amount_out_exactly_beyond_its_mark(
    side: int,
    leverage: float,
    share: float,
    wanted: float,
    removal_rule: int,
    is_inverse: bool,
    nudge: float,
) -> None:
    entry = 50_000.0
    quantity = 5_000.0 if is_inverse else 0.1
    rules = _rules(removal_rule, is_inverse)
    wallet = share * quantity / (entry if is_inverse else 1 / entry) / leverage
    position = Position("BTC", side, quantity, entry, wallet, leverage)
    amount = wanted * wallet
    wall = mark_at_removable(position, amount, _CUSHION, rules)
    beyond = _mark_beyond(side, wall, nudge)
    if beyond > 0.0:
        assert _spare(position, beyond, rules) >= amount * (1.0 - 1e-9)
    before = _mark_beyond(-side, wall, nudge)
    if before > 0.0:
        assert _spare(position, before, rules) <= amount * (1.0 + 1e-9) + 1e-9


def _spare(position: Position, mark: float, rules: MarginRules) -> float:
    """What the initial-margin part of the rule leaves, which is all that `mark_at_removable` speaks of."""
    kept = 1.0 / position.leverage
    if rules.profile.removal_rule == KEEP_INITIAL_OR_TENTH_OF_EQUITY:
        kept = max(kept, 0.1)
    value = notional(position, mark, rules)
    return position.isolated_wallet + unrealised_pnl(position, mark, rules) - (kept + _CUSHION) * value


def _mark_beyond(side: int, wall: float, nudge: float) -> float:
    """A mark on the favourable side of the wall; 0.0 when there is none."""
    if math.isinf(wall):
        return 1e7 if side < 0 else 0.0
    if wall == 0.0:
        return 100.0 if side > 0 else 0.0
    return wall * (1.0 + side * nudge)


def test_at_leverage_one_the_wallet_alone_decides() -> None:
    rules = _rules(1, is_inverse=False)
    rich = Position("BTC", 1, 0.1, 50_000.0, 6_000.0, 1.0)
    assert mark_at_removable(rich, 500.0, 0.0, rules) == 0.0
    assert mark_at_removable(rich, 1_500.0, 0.0, rules) == math.inf
    assert removable_margin(rich, 80_000.0, rules) == pytest.approx(1_000.0)
