"""One margin budget over all positions: split it when it is due, release first, add when that is done.

While it governs, the policies say between which wallets a position may lie, and no policy moves margin on
its own: two owners of one wallet would undo each other's moves. Source: margin-science 3.8.
"""

from collections.abc import Iterator
from typing import Final

from bot.core.event import AlertRaised, BookRebalanced
from bot.core.intent import AddMargin, Fact, PlaceStop, ReducePosition, ReleaseMargin
from bot.core.margin import distance, mark_at_distance
from bot.core.probability import distance_for_probability, first_passage_student
from bot.core.steps import step_down
from bot.engine import by_hand
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market
from bot.risk.book import BookLeg, BookPlan
from bot.risk.inputs import InvalidInput
from bot.risk.rebalance import MarginMove, moves_after_failure

REASON: Final = "allocation"
_URGENT: Final = ("risk_doubled", "below_band")  # the others wait until every price is fresh
_LOOK_AGAIN_MS: Final = 1_000
_AGAIN_MS: Final = 10_000  # a whole book is not computed anew at every mark of a crash
_LAPSED_MS: Final = 60_000  # adds of a plan that waited longer were decided on another market
_NEVER: Final = 1e-12  # a probability whose double means nothing


def consider(desk: Desk, market: Market, holding: Holding, *, wants_add: bool) -> None:
    """Split the budget anew if this position, which is looked at now, or the time says so.

    `wants_add`: it lies below its policy's band.
    """
    state, rebalance = desk.state, desk.state.rebalance
    _forget_lost(desk)
    if rebalance.waiting or state.now_ms < rebalance.tried_ms + _AGAIN_MS:
        return
    cause = _cause(desk, market, holding, wants_add)
    if cause in _URGENT or (cause and not _is_any_blind(desk)):
        rebalance.tried_ms = state.now_ms
        split(desk, cause)


def on_outcome(desk: Desk, client_id: str, *, is_done: bool) -> None:
    """A move was made or refused: with the last release come the adds, without those it was to pay for."""
    rebalance = desk.state.rebalance
    symbol = rebalance.waiting.pop(client_id, None)
    if symbol is None:
        return
    market = desk.state.markets[symbol]
    if is_done and market.holding is not None:
        market.holding.solved_probability = _probability(desk, market, market.holding)
    if not is_done and rebalance.adds:
        _abort(desk, symbol)
    if not rebalance.waiting:
        _send_adds(desk)
    if not rebalance.waiting and rebalance.solved_ms == rebalance.tried_ms:
        rebalance.solved_ms = rebalance.tried_ms = desk.state.now_ms


def narrow_sleep(desk: Desk, market: Market, holding: Holding) -> None:
    """Wake also where liquidation is twice as likely as at the last split, and after the interval."""
    rebalance = desk.state.rebalance
    alarm = _alarm(desk, market, holding)
    if alarm > 0.0 and holding.position.side > 0:
        holding.sleep_low = max(holding.sleep_low, alarm)
    elif alarm > 0.0:
        holding.sleep_high = min(holding.sleep_high, alarm)
    is_new = holding.solved_probability < 0.0
    due_ms = 0 if is_new else rebalance.solved_ms + desk.risk.allocation.interval_ms
    holding.recheck_at_ms = max(due_ms, rebalance.tried_ms + _AGAIN_MS, desk.state.now_ms + _LOOK_AGAIN_MS)


def _cause(desk: Desk, market: Market, holding: Holding, wants_add: bool) -> str:
    if holding.solved_probability < 0.0:
        return "new_position"
    if desk.state.now_ms >= desk.state.rebalance.solved_ms + desk.risk.allocation.interval_ms:
        return "interval"
    if _probability(desk, market, holding) > max(2.0 * holding.solved_probability, _NEVER):
        return "risk_doubled"
    return "below_band" if wants_add else ""


