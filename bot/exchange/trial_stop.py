"""Places a stop far from the market and cancels it at once, to see that it can be done."""

import math
from typing import Any, Final

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.errors import OutcomeUnknown, RingfenceError
from bot.exchange.dialect import AccountDialect
from bot.exchange.dialects.requests import sent
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.rows import NewOrder, VenueOrder

_FAR: Final = 0.5
_LEAST_WORTH: Final = 1.02  # of the least notional at the trigger price: steps and ticks are rounded
_CANCELS: Final = 3
_LOOKS: Final = 6
_PAUSE_SECONDS: Final = 1.0  # together longer than the receive window


async def try_stop(link: Link, dialect: AccountDialect, instrument: Instrument, held: Position | None) -> str:
    """Return what was seen. Without a position the venue is expected to refuse.

    Whatever happens on the way, a stop that is seen is cancelled. Rejected: it was refused.
    OutcomeUnknown: it may rest still. Others as Link.write says.
    """
    side = 1 if held is None else held.side
    order = await _far_stop(link, instrument, side)
    return await _rested(link, dialect, order)


async def try_entry(link: Link, dialect: AccountDialect, instrument: Instrument) -> str:
    """Rest a far conditional order of the least size that would open a short, and cancel it at once.

    For an account without a position, where a reducing stop is refused: it is of the same service, list and
    cancel. The price would have to halve before the cancel arrives for it to trade. Raises as try_stop.
    """
    stop = await _far_stop(link, instrument, 1)
    worth = _LEAST_WORTH * instrument.min_notional_quote / stop.trigger_price
    steps = math.ceil(round(max(worth, instrument.min_quantity) / instrument.quantity_step, 9))
    quantity = round(steps * instrument.quantity_step, 12)
    order = stop._replace(client_id=f"{stop.client_id[:-1]}E", quantity=quantity, is_reduce_only=False)
    return f"{await _rested(link, dialect, order)}; it was for {quantity:g} and not reduce-only"


async def _rested(link: Link, dialect: AccountDialect, order: NewOrder) -> str:
    symbol, client = order.symbol, link.client
    try:
        placed = await link.write(lambda: dialect.create(client, order), Urgency.NORMAL)
    except OutcomeUnknown:
        await _remove_unanswered(link, dialect, order)
        raise
    try:
        rested = await _find(link, dialect, symbol, placed)
    finally:
        await _remove(link, dialect, placed)
    if rested is None:
        raise OutcomeUnknown(f"the stop {placed.client_id} was accepted and was in no list")
    return f"{symbol}: a stop at {order.trigger_price:g} rested on the {rested.trigger_on} and was cancelled"


async def _remove(link: Link, dialect: AccountDialect, placed: VenueOrder) -> None:
    """Cancel until no list shows it. OutcomeUnknown: it rests still; else what the first cancel raised."""
    first: RingfenceError | None = None
    for _ in range(_CANCELS):
        try:
            await _cancel(link, dialect, placed.symbol, placed.client_id)
        except RingfenceError as error:
            first = first or error
        if await _find(link, dialect, placed.symbol, placed) is None:
            break
    else:
        raise OutcomeUnknown(f"the stop {placed.client_id} was cancelled and rests still")
    if first is not None:
        raise first


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
