"""The numbers a user may set for risk, with their defaults (the balanced preset) and their bounds.

Source of the defaults: margin-science sections 3.0 (margin engine), 3.7 (presets), 3.9 and 3.10.
Settings validate against the BOUNDS and document them; the reasons for a value stand there.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Bound(NamedTuple):
    """What a parameter may be (both ends included), its unit, and one sentence about it."""

    low: float
    high: float
    unit: str
    doc: str


HALT: Final = "halt"
IGNORE: Final = "ignore"
ADOPT: Final = "adopt"


class MarginLimits(NamedTuple):
    """What the margin engine may do to an open position; margin-science 3.0 and 3.9."""

    max_mark_age_ms: int = 5_000
    min_step_quote: float = 10.0
    min_step_fraction: float = 0.05
    add_cooldown_ms: int = 60_000
    release_cooldown_ms: int = 3_600_000
    max_adds: int = 6
    max_added_fraction: float = 2.0
    position_cap_fraction: float = 0.25
    reserve_fraction: float = 0.20
    emergency_probability: float = 0.005
    funding_payments_ahead: int = 3
    removal_cushion_fraction: float = 0.001
    anchor_buffer_min: float = 0.01
    anchor_buffer_sigmas: float = 1.0
    anchor_floor_share: float = 0.5
    allow_release: int = 1
    volatile_cut_fraction: float = 0.0
    max_volatile_cuts: int = 1
    volatile_cut_interval_ms: int = 43_200_000
    allow_derisk: int = 1
    max_derisk_cuts: int = 2
    derisk_interval_ms: int = 900_000
    stop_failure_probability: float = 0.01


class AllocationLimits(NamedTuple):
    """One margin budget over all positions; margin-science 3.8. `budget_fraction` 0: there is none."""

    budget_fraction: float = 0.0
    interval_ms: int = 3_600_000
    deadband: float = 0.10
    annual_hurdle: float = 0.20
    liquidation_cost: float = 0.005
    horizon_days: float = 1.0


class CapLimits(NamedTuple):
    """When open positions are cut because the book breaks a cap of [entry]; margin-science 3.8.

    In February 2025 (BTC, ETH and SOL, `ema_cross`) a cut at 1.0 times the cap made 55 orders for an excess
    of 2 %, at 1.25 none: a cap must hold, but not chase every mark.
    """

    cut_above: float = 1.25
    cut_cooldown_ms: int = 3_600_000


class HaltLimits(NamedTuple):
    """What halts the bot until a person resumes it; 0 switches a limit off. Reliability study, I14 to I17.

    The day's loss is twice what stops entries by itself (`entry.daily_loss_fraction`): five stops of 1 % each
    may still fill after that, more means that something protects less than it should.
    """

    daily_loss_fraction: float = 0.10
    drawdown_fraction: float = 0.40
    orders_per_minute: int = 120
    messages_per_minute: int = 300
    price_collar_fraction: float = 0.05
    max_refusals: int = 10
    stale_data_ms: int = 300_000
    disconnected_ms: int = 900_000
    clock_skew_ms: int = 5_000
    liquidation_tolerance: float = 0.01


class ForeignPositions(NamedTuple):
    """What becomes of a position that somebody else opened; reliability study, F45.

    `treatment`: halt all entries, ignore it, or adopt it. `stop_fraction`: where the stop of an adopted one
    goes, as a fraction of the way from mark to liquidation price.
    """

    treatment: str = HALT
    stop_fraction: float = 0.5


class EntryLimits(NamedTuple):
    """What an entry must satisfy; margin-science 3.7, 3.8 and 3.10.

    `claimed_hit_rate` is the share of trades that the user says reach their target; a signal's strength is
    no probability and claims nothing. 0 claims nothing, and nothing is refused for it.
    """

    risk_fraction: float = 0.01
    max_leverage: int = 25
    min_reward_to_risk: float = 1.5
    max_positions: int = 5
    max_notional_fraction: float = 3.0
    position_cap_fraction: float = 0.25
    portfolio_cap_fraction: float = 0.60
    reserve_fraction: float = 0.20
    daily_loss_fraction: float = 0.05
    max_funding_share: float = 0.05
    stop_slippage: float = 0.0005
    stop_sigmas: float = 1.0
    stop_horizon_days: float = 1.0
    min_stop_distance: float = 0.002
    max_stop_distance: float = 0.30
    buffer_min: float = 0.01
    buffer_sigmas: float = 1.0
    buffer_horizon_days: float = 1.0
    risk_cap_fraction: float = 0.25
    cascade_cap_fraction: float = 0.50
    claimed_hit_rate: float = 0.0
    outcome_horizon_days: float = 3.0
    min_strength: float = 0.0
    min_share_of_wanted: float = 0.25
    forced_cooldown_ms: int = 3_600_000


class BracketLimits(NamedTuple):
    """Take-profit ladder and trailing stop, in multiples of R = |entry - initial stop|.

    `take_profit_fraction` closes at the first rung, the rest at the second. `trail_activate_r` 0
    switches trailing off.
    """

    first_take_profit_r: float = 1.5
    second_take_profit_r: float = 3.0
    take_profit_fraction: float = 0.5
    trail_activate_r: float = 1.0
    trail_distance_r: float = 1.0
    trail_min_step_r: float = 0.1


MARGIN_BOUNDS: Mapping[str, Bound] = {
    "max_mark_age_ms": Bound(100, 60_000, "ms", "Older mark prices move no margin."),
    "min_step_quote": Bound(0.0, 1e6, "quote", "Smaller margin moves are not made."),
    "min_step_fraction": Bound(0.0, 1.0, "fraction of wallet", "Smaller margin moves are not made."),
    "add_cooldown_ms": Bound(0, 86_400_000, "ms", "Wait between two adds; an emergency does not wait."),
    "release_cooldown_ms": Bound(0, 604_800_000, "ms", "Wait after any margin move before a release."),
    "max_adds": Bound(0, 1_000, "count", "Adds over the life of one position."),
    "max_added_fraction": Bound(
        0.0, 20.0, "fraction of initial margin", "All adds together; also sets the agreed loss."
    ),
    "position_cap_fraction": Bound(0.001, 1.0, "fraction of equity", "No add makes a wallet larger."),
    "reserve_fraction": Bound(0.0, 0.95, "fraction of equity", "Stays free whatever an add would need."),
    "emergency_probability": Bound(
        1e-6, 0.5, "probability per hour", "Above it an add skips the cooldown and the minimum step."
    ),
    "funding_payments_ahead": Bound(0, 30, "count", "Adverse funding payments held beyond the target."),
    "removal_cushion_fraction": Bound(
        0.0,
        0.05,
        "fraction of notional",
        "Left below what the venue would release: the mark moves meanwhile.",
    ),
    "anchor_buffer_min": Bound(0.001, 0.2, "fraction of price", "Least gap between stop and liquidation."),
    "anchor_buffer_sigmas": Bound(0.0, 10.0, "daily sigmas", "Gap between stop and liquidation."),
    "anchor_floor_share": Bound(0.1, 1.0, "fraction of the gap", "No release leaves a smaller gap."),
    "allow_release": Bound(0, 1, "switch", "1: margin above the band is released; 0: never."),
    "volatile_cut_fraction": Bound(
        0.0, 0.9, "fraction of quantity", "Closed when volatility is high, whatever the policy; 0: nothing."
    ),
    "max_volatile_cuts": Bound(0, 10, "count", "Such cuts over the life of one position."),
    "volatile_cut_interval_ms": Bound(0, 604_800_000, "ms", "Wait between two such cuts."),
    "allow_derisk": Bound(
        0, 1, "switch", "1: where margin may not be added, hold, cut or close by cost; 0: hold."
    ),
    "max_derisk_cuts": Bound(0, 10, "count", "Such cuts over the life of one position; then it is closed."),
    "derisk_interval_ms": Bound(60_000, 604_800_000, "ms", "Wait after such a cut or add."),
    "stop_failure_probability": Bound(
        0.0, 1.0, "probability", "That a resting stop does not fill; an assumption, not a measurement."
    ),
}

ALLOCATION_BOUNDS: Mapping[str, Bound] = {
    "budget_fraction": Bound(
        0.0, 0.95, "fraction of equity", "Margin of all positions together; 0: each follows its policy alone."
    ),
    "interval_ms": Bound(60_000, 86_400_000, "ms", "How often it is split anew."),
    "deadband": Bound(0.01, 1.0, "fraction of target", "A wallet this close to its target is left alone."),
    "annual_hurdle": Bound(0.001, 10.0, "fraction per year", "What margin could earn elsewhere."),
    "liquidation_cost": Bound(
        0.0005, 0.2, "fraction of notional", "Lost at a liquidation besides the maintenance margin, gaps too."
    ),
    "horizon_days": Bound(0.01, 30.0, "days", "Over which liquidation and earning are compared."),
}

CAP_BOUNDS: Mapping[str, Bound] = {
    "cut_above": Bound(
        0.0, 10.0, "x cap", "Positions are cut back to the cap when the book exceeds it so far; 0: never."
    ),
    "cut_cooldown_ms": Bound(60_000, 86_400_000, "ms", "Wait between two such cuts of the book."),
}

HALT_BOUNDS: Mapping[str, Bound] = {
    "daily_loss_fraction": Bound(
        0.0,
        1.0,
        "fraction of equity",
        "NO_ENTRY once the day lost this much, open positions included; 0: never.",
    ),
    "drawdown_fraction": Bound(
        0.0,
        1.0,
        "fraction of equity",
        "NO_ENTRY so far below the highest equity since a person resumed; 0: never.",
    ),
    "orders_per_minute": Bound(0, 10_000, "count", "NO_ENTRY when more orders are sent; 0: never."),
    "messages_per_minute": Bound(0, 100_000, "count", "REDUCE_ONLY when more requests are sent; 0: never."),
    "price_collar_fraction": Bound(
        0.0, 1.0, "fraction of mark", "NO_ENTRY when an entry's price is further from the mark; 0: never."
    ),
    "max_refusals": Bound(
        0, 1_000, "count", "NO_ENTRY when the venue refuses more in ten minutes; 0: never."
    ),
    "stale_data_ms": Bound(
        0,
        86_400_000,
        "ms",
        "NO_ENTRY when a held symbol gives no mark for so long while others do, and for a candle; 0: never.",
    ),
    "disconnected_ms": Bound(
        0,
        86_400_000,
        "ms",
        "DISCONNECTED when no market data came for so long; a shorter outage ends by itself; 0: never.",
    ),
    "clock_skew_ms": Bound(
        0, 600_000, "ms", "NO_ENTRY when this machine's clock is so far from the venue's; 0: never."
    ),
    "liquidation_tolerance": Bound(
        0.0,
        0.5,
        "fraction of mark",
        "NO_ENTRY when the venue's liquidation price is so far from ours; 0: never.",
    ),
}

ENTRY_BOUNDS: Mapping[str, Bound] = {
    "risk_fraction": Bound(1e-5, 0.1, "fraction of equity", "Lost when the stop fills."),
    "max_leverage": Bound(1, 125, "x", "Highest leverage setting; the stop usually asks for less."),
    "min_reward_to_risk": Bound(0.0, 20.0, "R", "Least expected gain at the targets per loss at the stop."),
    "max_positions": Bound(1, 500, "count", "Open at the same time."),
    "max_notional_fraction": Bound(0.01, 125.0, "fraction of equity", "Largest notional of one position."),
    "position_cap_fraction": Bound(0.001, 1.0, "fraction of equity", "Largest margin of one position."),
    "portfolio_cap_fraction": Bound(0.001, 1.0, "fraction of equity", "Largest margin of all positions."),
    "reserve_fraction": Bound(0.0, 0.95, "fraction of equity", "Stays free after the entry."),
    "daily_loss_fraction": Bound(
        0.001, 1.0, "fraction of equity", "No entry once the day lost this much of its first equity."
    ),
    "max_funding_share": Bound(0.0, 10.0, "fraction of risk", "Largest next funding payment."),
    "stop_slippage": Bound(0.0, 0.05, "fraction of price", "Expected loss beyond the stop."),
    "stop_sigmas": Bound(0.1, 20.0, "sigmas", "Stop distance when the signal names none."),
    "stop_horizon_days": Bound(1e-3, 30.0, "days", "Over which those sigmas are taken."),
    "min_stop_distance": Bound(1e-4, 0.5, "fraction of price", "Closer stops are refused."),
    "max_stop_distance": Bound(1e-3, 0.9, "fraction of price", "Wider stops are refused."),
    "buffer_min": Bound(0.001, 0.2, "fraction of price", "Least gap between stop and liquidation."),
    "buffer_sigmas": Bound(0.0, 10.0, "sigmas", "Gap between stop and liquidation."),
    "buffer_horizon_days": Bound(1e-3, 30.0, "days", "Over which those sigmas are taken."),
    "risk_cap_fraction": Bound(
        0.001, 10.0, "fraction of equity", "Largest 4.19-sigma day of the whole correlated book."
    ),
    "cascade_cap_fraction": Bound(
        0.001, 1.0, "fraction of equity", "Largest loss if every leg moves 5 daily sigmas against it."
    ),
    "claimed_hit_rate": Bound(
        0.0, 0.99, "probability", "Entries that need a higher hit rate are refused; 0 claims nothing."
    ),
    "outcome_horizon_days": Bound(
        1e-3, 365.0, "days", "How long a trade may take to its stop or target when that rate is found."
    ),
    "min_strength": Bound(
        0.0, 1.0, "strength", "Weaker signals are refused, and above 0 also those that name no strength."
    ),
    "min_share_of_wanted": Bound(
        0.0, 1.0, "fraction of wanted", "An entry that a cap on the book makes smaller is refused below it."
    ),
    "forced_cooldown_ms": Bound(
        0, 604_800_000, "ms", "After the venue liquidated or deleveraged, nothing is entered in that symbol."
    ),
}

BRACKET_BOUNDS: Mapping[str, Bound] = {
    "first_take_profit_r": Bound(0.1, 50.0, "R", "First target."),
    "second_take_profit_r": Bound(0.1, 100.0, "R", "Second target."),
    "take_profit_fraction": Bound(0.0, 1.0, "fraction of position", "Closed at the first target."),
    "trail_activate_r": Bound(0.0, 50.0, "R", "Profit at which the stop starts to follow; 0 never."),
    "trail_distance_r": Bound(0.05, 50.0, "R", "Gap between the best mark and the following stop."),
    "trail_min_step_r": Bound(0.001, 10.0, "R", "Smaller steps do not move the stop."),
}
