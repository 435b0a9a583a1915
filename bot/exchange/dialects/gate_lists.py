"""Finding orders at Gate: by our id where it keeps one, else in its lists.

A plain order is found by our id while it rests and for 60 seconds after; a price-triggered one never is.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import ccxt

from bot.exchange.dialects import gate_orders as orders
from bot.exchange.outcomes import venue_code
from bot.exchange.rows import VenueOrder

SETTLE: Final = "usdt"
PAGE: Final = 100
_MOST_PAGES: Final = 100
_MOST_NAMES: Final = 400
_ABSENT: Final = "NOT_FOUND"

Ask = Callable[[Any], Awaitable[Any]]


class TriggerNames:
    """Which of the venue's ids our conditional orders got, for as long as this process lives."""

    def __init__(self) -> None:
        self._venue_ids: dict[str, str] = {}

    def learn(self, client_id: str, venue_id: str) -> None:
        """Remember a pair."""
        self._venue_ids[client_id] = venue_id
        while len(self._venue_ids) > _MOST_NAMES:
            del self._venue_ids[next(iter(self._venue_ids))]

    def venue_id(self, client_id: str) -> str:
        """Return the venue's id, "" when it is not known; a foreign order is named by it."""
        return client_id if client_id.isdigit() else self._venue_ids.get(client_id, "")

    def client_id(self, venue_id: str) -> str:
        """Return our id, "" when it is not known."""
        return next((key for key, value in self._venue_ids.items() if value == venue_id), "")


async def pages(
    ask: Ask, asked: Mapping[str, Any], is_enough: Callable[[list[Any]], bool] = lambda _: False
) -> list[Any]:
    """Return every row of a list that gives 100 at a time; `is_enough` of a page ends it there."""
    found: list[Any] = []
    for number in range(_MOST_PAGES):
        page = await ask({"settle": SETTLE, **asked, "limit": PAGE, "offset": number * PAGE})
        found += page
        if len(page) < PAGE or is_enough(page):
            break
    return found


async def open_orders(client: Any, symbol: str, names: TriggerNames) -> tuple[VenueOrder, ...]:
    """Return plain and price-triggered orders: two lists."""
    market = client.market(symbol)
    asked = {"contract": market["id"], "status": "open"}
    rows = await pages(client.privateFuturesGetSettleOrders, asked)
    triggered = await pages(client.privateFuturesGetSettlePriceOrders, asked)
    return (
        *(orders.plain_from(market, row) for row in rows),
        *(_known(market, row, names) for row in triggered),
    )


async def plain_order(client: Any, symbol: str, client_id: str) -> VenueOrder:
    """Return a plain order by our id. ccxt.OrderNotFound: it neither rests nor ended of late."""
    market = client.market(symbol)
    text = client_id if client_id.isdigit() else orders.own_text(client_id)
    row = await _row(client.privateFuturesGetSettleOrdersOrderId, text)
    if row is None:
        asked = {"settle": SETTLE, "contract": market["id"], "status": "finished", "limit": PAGE}
        ended = await client.privateFuturesGetSettleOrders(asked)
        row = next((each for each in ended if each.get("text") == text), None)
    if row is None:
        raise ccxt.OrderNotFound(f"gate has no order {client_id}")
    return orders.plain_from(market, row)


async def triggered_order(client: Any, symbol: str, client_id: str, names: TriggerNames) -> VenueOrder:
    """Return a price-triggered order by our id. ccxt.OrderNotFound: no list has it."""
    market, venue_id = client.market(symbol), names.venue_id(client_id)
    if venue_id:
        row = await _row(client.privateFuturesGetSettlePriceOrdersOrderId, venue_id)
        if row is not None:
            return _known(market, row, names)
    for status in ("open", "finished"):
        asked = {"settle": SETTLE, "contract": market["id"], "status": status, "limit": PAGE}
        for row in await client.privateFuturesGetSettlePriceOrders(asked):
            if row["initial"].get("text") == orders.own_text(client_id):
                return _known(market, row, names)
    raise ccxt.OrderNotFound(f"gate has no conditional order {client_id}")


async def by_venue_id(client: Any, symbol: str, venue_id: str, names: TriggerNames) -> VenueOrder:
    """Return a plain order by the venue's id; what a trigger became is named after the trigger."""
    if venue_id.startswith((orders.LIQUIDATION, orders.DELEVERAGING)):
        return orders.liquidation_order(symbol, venue_id)
    row = await _row(client.privateFuturesGetSettleOrdersOrderId, venue_id)
    if row is None:
        raise ccxt.OrderNotFound(f"gate has no order {venue_id}")
    market, text = client.market(symbol), str(row.get("text") or "")
    if not text.startswith(orders.FIRED):
        return orders.plain_from(market, row)
    return orders.plain_from(market, row, await _fired_name(client, market, text, names))


async def _fired_name(client: Any, market: Any, text: str, names: TriggerNames) -> str:
    fired_id = text.removeprefix(orders.FIRED)
    known = names.client_id(fired_id)
    if known:
        return known
    row = await _row(client.privateFuturesGetSettlePriceOrdersOrderId, fired_id)
    return fired_id if row is None else _known(market, row, names).client_id


def _known(market: Any, row: Mapping[str, Any], names: TriggerNames) -> VenueOrder:
    """Return a price-triggered order, and remember its name: a restart may have forgotten it."""
    found = orders.triggered_from(market, row, names.client_id(str(row["id"])))
    if found.client_id != found.venue_id:
        names.learn(found.client_id, found.venue_id)
    return found


async def _row(ask: Ask, order_id: str) -> Mapping[str, Any] | None:
    try:
        return await ask({"settle": SETTLE, "order_id": order_id})
    except ccxt.BaseError as error:
        if isinstance(error, ccxt.OrderNotFound) or venue_code(error).endswith(_ABSENT):
            return None
        raise
