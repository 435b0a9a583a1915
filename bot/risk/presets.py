"""Three ways to run a book: risk-averse, balanced and aggressive; margin-science 3.7.

A preset is one policy with its params and every limit, free of contradictions. What the table asks for
beside them: an aggressive book takes only signals with a score of 0.7 or more, which is the strategy's
to say. Every preset needs a stop on the venue; entries without one are never made.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.policies import DEFAULT_POLICY
from bot.risk.policies.liquidation_probability import LiquidationProbabilityParams
from bot.risk.policies.stop_anchor import StopAnchorParams


class Preset(NamedTuple):
    """`policy`: a name of bot.risk.policies.POLICIES; `params`: of its params type."""

    name: str
    doc: str
    policy: str
    params: Any
    margin: MarginLimits
    entry: EntryLimits
    bracket: BracketLimits


_RISK_AVERSE: Final = Preset(
    "risk-averse",
    "Hold 6.5 daily sigmas or the distance at entry, never release, cut half in high volatility.",
    "liquidation_probability",
    LiquidationProbabilityParams(alpha=0.002, entry_share=1.0),
    MarginLimits(
        position_cap_fraction=0.15,
        reserve_fraction=0.40,
        allow_release=0,
        volatile_cut_fraction=0.5,
        max_volatile_cuts=2,
    ),
    EntryLimits(
        risk_fraction=0.005,
        max_leverage=5,
        position_cap_fraction=0.15,
        portfolio_cap_fraction=0.40,
        reserve_fraction=0.40,
    ),
    BracketLimits(),
)

_BALANCED: Final = Preset(
    "balanced",
    "Anchor liquidation to the stop, the hurdle's distance without one, cut half once in high volatility.",
    DEFAULT_POLICY,
    StopAnchorParams(),
    MarginLimits(volatile_cut_fraction=0.5),
    EntryLimits(max_leverage=10),
    BracketLimits(),
)

_AGGRESSIVE: Final = Preset(
    "aggressive",
    "Hold 1.94 daily sigmas, release at once, thin buffer behind the stop: more liquidations, same profit.",
    "liquidation_probability",
    LiquidationProbabilityParams(alpha=0.10),
    MarginLimits(
        release_cooldown_ms=0,
        max_adds=3,
        position_cap_fraction=0.40,
        reserve_fraction=0.10,
        anchor_buffer_sigmas=0.5,
    ),
    EntryLimits(
        risk_fraction=0.02,
        max_leverage=20,
        position_cap_fraction=0.40,
        portfolio_cap_fraction=0.80,
        reserve_fraction=0.10,
        buffer_sigmas=0.5,
    ),
    BracketLimits(),
)

PRESETS: Final[Mapping[str, Preset]] = {row.name: row for row in (_RISK_AVERSE, _BALANCED, _AGGRESSIVE)}
DEFAULT_PRESET: Final = "balanced"


def preset(name: str) -> Preset:
    """Return the preset of this name; ValueError names the field, the value and what there is."""
    if name not in PRESETS:
        raise ValueError(f"preset is {name!r}; it must be one of {', '.join(PRESETS)}")
    return PRESETS[name]
