"""What may be asked (POST /info) and done (POST /exchange), by the field `type`, and what answers.

Only what Ringfence and its ccxt client ask for. Anything else is refused: a request the venue would take
and this exchange does not know is told from one that is malformed.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from bot.sim.server.hyperliquid import account, history, lookups, market, orders, positions
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.wire import Body


class Question(NamedTuple):
    """`weight`: of the 1200 a minute that an address has (documents: "Rate limits")."""

    answer: Callable[[Desk, Body], Any]
    weight: int = 20


QUESTIONS: Final = MappingProxyType(
    {
        "exchangeStatus": Question(market.status, 2),
        "meta": Question(market.meta),
        "metaAndAssetCtxs": Question(market.meta_and_contexts),
        "allMids": Question(market.mids, 2),
        "candleSnapshot": Question(market.candles),
        "fundingHistory": Question(market.settlements),
        "clearinghouseState": Question(account.clearinghouse, 2),
        "activeAssetData": Question(account.asset_data),
        "frontendOpenOrders": Question(lookups.open_orders),
        "orderStatus": Question(lookups.order_status, 2),
        "userFillsByTime": Question(history.fills),
        "userFunding": Question(history.payments),
    }
)

# Actions with a status for each of their orders, and those that are done or not.
STATUSES: Final = MappingProxyType(
    {
        "order": ("order", orders.place),
        "cancel": ("cancel", lookups.cancel),
        "cancelByCloid": ("cancel", lookups.cancel_by_cloid),
    }
)
DONE: Final = MappingProxyType(
    {"updateLeverage": positions.set_leverage, "updateIsolatedMargin": positions.move_margin}
)
