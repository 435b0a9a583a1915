"""I23 MONEY: what fills, fees, funding and liquidations explain is what the account gained or lost.

Looked at when a fill, funding or liquidation leaves nothing held and nothing on its way: only these tell the
free balance, of which orders on their way have taken a part. A residual halts nothing, because a person may
pay in and out. It is told, and counted from anew.
"""

from typing import Final

from bot.core.event import AlertRaised, Event, FundingSettled, Liquidated, OrderFilled, Reconciled
from bot.core.intent import Fact
from bot.engine.desk import Desk
from bot.engine.state import State

MONEY: Final = "money"
_MONEY: Final = (OrderFilled, FundingSettled, Liquidated)
_MOST_QUOTE: Final = 1e-6
_MOST_FRACTION: Final = 1e-9


def follow(desk: Desk, event: Event) -> None:
    """Book what an event explains; at rest, tell what nothing explains."""
    witness, state = desk.witness, desk.state
    if witness.explained_quote is not None:
        witness.explained_quote += _explained(event)
    if not isinstance(event, _MONEY) or not _is_at_rest(state):
        return
    equity = state.free_quote
    if witness.explained_quote is not None:
        residual = equity - witness.explained_quote
        if not abs(residual) <= _MOST_QUOTE + _MOST_FRACTION * abs(equity):
            _tell(desk, equity, residual)
    witness.explained_quote = equity


def _explained(event: Event) -> float:
    if isinstance(event, OrderFilled):
        return event.realised_pnl_quote - event.fee_quote
    if isinstance(event, FundingSettled):
        return event.amount_quote
    return -event.loss_quote if isinstance(event, Liquidated) else 0.0


def _is_at_rest(state: State) -> bool:
    return not state.in_flight and all(
        market.holding is None and market.entry is None and market.foreign is None
        for market in state.markets.values()
    )


def _tell(desk: Desk, equity: float, residual: float) -> None:
    state = desk.state
    state.tally.alerts += 1
    facts: dict[str, Fact] = {"equity_quote": equity, "residual_quote": residual}
    message = (
        f"the account holds {equity:.2f}, {residual:+.8f} more than trades, fees and funding explain. If "
        "nobody paid in or out and no other program trades here, compare the journal with the exchange's "
        "statement. Nothing is halted; from now on it is counted from what the account holds."
    )
    desk.outbox.note(Reconciled(state.now_ms, "", MONEY, facts))
    desk.outbox.note(AlertRaised(state.now_ms, "", 0, "warning", MONEY, message, facts))
