"""Three ways to run a book: risk-averse, balanced and aggressive; margin-science 3.7.

A preset is one policy with its params and every limit, free of contradictions. `balanced` is the defaults
of bot.risk.limits and of the default policy: nothing is said twice. Every preset needs a stop on the venue;
entries without one are never made.

Where the presets depart from the study's table. It caps leverage at 10 (balanced) and 20 (aggressive); both
are 25 here, because a venue never lets out margin below notional / its leverage setting, and both presets
release. Only the margin posted differs: the size follows from the stop. It cuts a balanced position once in
high volatility; neither the study nor a replay found a gain, so that is left to risk-averse. Its aggressive
distance of 1.94 sigmas (alpha 10 %) holds without a stop only: behind a stop it would feed every position.
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
    "Anchor liquidation to the stop and release the rest; the hurdle's distance without a stop.",
    DEFAULT_POLICY,
    StopAnchorParams(),
    MarginLimits(),
    EntryLimits(),
    BracketLimits(),
)

_AGGRESSIVE: Final = Preset(
    "aggressive",
    "Only strong signals, at twice the risk; half the gap behind the stop, released at once.",
    DEFAULT_POLICY,
    StopAnchorParams(buffer_sigmas=0.5, fallback_alpha=0.10),
    MarginLimits(
        release_cooldown_ms=0,
        max_adds=3,
        position_cap_fraction=0.40,
        reserve_fraction=0.10,
        anchor_buffer_sigmas=0.5,
    ),
    EntryLimits(
        risk_fraction=0.02,
        position_cap_fraction=0.40,
        portfolio_cap_fraction=0.80,
        reserve_fraction=0.10,
        buffer_sigmas=0.5,
        min_strength=0.7,
    ),
    BracketLimits(),
)

PRESETS: Final[Mapping[str, Preset]] = {row.name: row for row in (_RISK_AVERSE, _BALANCED, _AGGRESSIVE)}
DEFAULT_PRESET: Final = _BALANCED.name
