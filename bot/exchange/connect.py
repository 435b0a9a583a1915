"""From settings to a running connection: the ccxt client, its guard, its lane, the gateway.

Keys live in the ccxt client only. ccxt logs whole requests at debug level: its logger is kept above that.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import ccxt
import ccxt.pro

from bot.errors import UserError
from bot.exchange.client_options import CLIENT_OPTIONS
from bot.exchange.dialect import Dialect
from bot.exchange.dialects.binance import BinanceDialect
from bot.exchange.dialects.bitget import BitgetDialect
from bot.exchange.dialects.bybit import BybitDialect
from bot.exchange.dialects.gate import GateDialect
from bot.exchange.dialects.hyperliquid import HyperliquidDialect
from bot.exchange.dialects.kucoin import KucoinDialect
from bot.exchange.dialects.okx import OkxDialect
from bot.exchange.endpoint_paces import EndpointPaces
from bot.exchange.fate import RECEIVE_WINDOW_MS
from bot.exchange.feed import CcxtFeed
from bot.exchange.gateway import CcxtGateway
from bot.exchange.hindrances import Hindrances
from bot.exchange.hosts import Access, check_environment, switch_client
from bot.exchange.lane import Lane
from bot.exchange.link import Link
from bot.exchange.public_feed import PublicFeed
from bot.exchange.session import bound_replies, refuse_text
from bot.exchange.venues import VENUES, Venue
from bot.ports import Clock

DIALECTS: Final[Mapping[str, Callable[[], Dialect]]] = MappingProxyType(
    {
        "binanceusdm": BinanceDialect,
        "bitget": BitgetDialect,
        "bybit": BybitDialect,
        "okx": OkxDialect,
        "gate": GateDialect,
        "hyperliquid": HyperliquidDialect,
        "kucoinfutures": KucoinDialect,
    }
)

_TIMEOUT_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves who we are. Nothing of it appears in a repr, a log or an error."""

    api_key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    wallet_address: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)


_PASSPHRASE: Final = "The password is the API key's passphrase. "
_CCXT_NAME: Final = {
    "api_key": "apiKey",
    "secret": "secret",
    "password": "password",
    "wallet_address": "walletAddress",
    "private_key": "privateKey",
}


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection; the gateway is the exchange of the loop."""

    venue: Venue
    link: Link
    lane: Lane
    gateway: CcxtGateway

    def feed(self, timeframe_ms: int) -> CcxtFeed:
        """Return the market feed of the gateway's symbols; one per connection."""
        return CcxtFeed(self.gateway, timeframe_ms)

    async def close(self) -> None:
        """Close every socket."""
        await self.link.client.close()


def connect(
    venue_id: str,
    access: Access,
    credentials: Credentials,
    symbols: Sequence[str],
    clock: Clock,
    weight_per_minute: int = 0,
) -> Connection:
    """Return a connection to a venue; nothing is sent yet. `weight_per_minute` 0: what the venue's row says.

    UserError: an unknown venue, missing keys, or an environment it has not.
    """
    venue = venue_of(venue_id)
    check_environment(venue, access)
    link, lane = link_to(venue, access, credentials, clock, weight_per_minute)
    gateway = CcxtGateway(link, DIALECTS[venue.ccxt_id](), symbols)
    return Connection(venue, link, lane, gateway)


def link_to(
    venue: Venue, access: Access, credentials: Credentials, clock: Clock, weight_per_minute: int = 0
) -> tuple[Link, Lane]:
    """Return the guarded way to a venue without a gateway on it; nothing is sent yet.

    UserError: missing keys, or an environment the venue has not.
    """
    _check_credentials(venue, credentials)
    return _open(venue, access, _client(venue, credentials), clock, weight_per_minute)


def public_link_to(venue: Venue, access: Access, clock: Clock) -> tuple[Link, Lane]:
    """Return a way to a venue's public data, which needs no keys."""
    return _open(venue, access, _client(venue, Credentials()), clock)