def split(desk: Desk, cause: str) -> None:
    """Split the budget over every position that can be moved now, and begin what follows from it."""
    state, rebalance = desk.state, desk.state.rebalance
    equity = state.equity_quote()
    try:
        legs, held = _legs(desk, equity)
        budget = desk.risk.allocation.budget_fraction * equity - held - _entering_quote(desk)
        if held > 0.0:  # no position gives margin away for one that cannot be moved now
            budget = max(budget, sum(leg.wallet_quote for leg in legs))
        plan = desk.risk.plan_book(legs, budget, _spendable_quote(desk, equity))
    except InvalidInput as error:
        _hold(desk, "no_split", str(error))
        return
    rebalance.held_reason = ""
    if held == 0.0 or cause == "interval":  # else the positions left out are not put off for an interval
        rebalance.solved_ms = state.now_ms
    _remember(desk, legs)
    if plan.moves:
        _start(desk, cause, budget, plan)


def _legs(desk: Desk, equity: float) -> tuple[list[BookLeg], float]:
    """The positions whose margin may be moved now, and what the others hold (quote)."""
    legs, held = [], 0.0
    for market, holding in _holdings(desk):
        if _is_movable(desk, market, holding):
            view, book = desk.view(market, holding), desk.state.book_of(market, holding, equity)
            legs.append(desk.risk.book_leg(view, book, market.liquidation_price(holding.position)))
        else:
            held += holding.position.isolated_wallet
    return legs, held


def _start(desk: Desk, cause: str, budget: float, plan: BookPlan) -> None:
    state = desk.state
    facts: dict[str, Fact] = {}
    for move in plan.moves:
        holding = state.markets[move.symbol].holding
        if holding is not None:
            wallet = holding.position.isolated_wallet
            facts[f"{move.symbol} wallet"] = wallet
            facts[f"{move.symbol} target"] = wallet + _signed(move)
            facts[f"{move.symbol} probability"] = holding.solved_probability
    desk.outbox.note(
        BookRebalanced(
            state.now_ms,
            "",
            cause,
            budget,
            plan.wallets_quote,
            plan.target_quote,
            plan.loss_before_quote,
            plan.loss_after_quote,
            plan.shadow_price,
            facts,
        )
    )
    state.rebalance.adds = tuple(move for move in plan.moves if move.kind == "add")
    for move in plan.moves:
        if move.kind == "release":
            _send(desk, move)
    if not state.rebalance.waiting:
        _send_adds(desk)


def _send_adds(desk: Desk) -> None:
    """Send what the releases have paid for, never more than is free beyond the reserve now."""
    rebalance = desk.state.rebalance
    adds, rebalance.adds = rebalance.adds, ()
    if adds and desk.state.now_ms > rebalance.tried_ms + _LAPSED_MS:
        _hold(desk, "plan_lapsed", f"{len(adds)} adds were not made: the releases took too long")
        return
    free = _spendable_quote(desk, desk.state.equity_quote())
    for move in adds:
        market = desk.state.markets[move.symbol]
        amount = min(move.amount_quote, step_down(free, market.instrument.margin_step_quote))
        if market.holding is not None and amount > 0.0 and _is_movable(desk, market, market.holding):
            free -= amount
            _send(desk, move._replace(amount_quote=amount))


def _send(desk: Desk, move: MarginMove) -> None:
    market = desk.state.markets[move.symbol]
    holding = market.holding
    if holding is None:
        return
    kind = AddMargin if move.kind == "add" else ReleaseMargin
    liquidation = market.liquidation_price(holding.position)
    before = desk.risk.risk_at(desk.view(market, holding), liquidation)._asdict()
    facts: dict[str, Fact] = {f"before_{name}": value for name, value in before.items()}
    facts["paid_by"] = ", ".join(move.paid_by)
    action = kind(move.symbol, holding.position.isolated_wallet + _signed(move))
    intent = desk.outbox.intend(action, REASON, facts)
    desk.state.rebalance.waiting[intent.client_id] = move.symbol


