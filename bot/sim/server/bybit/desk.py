"""What every Bybit endpoint works with: the exchange, symbol names, settings of the account."""

from typing import Final, Literal

from bot.ports import Clock
from bot.sim.server.bybit.errors import (
    INVALID_PARAMETER,
    MARGIN_MODE_FAILED,
    ORDERS_BLOCK_MODE,
    POSITION_BLOCKS_MODE,
    SAME_POSITION_MODE,
    ApiError,
)
from bot.sim.server.bybit.wire import Params, needed
from bot.sim.server.exchange import EmbeddedExchange

MarginMode = Literal["ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"]
MARGIN_MODES: Final = ("ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN")
COIN: Final = "USDT"


def venue_symbol(symbol: str) -> str:
    """Return "BTCUSDT" for "BTC/USDT:USDT"."""
    return symbol.partition(":")[0].replace("/", "")


class Desk:
    """The account's settings live here, in the exchange's state file. The margin mode is the account's."""

    def __init__(self, exchange: EmbeddedExchange, clock: Clock) -> None:
        self.exchange, self.clock = exchange, clock
        self.symbols = {venue_symbol(symbol): symbol for symbol in exchange.state.instruments}
        self.ids = {symbol: name for name, symbol in self.symbols.items()}
        exchange.settings.setdefault("margin_mode", "REGULAR_MARGIN")
        exchange.settings.setdefault("is_hedge", False)
        exchange.settings.setdefault("auto_add", {})
        self.may_trade, self.may_withdraw = True, False
        self.is_key_revoked = False

    def check_category(self, params: Params) -> None:
        """Refuse other products than linear perpetuals."""
        if needed(params, "category") != "linear":
            raise ApiError(INVALID_PARAMETER, why="this exchange trades category linear only")

    def symbol(self, params: Params) -> str:
        """Return the unified symbol of a request. ApiError: none, unknown, or another category."""
        self.check_category(params)
        return self._known(needed(params, "symbol"))

    def symbol_or_none(self, params: Params) -> str | None:
        """Return the unified symbol of a request that may be for all."""
        self.check_category(params)
        name = params.get("symbol")
        return self._known(name) if name else None

    def chosen(self, params: Params) -> list[str]:
        """Return the one symbol asked for, or all."""
        symbol = self.symbol_or_none(params)
        return list(self.ids) if symbol is None else [symbol]

    # --- settings of the account ------------------------------------------------------------------

    @property
    def margin_mode(self) -> MarginMode:
        return self.exchange.settings["margin_mode"]

    def set_margin_mode(self, wanted: MarginMode) -> None:
        """Change the margin mode of the whole account. ApiError: a position or an order is in the way."""
        if self.margin_mode == wanted:
            return
        if self.exchange.state.positions or self._has_orders(None):
            why = "there are positions or open orders in this account"
            reasons = [{"reasonCode": "3400000", "reasonMsg": why}]
            raise ApiError(MARGIN_MODE_FAILED, result={"reasons": reasons})
        self.exchange.settings["margin_mode"] = wanted
        self.exchange.mark_changed()

    @property
    def is_hedge(self) -> bool:
        return self.exchange.settings["is_hedge"]

    def set_hedge(self, is_wanted: bool) -> None:
        """Switch hedge mode, in which this exchange takes no orders. ApiError: as at the venue."""
        if self.is_hedge == is_wanted:
            raise ApiError(SAME_POSITION_MODE)
        if self.exchange.state.positions:
            raise ApiError(POSITION_BLOCKS_MODE)
        if self._has_orders(None):
            raise ApiError(ORDERS_BLOCK_MODE)
        self.exchange.settings["is_hedge"] = is_wanted
        self.exchange.mark_changed()

    def is_auto_add(self, symbol: str) -> bool:
        """Return whether auto-add-margin is on; this exchange remembers it and adds nothing."""
        return self.exchange.settings["auto_add"].get(symbol, False)

    def set_auto_add(self, symbol: str, is_on: bool) -> None:
        """Remember whether auto-add-margin is on."""
        self.exchange.settings["auto_add"][symbol] = is_on
        self.exchange.mark_changed()

    def check_tradable(self, params: Params) -> None:
        """Refuse what this exchange does not simulate: hedge mode and cross margin."""
        if self.is_hedge or params.get("positionIdx", "0") not in ("", "0"):
            raise ApiError(INVALID_PARAMETER, why="position idx not match position mode")
        if self.margin_mode != "ISOLATED_MARGIN":
            why = f"the account is in {self.margin_mode} and this exchange trades ISOLATED_MARGIN only"
            raise ApiError(INVALID_PARAMETER, why=why)

    def _has_orders(self, symbol: str | None) -> bool:
        books = self.exchange.books
        return bool(books.open_orders(symbol) or books.open_conditionals(symbol))

    def _known(self, name: str) -> str:
        symbol = self.symbols.get(name)
        if symbol is None:
            raise ApiError(INVALID_PARAMETER, why=f"symbol {name} is invalid")
        return symbol
