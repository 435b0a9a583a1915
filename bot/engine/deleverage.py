"""The de-risk ladder at work: where margin is short and may not be added, hold, add, cut or close.

The risk manager weighs; here its answer becomes an intent. After a cut the venue pays the freed share of
the margin out, but the comparison counted on a wallet that stays: so what was paid out is brought back, as
far as the limits let it. Where they do not, or the venue refuses, liquidation is where it was before the
cut, for a smaller position.
"""

import math
from typing import Final

from bot.core.event import OrderFilled, Refused
from bot.core.intent import AddMargin, Fact, Intent, ReducePosition
from bot.core.signal import Signal
from bot.engine import alerts, book_caps
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market
from bot.risk.derisk import DeriskDecision
from bot.risk.derisk_case import Thesis
from bot.risk.view import MarginDecision

DERISK_CUT: Final = "derisk_cut"
DERISK_CLOSE: Final = "derisk_close"
DERISK_ADD: Final = "derisk_add"
BROUGHT_BACK: Final = "derisk_restore"
VOLATILITY_CUT: Final = "volatility_cut"

_CUTS: Final = (DERISK_CUT, DERISK_CLOSE, VOLATILITY_CUT, book_caps.REASON)
_REFUSED_AGAIN_MS: Final = 60_000
_ADVERSE: Final = "adverse_trend"  # the policy's own wish for the ladder: no limit forbade anything


def consult(desk: Desk, market: Market, holding: Holding, held: MarginDecision) -> MarginDecision | None:
    """Return the hold with the ladder's numbers, an add that it prefers, or None: it cuts or closes."""
    symbol, now_ms = market.instrument.symbol, desk.state.now_ms
    if not desk.risk.may_derisk:
        return _told(desk, market, held, "The margin is left as it is: margin.limits.allow_derisk is 0.")
    if now_ms < holding.derisk_again_ms or desk.is_in_flight(symbol, ReducePosition):
        return _told(desk, market, held, "The margin is left as it is: the de-risk ladder has just acted.")
    may_add = holding.does_reenter and not desk.risk.is_allocating  # one wallet has one owner
    thesis = Thesis(may_add, holding.derisk_cuts, holding.kept_share)
    choice = desk.risk.decide_derisk(
        desk.view(market, holding), desk.book(market, holding), thesis, market.instrument
    )
    facts = {**held.facts, **_facts(choice)}
    _told(desk, market, held, _did(choice))
    if choice.move == "hold":
        return held._replace(facts=facts)
    holding.derisk_again_ms = now_ms + desk.risk.derisk_interval_ms
    if choice.move == "add":
        return held._replace(
            action="add",
            target_wallet_quote=choice.target_wallet_quote,
            amount_quote=choice.add_quote,
            reason=DERISK_ADD,
            facts=facts,
        )
    _reduce(desk, market, holding, choice, facts)
    return None


def follow_belief(holding: Holding | None, signal: Signal | None) -> None:
    """Remember whether the strategy's newest belief would enter here again; no belief is no."""
    if holding is not None:
        holding.does_reenter = (
            signal is not None and signal.is_entry and signal.direction == holding.position.side
        )


def on_reduced(desk: Desk, market: Market, event: OrderFilled, intent: Intent | None) -> None:
    """Count a fill of a cut; when a de-risk cut is complete, bring the margin back that it set free."""
    if intent is None or intent.reason not in _CUTS:
        return
    if event.remaining_quantity <= 0.0:
        _count(desk, intent.reason)
    holding = market.holding
    if holding is None or intent.reason == DERISK_CLOSE:
        return
    left = holding.position.quantity
    holding.kept_share *= left / (left + event.quantity)
    if intent.reason == DERISK_CUT and event.remaining_quantity <= 0.0 and not holding.is_closing:
        alerts.clear(market, alerts.CUT_REFUSED)
        _bring_back(desk, market, holding, intent)


def on_refused(desk: Desk, market: Market, event: Refused, intent: Intent) -> None:
    """A cut that the venue did not take is none: it does not count, and is weighed again a minute later."""
    holding = market.holding
    if holding is None or intent.reason not in (DERISK_CUT, DERISK_CLOSE):
        return
    if intent.reason == DERISK_CUT:
        holding.derisk_cuts -= 1
    holding.derisk_again_ms = event.ts_ms + _REFUSED_AGAIN_MS
    holding.wake()
    alerts.cut_refused(desk, market, holding, event)


def _told(desk: Desk, market: Market, held: MarginDecision, did: str) -> MarginDecision:
    if held.reason != _ADVERSE:
        alerts.add_forbidden(desk, market, held, did)
    return held


def _reduce(
    desk: Desk, market: Market, holding: Holding, choice: DeriskDecision, facts: dict[str, Fact]
) -> None:
    symbol, side = market.instrument.symbol, holding.position.side
    if choice.move == "close":
        holding.is_closing = True
        desk.outbox.intend(ReducePosition(symbol, side, 0.0), DERISK_CLOSE, facts)
        return
    holding.derisk_cuts += 1
    desk.outbox.intend(ReducePosition(symbol, side, choice.reduce_quantity), DERISK_CUT, facts)


def _bring_back(desk: Desk, market: Market, holding: Holding, intent: Intent) -> None:
    if desk.risk.is_allocating:
        holding.solved_probability = -1.0  # the book is split anew, as for a new position
        return
    wanted = intent.facts["derisk_wallet_quote"]
    if not isinstance(wanted, float) or desk.is_blind(market):
        return
    before = holding.position.isolated_wallet
    target = desk.risk.restored_wallet(desk.view(market, holding), desk.book(market, holding), wanted)
    if target <= max(before, 0.0):
        return
    facts = {"derisk_wallet_quote": wanted, **desk.risk_before(market, holding)}
    desk.outbox.intend(AddMargin(market.instrument.symbol, target), BROUGHT_BACK, facts)


def _count(desk: Desk, reason: str) -> None:
    tally = desk.state.tally
    if reason == DERISK_CUT:
        tally.derisk_cuts += 1
    elif reason == DERISK_CLOSE:
        tally.derisk_closes += 1
    elif reason == VOLATILITY_CUT:
        tally.volatility_cuts += 1


def _facts(choice: DeriskDecision) -> dict[str, Fact]:
    known = {
        "move": choice.move,
        "reason": choice.reason,
        "add_refusal": choice.add_refusal,
        "wallet_quote": choice.target_wallet_quote,
        **choice.facts,
    }
    return {f"derisk_{name}": _finite(value) for name, value in known.items()}


def _finite(value: Fact) -> Fact:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _did(choice: DeriskDecision) -> str:
    costs = ", ".join(
        f"{name.removeprefix('cost_').replace('_', ' ')} {value:.2f}"
        for name, value in choice.facts.items()
        if name.startswith("cost_") and isinstance(value, float) and math.isfinite(value)
    )
    done = {
        "hold": "The margin is left as it is",
        "add": f"{choice.add_quote:.2f} is added all the same",
        "cut": f"{choice.reduce_quantity:.10g} of it is closed, and the freed margin is brought back",
        "close": "It is closed",
    }[choice.move]
    return f"{done} ({choice.reason}; expected cost: {costs})."
