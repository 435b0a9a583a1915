"""The ways of holding the trades of a plan: those that are compared, and those that claims need."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bot.backtest.claims import MARGIN_HOURS, RESULT, WORST, Claim
from bot.backtest.held_trade import Terms
from bot.core.timeframe import HOUR_MS
from bot.risk.policies import DEFAULT_POLICY, POLICIES, Policy

STATIC: Final = "static"
SWITCH: Final = "exchange_auto_add"
CROSS: Final = "cross"
LADDER: Final = f"{DEFAULT_POLICY}_with_derisk_ladder"
TREND_ADDS: Final = "adds_in_a_trend"
VOLATILITY_CUTS: Final = "cuts_in_volatility"
TWICE: Final = "static_at_twice_the_leverage"
BRACKETED: Final = "static_with_stop_and_target"
UNBRACKETED: Final = "static_without_stop"
VENUE_LEVERAGE: Final = 25.0
# Where the plan has none: margin-science 4.
_STOP_FRACTION: Final = 0.03
_TARGET_FRACTION: Final = 0.06


class Plan(NamedTuple):
    """What is opened, and when. Money in quote, fractions of price, 0.0: no stop, no target.

    A stop fills `gap_share` of the way from it to the extreme of its candle (margin-science 4: a quarter).
    `every_ms` is counted from 1970, so that the same range always has the same trades.
    """

    leverage: float = 10.0
    notional_quote: float = 5_000.0
    account_quote: float = 2_000.0
    stop_fraction: float = 0.03
    target_fraction: float = 0.06
    horizon_ms: int = 72 * HOUR_MS
    every_ms: int = 8 * HOUR_MS
    sides: tuple[int, ...] = (1, -1)
    fee_rate: float = 0.0005
    slippage: float = 0.0005
    gap_share: float = 0.25


class Way(NamedTuple):
    """One way of holding a trade; the terms lack symbol and horizon, which are the market's."""

    name: str
    policy: Policy
    params: Any
    terms: Terms


def compared_ways(plan: Plan, policies: Mapping[str, Any]) -> list[Way]:
    """Return static margin first, the switch, every policy of `policies` (names with params), cross last.

    A policy named like the switch is left out, as in the calculators: the switch acts at the very touch.
    The de-risk ladder, which the loop may use under every policy, stands beside the default policy.
    """
    terms, static = _terms(plan), POLICIES[STATIC]
    everything = plan.account_quote - plan.notional_quote * plan.fee_rate
    chosen = {name: params for name, params in policies.items() if name not in (STATIC, SWITCH)}
    return [
        Way(STATIC, static, static.default, terms),
        # Whoever posts 10x by hand has the leverage set to 10x: the switch adds that margin again.
        Way(SWITCH, static, static.default, terms._replace(leverage=plan.leverage, is_rescued=True)),
        *(Way(name, POLICIES[name], params, terms) for name, params in chosen.items()),
        *(
            Way(LADDER, POLICIES[name], params, terms._replace(is_derisking=True))
            for name, params in chosen.items()
            if name == DEFAULT_POLICY
        ),
        Way(CROSS, static, static.default, terms._replace(margin_quote=everything)),
    ]


def claim_ways(plan: Plan) -> list[Way]:
    """Return the ways that only claims need."""
    terms, static, trend = _terms(plan), POLICIES[STATIC], POLICIES["trend_regime"]
    half = terms._replace(
        margin_quote=terms.margin_quote / 2.0, leverage=max(VENUE_LEVERAGE, 2.0 * plan.leverage)
    )
    return [
        Way(TREND_ADDS, trend, trend.default._replace(cut_fraction=0.0), terms),
        Way(VOLATILITY_CUTS, trend, trend.default._replace(adds=0), terms),
        Way(TWICE, static, static.default, half),
        Way(BRACKETED, static, static.default, _bracketed(terms)),
        Way(
            UNBRACKETED,
            static,
            static.default,
            terms._replace(stop_fraction=0.0, target_fraction=0.0),
        ),
    ]


CLAIMS: Final = (
    Claim("Isolated margin limits what a trade can lose", WORST, 1, STATIC, CROSS),
    Claim("It may reduce profits compared with cross margin", RESULT, -1, STATIC, CROSS),
    Claim("It uses capital more efficiently", MARGIN_HOURS, -1, STATIC, CROSS),
    Claim("Combine it with stop-loss and take-profit", WORST, 1, BRACKETED, UNBRACKETED),
    Claim("Increase margin in favourable trends", RESULT, 1, TREND_ADDS, STATIC),
    Claim("Reduce exposure in volatile conditions", WORST, 1, VOLATILITY_CUTS, STATIC),
    Claim("Reduce exposure in volatile conditions", RESULT, 1, VOLATILITY_CUTS, STATIC),
    Claim("Adjust margin automatically, in real time", RESULT, 1, DEFAULT_POLICY, STATIC),
    Claim("Adjust margin automatically, in real time", WORST, 1, DEFAULT_POLICY, STATIC),
    Claim("Higher leverage increases potential returns", RESULT, 1, TWICE, STATIC),
)


def _terms(plan: Plan) -> Terms:
    return Terms(
        symbol="",
        account_quote=plan.account_quote,
        notional_quote=plan.notional_quote,
        margin_quote=plan.notional_quote / plan.leverage,
        leverage=max(VENUE_LEVERAGE, plan.leverage),
        stop_fraction=plan.stop_fraction,
        target_fraction=plan.target_fraction,
        horizon_bars=0,
        fee_rate=plan.fee_rate,
        slippage=plan.slippage,
        gap_share=plan.gap_share,
        liquidation_fee_rate=0.0,
        is_rescued=False,
        is_derisking=False,
    )


def _bracketed(terms: Terms) -> Terms:
    """The terms with the plan's own stop and target, or where it has no stop the study's."""
    if terms.stop_fraction > 0.0:
        return terms
    return terms._replace(stop_fraction=_STOP_FRACTION, target_fraction=_TARGET_FRACTION)
