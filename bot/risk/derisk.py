"""The de-risk ladder: hold, add, cut a quarter, half or three quarters, or close, whichever costs least.

Source: margin-science 3.11. Costs are expected quote over the horizon. `judge_derisk` and what it calls
are compiled and speak in integer codes; `derisk` gives them names and steps.

A cut is compared as the study does it: the wallet STAYS, less the realised loss. A venue that pays the
freed share of the wallet out must get it back, which `target_wallet_quote` of the decision says.

With a stop between mark and liquidation the mark meets the stop first (margin-science 2: the probability
is then only that of a gap, a failed stop or an outage). So a way to liquidation counts when the stop fails
on it, and a jump past liquidation counts whole. The study's ladder had no stop: the close that it forces
after the last cut is void while one rests, because the stop itself is the close. What the stop's own fill
costs is charged to no move, as in the study: it belongs to the thesis, not to the margin.
"""

import math
from typing import Final, NamedTuple

from bot.core.compiled import compiled
from bot.core.instrument import Instrument
from bot.core.intent import Fact
from bot.core.margin import bankruptcy_price, liquidation_price, notional, unrealised_pnl
from bot.core.position import Position
from bot.core.probability import first_passage_student, log_distance
from bot.core.steps import step_down
from bot.risk.view import MarginView

HOLD: Final = 0
ADD: Final = 1
CUT: Final = 2
CLOSE: Final = 3
MOVES: Final = ("hold", "add", "cut", "close")

CHEAPEST: Final = 0
CUTS_USED: Final = 1
TOO_SMALL: Final = 2
BELOW_MINIMUM: Final = 3
REASONS: Final = ("cheapest", "cuts_used_up", "below_share_of_original", "below_venue_minimum")

ADMISSIBLE: Final = 0
NOTHING_TO_ADD: Final = 1
ADVERSE_TREND: Final = 2
ADDS_USED: Final = 3
NO_REENTRY: Final = 4
ADD_REFUSALS: Final = (
    "admissible",
    "nothing_to_add",
    "adverse_trend",
    "adds_used_up",
    "reentry_test_failed",
)

_TIE: Final = 1e-9  # of the cheaper cost: float noise is no preference


class GapRisk(NamedTuple):
    """Jumps past bankruptcy: `per_day` of them beyond `start` (log distance), falling over `scale`.

    The defaults are those of BTC in margin-science 3.11, per side.
    """

    per_day: float = 0.02
    start: float = 0.012
    scale: float = 0.024


class DeriskLimits(NamedTuple):
    """When an add is out of the question, and when cutting is over. `hurdle_day`: quote per quote and day.

    `stop_failure`: probability that a resting stop does not fill when the mark meets it. No study measured
    it; with 0.01 and the gap law the odds are above those counted behind a stop (margin-science 4.3).
    """

    adverse_trend: float = -0.65
    max_cuts: int = 2
    min_share: float = 0.30
    hurdle_day: float = 0.20 / 365.0
    horizon_days: float = 1.0
    gap: GapRisk = GapRisk()
    stop_failure: float = 0.01


class DeriskCase(NamedTuple):
    """What the ladder knows of the position besides its view. Rates are fractions of notional.

    `add_quote`: the add under comparison (0: none). `liquidation_cost_rate`: dead weight of a liquidation;
    `exit_rate`: taker fee and slippage. `edge_day`: what the thesis earns per day (>= 0). `trend`: tau of
    margin-science 3.6, above 0 in the position's favour. `does_reenter`: the signal would enter here now.
    """

    add_quote: float
    liquidation_cost_rate: float
    exit_rate: float
    edge_day: float
    trend: float
    adds_left: int
    does_reenter: bool
    cuts_made: int
    original_quantity: float


class DeriskCosts(NamedTuple):
    """Expected cost of each move over the horizon, quote; inf for an add that is not admissible."""

    hold: float
    add: float
    cut_quarter: float
    cut_half: float
    cut_three_quarters: float
    close: float


class DeriskVerdict(NamedTuple):
    """The choice in codes; `share` is the part of the quantity to close, 0.0 for hold and add."""

    move: int
    reason: int
    add_refusal: int
    share: float
    costs: DeriskCosts


class DeriskChoice(NamedTuple):
    """The verdict on the venue's steps: what is reduced (base), added (quote), and the wallet afterwards."""

    move: int
    reason: int
    reduced: float
    added: float
    wallet: float
    verdict: DeriskVerdict


class DeriskDecision(NamedTuple):
    """`move`: "hold", "add", "cut" or "close". `reduce_quantity` (base, on the step) is reduce-only.

    `add_quote` is what to add, 0.0 unless the move is an add. `target_wallet_quote`: the isolated wallet
    the comparison counted on afterwards (0.0 after a close). `facts` hold every alternative's cost.
    """

    move: str
    reason: str
    add_refusal: str
    reduce_quantity: float
    add_quote: float
    target_wallet_quote: float
    facts: dict[str, Fact]


