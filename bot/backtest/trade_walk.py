"""One trade walked bar by bar under one margin policy: the study's set-up with the live margin engine.

The policy decides at every close with what is known then. Plain Python that numba compiles
(bot.backtest.compiler).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from bot.backtest.bars import Bar, Bars, bar_at, estimates_at
from bot.backtest.held_trade import (
    HORIZON,
    LIQUIDATION,
    OPEN,
    Brackets,
    Decided,
    Held,
    Moves,
    Terms,
    after_bar,
    bracketed,
    closed,
    counted,
    entered,
    moved,
    rescued,
)
from bot.core.compiled import compiled
from bot.core.profile import MarginRules
from bot.risk.adjust import cut_fraction, judge, measure
from bot.risk.derisk import ADD as ADD_MARGIN
from bot.risk.derisk import HOLD, DeriskCase, DeriskLimits, judge_derisk
from bot.risk.derisk_case import addable, liquidation_cost_rate
from bot.risk.estimates import MarketEstimates
from bot.risk.limits import MarginLimits
from bot.risk.policies import Policy
from bot.risk.reasons import ADD, RELEASE
from bot.risk.regime import RegimeState, next_regime
from bot.risk.view import MarginBook, MarginView


class Walked(NamedTuple):
    """How a trade went. `margin_bars`: isolated wallet times bars; `added_lost`: what a liquidation took."""

    pnl: float
    ending: float
    bars: float
    margin_bars: float
    adds: float
    added: float
    releases: float
    released: float
    cuts: float
    added_lost: float
    derisk_cuts: float


class Rulebook(NamedTuple):
    """What the margin engine may do, and when the de-risk ladder has done enough."""

    limits: MarginLimits
    ladder: DeriskLimits


Walk = Callable[..., Walked]


def trade_walk(policy: Policy, compile_: Callable[[Any], Any]) -> Walk:
    """Return walk(bars, row, side, terms, rules, rulebook, params): a trade entered at the close of `row`.

    `compile_` makes a function fast, or returns it as it is. The row of its last bar must exist.
    """
    decide = compile_(_decision(compile_(policy.band), compile_(policy.permissions)))

    def walk(
        bars: Bars, row: int, side: int, terms: Terms, rules: MarginRules, rulebook: Rulebook, params: Any
    ) -> Walked:
        bar = bar_at(bars, row)
        held = entered(bar, side, terms)
        brackets = bracketed(held.position, terms, rules)
        moves = Moves(0, 0.0, 0, 0.0, 0, 0, 0, 0, 0, 0)
        regime = RegimeState(side, 0, 0)
        margin_bars, count = 0.0, 0
        while held.ending == OPEN:
            known = estimates_at(bars, row + count)
            regime = next_regime(regime, known, bar.close_ms)
            view = viewed(held, brackets, moves, bar, known, regime, rules)
            decided = decide(
                view, booked(held, moves, terms, rulebook.limits), moves, terms, rulebook, params
            )
            moves = counted(moves, decided, bar.close_ms)
            held = moved(held, decided, bar.close, terms, rules)
            if held.ending != OPEN:
                break
            count += 1
            bar = bar_at(bars, row + count)
            margin_bars += held.position.isolated_wallet
            held = after_bar(held, brackets, bar, terms, rules)
            moves = rescued(moves, held.rescued, bar.close_ms)
            if held.ending == OPEN and count == terms.horizon_bars:
                held = closed(held, bar.close, HORIZON, terms, rules)
        return summed(held, moves, terms, count, margin_bars)

    return compile_(walk)


def _decision(band: Callable[..., Any], permissions: Callable[..., Any]) -> Callable[..., Decided]:
    """What the margin engine decides at a close and, where it asks for it, the de-risk ladder."""

    def decide(
        view: MarginView, book: MarginBook, moves: Moves, terms: Terms, rulebook: Rulebook, params: Any
    ) -> Decided:
        limits, allowed = rulebook.limits, permissions(view, params)
        measured = measure(view, band(view, params), limits.funding_payments_ahead)
        verdict = judge(view, measured, book, limits, allowed)
        cut = cut_fraction(view, verdict, limits, allowed)
        if cut > 0.0:
            return Decided(0.0, 0.0, cut, 0.0, False)
        waited = view.ts_ms - moves.last_derisk_ms >= limits.derisk_interval_ms
        if verdict.wants_derisk and terms.is_derisking and waited:
            may_add = addable(view, measured.band, book, limits, allowed.allow_add)
            return derisked(view, book, moves, terms, rulebook, may_add)
        add = verdict.amount if verdict.action == ADD else 0.0
        release = verdict.amount if verdict.action == RELEASE else 0.0
        return Decided(add, release, 0.0, 0.0, False)

    return decide


@compiled
def derisked(
    view: MarginView, book: MarginBook, moves: Moves, terms: Terms, rulebook: Rulebook, add_quote: float
) -> Decided:
    """Return the ladder's cheapest move. Who enters at fixed times, on both sides, would enter here again."""
    case = DeriskCase(
        add_quote,
        liquidation_cost_rate(view, terms.liquidation_fee_rate),
        terms.fee_rate + terms.slippage,
        0.0,
        view.position.side * view.trend_score,
        max(rulebook.limits.max_adds - book.adds, 0),
        True,
        moves.derisk_cuts,
        terms.notional_quote / view.position.entry_price,
    )
    verdict = judge_derisk(view, case, rulebook.ladder)
    added = add_quote if verdict.move == ADD_MARGIN else 0.0
    return Decided(added, 0.0, 0.0, verdict.share, verdict.move != HOLD)


@compiled
def viewed(
    held: Held,
    brackets: Brackets,
    moves: Moves,
    bar: Bar,
    known: MarketEstimates,
    regime: RegimeState,
    rules: MarginRules,
) -> MarginView:
    """Return what the policy sees at the close of a bar."""
    return MarginView(
        bar.close_ms,
        bar.close,
        0,
        held.position,
        rules,
        brackets.stop_price,
        known.sigma_day,
        bar.next_rate,
        brackets.entry_distance,
        known.atr,
        known.sigma_parkinson,
        known.sigma_yang_zhang,
        known.sigma_6h,
        known.sigma_10d,
        known.trend_score,
        known.is_high_volatility,
        regime.regime,
        moves.cuts,
        moves.last_cut_ms,
    )


@compiled
def booked(held: Held, moves: Moves, terms: Terms, limits: MarginLimits) -> MarginBook:
    """Return the margin history and the account as the margin engine asks for them."""
    return MarginBook(
        terms.margin_quote,
        moves.added,
        moves.released,
        moves.adds,
        moves.last_add_ms,
        moves.last_release_ms,
        terms.margin_quote * (1.0 + limits.max_added_fraction),
        held.free,
        held.free + held.position.isolated_wallet,
        0.0,
    )


@compiled
def summed(held: Held, moves: Moves, terms: Terms, bars: int, margin_bars: float) -> Walked:
    """Return the figures of a trade that ended."""
    is_liquidated = held.ending == LIQUIDATION
    lost = min(max(held.position.isolated_wallet - terms.margin_quote, 0.0), moves.added)
    return Walked(
        held.free - terms.account_quote,
        float(held.ending),
        float(bars),
        margin_bars,
        float(moves.adds),
        moves.added,
        float(moves.releases),
        moves.released,
        float(moves.cuts),
        lost if is_liquidated else 0.0,
        float(moves.derisk_cuts),
    )
