"""Margin moves: ask the risk manager when a rung is touched, send the target, record before and after."""

from bot.core.event import MarginAdjusted, MarginHeld, MarginMoved, PositionRisk, Reconciled, Refused
from bot.core.instrument import quantity_down
from bot.core.intent import AddMargin, Fact, Intent, PlaceStop, ReducePosition, ReleaseMargin
from bot.engine import alerts, allocation, by_hand, deleverage, halts
from bot.engine.desk import Desk
from bot.engine.state import NEVER_MS, Holding, Market
from bot.risk.regime import REGIMES, RegimeState, next_regime
from bot.risk.view import MarginDecision

_SECOND_LOOK_MS = 60_000
_ACTED_ON = ("add", "release", "trail")
_NOT_OF_THE_BUDGET = (deleverage.BROUGHT_BACK, by_hand.REASON)
REDUCING = "reducing"


def reconsider(desk: Desk, market: Market, holding: Holding) -> None:
    """Add, release, cut, close or hold; then lay the ladder anew so that quiet marks cost nothing."""
    symbol = market.instrument.symbol
    if not holding.is_filled or desk.is_in_flight(symbol, PlaceStop, AddMargin, ReleaseMargin):
        return
    held = None
    if market.fault:
        alerts.unusable(desk, market, holding, market.fault, {})
    elif desk.is_blind(market):
        alerts.stale(desk, market, holding)
    elif desk.state.now_ms >= holding.margin_again_ms:
        liquidation = market.liquidation_price(holding.position)
        decision = desk.risk.decide_margin(
            desk.view(market, holding), desk.book(market, holding), liquidation
        )
        alerts.on_decision(desk, market, holding, decision)
        if decision.cut_fraction > 0.0 and _cut(desk, market, holding, decision):
            return
        if decision.wants_derisk:
            decision = deleverage.consult(desk, market, holding, decision)
            if decision is None:
                return
        is_free = halts.may_release(desk.state)
        if decision.action == "release" and (why := _why_kept(desk, symbol)):
            decision = decision._replace(action="hold", reason=why)
        # A split releases; while nothing may be released, each position's own policy still adds.
        if desk.risk.is_allocating and is_free:
            allocation.consider(desk, market, holding, wants_add=decision.action == "add")
        elif decision.action != "hold":
            _move(desk, market, holding, decision)
            return
        held = decision if decision.action == "hold" else None
    lay_ladder(desk, market, holding, held)


def _why_kept(desk: Desk, symbol: str) -> str:
    """Return why nothing may be released now, whatever the position asks for; "" where it may."""
    if not halts.may_release(desk.state):
        return halts.HALTED
    if by_hand.is_left_alone(desk.state, symbol):
        return by_hand.REASON
    # What is left when a part has been closed needs another wallet, and gets it as soon as that is told.
    return REDUCING if desk.is_in_flight(symbol, ReducePosition) else ""


def follow_regime(desk: Desk, market: Market, holding: Holding) -> None:
    """Let the position's regime follow the newest estimates; asked once per closed candle."""
    before = RegimeState(holding.position.side, holding.regime, holding.regime_since_ms)
    after = next_regime(before, market.estimates, desk.state.now_ms)
    holding.regime, holding.regime_since_ms = after.regime, after.since_ms


def lay_ladder(desk: Desk, market: Market, holding: Holding, held: MarginDecision | None) -> None:
    """Compute the rungs and how long the engine may sleep.

    A rung that is touched but held (cooldown, budget, a refusal) is looked at again after its
    cooldown, or after half a typical hourly move, or at the next rung. A trailing stop that is due,
    and prices that were missing, are looked at again at the next mark.
    """
    ladder = desk.risk.ladder(
        desk.view(market, holding),
        tuple(holding.take_profits.values()),
        holding.best_mark,
        holding.initial_stop,
    )
    holding.rungs = ladder.rungs
    holding.sleep_low, holding.sleep_high = ladder.sleep_low, ladder.sleep_high
    holding.recheck_at_ms = NEVER_MS
    if desk.risk.is_allocating:
        allocation.narrow_sleep(desk, market, holding)
    if holding.sleep_low < market.mark < holding.sleep_high:
        holding.last_hold_reason = ""
        return
    _doze(market, holding)
    holding.recheck_at_ms = _second_look_ms(desk, holding, held)
    if desk.is_blind(market) or _is_trail_due(holding):
        holding.wake()
    _note_hold(desk, market, holding, held)