def derisk(
    view: MarginView, case: DeriskCase, instrument: Instrument, limits: DeriskLimits
) -> DeriskDecision:
    """Return the cheapest move, on the venue's steps; a cut that the venue would refuse is no choice.

    ValueError names a field that is not a number, negative where it cannot be, or a position that is
    already past its liquidation price.
    """
    _check(view, case)
    quantity = view.position.quantity
    choice = settle_derisk(
        view,
        case,
        limits,
        instrument.quantity_step,
        instrument.min_quantity,
        instrument.min_notional_quote,
    )
    verdict, reduced = choice.verdict, choice.reduced
    facts: dict[str, Fact] = {
        **{f"cost_{name}": cost for name, cost in verdict.costs._asdict().items()},
        "share": reduced / quantity,
        "trend": case.trend,
        "adds_left": case.adds_left,
        "cuts_made": case.cuts_made,
        "share_of_original": quantity / case.original_quantity,
    }
    return DeriskDecision(
        MOVES[choice.move],
        REASONS[choice.reason],
        ADD_REFUSALS[verdict.add_refusal],
        reduced,
        choice.added,
        choice.wallet,
        facts,
    )


@compiled
def settle_derisk(
    view: MarginView,
    case: DeriskCase,
    limits: DeriskLimits,
    quantity_step: float,
    min_quantity: float,
    min_notional_quote: float,
) -> DeriskChoice:
    """Return the cheapest move on the venue's steps; a cut that the venue would refuse is no choice."""
    verdict = judge_derisk(view, case, limits)
    quantity, wallet = view.position.quantity, view.position.isolated_wallet
    cut = step_down(verdict.share * quantity, quantity_step)
    move, reason = verdict.move, verdict.reason
    if move == CUT and not _is_tradable(view, min(cut, quantity - cut), min_quantity, min_notional_quote):
        move, reason = cheapest_whole(verdict.costs), BELOW_MINIMUM
    if move == CLOSE:
        return DeriskChoice(move, reason, quantity, 0.0, 0.0, verdict)
    if move == CUT and cut > 0.0:
        left = _after_cut(view, cut / quantity, case.exit_rate).isolated_wallet
        return DeriskChoice(move, reason, cut, 0.0, left, verdict)
    added = case.add_quote if move == ADD else 0.0
    return DeriskChoice(move, reason, 0.0, added, wallet + added, verdict)


@compiled
def judge_derisk(view: MarginView, case: DeriskCase, limits: DeriskLimits) -> DeriskVerdict:
    """Return the cheapest admissible move in codes; on a tie the one that leaves less exposure.

    After `max_cuts` cuts, or below `min_share` of the original quantity, nothing more is cut: close, or
    while a stop rests the cheapest of hold, add and close. Otherwise a cut that would leave less than that
    share is still compared.
    """
    refusal = add_refusal(case, limits)
    costs = derisk_costs(view, case, limits, refusal == ADMISSIBLE)
    if case.cuts_made >= limits.max_cuts:
        return _uncut(view, CUTS_USED, refusal, costs)
    if view.position.quantity < limits.min_share * case.original_quantity:
        return _uncut(view, TOO_SMALL, refusal, costs)
    move, share, best = CLOSE, 1.0, costs.close
    if costs.cut_three_quarters < best - _TIE * best:
        move, share, best = CUT, 0.75, costs.cut_three_quarters
    if costs.cut_half < best - _TIE * best:
        move, share, best = CUT, 0.5, costs.cut_half
    if costs.cut_quarter < best - _TIE * best:
        move, share, best = CUT, 0.25, costs.cut_quarter
    if costs.hold < best - _TIE * best:
        move, share, best = HOLD, 0.0, costs.hold
    if costs.add < best - _TIE * best:
        move, share, best = ADD, 0.0, costs.add
    return DeriskVerdict(move, CHEAPEST, refusal, share, costs)


@compiled
def _uncut(view: MarginView, reason: int, refusal: int, costs: DeriskCosts) -> DeriskVerdict:
    liquidation = liquidation_price(view.position, view.rules)
    move = cheapest_whole(costs) if is_stop_first(view, liquidation) else CLOSE
    return DeriskVerdict(move, reason, refusal, 1.0 if move == CLOSE else 0.0, costs)


@compiled
def cheapest_whole(costs: DeriskCosts) -> int:
    """Return the cheapest move that is no cut; on a tie the one that leaves less exposure."""
    move, best = CLOSE, costs.close
    if costs.hold < best - _TIE * best:
        move, best = HOLD, costs.hold
    if costs.add < best - _TIE * best:
        move, best = ADD, costs.add
    return move


@compiled
def is_stop_first(view: MarginView, liquidation: float) -> bool:
    """Return whether a resting stop lies between the mark and `liquidation`."""
    side, stop = view.position.side, view.stop_price
    return stop > 0.0 and side * (view.mark - stop) > 0.0 and side * (stop - liquidation) > 0.0


