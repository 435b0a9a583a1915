"""Positions as venues reported them, against the production formulas: this file only maps fields.

The venue's own liquidation price is met, after its own rounding, within 1e-6 (1e-5 where the row's `check`
records that its inputs are rounded, 1e-4 for 1x on Hyperliquid).
"""

import math
from typing import Any

from bot.core.margin import liquidation_price, liquidation_price_given_maintenance, notional
from bot.core.position import Position
from bot.core.profile import (
    CCXT_IDS,
    NOT_ROUNDED,
    MarginRules,
    VenueProfile,
    bybit,
    bybit_entry_valued,
    kucoin_entry_valued,
    venue_profile,
)
from bot.core.tiers import LeverageTier, Tiers, tiers_from_rows

Fields = Any  # tests/golden/conftest.py; test folders are not packages


def test_liquidation_price_is_the_venues_own(position_case: Any) -> None:
    row = position_case.fields
    _refuse_malformed(row)
    rules = _reported_rules(row)
    got = _reported_liquidation(row, rules)
    expected = row.not_negative("liquidation_price")
    limit = _position_limit(row) * expected
    assert abs(got - expected) <= limit, (
        f"{row.owner}: liquidation_price {got!r}, the venue reported {expected!r} (limit {limit:.3g})"
    )


def _refuse_malformed(row: Fields) -> None:
    """Fail for a field of the schema that is missing or no number, also where the formula does not use it."""
    row.refuse_not_finite()
    for name in ("contracts", "contract_size", "entry_price", "leverage", "mm_rate"):
        row.positive(name)
    row.positive_or_null("mark_price")
    for name in ("mm_amount", "fee_in_mm", "liquidation_price"):
        row.not_negative(name)
    for name in ("maintenance_margin", "tick_size"):  # only some formulas and venues have one
        if row.values.get(name) is not None:
            row.not_negative(name)
    if row.values.get("isolated_margin", math.nan) is not None:
        row.number("isolated_margin")


def _reported_liquidation(row: Fields, rules: MarginRules) -> float:
    position = _reported_position(row, rules)
    if row.text("formula") == "entry_value_given_mm":
        return liquidation_price_given_maintenance(position, row.positive("maintenance_margin"), rules)
    return liquidation_price(position, rules)


def _reported_position(row: Fields, rules: MarginRules) -> Position:
    quantity = row.positive("contracts") * row.positive("contract_size")
    position = Position(
        row.text("symbol"), row.side(), quantity, row.positive("entry_price"), 0.0, row.positive("leverage")
    )
    return position._replace(isolated_wallet=_reported_wallet(row, position, rules))


def _reported_wallet(row: Fields, position: Position, rules: MarginRules) -> float:
    if row.text("formula") == "entry_value" and row.values.get("isolated_margin") is None:
        value = notional(position, position.entry_price, rules)
        fee = value * (1.0 - position.side / position.leverage) * rules.profile.close_fee_rate
        return value / position.leverage + fee
    return row.number("isolated_margin")


def _reported_rules(row: Fields) -> MarginRules:
    profile = _reported_profile(row)
    tier = LeverageTier(0.0, math.inf, row.positive("mm_rate"), row.not_negative("mm_amount"), 1.0)
    tick_size = 0.0 if profile.rounding == NOT_ROUNDED else row.positive("tick_size")
    is_inverse = row.boolean("inverse")
    if is_inverse != (row.text("formula") == "canonical_inverse"):
        row.reject("inverse", "true exactly when the formula is canonical_inverse")
    return MarginRules(_tiers(row, tier), profile, is_inverse, tick_size)


def _reported_profile(row: Fields) -> VenueProfile:
    formula, fee_rate = row.text("formula"), row.not_negative("fee_in_mm")
    if row.text("exchange") not in CCXT_IDS:
        row.reject("exchange", f"one of {', '.join(CCXT_IDS)}")
    if formula in ("canonical", "canonical_inverse"):
        profile = venue_profile(row.text("exchange"), fee_rate)
        if profile.close_fee_rate != fee_rate:
            row.reject("fee_in_mm", "0 for a venue that counts no closing fee")
        return profile
    if formula == "entry_value":
        return bybit_entry_valued(fee_rate)
    if formula == "canonical_minus_close_fee":
        return bybit(fee_rate)
    if formula == "entry_value_given_mm":
        return kucoin_entry_valued()
    row.reject("formula", "one of the formulas of POSITIONS.md")
    raise AssertionError


def _position_limit(row: Fields) -> float:
    if row.text("exchange") == "hyperliquid" and row.positive("leverage") == 1.0:
        return 1e-4
    check = row.values.get("check")
    recorded = check.get("rel_error_rounded") if isinstance(check, dict) else None
    return 1e-5 if isinstance(recorded, int | float) and abs(recorded) > 1e-6 else 1e-6


def _tiers(row: Fields, tier: LeverageTier) -> Tiers:
    # A row of a tier above the first has an amount: it belongs to the tiers below, which are not known.
    try:
        return tiers_from_rows([tier], is_continuous=False)
    except ValueError as error:
        row.reject("mm_rate", f"a valid tier ({error})")
        raise