def on_adjusted(desk: Desk, market: Market, event: MarginAdjusted, intent: Intent) -> None:
    """Book a completed move with the risk before and after it."""
    holding = market.holding
    if holding is None:
        return
    holding.position = event.position
    amount, tally = event.amount_quote, desk.state.tally
    if amount > 0.0:
        holding.added_quote += amount
        if intent.reason in _NOT_OF_THE_BUDGET:
            holding.restored_quote += amount
        else:
            holding.adds += 1
        alerts.clear(market, alerts.ADD_REFUSED)
        holding.last_add_ms = event.ts_ms
        tally.margin_adds += 1
        tally.margin_added += amount
    else:
        holding.released_quote -= amount
        holding.last_release_ms = event.ts_ms
        tally.margin_releases += 1
        tally.margin_released -= amount
    if intent.reason == by_hand.REASON:
        holding.gain(by_hand_quote=amount)
    holding.wake()
    after = desk.risk.risk_of(desk.view(market, holding))
    desk.outbox.note(
        MarginMoved(
            event.ts_ms,
            event.symbol,
            holding.position_id,
            event.client_id,
            amount,
            desk.risk.policy,
            intent.reason,
            _risk_from(intent),
            after,
        )
    )


def on_moved_by_hand(desk: Desk, market: Market, event: MarginAdjusted) -> None:
    """Somebody else moved the position's margin: what the venue holds is what counts."""
    holding = market.holding
    if holding is None:
        return
    facts: dict[str, Fact] = {
        "believed": holding.position.isolated_wallet,
        "venue": event.position.isolated_wallet,
        "amount_quote": event.amount_quote,
    }
    desk.outbox.note(Reconciled(event.ts_ms, event.symbol, "margin", facts))
    holding.gain(by_hand_quote=event.amount_quote)
    holding.position = event.position
    holding.wake()


def on_refused(desk: Desk, market: Market, event: Refused, intent: Intent) -> None:
    """The venue's word is final for now: look again after a minute, unless a person had wanted it."""
    holding = market.holding
    if holding is None:
        return
    holding.wake()
    if intent.reason == by_hand.REASON:
        return
    holding.margin_again_ms = event.ts_ms + _SECOND_LOOK_MS
    if isinstance(intent.action, AddMargin):
        alerts.add_refused(desk, market, holding, event, holding.margin_again_ms)
    _note(desk, market, holding, f"refused:{event.code}", {"message": event.message})


def _move(desk: Desk, market: Market, holding: Holding, decision: MarginDecision) -> None:
    kind = AddMargin if decision.action == "add" else ReleaseMargin
    facts = {**decision.facts, **desk.risk_before(market, holding)}
    desk.outbox.intend(kind(market.instrument.symbol, decision.target_wallet_quote), decision.reason, facts)


def _cut(desk: Desk, market: Market, holding: Holding, decision: MarginDecision) -> bool:
    """Close a share of the position, reduce-only; return whether it is large enough to be cut."""
    instrument, position = market.instrument, holding.position
    if desk.is_in_flight(instrument.symbol, ReducePosition):
        return True
    quantity = quantity_down(position.quantity * decision.cut_fraction, instrument)
    rest = min(quantity, position.quantity - quantity)
    if rest < instrument.min_quantity or rest * market.mark < instrument.min_notional_quote:
        return False
    holding.cuts += 1
    holding.last_cut_ms = desk.state.now_ms
    facts = {**decision.facts, "regime": REGIMES[holding.regime]}
    desk.outbox.intend(
        ReducePosition(instrument.symbol, position.side, quantity), deleverage.VOLATILITY_CUT, facts
    )
    return True


def _risk_from(intent: Intent) -> PositionRisk:
    # An intent of an older database lacks the figures that PositionRisk got later.
    values = ((name, intent.facts.get(f"before_{name}")) for name in PositionRisk._fields)
    return PositionRisk(**{name: float(value) for name, value in values if value is not None})


def _doze(market: Market, holding: Holding) -> None:
    half_move = 0.5 * market.sigma_day / 24.0**0.5 * market.mark
    prices = [rung.price for rung in holding.rungs if rung.kind in _ACTED_ON]
    holding.sleep_low = max([market.mark - half_move, *(p for p in prices if p < market.mark)])
    holding.sleep_high = min([market.mark + half_move, *(p for p in prices if p > market.mark)])


def _is_trail_due(holding: Holding) -> bool:
    side = holding.position.side
    return any(
        rung.kind == "trail" and side * (holding.best_mark - rung.price) >= 0.0 for rung in holding.rungs
    )


def _second_look_ms(desk: Desk, holding: Holding, held: MarginDecision | None) -> int:
    now_ms = desk.state.now_ms
    if now_ms < holding.margin_again_ms:
        return holding.margin_again_ms
    if held is not None and held.retry_at_ms > now_ms:
        return held.retry_at_ms
    return now_ms + _SECOND_LOOK_MS


def _note_hold(desk: Desk, market: Market, holding: Holding, held: MarginDecision | None) -> None:
    if held is not None:
        _note(desk, market, holding, held.reason, dict(held.facts))


def _note(desk: Desk, market: Market, holding: Holding, reason: str, facts: dict) -> None:
    if reason == holding.last_hold_reason:
        return
    holding.last_hold_reason = reason
    symbol, now_ms = market.instrument.symbol, desk.state.now_ms
    desk.outbox.note(MarginHeld(now_ms, symbol, holding.position_id, desk.risk.policy, reason, facts))