@compiled
def add_refusal(case: DeriskCase, limits: DeriskLimits) -> int:
    """Return why an add is not admissible, or ADMISSIBLE; an unknown trend (NaN) admits none."""
    if case.add_quote <= 0.0:
        return NOTHING_TO_ADD
    if not case.trend >= limits.adverse_trend:
        return ADVERSE_TREND
    if case.adds_left <= 0:
        return ADDS_USED
    if not case.does_reenter:
        return NO_REENTRY
    return ADMISSIBLE


@compiled
def derisk_costs(
    view: MarginView, case: DeriskCase, limits: DeriskLimits, is_add_admissible: bool
) -> DeriskCosts:
    """Return the expected cost of every move over the horizon, quote."""
    position = view.position
    waste = case.liquidation_cost_rate * notional(position, view.mark, view.rules)
    hold = waste * _probability(view, position, limits)
    add = math.inf
    if is_add_admissible:
        dearer = limits.hurdle_day * limits.horizon_days + gap_probability(view, limits)
        more = _resized(position, position.quantity, position.isolated_wallet + case.add_quote)
        add = case.add_quote * dearer + waste * _probability(view, more, limits)
    return DeriskCosts(
        hold,
        add,
        _cut_cost(view, case, limits, 0.25),
        _cut_cost(view, case, limits, 0.5),
        _cut_cost(view, case, limits, 0.75),
        _cut_cost(view, case, limits, 1.0),
    )


@compiled
def gap_probability(view: MarginView, limits: DeriskLimits) -> float:
    """Return P(a jump passes bankruptcy within the horizon): what the venue then pays, added margin loses."""
    return _jump_probability(view, bankruptcy_price(view.position, view.rules), limits)


@compiled
def _cut_cost(view: MarginView, case: DeriskCase, limits: DeriskLimits, share: float) -> float:
    value = notional(view.position, view.mark, view.rules)
    cost = share * value * (case.exit_rate + case.edge_day * limits.horizon_days)
    if share < 1.0:
        left = _after_cut(view, share, case.exit_rate)
        waste = case.liquidation_cost_rate * (1.0 - share) * value
        cost += waste * _probability(view, left, limits)
    return cost


@compiled
def _probability(view: MarginView, position: Position, limits: DeriskLimits) -> float:
    """P(liquidation within the horizon): all ways to it, or behind a stop only those that pass the stop."""
    liquidation = liquidation_price(position, view.rules)
    away = _safe_distance(view, liquidation)
    reached = first_passage_student(away, view.sigma_day * math.sqrt(limits.horizon_days))
    if not is_stop_first(view, liquidation):
        return reached
    return min(limits.stop_failure * reached + _jump_probability(view, liquidation, limits), reached)


@compiled
def _jump_probability(view: MarginView, price: float, limits: DeriskLimits) -> float:
    away = _safe_distance(view, price)
    rate = limits.gap.per_day * limits.horizon_days
    return min(rate * math.exp(-(away - limits.gap.start) / limits.gap.scale), 1.0)


@compiled
def _safe_distance(view: MarginView, price: float) -> float:
    """The smaller of the relative and the log distance to `price`; below 0 beyond it."""
    relative = view.position.side * (view.mark - price) / view.mark
    return min(relative, log_distance(view.mark, price))


@compiled
def _after_cut(view: MarginView, share: float, exit_rate: float) -> Position:
    position = view.position
    pnl = unrealised_pnl(position, view.mark, view.rules)
    fee = exit_rate * notional(position, view.mark, view.rules)
    return _resized(
        position, position.quantity * (1.0 - share), position.isolated_wallet + share * (pnl - fee)
    )


@compiled
def _resized(position: Position, quantity: float, wallet: float) -> Position:
    return Position(
        position.symbol,
        position.side,
        quantity,
        position.entry_price,
        wallet,
        position.leverage,
        position.opened_ms,
    )


@compiled
def _is_tradable(view: MarginView, smaller: float, min_quantity: float, min_notional_quote: float) -> bool:
    """Whether the venue takes an order of a cut and lets the rest be closed later; `smaller` of the two."""
    value = smaller / view.mark if view.rules.is_inverse else smaller * view.mark
    return smaller >= min_quantity and value >= min_notional_quote


def _check(view: MarginView, case: DeriskCase) -> None:
    positive = {"mark": view.mark, "sigma_day": view.sigma_day, "original_quantity": case.original_quantity}
    for name, value in positive.items():
        if not 0.0 < value < math.inf:
            raise ValueError(f"{name} is {value!r}; it must be finite and above 0")
    for name in ("add_quote", "liquidation_cost_rate", "exit_rate", "edge_day"):
        value = getattr(case, name)
        if not 0.0 <= value < math.inf:
            raise ValueError(f"{name} is {value!r}; it must be finite and not negative")
    liquidation = liquidation_price(view.position, view.rules)
    if not view.position.side * (view.mark - liquidation) > 0.0:
        raise ValueError(f"mark is {view.mark!r}; the position is past its liquidation price {liquidation!r}")
