"""Every endpoint: who may call it, how often in 2 seconds (as OKX documents it), and what answers."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from bot.sim.server.okx import account, algos, history, market, orders
from bot.sim.server.okx.desk import Desk
from bot.sim.server.okx.wire import Params

Handler = Callable[[Desk, Params], Any]


class Endpoint(NamedTuple):
    """`is_row`: a handler is asked per order and gives one row; its refusal is a row with sCode."""

    answer: Handler
    most: int
    is_signed: bool = True
    is_change: bool = False
    is_row: bool = False


def _public(answer: Handler, most: int = 20) -> Endpoint:
    return Endpoint(answer, most, is_signed=False)


def _change(answer: Handler, most: int) -> Endpoint:
    return Endpoint(answer, most, is_change=True)


def _order(answer: Handler, most: int = 60) -> Endpoint:
    return Endpoint(answer, most, is_change=True, is_row=True)


_GET: Final = {
    "public/time": _public(market.server_time, 10),
    "public/instruments": _public(market.instruments),
    "public/position-tiers": _public(market.tiers, 10),
    "public/mark-price": _public(market.mark_prices, 10),
    "public/funding-rate": _public(market.funding),
    "public/funding-rate-history": _public(market.settlements, 10),
    "market/candles": _public(market.candles, 40),
    "market/history-candles": _public(market.candles),
    "market/mark-price-candles": _public(market.candles),
    "market/history-mark-price-candles": _public(market.candles, 10),
    "market/ticker": _public(market.tickers),
    "market/tickers": _public(market.tickers),
    "market/books": _public(market.order_book, 40),
    "market/trades": _public(market.market_trades, 100),
    "account/balance": Endpoint(account.balance, 10),
    "account/positions": Endpoint(account.positions, 10),
    "account/config": Endpoint(account.settings, 5),
    "account/leverage-info": Endpoint(account.leverages, 20),
    "account/trade-fee": Endpoint(account.fees, 5),
    "account/bills": Endpoint(history.bills, 5),
    "account/bills-archive": Endpoint(history.archived_bills, 5),
    "trade/order": Endpoint(orders.look_up, 60),
    "trade/orders-pending": Endpoint(orders.list_open, 60),
    "trade/orders-history": Endpoint(orders.list_done, 40),
    "trade/orders-history-archive": Endpoint(orders.list_done, 20),
    "trade/fills": Endpoint(orders.fills, 60),
    "trade/fills-history": Endpoint(orders.archived_fills, 10),
    "trade/order-algo": Endpoint(algos.look_up, 20),
    "trade/orders-algo-pending": Endpoint(algos.list_open, 20),
    "trade/orders-algo-history": Endpoint(algos.list_done, 20),
}
_POST: Final = {
    "account/set-leverage": _change(account.set_leverage, 20),
    "account/set-position-mode": _change(account.set_position_mode, 5),
    "account/position/margin-balance": _change(account.move_margin, 20),
    "trade/order": _order(orders.place),
    "trade/batch-orders": _order(orders.place, 300),
    "trade/amend-order": _order(orders.amend),
    "trade/amend-batch-orders": _order(orders.amend, 300),
    "trade/cancel-order": _order(orders.cancel),
    "trade/cancel-batch-orders": _order(orders.cancel, 300),
    "trade/order-algo": _order(algos.place, 20),
    "trade/cancel-algos": _order(algos.cancel, 20),
}

ENDPOINTS: Final[dict[tuple[str, str], Endpoint]] = {
    **{("GET", f"/api/v5/{path}"): endpoint for path, endpoint in _GET.items()},
    **{("POST", f"/api/v5/{path}"): endpoint for path, endpoint in _POST.items()},
}
