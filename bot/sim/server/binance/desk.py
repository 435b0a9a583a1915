"""What every Binance endpoint works with: the exchange, symbol names, settings of the account."""

from typing import Any, Final, Literal

from bot.ports import Clock
from bot.sim.server.binance.errors import (
    INVALID_SYMBOL,
    ORDERS_BLOCK_MARGIN_TYPE,
    ORDERS_BLOCK_SIDE,
    POSITION_BLOCKS_MARGIN_TYPE,
    POSITION_BLOCKS_SIDE,
    POSITION_SIDE_MISMATCH,
    REJECTED,
    SAME_MARGIN_TYPE,
    SAME_POSITION_SIDE,
    ApiError,
)
from bot.sim.server.binance.wire import Params, needed
from bot.sim.server.exchange import EmbeddedExchange

MarginType = Literal["ISOLATED", "CROSSED"]
ASSET: Final = "USDT"


def venue_symbol(symbol: str) -> str:
    """Return "BTCUSDT" for "BTC/USDT:USDT"."""
    return symbol.partition(":")[0].replace("/", "")


class Desk:
    """The account's settings live here, in the exchange's state file."""

    def __init__(self, exchange: EmbeddedExchange, clock: Clock) -> None:
        self.exchange, self.clock = exchange, clock
        self.symbols = {venue_symbol(symbol): symbol for symbol in exchange.state.instruments}
        self.ids = {symbol: name for name, symbol in self.symbols.items()}
        exchange.settings.setdefault("margin_type", dict.fromkeys(self.ids, "CROSSED"))
        exchange.settings.setdefault("is_hedge", False)
        exchange.settings.setdefault("auto_add", {})
        self.may_trade, self.may_withdraw = True, False
        self.is_key_revoked = False
        self.rate_limits: list[dict[str, Any]] = []

    def symbol(self, params: Params) -> str:
        """Return the unified symbol of a request. ApiError: none, or unknown."""
        return self._known(needed(params, "symbol"))

    def symbol_or_none(self, params: Params) -> str | None:
        """Return the unified symbol of a request that may be for all."""
        name = params.get("symbol")
        return self._known(name) if name else None

    def chosen(self, params: Params) -> list[str]:
        """Return the one symbol asked for, or all."""
        symbol = self.symbol_or_none(params)
        return list(self.ids) if symbol is None else [symbol]

    # --- settings of the account ------------------------------------------------------------------

    def margin_type(self, symbol: str) -> MarginType:
        """Return the symbol's margin type; it begins as CROSSED, as at the venue."""
        return self.exchange.settings["margin_type"][symbol]

    def set_margin_type(self, symbol: str, wanted: MarginType) -> None:
        """Change the margin type. ApiError: nothing to change, or orders or a position are in the way."""
        if self.margin_type(symbol) == wanted:
            raise ApiError(SAME_MARGIN_TYPE)
        if symbol in self.exchange.state.positions:
            raise ApiError(POSITION_BLOCKS_MARGIN_TYPE)
        if self._has_orders(symbol):
            raise ApiError(ORDERS_BLOCK_MARGIN_TYPE)
        self.exchange.settings["margin_type"][symbol] = wanted
        self.exchange.mark_changed()

    def is_auto_add(self, symbol: str) -> bool:
        """Return whether auto-add-margin is on; this exchange shows it and adds nothing."""
        return self.exchange.settings["auto_add"].get(symbol, False)

    @property
    def is_hedge(self) -> bool:
        return self.exchange.settings["is_hedge"]

    def set_hedge(self, is_wanted: bool) -> None:
        """Switch hedge mode, in which this exchange takes no orders. ApiError: as at the venue."""
        if self.is_hedge == is_wanted:
            raise ApiError(SAME_POSITION_SIDE)
        if self.exchange.state.positions:
            raise ApiError(POSITION_BLOCKS_SIDE)
        if self._has_orders(None):
            raise ApiError(ORDERS_BLOCK_SIDE)
        self.exchange.settings["is_hedge"] = is_wanted
        self.exchange.mark_changed()

    def check_tradable(self, symbol: str, params: Params) -> None:
        """Refuse what this exchange does not simulate: hedge mode and cross margin."""
        if self.is_hedge or params.get("positionSide", "BOTH") != "BOTH":
            raise ApiError(POSITION_SIDE_MISMATCH)
        if self.margin_type(symbol) != "ISOLATED":
            why = f"{self.ids[symbol]} is in CROSSED mode and this exchange trades ISOLATED margin only"
            raise ApiError(REJECTED, why=why)

    def _has_orders(self, symbol: str | None) -> bool:
        books = self.exchange.books
        return bool(books.open_orders(symbol) or books.open_conditionals(symbol))

    def _known(self, name: str) -> str:
        symbol = self.symbols.get(name)
        if symbol is None:
            raise ApiError(INVALID_SYMBOL)
        return symbol
