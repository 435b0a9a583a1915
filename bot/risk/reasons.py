"""What the margin engine may do and why, as codes that compile, and their names for people and journals."""

from typing import Final

HOLD: Final = 0
ADD: Final = 1
RELEASE: Final = 2
ACTIONS: Final = ("hold", "add", "release")

IN_BAND: Final = 0
BELOW_BAND: Final = 1
EMERGENCY: Final = 2
ABOVE_BAND: Final = 3
STALE: Final = 4
UNUSABLE: Final = 5
PAST_LIQUIDATION: Final = 6
MAX_ADDS: Final = 7
MAX_ADDED: Final = 8
AGREED_LOSS: Final = 9
POSITION_CAP: Final = 10
RESERVE: Final = 11
BELOW_STEP: Final = 12
ADD_COOLDOWN: Final = 13
CANNOT_REACH: Final = 14
RELEASE_COOLDOWN: Final = 15
STOP_INEFFECTIVE: Final = 16
STOP_PASSED: Final = 17
ANCHOR_FLOOR: Final = 18
VENUE_RULE: Final = 19
ADD_NOT_ALLOWED: Final = 20
RELEASE_NOT_ALLOWED: Final = 21
HIGH_VOLATILITY: Final = 22
ADVERSE_TREND: Final = 23
VENUE_KEEPS: Final = 24
REASONS: Final = (
    "in_band",
    "below_band",
    "emergency",
    "above_band",
    "stale",
    "unusable_numbers",
    "past_liquidation",
    "max_adds",
    "max_added",
    "agreed_loss",
    "position_cap",
    "reserve",
    "below_minimum_step",
    "add_cooldown",
    "cannot_reach_band",
    "release_cooldown",
    "stop_not_inside_liquidation",
    "stop_passed",
    "anchor_floor",
    "venue_removal_rule",
    "add_not_allowed",
    "release_not_allowed",
    "high_volatility",
    "adverse_trend",
    "venue_keeps_margin",
)
