"""Every endpoint: whether it is signed, whether it changes something, and what answers."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from bot.sim.server.bybit import account, history, lookups, market, orders, position_stops, positions
from bot.sim.server.bybit.desk import Desk
from bot.sim.server.bybit.wire import Params

Handler = Callable[[Desk, Params], Any]


class Endpoint(NamedTuple):
    """`is_order`: counted by the order-rate limit. `is_change`: needs a key that may trade."""

    answer: Handler
    is_signed: bool = True
    is_change: bool = False
    is_order: bool = False


def _public(answer: Handler) -> Endpoint:
    return Endpoint(answer, is_signed=False)


def _change(answer: Handler) -> Endpoint:
    return Endpoint(answer, is_change=True)


def _order(answer: Handler) -> Endpoint:
    return Endpoint(answer, is_change=True, is_order=True)


_V5: Final = {
    ("GET", "market/time"): _public(market.server_time),
    ("GET", "market/instruments-info"): _public(market.instruments),
    ("GET", "market/risk-limit"): _public(market.risk_limits),
    ("GET", "market/tickers"): _public(market.tickers),
    ("GET", "market/kline"): _public(market.klines),
    ("GET", "market/mark-price-kline"): _public(market.klines),
    ("GET", "market/index-price-kline"): _public(market.klines),
    ("GET", "market/orderbook"): _public(market.book),
    ("GET", "market/funding/history"): _public(history.settlements),
    ("GET", "user/query-api"): Endpoint(account.key_rights),
    ("GET", "account/info"): Endpoint(account.info),
    ("GET", "account/wallet-balance"): Endpoint(account.wallet_balance),
    ("GET", "account/withdrawal"): Endpoint(account.transferable),
    ("GET", "account/fee-rate"): Endpoint(account.fee_rates),
    ("GET", "account/transaction-log"): Endpoint(history.transactions),
    ("GET", "position/list"): Endpoint(positions.list_positions),
    ("GET", "execution/list"): Endpoint(history.executions),
    ("GET", "order/realtime"): Endpoint(lookups.realtime),
    ("GET", "order/history"): Endpoint(lookups.history),
    ("POST", "account/set-margin-mode"): _change(account.set_margin_mode),
    ("POST", "position/set-leverage"): _change(positions.set_leverage),
    ("POST", "position/switch-mode"): _change(positions.set_mode),
    ("POST", "position/set-auto-add-margin"): _change(positions.set_auto_add),
    ("POST", "position/add-margin"): _change(positions.move_margin),
    ("POST", "position/trading-stop"): _change(position_stops.set_stops),
    ("POST", "order/create"): _order(orders.place),
    ("POST", "order/amend"): _order(orders.amend),
    ("POST", "order/cancel"): _order(lookups.cancel),
    ("POST", "order/cancel-all"): _order(lookups.cancel_all),
}

ENDPOINTS: Final = {(method, f"/v5/{path}"): endpoint for (method, path), endpoint in _V5.items()}
