"""What every OKX endpoint works with: the exchange, names, contracts, settings of the account."""

from decimal import Decimal
from typing import Final, Literal

from bot.core.instrument import Instrument
from bot.ports import Clock
from bot.sim.server.decimals import decimal_text
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.okx.errors import MODE_BLOCKED, NO_INSTRUMENT, NOT_HERE, PARAMETER, ApiError
from bot.sim.server.okx.terms import contract_value
from bot.sim.server.okx.wire import Params, needed

PositionMode = Literal["net_mode", "long_short_mode"]
COIN: Final = "USDT"


def venue_name(symbol: str) -> str:
    """Return "BTC-USDT-SWAP" for "BTC/USDT:USDT"."""
    return f"{symbol.partition(':')[0].replace('/', '-')}-SWAP"


class Desk:
    """The account's settings live here, in the exchange's state file."""

    def __init__(self, exchange: EmbeddedExchange, clock: Clock) -> None:
        self.exchange, self.clock = exchange, clock
        self.symbols = {venue_name(symbol): symbol for symbol in exchange.state.instruments}
        self.ids = {symbol: name for name, symbol in self.symbols.items()}
        exchange.settings.setdefault("position_mode", "net_mode")
        exchange.settings.setdefault("cross", [])
        self.may_trade, self.may_withdraw = True, False
        self.is_key_revoked = False

    def symbol(self, params: Params) -> str:
        """Return the unified symbol of a request. ApiError: none, or unknown."""
        return self.known(needed(params, "instId"))

    def known(self, name: str) -> str:
        """Return the unified symbol of an instrument id. ApiError: it is not traded here."""
        symbol = self.symbols.get(name)
        if symbol is None:
            raise ApiError(NO_INSTRUMENT)
        return symbol

    def chosen(self, params: Params) -> list[str]:
        """Return the one symbol asked for, or all; by instId, instFamily or uly."""
        name = params.get("instId") or _swap(params.get("instFamily") or params.get("uly") or "")
        return [self.known(name)] if name else list(self.ids)

    def instrument(self, symbol: str) -> Instrument:
        """Return the symbol's terms, quantities in base units."""
        return self.exchange.state.instruments[symbol]

    # --- contracts --------------------------------------------------------------------------------

    def contracts(self, symbol: str, quantity: float) -> str:
        """Return base units as contracts."""
        return _plain(Decimal(decimal_text(quantity)) / contract_value(symbol))

    def quantity(self, symbol: str, contracts: float) -> float:
        """Return contracts as base units."""
        return float(Decimal(decimal_text(contracts)) * contract_value(symbol))

    # --- settings of the account ------------------------------------------------------------------

    @property
    def position_mode(self) -> PositionMode:
        return self.exchange.settings["position_mode"]

    def set_position_mode(self, wanted: str) -> None:
        """Switch between net and long/short mode. ApiError: orders or positions are in the way."""
        if wanted not in {"net_mode", "long_short_mode"}:
            raise ApiError(PARAMETER, name="posMode")
        books = self.exchange.books
        is_busy = self.exchange.state.positions or books.open_orders(None) or books.open_conditionals(None)
        if is_busy and wanted != self.position_mode:
            raise ApiError(MODE_BLOCKED)
        self.exchange.settings["position_mode"] = wanted
        self.exchange.mark_changed()

    def is_cross(self, symbol: str) -> bool:
        """Return whether the symbol's position is shown as a cross one: only tests make it so."""
        return symbol in self.exchange.settings["cross"]

    def check_tradable(self, params: Params) -> None:
        """Refuse what this exchange does not simulate: long/short mode and cross margin."""
        if needed(params, "tdMode") != "isolated":
            raise ApiError(NOT_HERE, why="this exchange trades isolated margin only: send tdMode isolated")
        if self.position_mode != "net_mode":
            raise ApiError(NOT_HERE, why="this exchange trades in net_mode only")
        if params.get("posSide", "net") not in {"", "net"}:
            raise ApiError(PARAMETER, name="posSide")


def _swap(family: str) -> str:
    return f"{family}-SWAP" if family else ""


def _plain(value: Decimal) -> str:
    text = format(value.normalize(), "f")
    return text if text != "-0" else "0"
