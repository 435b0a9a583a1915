"""What every answer of Hyperliquid's dialect works with: the exchange, coins, settings of the account."""

from collections.abc import Mapping
from typing import Any, Final

from bot.ports import Clock
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.hyperliquid.errors import Malformed, Refusal
from bot.sim.server.hyperliquid.terms import half_initial
from bot.sim.server.hyperliquid.wire import Body, text, whole

_NONCES_KEPT: Final = 100
_REJECTIONS_KEPT: Final = 100


class Desk:
    """The account's settings live here, in the exchange's state file. Each coin has a margin mode."""

    def __init__(self, exchange: EmbeddedExchange, clock: Clock, wallet: str) -> None:
        self.exchange, self.clock, self.wallet = exchange, clock, wallet.lower()
        exchange.tier_rule = half_initial
        self.symbols = {symbol.partition("/")[0]: symbol for symbol in exchange.state.instruments}
        self.coins = {symbol: coin for coin, symbol in self.symbols.items()}
        self._numbers = list(self.symbols.values())
        exchange.settings.setdefault("isolated", {})
        exchange.settings.setdefault("nonces", [])
        exchange.settings.setdefault("rejections", {})
        self._seen_ms = (exchange.market_ms, clock.now_ms())
        exchange.listeners.append(lambda _: self._see())
        self.may_trade, self.may_withdraw = True, False
        self.is_key_revoked = False
        self.keepers: frozenset[str] = frozenset()

    def now_ms(self) -> int:
        """Return the market's time: that of its newest event, and what has passed by the clock since."""
        market_ms, clock_ms = self._seen_ms
        return max(market_ms, self.exchange.market_ms) + max(self.clock.now_ms() - clock_ms, 0)

    def _see(self) -> None:
        if self.exchange.market_ms != self._seen_ms[0]:
            self._seen_ms = (self.exchange.market_ms, self.clock.now_ms())

    def is_ours(self, body: Body) -> bool:
        """Return whether a request is about this exchange's one account; others have nothing here."""
        return text(body, "user").lower() == self.wallet

    def symbol(self, body: Body) -> str:
        """Return the unified symbol of a request's coin. Malformed: there is none of this name."""
        coin = text(body, "coin")
        if coin not in self.symbols:
            raise Malformed(f"no coin {coin}")
        return self.symbols[coin]

    def symbol_of_asset(self, body: Body, field: str) -> str:
        """Return the unified symbol of an action's asset number. Refusal: there is none."""
        number = whole(body, field)
        if not 0 <= number < len(self._numbers):
            raise Refusal(f"Asset {number} is unknown")
        return self._numbers[number]

    def asset(self, symbol: str) -> int:
        """Return the number of a symbol's coin."""
        return self._numbers.index(symbol)

    # --- settings of the account ------------------------------------------------------------------

    def is_isolated(self, symbol: str) -> bool:
        """Return whether the coin's margin is isolated; an account begins with cross margin."""
        return self.exchange.settings["isolated"].get(symbol, False)

    def set_isolated(self, symbol: str, is_wanted: bool) -> None:
        """Remember the coin's margin mode."""
        self.exchange.settings["isolated"][symbol] = is_wanted
        self.exchange.mark_changed()

    def keeps_margin(self, symbol: str) -> bool:
        """Return whether the coin is strictly isolated: margin leaves with the position alone."""
        return symbol in self.keepers

    def use_nonce(self, nonce: int) -> bool:
        """Return whether a nonce is new, and remember it: the highest hundred count."""
        known: list[int] = self.exchange.settings["nonces"]
        is_old = len(known) >= _NONCES_KEPT and nonce < known[0]
        if is_old or nonce in known:
            return False
        known.append(nonce)
        known.sort()
        del known[:-_NONCES_KEPT]
        self.exchange.mark_changed()
        return True

    def keep_rejection(self, cloid: str, row: Mapping[str, Any]) -> None:
        """Remember an order that was refused: the venue finds it under its id ever after."""
        known: dict[str, Any] = self.exchange.settings["rejections"]
        known.pop(cloid, None)
        known[cloid] = dict(row)
        while len(known) > _REJECTIONS_KEPT:
            del known[next(iter(known))]
        self.exchange.mark_changed()

    def rejection(self, cloid: str) -> dict[str, Any] | None:
        """Return the row of an order that was refused, None when there is none of this id."""
        return self.exchange.settings["rejections"].get(cloid)
