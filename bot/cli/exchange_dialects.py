"""The wire protocols that the embedded exchange can speak: one row each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from bot.core.instrument import Instrument
from bot.core.profile import BINANCE_USDM, HYPERLIQUID, VenueProfile, bybit, okx
from bot.ports import Clock
from bot.sim.server import control
from bot.sim.server.auth import PAPER_AGENT_KEY, PAPER_KEY, PAPER_SECRET, PAPER_WALLET, ApiKey
from bot.sim.server.binance.application import BinanceServer
from bot.sim.server.binance.door import Rates
from bot.sim.server.bybit.application import BybitServer
from bot.sim.server.bybit.door import Rates as BybitRates
from bot.sim.server.bybit.terms import as_bybit
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.hyperliquid.application import HyperliquidServer
from bot.sim.server.hyperliquid.door import USUAL_WEIGHT
from bot.sim.server.hyperliquid.terms import as_hyperliquid
from bot.sim.server.okx.application import OkxServer
from bot.sim.server.okx.terms import as_okx

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.routing import BaseRoute

_USUAL_WEIGHT: Final = 2_400  # of --weight-limit: what the venue's own rates stand for


class DialectServer(control.Dialect, Protocol):
    """A server of one dialect."""

    @property
    def hub(self) -> Any:
        """Who listens: `most_waiting` tells how far the slowest is behind."""
        ...

    def tick(self) -> None: ...

    def repeat_prices(self) -> None: ...

    def application(self, *extra: "BaseRoute") -> "Starlette": ...


class Limits(NamedTuple):
    """Request weight a minute, and orders in ten seconds."""

    weight: int
    orders: int


class Spoken(NamedTuple):
    """`terms` and `profile`: how the venue's margin differs. `has_passphrase`: keys have a third part.

    `key`: the one for paper.
    """

    title: str
    streams: str
    has_passphrase: bool
    terms: Callable[[Instrument], Instrument]
    profile: Callable[[float], VenueProfile]
    serve: Callable[[EmbeddedExchange, Clock, tuple[ApiKey, ...], Limits, Faults], DialectServer]
    key: ApiKey = ApiKey(PAPER_KEY, PAPER_SECRET)


def _binance(
    exchange: EmbeddedExchange, clock: Clock, keys: tuple[ApiKey, ...], limits: Limits, faults: Faults
) -> DialectServer:
    rates = Rates(limits.weight, 4 * limits.orders, limits.orders)
    return BinanceServer(exchange, clock, keys, rates, faults)


def _bybit(
    exchange: EmbeddedExchange, clock: Clock, keys: tuple[ApiKey, ...], limits: Limits, faults: Faults
) -> DialectServer:
    """This venue counts per endpoint and address: a higher weight limit raises both in proportion."""
    usual, share = BybitRates(), limits.weight / _USUAL_WEIGHT
    rates = BybitRates(*(max(int(rate * share), 1) for rate in usual))
    return BybitServer(exchange, clock, keys, rates, faults)


def _okx(
    exchange: EmbeddedExchange, clock: Clock, keys: tuple[ApiKey, ...], limits: Limits, faults: Faults
) -> DialectServer:
    """This venue counts per endpoint: a higher weight limit raises each in proportion."""
    return OkxServer(exchange, clock, keys, faults, limits.weight / _USUAL_WEIGHT)


def _hyperliquid(
    exchange: EmbeddedExchange, clock: Clock, keys: tuple[ApiKey, ...], limits: Limits, faults: Faults
) -> DialectServer:
    """This venue counts weights of its own: a higher limit raises theirs in proportion."""
    weight = max(USUAL_WEIGHT * limits.weight // _USUAL_WEIGHT, 1)
    return HyperliquidServer(exchange, clock, keys, faults, weight)


SPOKEN: Final[Mapping[str, Spoken]] = MappingProxyType(
    {
        "binance": Spoken(
            "Binance USD-M", "/ws", False, lambda terms: terms, lambda _taker: BINANCE_USDM, _binance
        ),
        "bybit": Spoken("Bybit v5 linear", "/v5", False, as_bybit, bybit, _bybit),
        "okx": Spoken("OKX", "/ws/v5", True, as_okx, okx, _okx),
        "hyperliquid": Spoken(
            "Hyperliquid",
            "/ws",
            False,
            as_hyperliquid,
            lambda _taker: HYPERLIQUID,
            _hyperliquid,
            ApiKey(PAPER_WALLET, PAPER_AGENT_KEY),
        ),
    }
)
