"""Limits that are each within bounds but cannot all hold: found before anything runs.

Values are named by their setting: entry.max_leverage, brackets.trail_distance_r, margin.limits.max_adds.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from bot.risk.limits import (
    BRACKET_BOUNDS,
    ENTRY_BOUNDS,
    MARGIN_BOUNDS,
    Bound,
    BracketLimits,
    EntryLimits,
    MarginLimits,
)
from bot.risk.policies import Policy


def contradictions(
    policy: Policy, params: Any, margin: MarginLimits, entry: EntryLimits, bracket: BracketLimits
) -> tuple[str, ...]:
    """Return one clause for every value out of bounds and every pair that cannot hold; empty if sound."""
    table = f"margin.params.{policy.name}"
    return (
        *out_of_bounds(table, params, policy.bounds),
        *out_of_bounds("margin.limits", margin, MARGIN_BOUNDS),
        *out_of_bounds("entry", entry, ENTRY_BOUNDS),
        *out_of_bounds("brackets", bracket, BRACKET_BOUNDS),
        *of_params(table, params),
        *_of_anchors(table, params, margin),
        *_of_stops(entry, margin),
        *_of_caps(entry, margin),
        *_of_brackets(bracket, entry),
    )


def out_of_bounds(table: str, values: Any, bounds: Mapping[str, Bound]) -> Iterator[str]:
    """Yield a clause for every field of the NamedTuple `values` outside its bound, NaN included."""
    for name, bound in bounds.items():
        value = getattr(values, name)
        if not bound.low <= value <= bound.high:
            yield f"{table}.{name} is {value}, allowed are {bound.low:g} to {bound.high:g} {bound.unit}"


def of_params(table: str, params: Any) -> Iterator[str]:
    """Yield a clause for every pair of one policy's parameters that cannot hold, chosen or not."""
    for prefix in ("", "fallback_"):
        low, high = getattr(params, f"{prefix}low", None), getattr(params, f"{prefix}high", None)
        if low is not None and high is not None and not low < 1.0 < high:
            yield (
                f"{table}.{prefix}low {low} must be below 1 and {table}.{prefix}high {high} above 1: "
                "the release threshold lies beyond the target and the add threshold before it"
            )
    yield from _of_ratios(table, params)
    if getattr(params, "target_distance", 0.0) > 0.0 and getattr(params, "target_atrs", 0.0) > 0.0:
        yield (
            f"{table}.target_distance {params.target_distance} and {table}.target_atrs {params.target_atrs} "
            "are both set: the distance is given in one unit only"
        )


def _of_ratios(table: str, params: Any) -> Iterator[str]:
    release, add = getattr(params, "release_below", None), getattr(params, "add_above", None)
    if release is not None and add is not None and not release < params.target_ratio < add:
        yield (
            f"{table}.release_below {release} must be below {table}.target_ratio {params.target_ratio} and "
            f"{table}.add_above {add} above it"
        )


def _of_anchors(table: str, params: Any, margin: MarginLimits) -> Iterator[str]:
    """The gap that no release may undercut must not be larger than the one the policy aims at."""
    share = margin.anchor_floor_share
    for name in ("buffer_min", "buffer_sigmas"):
        aimed, kept = getattr(params, name, math.inf), getattr(margin, f"anchor_{name}")
        if share * kept > aimed:
            yield (
                f"margin.limits.anchor_floor_share {share} x margin.limits.anchor_{name} {kept} is above "
                f"{table}.{name} {aimed}: the floor would lie beyond the policy's target"
            )


def _of_stops(entry: EntryLimits, margin: MarginLimits) -> Iterator[str]:
    if entry.min_stop_distance >= entry.max_stop_distance:
        yield (
            f"entry.min_stop_distance {entry.min_stop_distance} is not below "
            f"entry.max_stop_distance {entry.max_stop_distance}"
        )
    # A short at leverage 1, the safest there is, is liquidated a little below twice its entry price.
    if (1.0 + entry.max_stop_distance) * (1.0 + entry.buffer_min) >= 2.0:
        yield (
            f"entry.max_stop_distance {entry.max_stop_distance} with entry.buffer_min {entry.buffer_min} "
            "puts a stop beyond liquidation even at leverage 1"
        )
    if entry.buffer_min < margin.anchor_floor_share * margin.anchor_buffer_min:
        yield (
            f"entry.buffer_min {entry.buffer_min} is below margin.limits.anchor_floor_share "
            f"{margin.anchor_floor_share} x margin.limits.anchor_buffer_min {margin.anchor_buffer_min}: "
            "an entry would begin beyond the anchor floor"
        )


def _of_caps(entry: EntryLimits, margin: MarginLimits) -> Iterator[str]:
    if entry.portfolio_cap_fraction + entry.reserve_fraction > 1.0:
        yield (
            f"entry.portfolio_cap_fraction {entry.portfolio_cap_fraction} and entry.reserve_fraction "
            f"{entry.reserve_fraction} are more than the whole equity together"
        )
    if entry.position_cap_fraction > entry.portfolio_cap_fraction:
        yield (
            f"entry.position_cap_fraction {entry.position_cap_fraction} is above "
            f"entry.portfolio_cap_fraction {entry.portfolio_cap_fraction}"
        )
    if margin.reserve_fraction + margin.position_cap_fraction > 1.0:
        yield (
            f"margin.limits.reserve_fraction {margin.reserve_fraction} and "
            f"margin.limits.position_cap_fraction {margin.position_cap_fraction} are more than the whole "
            "equity together"
        )
    if margin.position_cap_fraction < entry.position_cap_fraction:
        yield (
            f"margin.limits.position_cap_fraction {margin.position_cap_fraction} is below "
            f"entry.position_cap_fraction {entry.position_cap_fraction}: an entry could never be defended"
        )
    if entry.risk_fraction > entry.daily_loss_fraction:
        yield (
            f"entry.risk_fraction {entry.risk_fraction} is above entry.daily_loss_fraction "
            f"{entry.daily_loss_fraction}: one stop would end the day"
        )


def _of_brackets(bracket: BracketLimits, entry: EntryLimits) -> Iterator[str]:
    first, second = bracket.first_take_profit_r, bracket.second_take_profit_r
    if first >= second:
        yield f"brackets.first_take_profit_r {first} is not below brackets.second_take_profit_r {second}"
    expected = bracket.take_profit_fraction * first + (1.0 - bracket.take_profit_fraction) * second
    if expected < entry.min_reward_to_risk:
        yield (
            f"entry.min_reward_to_risk {entry.min_reward_to_risk} is above the {expected:g} R that "
            "the targets of [brackets] can bring, so every entry would be refused"
        )
    if 0.0 < bracket.trail_activate_r < bracket.trail_distance_r - 1.0:
        yield (
            f"brackets.trail_activate_r {bracket.trail_activate_r} with brackets.trail_distance_r "
            f"{bracket.trail_distance_r} would start the trail behind the initial stop"
        )