def public_feed_of(
    venue_id: str, access: Access, symbols: Sequence[str], timeframe_ms: int, clock: Clock
) -> tuple[Venue, Link, PublicFeed]:
    """Return the public market of a venue and the link to close in the end; nothing is sent yet.

    The client has no keys, so that ccxt refuses to build a signed request. UserError: an unknown venue.
    """
    venue = venue_of(venue_id)
    link, _ = public_link_to(venue, access, clock)
    return venue, link, PublicFeed(link, DIALECTS[venue.ccxt_id](), symbols, timeframe_ms)


def _open(
    venue: Venue, access: Access, client: Any, clock: Clock, weight_per_minute: int = 0
) -> tuple[Link, Lane]:
    switch_client(client, venue, access)
    hindrances = Hindrances(clock)
    lane = Lane(clock, venue.budget.granted(weight_per_minute), hindrances.blocked, hindrances.slowed)
    _give_turns(client, lane, EndpointPaces(clock, venue.endpoint_rate), venue)
    return Link(client, venue.ccxt_id, clock, hindrances), lane


def venue_of(venue_id: str) -> Venue:
    """Return the venue's row. UserError: there is none of this name."""
    if venue_id not in VENUES:
        raise UserError(f"The exchange {venue_id!r} is not known. Give one of: {', '.join(VENUES)}.")
    return VENUES[venue_id]


def _check_credentials(venue: Venue, credentials: Credentials) -> None:
    missing = [name for name in venue.credentials if not getattr(credentials, name)]
    if missing:
        raise UserError(
            f"{venue.title} needs {', '.join(venue.credentials)}; missing: {', '.join(missing)}. "
            f"{_PASSPHRASE if 'password' in missing else ''}"
            "Put each into a file of the secrets folder, or into the environment; see config/README.md."
        )


def _client(venue: Venue, credentials: Credentials) -> Any:
    logging.getLogger("ccxt").setLevel(logging.WARNING)
    client = getattr(ccxt.pro, venue.ccxt_id)(
        {"enableRateLimit": False, "timeout": _TIMEOUT_MS, "timeout_on_exit": 0}
    )
    for name in venue.credentials:  # never a variable: some tracebacks show those
        setattr(client, _CCXT_NAME[name], getattr(credentials, name))
    client.options.update(
        fetchCurrencies=False,
        fetchMargins=False,
        recvWindow=RECEIVE_WINDOW_MS,
        warnOnFetchOpenOrdersWithoutSymbol=False,
    )
    client.options = client.deep_extend(client.options, CLIENT_OPTIONS.get(venue.ccxt_id, {}))
    client.has["fetchCurrencies"] = False
    bound_replies(client)
    refuse_text(client)
    return client


def _give_turns(client: Any, lane: Lane, paces: EndpointPaces, venue: Venue) -> None:
    """Let every request wait for its turn in the lane BEFORE it is signed: a signature holds the time."""
    send, on_reply = client.fetch2, client.on_rest_response

    async def fetch_in_turn(
        path: str, api: Any = "public", method: str = "GET", params: Any = None, config: Any = None
    ) -> Any:
        weight = client.calculate_rate_limiter_cost(api, method, path, params or {}, config or {})
        if venue.read_weights and "type" in (params or {}):
            weight = venue.read_weights.get(params["type"], venue.read_weights[""])
        await paces.turn(f"{method} {path}", float(weight))
        async with lane.turn(float(weight)):
            try:
                return await send(path, api, method, params or {}, config or {})
            except (ccxt.DDoSProtection, ccxt.RateLimitExceeded):
                lane.block(lane.blocked_ms() or _UNTOLD_BLOCK_MS)
                raise

    def observe_reply(code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
        lane.observe(code, headers, venue.used_weight_header)
        return on_reply(code, reason, url, method, headers, *rest)

    client.fetch2, client.on_rest_response = fetch_in_turn, observe_reply


_UNTOLD_BLOCK_MS: Final = 2_000  # a limit reached, and the reply said no time
