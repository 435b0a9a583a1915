"""Places a stop far from the market and cancels it at once, to see that it can be done."""

from typing import Any, Final

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.errors import OutcomeUnknown
from bot.exchange.dialect import AccountDialect
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.rows import NewOrder, VenueOrder

_FAR: Final = 0.5


async def try_stop(link: Link, dialect: AccountDialect, instrument: Instrument, held: Position | None) -> str:
    """Return what was seen. Without a position the venue is expected to refuse.

    Rejected: it refused. OutcomeUnknown: the stop may rest still. Others as Link.write says.
    """
    symbol, client = instrument.symbol, link.client
    side = 1 if held is None else held.side
    order = await _far_stop(link, instrument, side)
    sent = await link.write(lambda: dialect.create(client, order), Urgency.NORMAL)
    rested = await _find(link, dialect, symbol, sent)
    await link.write(lambda: dialect.cancel(client, symbol, sent.client_id, True), Urgency.URGENT)
    if await _find(link, dialect, symbol, sent) is not None:
        raise OutcomeUnknown(f"the stop {sent.client_id} was cancelled and rests still")
    if rested is None:
        raise OutcomeUnknown(f"the stop {sent.client_id} was accepted and was in no list")
    return f"{symbol}: a stop at {order.trigger_price:g} rested on the {rested.trigger_on} and was cancelled"


async def _far_stop(link: Link, instrument: Instrument, side: int) -> NewOrder:
    symbol, client = instrument.symbol, link.client
    ticker: Any = await link.read(lambda: client.fetch_ticker(symbol), Urgency.NORMAL)
    price = float(client.price_to_precision(symbol, float(ticker["last"]) * (1.0 - side * _FAR)))
    client_id = f"DR{link.clock.now_ms() % 10**12:012d}S"
    return NewOrder(client_id, symbol, "stop", -side, instrument.min_quantity, True, trigger_price=price)


async def _find(link: Link, dialect: AccountDialect, symbol: str, sent: VenueOrder) -> VenueOrder | None:
    rows = await link.read(lambda: dialect.open_orders(link.client, symbol), Urgency.NORMAL)
    names = (sent.venue_id, sent.client_id)
    return next((row for row in rows if row.venue_id in names or row.client_id in names), None)
