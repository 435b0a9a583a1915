"""Places a stop far from the market and cancels it at once, to see that it can be done."""

from typing import Any, Final

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.errors import OutcomeUnknown
from bot.exchange.dialect import AccountDialect
from bot.exchange.dialects.requests import sent
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.rows import NewOrder, VenueOrder

_FAR: Final = 0.5
_LOOKS: Final = 6
_PAUSE_SECONDS: Final = 1.0  # together longer than the receive window


async def try_stop(link: Link, dialect: AccountDialect, instrument: Instrument, held: Position | None) -> str:
    """Return what was seen. Without a position the venue is expected to refuse.

    Whatever happens on the way, a stop that is seen is cancelled. Rejected: it was refused.
    OutcomeUnknown: it may rest still. Others as Link.write says.
    """
    symbol, client = instrument.symbol, link.client
    side = 1 if held is None else held.side
    order = await _far_stop(link, instrument, side)
    try:
        placed = await link.write(lambda: dialect.create(client, order), Urgency.NORMAL)
    except OutcomeUnknown:
        await _remove_unanswered(link, dialect, order)
        raise
    try:
        rested = await _find(link, dialect, symbol, placed)
    finally:
        await _cancel(link, dialect, symbol, placed.client_id)
    if await _find(link, dialect, symbol, placed) is not None:
        raise OutcomeUnknown(f"the stop {placed.client_id} was cancelled and rests still")
    if rested is None:
        raise OutcomeUnknown(f"the stop {placed.client_id} was accepted and was in no list")
    return f"{symbol}: a stop at {order.trigger_price:g} rested on the {rested.trigger_on} and was cancelled"


async def _far_stop(link: Link, instrument: Instrument, side: int) -> NewOrder:
    symbol, client = instrument.symbol, link.client
    ticker: Any = await link.read(lambda: client.fetch_ticker(symbol), Urgency.NORMAL)
    price = float(client.price_to_precision(symbol, float(ticker["last"]) * (1.0 - side * _FAR)))
    client_id = f"DR{link.clock.now_ms() % 10**12:012d}S"
    return NewOrder(client_id, symbol, "stop", -side, instrument.min_quantity, True, trigger_price=price)


async def _remove_unanswered(link: Link, dialect: AccountDialect, order: NewOrder) -> None:
    """Cancel a stop whose reply never came, once it shows: it may arrive until its window has passed."""
    unanswered = sent(order, "")
    for _ in range(_LOOKS):
        await link.clock.sleep(_PAUSE_SECONDS)
        found = await _find(link, dialect, order.symbol, unanswered)
        if found is not None:
            await _cancel(link, dialect, order.symbol, found.client_id)
            return


async def _cancel(link: Link, dialect: AccountDialect, symbol: str, client_id: str) -> None:
    await link.write(lambda: dialect.cancel(link.client, symbol, client_id, True), Urgency.URGENT)


async def _find(link: Link, dialect: AccountDialect, symbol: str, wanted: VenueOrder) -> VenueOrder | None:
    rows = await link.read(lambda: dialect.open_orders(link.client, symbol), Urgency.NORMAL)
    names = {wanted.venue_id, wanted.client_id} - {""}
    return next((row for row in rows if row.venue_id in names or row.client_id in names), None)
