"""Settings that are each within bounds but cannot all hold: found before anything runs."""

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
    """Return one sentence for every value out of bounds and every pair that cannot hold; empty if sound."""
    return (
        *out_of_bounds(f"policy {policy.name}", params, policy.bounds),
        *out_of_bounds("margin", margin, MARGIN_BOUNDS),
        *out_of_bounds("entry", entry, ENTRY_BOUNDS),
        *out_of_bounds("bracket", bracket, BRACKET_BOUNDS),
        *_of_params(policy.name, params),
        *_of_entry(entry, margin),
        *_of_bracket(bracket),
    )


def out_of_bounds(section: str, values: Any, bounds: Mapping[str, Bound]) -> Iterator[str]:
    """Yield a sentence for every field of the NamedTuple `values` outside its bound, NaN included."""
    for name, bound in bounds.items():
        value = getattr(values, name)
        if not bound.low <= value <= bound.high:
            yield f"{section}: {name} is {value}, allowed are {bound.low:g} to {bound.high:g} {bound.unit}"


def _of_params(name: str, params: Any) -> Iterator[str]:
    for prefix in ("", "fallback_"):
        low, high = getattr(params, f"{prefix}low", None), getattr(params, f"{prefix}high", None)
        if low is not None and high is not None and not low < 1.0 < high:
            yield (
                f"policy {name}: {prefix}low {low} must be below 1 and {prefix}high {high} above 1: "
                "the release threshold lies beyond the target and the add threshold before it"
            )


def _of_entry(entry: EntryLimits, margin: MarginLimits) -> Iterator[str]:
    if entry.min_stop_distance >= entry.max_stop_distance:
        yield (
            f"entry: min_stop_distance {entry.min_stop_distance} is not below "
            f"max_stop_distance {entry.max_stop_distance}"
        )
    if entry.portfolio_cap_fraction + entry.reserve_fraction > 1.0:
        yield (
            f"entry: portfolio_cap_fraction {entry.portfolio_cap_fraction} and reserve_fraction "
            f"{entry.reserve_fraction} are more than the whole equity together"
        )
    if entry.position_cap_fraction > entry.portfolio_cap_fraction:
        yield (
            f"entry: position_cap_fraction {entry.position_cap_fraction} is above "
            f"portfolio_cap_fraction {entry.portfolio_cap_fraction}"
        )
    if margin.position_cap_fraction < entry.position_cap_fraction:
        yield (
            f"margin: position_cap_fraction {margin.position_cap_fraction} is below the entry's "
            f"{entry.position_cap_fraction}: an entry could never be defended"
        )
    if entry.risk_fraction > entry.daily_loss_fraction:
        yield (
            f"entry: risk_fraction {entry.risk_fraction} is above daily_loss_fraction "
            f"{entry.daily_loss_fraction}: one stop would end the day"
        )
    if entry.buffer_min < margin.anchor_floor_share * margin.anchor_buffer_min:
        yield (
            f"entry: buffer_min {entry.buffer_min} is below the anchor floor "
            f"{margin.anchor_floor_share} x anchor_buffer_min {margin.anchor_buffer_min}"
        )


def _of_bracket(bracket: BracketLimits) -> Iterator[str]:
    if bracket.first_take_profit_r >= bracket.second_take_profit_r:
        yield (
            f"bracket: first_take_profit_r {bracket.first_take_profit_r} is not below "
            f"second_take_profit_r {bracket.second_take_profit_r}"
        )
    if 0.0 < bracket.trail_activate_r < bracket.trail_distance_r - 1.0:
        yield (
            f"bracket: trail_activate_r {bracket.trail_activate_r} with trail_distance_r "
            f"{bracket.trail_distance_r} would start the trail behind the initial stop"
        )
