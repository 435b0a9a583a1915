"""What carries our prefix and is not in this database: that is an older copy, or another bot lives.

After a restart nobody else is alive: what was opened, and what rests, is ours and is taken over. What another
run orders while we trade shows a second bot on the account. Two are told apart by the run in each client id.
"""

from typing import Final

from bot.core.event import AlertRaised, OrderAccepted, OrderFilled, Reconciled
from bot.core.halt import NO_ENTRY
from bot.core.intent import CancelOrder, Fact
from bot.core.position import Position, side_name
from bot.engine import halts, prior
from bot.engine.desk import Desk
from bot.engine.opening import open_holding
from bot.engine.state import Holding, Market, RestingStop
from bot.ports import OpenOrder
from bot.risk.view import TakeProfit

OWN_POSITION: Final = "own_position"
ANOTHER_BOT: Final = "another_bot"

_NUMBER_AND_LEG: Final = 8  # characters of a client id behind its run


def is_ours(desk: Desk, client_id: str) -> bool:
    """Return whether a bot of this kind of account sent it, whichever run and database it was."""
    return client_id.startswith(desk.outbox.prefix)


def was_opened(desk: Desk, event: OrderFilled) -> bool:
    """Return whether a fill without a holding is of a position of ours; not while another bot lives."""
    return is_ours(desk, event.client_id) and not _is_another(desk, event)


def hear(desk: Desk, event: OrderAccepted | OrderFilled) -> None:
    """Halt entries when a run that this database does not know orders something while we trade."""
    if not _is_another(desk, event):
        return
    message = (
        f"another bot trades on this account: it ordered {event.client_id} ({event.leg} of {event.symbol}), "
        "which is of no run of this database. Two on one account undo each other's stops and margin: stop "
        "one of them"
    )
    halts.latch(desk, NO_ENTRY, ANOTHER_BOT, message, symbol=event.symbol)


def _is_another(desk: Desk, event: OrderAccepted | OrderFilled) -> bool:
    """What was ordered before our first mark may be what the process before us left."""
    if not 0 < desk.began_ms < event.ts_ms or event.leg not in ("entry", "stop", "take_profit"):
        return False
    if isinstance(event, OrderFilled) and event.leg != "entry":
        return False  # it may have rested for long
    return is_ours(desk, event.client_id) and _run(desk, event.client_id) not in desk.state.runs


def _run(desk: Desk, client_id: str) -> str:
    return client_id[len(desk.outbox.prefix) : -_NUMBER_AND_LEG]


def take_back_entries(desk: Desk, orders: tuple[OpenOrder, ...]) -> None:
    """Cancel resting entries of ours that this database knows nothing of: it has no stop for them."""
    for order in orders:
        is_known = order.client_id in desk.state.in_flight or _run(desk, order.client_id) in desk.state.runs
        if order.leg == "entry" and is_ours(desk, order.client_id) and not is_known:
            desk.outbox.intend(CancelOrder(order.symbol, order.client_id), "unknown_entry")


def recognise(desk: Desk, market: Market, actual: Position, orders: tuple[OpenOrder, ...]) -> bool:
    """Take over a position of ours that this database does not know; False when it is not known to be ours.

    Its stop stays what it was. Without one the next mark places one, as for any position that is taken over.
    """
    resting = [order for order in orders if order.is_reduce_only and is_ours(desk, order.client_id)]
    if not resting and not market.foreign_is_ours:
        return False
    market.foreign_is_ours = True
    stops = sorted(
        (order for order in resting if order.leg == "stop"), key=lambda each: actual.side * each.trigger_price
    )
    if not stops:
        return False
    stop = stops[-1]
    _tell_difference(desk, actual, stop)
    agreed_quote = actual.quantity * abs(actual.entry_price - stop.trigger_price)
    holding = open_holding(desk, market, actual, desk.state.now_ms, stop.trigger_price, agreed_quote)
    holding.stop = RestingStop(stop.client_id, stop.trigger_price, stop.quantity)
    holding.unprotected_since_ms = 0
    holding.is_filled = True
    market.foreign, market.foreign_is_ours = None, False
    _tell(desk, holding, stop.trigger_price, is_booked=prior.book(desk, market, holding))
    return True


def know_take_profits(desk: Desk, holding: Holding, orders: tuple[OpenOrder, ...]) -> None:
    """Count resting take-profits of ours that this database does not know: none is placed twice."""
    for order in orders:
        is_new = order.leg == "take_profit" and order.client_id not in holding.take_profits
        if not is_new or not is_ours(desk, order.client_id) or order.client_id in desk.state.in_flight:
            continue
        holding.take_profits[order.client_id] = TakeProfit(order.trigger_price, order.quantity)
        holding.is_filled = True
        facts: dict[str, Fact] = {"believed": None, "venue": order.client_id}
        desk.outbox.note(Reconciled(desk.state.now_ms, order.symbol, "take_profit", facts))


def _tell_difference(desk: Desk, actual: Position, stop: OpenOrder) -> None:
    facts: dict[str, Fact] = {
        "believed": None,
        "venue": str(actual),
        "stop": stop.client_id,
        "trigger_price": stop.trigger_price,
    }
    desk.outbox.note(Reconciled(desk.state.now_ms, actual.symbol, OWN_POSITION, facts))


def _tell(desk: Desk, holding: Holding, stop_price: float, *, is_booked: bool) -> None:
    position = holding.position
    booked = (
        "what it paid and realised before is booked" if is_booked else "what it realised before is not known"
    )
    message = (
        f"{side_name(position.side)} {position.quantity:.10g} {position.symbol} from "
        f"{position.entry_price:.10g} is this bot's own, but not in this database: its orders at the venue "
        "carry our ids. Cause: the database is older than the position, for instance a copy that was put "
        f"back. It is managed from now on, with its stop at {stop_price:.10g}; {booked}."
    )
    desk.state.tally.alerts += 1
    now_ms, owner = desk.state.now_ms, holding.position_id
    desk.outbox.note(AlertRaised(now_ms, position.symbol, owner, "warning", OWN_POSITION, message, {}))
