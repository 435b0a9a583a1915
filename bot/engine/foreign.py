"""A position that this database did not open: halted for, left alone or taken over, as the user set it.

Nothing is ever entered beside it. Source: reliability study, F45 and invariant I13.
"""

import math
from typing import Final

from bot.core.event import AlertRaised, Reconciled, Severity
from bot.core.halt import NO_ENTRY
from bot.core.intent import Fact
from bot.core.position import Position, side_name
from bot.engine import halts, prior
from bot.engine.desk import Desk
from bot.engine.opening import open_holding
from bot.engine.protection import protect
from bot.engine.state import Market
from bot.ports import OpenOrder
from bot.risk.limits import ADOPT, HALT
from bot.risk.trailing import on_tick_toward_mark

FOREIGN_POSITION: Final = "foreign_position"
ADOPTED: Final = "adopted"


def seen(
    desk: Desk,
    market: Market,
    actual: Position | None,
    orders: tuple[OpenOrder, ...] | None = None,
    *,
    is_ours: bool = False,
) -> None:
    """Take note of what somebody else holds in the symbol now; told once, and again after it was closed.

    `orders`: what rests in the symbol, where it was read. `is_ours`: its client ids are, though not this
    database's. It is taken over and halts nothing.
    """
    before, market.foreign = market.foreign, actual
    market.foreign_is_ours = actual is not None and (is_ours or market.foreign_is_ours)
    if (before is None) == (actual is None):
        return
    facts: dict[str, Fact] = {"believed": before and str(before), "venue": actual and str(actual)}
    desk.outbox.note(Reconciled(desk.state.now_ms, market.instrument.symbol, FOREIGN_POSITION, facts))
    if actual is None or market.foreign_is_ours:
        return
    message = f"{_sized(actual)} was not opened by this database; {_stop_words(actual, orders)}"
    if desk.foreign.treatment == HALT:
        _tell(desk, market, FOREIGN_POSITION, f"{message}. Protect it or close it at the venue.", "critical")
        _halt(desk, actual.symbol, f"{_named(actual)} was not opened by this database: close it at the venue")
        return
    rest = "It is taken over with the next mark." if desk.foreign.treatment == ADOPT else "It is left alone."
    _tell(desk, market, FOREIGN_POSITION, f"{message}. {rest} Nothing is entered beside it.", "critical")


def checks(market: Market) -> tuple[str, ...]:
    """Return why nothing may be entered in the symbol; empty when nobody else holds anything there."""
    if market.foreign is None:
        return ()
    return (f"{market.foreign.symbol} has a position that this database did not open",)


def is_due(desk: Desk, market: Market) -> bool:
    """Return whether a position waits to be taken over; its stop needs a mark of now."""
    if market.foreign is None or market.holding is not None or desk.is_blind(market):
        return False
    return market.foreign_is_ours or desk.foreign.treatment == ADOPT


def adopt(desk: Desk, market: Market) -> None:
    """Take the position over: protect it at once and manage it from now on as if the bot had opened it.

    The stop goes between mark and liquidation price. No take-profits are placed: R was never agreed.
    """
    position = market.foreign
    if position is None:
        return
    stop_price, is_ours = _stop_price(desk, market, position), market.foreign_is_ours
    market.foreign, market.foreign_is_ours = None, False
    agreed_quote = position.quantity * abs(market.mark - stop_price)
    holding = open_holding(desk, market, position, desk.state.now_ms, stop_price, agreed_quote)
    holding.is_filled = True
    holding.best_mark = market.mark
    if is_ours:  # what a stranger's position paid and realised before is the stranger's
        prior.book(desk, market, holding)
    protect(desk, market, holding, stop_price, ADOPTED)
    said = (
        f"{_sized(position)} was not opened by this database and is managed from now on, with a "
        f"stop at {stop_price:.10g}."
    )
    _tell(desk, market, ADOPTED, said)


def _named(position: Position) -> str:
    return f"{position.symbol}, {_sized(position)},"


def _sized(position: Position) -> str:
    return f"{side_name(position.side)} {position.quantity:.10g} from {position.entry_price:.10g}"


def _stop_words(position: Position, orders: tuple[OpenOrder, ...] | None) -> str:
    if orders is None:
        return "whether a stop rests for it was not looked at"
    stops = [order.trigger_price for order in orders if order.leg == "stop"]
    if not stops:
        return "no stop rests for it"
    nearest = max(stops) if position.side > 0 else min(stops)
    return f"its stop rests at {nearest:.10g}"


def _stop_price(desk: Desk, market: Market, position: Position) -> float:
    liquidation = market.liquidation_price(position)
    away = min(abs(market.mark - liquidation), market.mark) if math.isfinite(liquidation) else market.mark
    price = market.mark - position.side * desk.foreign.stop_fraction * away
    return on_tick_toward_mark(position.side, price, market.instrument.tick_size)


def _halt(desk: Desk, symbol: str, message: str) -> None:
    known = desk.state.halts.pop(FOREIGN_POSITION, None)
    said = message if known is None else f"{known.message}; {message}"
    halts.latch(desk, NO_ENTRY, FOREIGN_POSITION, said, symbol=symbol)


def _tell(desk: Desk, market: Market, cause: str, message: str, severity: Severity = "warning") -> None:
    desk.state.tally.alerts += 1
    owner = market.holding.position_id if market.holding is not None else 0
    symbol = market.instrument.symbol
    desk.outbox.note(AlertRaised(desk.state.now_ms, symbol, owner, severity, cause, message, {}))
