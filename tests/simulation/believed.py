"""The end of a world: what the engine believes, by its last checkpoint, must be what the exchange holds.

The tables are written from events; the checkpoint is what the next start goes on from, and what margin,
stops and exits were decided on until then.
"""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.core.position import Position
from bot.engine.foreign import FOREIGN_POSITION
from tests.simulation.books import books_id
from tests.simulation.storage import rows

if TYPE_CHECKING:
    from tests.simulation.world import World

_RELATIVE: Final = 1e-9
_MONEY: Final = 1e-6
_EXITS: Final = ("stop", "trailing", "take_profit")


def compare_beliefs(world: "World", database: Path, undecided: Collection[str] = ()) -> list[str]:
    """Return every difference in words; none is right."""
    checkpoint = rows(database, "SELECT engine FROM checkpoint")
    if not checkpoint:
        return []
    state = json.loads(checkpoint[0][0])
    working = _closing(world)
    found = list(_unfinished(database, state, working))
    for symbol, market in state["markets"].items():
        held, holding = world.exchange.venue.state.positions.get(symbol), market["holding"]
        if holding is None and held is not None:
            found += _foreign(state, symbol)
        elif holding is not None and "positions" not in undecided:
            found += _position(symbol, held, holding, is_closing=symbol in working.values())
        if holding is not None and held is not None:
            found += _orders(world, symbol, holding)
    return found


def _closing(world: "World") -> dict[str, str]:
    """Return the symbols of market orders that still work at the exchange, by id: its market stands still."""
    orders, embedded = world.exchange.venue.state.orders, world.exchange.embedded
    return {
        books_id(embedded, order.client_id): symbol
        for symbol in world.symbols
        for order in orders.of(symbol)
        if order.leg not in _EXITS
    }


def _unfinished(database: Path, state: dict[str, Any], working: Collection[str]) -> Iterator[str]:
    """What was asked for has an end, long after the last fault."""
    open_ones = rows(database, "SELECT client_id FROM intent WHERE status IN ('pending', 'unknown')")
    if open_ones:
        yield f"intents: {[row[0] for row in open_ones]} have no end"
    under_way = sorted(set(state["in_flight"]).difference(working))
    if under_way:
        yield f"intents: {under_way} are believed to be on their way"


def _foreign(state: dict[str, Any], symbol: str) -> Iterator[str]:
    halt = state["halts"].get(FOREIGN_POSITION)
    if halt is None or symbol not in halt[1]:
        yield f"foreign: {symbol} is held, the engine does not believe it and has halted nothing"


def _position(
    symbol: str, held: Position | None, holding: dict[str, Any], *, is_closing: bool
) -> Iterator[str]:
    believed = Position(*holding["position"])
    if held is None:
        yield f"beliefs: {symbol} is flat, the engine believes {believed}"
        return
    quantity = abs(believed.side * believed.quantity - held.side * held.quantity)
    wallet = abs(believed.isolated_wallet - held.isolated_wallet)
    if quantity > _RELATIVE * held.quantity or wallet > _MONEY:
        yield f"beliefs: {symbol} is {held}, the engine believes {believed}"
    if holding["is_closing"] and not is_closing:
        yield f"beliefs: {symbol} is held, the engine believes that it is being closed"


def _orders(world: "World", symbol: str, holding: dict[str, Any]) -> Iterator[str]:
    believed = set(holding["take_profits"])
    if holding["stop"] is not None:
        believed.add(holding["stop"]["client_id"])
    orders = [order for order in world.exchange.venue.state.orders.of(symbol) if order.leg in _EXITS]
    resting = {books_id(world.exchange.embedded, order.client_id) for order in orders}
    # A cancellation that the venue refused against the truth leaves an order that only the next start sees.
    if believed - resting or (resting != believed and not world.fired):
        yield f"beliefs: {sorted(resting)} rest in {symbol}, the engine believes in {sorted(believed)}"
