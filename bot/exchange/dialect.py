"""What the gateway needs of a venue. One implementation per venue; each calls ccxt and reads raw fields.

Every method may raise ccxt's errors: they are translated where the method is called (link.py).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import KEEP_ALL, VenueProfile
from bot.exchange.rows import MarginMove, Money, NewOrder, Payment, Settings, Trade, VenueOrder
from bot.exchange.told import MarkTold, Told

Shipped = Callable[[str], Instrument]


class AccountDialect(Protocol):
    """What `doctor` needs, and what every venue has: the account, its settings, and the requests."""

    def profile(self, taker_fee_rate: float) -> VenueProfile:
        """Return how the venue counts margin."""
        ...

    @property
    def margin_keepers(self) -> frozenset[str]:
        """Return the symbols, of those whose instruments were read, that release no margin."""
        ...

    async def instruments(self, client: Any, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Return the symbols' instruments with live tiers. KeyError: a symbol the venue does not trade."""
        ...

    async def money(self, client: Any) -> Money: ...

    async def positions(self, client: Any, leverage: Mapping[str, int]) -> tuple[Position, ...]:
        """Return every open position; the wallet without unrealised PnL, read, never guessed."""
        ...

    async def open_orders(self, client: Any, symbol: str) -> tuple[VenueOrder, ...]:
        """Return the symbol's resting orders, conditional ones included."""
        ...

    async def settings(self, client: Any, symbol: str) -> Settings: ...

    async def set_one_way(self, client: Any) -> None: ...

    async def set_isolated(self, client: Any, symbol: str, leverage: int) -> None: ...

    async def set_leverage(self, client: Any, symbol: str, leverage: int) -> None: ...

    async def create(self, client: Any, order: NewOrder) -> VenueOrder: ...

    async def cancel(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> None: ...

    async def move_margin(
        self, client: Any, symbol: str, side: int, amount_quote: float, client_id: str = ""
    ) -> Position | None:
        """Add (> 0) or release (< 0) margin of the position of `side`, in the venue's own precision.

        `client_id` names the move where a venue can tell one that it knows already from a new one. Return
        the position after it where the reply holds it.
        """
        ...


class Dialect(AccountDialect, Protocol):
    """What trading needs besides: histories and streams."""

    async def order(self, client: Any, symbol: str, client_id: str, is_conditional: bool) -> VenueOrder:
        """Return an order of ours by our id. ccxt.OrderNotFound: the venue knows none."""
        ...

    async def order_by_venue_id(self, client: Any, symbol: str, venue_id: str) -> VenueOrder: ...

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return our fills from `since_ms` on, oldest first."""
        ...

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]: ...

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return rate and mark of the settlement at or right before `ts_ms`; zeros when unknown."""
        ...

    async def margin_moves(
        self, client: Any, symbol: str, since_ms: int | None
    ) -> tuple[MarginMove, ...] | None:
        """Return margin moved by request, oldest first.

        None: the venue keeps no history, and `move_margin` returns the position instead.
        """
        ...

    async def leverages(self, client: Any, symbols: Sequence[str]) -> Mapping[str, int]:
        """Return the leverage settings of these symbols at least."""
        ...

    async def stop_auto_add(self, client: Any, symbol: str) -> None:
        """Switch the venue's own auto-add-margin off. Rejected: it has no request for that."""
        ...

    # --- public data ------------------------------------------------------------------------------

    async def public_instruments(
        self, client: Any, symbols: Sequence[str], shipped: Shipped
    ) -> dict[str, Instrument]:
        """Return the symbols' instruments from what is told without a key; `shipped` has the rest.

        The client's markets must have been loaded. UserError: of `shipped`.
        """
        ...

    # --- streams ----------------------------------------------------------------------------------

    def watchers(
        self, client: Any, symbols: Sequence[str], timeframe: str
    ) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """Return what subscribes to "marks", "candles" and "account"; each waits until its stream breaks."""
        ...

    def told(self, client: Any, message: Any) -> Told | list[Told] | None:
        """Return what a raw message says, in order where it says several things.

        None: it is ccxt's own business (acknowledgements).
        """
        ...

    def forget_user_stream(self, client: Any) -> None:
        """Let the next subscription ask for a new key: an expired one gives a silent stream."""
        ...

    def not_before(self, client: Any, ts_ms: int) -> None:
        """Learn that it was so late at the venue already, where prices carry no time."""
        ...

    async def marks(self, client: Any, symbols: Sequence[str]) -> tuple[MarkTold, ...]:
        """Return marks by REST, for when the stream is silent."""
        ...

    # --- what replies mean ------------------------------------------------------------------------

    def refuses_second_stop(self, code: str) -> bool:
        """Return whether a refusal's text says that a whole-position order of this kind rests already."""
        ...

    def is_liquidation(self, client_id: str) -> bool:
        """Return whether an order's id is one that the venue gives to liquidations."""
        ...


def profile_of(dialect: AccountDialect, instrument: Instrument) -> VenueProfile:
    """Return how the venue counts margin of this instrument, which may keep what it has."""
    profile = dialect.profile(instrument.taker_fee_rate)
    keeps = instrument.symbol in dialect.margin_keepers
    return profile._replace(removal_rule=KEEP_ALL) if keeps else profile
