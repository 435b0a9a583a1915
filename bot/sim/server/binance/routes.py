"""Every endpoint: who may call it, what it weighs, and what answers. Weights as ccxt 4.5.90 lists them."""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from bot.sim.server.binance import account, conditionals, history, market, orders
from bot.sim.server.binance.desk import Desk
from bot.sim.server.binance.wire import Params

Security = Literal["none", "key", "signed"]
Handler = Callable[[Desk, Params], Any]


class Endpoint(NamedTuple):
    """`weight_of_all`: without a symbol. `orders`: counted by the order-rate limit."""

    answer: Handler
    security: Security = "signed"
    weight: int = 1
    weight_of_all: int = 0
    orders: int = 0
    is_change: bool = False

    def cost(self, params: Params) -> int:
        """Return what this call weighs."""
        return self.weight if not self.weight_of_all or params.get("symbol") else self.weight_of_all


def _public(answer: Handler, weight: int = 1, weight_of_all: int = 0) -> Endpoint:
    return Endpoint(answer, "none", weight, weight_of_all)


def _change(answer: Handler, weight: int = 1, orders: int = 0) -> Endpoint:
    return Endpoint(answer, "signed", weight, 0, orders, True)


_V1: Final = {
    ("GET", "ping"): _public(market.ping),
    ("GET", "time"): _public(market.server_time),
    ("GET", "exchangeInfo"): _public(market.exchange_info),
    ("GET", "klines"): _public(market.klines, 5),
    ("GET", "continuousKlines"): _public(market.klines, 5),
    ("GET", "markPriceKlines"): _public(market.klines, 5),
    ("GET", "indexPriceKlines"): _public(market.klines, 5),
    ("GET", "premiumIndex"): _public(market.premium, 1, 10),
    ("GET", "fundingInfo"): _public(market.funding_terms),
    ("GET", "fundingRate"): _public(history.settlements),
    ("GET", "ticker/24hr"): _public(market.day_tickers, 1, 40),
    ("GET", "ticker/price"): _public(market.last_prices, 1, 2),
    ("GET", "ticker/bookTicker"): _public(market.best_prices, 2, 5),
    ("GET", "depth"): _public(market.depth, 5),
    ("GET", "aggTrades"): _public(market.market_trades, 20),
    ("GET", "trades"): _public(market.market_trades, 5),
    ("GET", "leverageBracket"): Endpoint(account.brackets),
    ("GET", "symbolConfig"): Endpoint(account.symbol_settings, weight=5),
    ("GET", "accountConfig"): Endpoint(account.account_settings, weight=5),
    ("GET", "commissionRate"): Endpoint(account.commission, weight=20),
    ("GET", "positionSide/dual"): Endpoint(account.position_mode, weight=30),
    ("GET", "multiAssetsMargin"): Endpoint(account.asset_mode, weight=30),
    ("GET", "positionMargin/history"): Endpoint(history.margin_moves),
    ("GET", "userTrades"): Endpoint(history.trades, weight=5),
    ("GET", "income"): Endpoint(history.income, weight=30),
    ("GET", "forceOrders"): Endpoint(history.force_orders, weight=20, weight_of_all=50),
    ("GET", "order"): Endpoint(orders.look_up),
    ("GET", "openOrder"): Endpoint(orders.look_up_open),
    ("GET", "openOrders"): Endpoint(orders.list_open, weight=1, weight_of_all=40),
    ("GET", "allOrders"): Endpoint(orders.list_all, weight=5),
    ("GET", "algoOrder"): Endpoint(conditionals.look_up),
    ("GET", "openAlgoOrders"): Endpoint(conditionals.list_open, weight=1, weight_of_all=40),
    ("GET", "allAlgoOrders"): Endpoint(conditionals.list_all, weight=5),
    ("POST", "leverage"): _change(account.set_leverage),
    ("POST", "marginType"): _change(account.set_margin_type),
    ("POST", "positionSide/dual"): _change(account.set_position_mode),
    ("POST", "positionMargin"): _change(account.move_margin),
    ("POST", "order"): _change(orders.place, 0, 1),
    ("POST", "order/test"): Endpoint(orders.try_out, weight=0),
    ("PUT", "order"): _change(orders.amend, 1, 1),
    ("DELETE", "order"): _change(orders.cancel),
    ("DELETE", "allOpenOrders"): _change(orders.cancel_all),
    ("POST", "batchOrders"): _change(orders.place_batch, 5, 5),
    ("PUT", "batchOrders"): _change(orders.amend_batch, 5, 5),
    ("DELETE", "batchOrders"): _change(orders.cancel_batch),
    ("POST", "algoOrder"): _change(conditionals.place, 0, 1),
    ("DELETE", "algoOrder"): _change(conditionals.cancel),
    ("DELETE", "algoOpenOrders"): _change(conditionals.cancel_all),
}

ENDPOINTS: Final[dict[tuple[str, str], Endpoint]] = {
    **{(method, f"/fapi/v1/{path}"): endpoint for (method, path), endpoint in _V1.items()},
    ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(account.key_rights),
    ("GET", "/fapi/v2/account"): Endpoint(account.account_of_all, weight=5),
    ("GET", "/fapi/v3/account"): Endpoint(account.account, weight=5),
    ("GET", "/fapi/v2/balance"): Endpoint(account.balances, weight=5),
    ("GET", "/fapi/v3/balance"): Endpoint(account.balances, weight=5),
    ("GET", "/fapi/v2/positionRisk"): Endpoint(account.positions_of_all, weight=5),
    ("GET", "/fapi/v3/positionRisk"): Endpoint(account.positions, weight=5),
    ("GET", "/fapi/v2/ticker/price"): _public(market.last_prices, 1, 2),
}