def _signed(move: MarginMove) -> float:
    return move.amount_quote if move.kind == "add" else -move.amount_quote


def _abort(desk: Desk, failed: str) -> None:
    rebalance = desk.state.rebalance
    left = moves_after_failure(rebalance.adds, failed)
    dropped = [move.symbol for move in rebalance.adds if move not in left]
    rebalance.adds = left
    if dropped:
        _hold(desk, "release_failed", f"no release of {failed}, so nothing is added to {', '.join(dropped)}")


def _forget_lost(desk: Desk) -> None:
    """A move that is no longer in flight and had no outcome (a restart settled it) did not happen."""
    lost = [key for key in desk.state.rebalance.waiting if key not in desk.state.in_flight]
    for client_id in lost:
        on_outcome(desk, client_id, is_done=False)


def _hold(desk: Desk, reason: str, message: str) -> None:
    """Raise an alert that says why margin stays where it is, once for each reason."""
    rebalance = desk.state.rebalance
    if rebalance.held_reason != reason:
        rebalance.held_reason = reason
        desk.state.tally.alerts += 1
        words = f"the margin of the book is held: {message}. Stops stay at the venue."
        desk.outbox.note(AlertRaised(desk.state.now_ms, "", 0, "warning", reason, words, {}))


def _holdings(desk: Desk) -> Iterator[tuple[Market, Holding]]:
    for market in desk.state.markets.values():
        if market.holding is not None:
            yield market, market.holding


def _is_any_blind(desk: Desk) -> bool:
    return any(desk.is_blind(market) for market, _ in _holdings(desk))


def _is_movable(desk: Desk, market: Market, holding: Holding) -> bool:
    """Whether the margin of this position may be moved at all now; else it is held and only counted."""
    if not holding.is_filled or holding.is_closing or market.fault or desk.is_blind(market):
        return False
    if desk.state.now_ms < holding.margin_again_ms:
        return False
    if by_hand.is_left_alone(desk.state, market.instrument.symbol):
        return False
    kinds = (PlaceStop, AddMargin, ReleaseMargin, ReducePosition)
    if desk.is_in_flight(market.instrument.symbol, *kinds):
        return False
    side, liquidation = holding.position.side, market.liquidation_price(holding.position)
    return side * (market.mark - liquidation) > 0.0


def _entering_quote(desk: Desk) -> float:
    """Margin that entries on their way will take."""
    return sum(
        market.entry.plan.required_margin_quote
        for market in desk.state.markets.values()
        if market.entry is not None and market.holding is None
    )


def _spendable_quote(desk: Desk, equity: float) -> float:
    free = desk.state.free_quote - _entering_quote(desk) - desk.risk.reserve_quote(equity)
    return max(free, 0.0)


def _remember(desk: Desk, legs: list[BookLeg]) -> None:
    for leg in legs:
        market = desk.state.markets[leg.symbol]
        if market.holding is not None:
            market.holding.solved_probability = _probability(desk, market, market.holding)


def _probability(desk: Desk, market: Market, holding: Holding) -> float:
    """P(liquidated within the allocator's horizon) at the mark, as the allocator counts it."""
    liquidation = market.liquidation_price(holding.position)
    away = distance(holding.position.side, market.mark, liquidation)
    return first_passage_student(away, _sigma(desk, market))


def _sigma(desk: Desk, market: Market) -> float:
    return market.sigma_day * desk.risk.allocation.horizon_days**0.5


def _alarm(desk: Desk, market: Market, holding: Holding) -> float:
    """The mark at which liquidation is twice as likely as at the last split; 0.0 for none."""
    doubled = 2.0 * holding.solved_probability
    if not _NEVER < doubled < 1.0:
        return 0.0
    away = distance_for_probability(doubled, _sigma(desk, market))
    return mark_at_distance(holding.position.side, market.liquidation_price(holding.position), away)
