"""Which host a request goes to, and the guard that lets it go to no other. Fails closed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from bot.errors import UserError
from bot.exchange.venues import Venue
from bot.loopback import is_loopback, loopback_address
from bot.proxy import is_on_this_machine

Environment = Literal["live", "testnet", "loopback"]
# Bitget's clock is asked without the header that says test: it knows no account.
_CLOCKS: Final = frozenset({"/api/v2/public/time"})


class Access(NamedTuple):
    """Where to trade. `base_url` only for loopback: the address of an exchange on this machine.

    `proxy`: the HTTP proxy in between, http://HOST:PORT; "" for none.
    """

    environment: Environment
    base_url: str = ""
    proxy: str = ""


def switch_client(client: Any, venue: Venue, access: Access) -> None:
    """Point the ccxt client at the environment and check where its requests would really go.

    UserError: the venue has no test environment, or a host is not one of the environment's.
    """
    if access.environment == "loopback":
        _route_to(client, checked_base(access.base_url))
        _use_linear_error_tables(client)
    elif access.environment == "testnet":
        check_environment(venue, access)
        _switch_to_test(client, venue)
    _use_proxy(client, access)
    guard = Guard(venue, access)
    _check_rest_hosts(client, venue, guard)
    _watch_requests(client, guard)


class Guard:
    """Refuses every host that does not belong to the environment that was asked for."""

    def __init__(self, venue: Venue, access: Access) -> None:
        self._venue, self._access = venue, access

    def check_host(self, url: str) -> None:
        """Return when `url` may be asked; UserError otherwise."""
        host = urlsplit(url).hostname or ""
        if self._access.environment == "loopback":
            allowed = is_loopback(host)
        elif self._access.environment == "live":
            allowed = host in self._venue.live_hosts
        else:
            allowed = host in self._venue.test_hosts
        if not allowed:
            raise self._refusal(host or "no host")

    def check_request(self, url: str, headers: Mapping[str, Any]) -> None:
        """Check the host, and on hosts that tests share with production the header that tells them apart."""
        self.check_host(url)
        name, value = self._venue.test_header
        if self._access.environment != "testnet" or urlsplit(url).path in _CLOCKS:
            return
        if name and headers.get(name) != value:
            raise self._refusal(f"{urlsplit(url).hostname} without {name}")

    def _refusal(self, where: str) -> UserError:
        return UserError(
            f"A request to {where} was refused before it was sent: it is not part of the "
            f"{self._access.environment} environment of {self._venue.title}. Cause: ccxt was not "
            "switched, or the exchange has moved. Install the ccxt version in requirements/."
        )


def check_environment(venue: Venue, access: Access) -> None:
    """Return when the venue has the environment. UserError: it has no test accounts."""
    if access.environment == "testnet" and venue.switch == "none":
        raise UserError(
            f"{venue.title} has no test environment: only real money could be traded there. "
            "Cause: the exchange closed its sandbox. Use paper trading for this exchange."
        )


def _switch_to_test(client: Any, venue: Venue) -> None:
    try:
        if venue.switch == "demo":
            client.enable_demo_trading(True)
        else:
            client.set_sandbox_mode(True)
    except (KeyError, TypeError) as error:  # what ccxt raises where a venue has no such URLs
        raise UserError(
            f"ccxt could not switch {venue.title} to its test environment ({type(error).__name__}). "
            "Cause: this ccxt version has no test addresses for it. Install the version in requirements/."
        ) from None


def _use_proxy(client: Any, access: Access) -> None:
    """Send requests and streams through the proxy, which sees host names: what is in them is encrypted.

    Except on loopback, where nothing is: there it must be this machine's own.
    """
    if not access.proxy:
        return
    if access.environment == "loopback" and not is_on_this_machine(access.proxy):
        raise UserError(
            f"exchange.proxy is {access.proxy} and the exchange is on this machine, so that keys would be "
            "sent unencrypted to another. Nothing was sent. Leave exchange.proxy out."
        )
    client.httpsProxy = client.wssProxy = access.proxy


def _check_rest_hosts(client: Any, venue: Venue, guard: Guard) -> None:
    """Check the addresses of signed requests before any is sent; sub-services we never ask may differ."""
    urls = [client.implode_hostname(url) for url in _leaves(client.urls["api"]) if url.startswith("http")]
    known = venue.live_hosts | venue.test_hosts
    hosts = {urlsplit(url).hostname or "": url for url in urls}
    used = [url for host, url in hosts.items() if host in known or is_loopback(host)]
    if not used:
        raise UserError(
            f"None of the addresses ccxt has for {venue.title} is known to Ringfence. Cause: the exchange "
            "or ccxt changed them. Install the ccxt version in requirements/, or report the change."
        )
    for url in used:
        guard.check_host(url)


def _watch_requests(client: Any, guard: Guard) -> None:
    fetch, open_stream = client.fetch, client.client

    async def guarded_fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        sent = {**(client.headers or {}), **(headers or {})}
        if client.apiKey and client.apiKey not in sent.values():
            guard.check_host(
                url
            )  # unsigned: ccxt asks Bitget's clock and markets without the header of tests
        else:
            guard.check_request(url, sent)
        return await fetch(url, method, headers, body)

    def guarded_stream(url: str) -> Any:
        # ccxt parks its listen-key request on a client that is never dialled and has no address.
        if "://" in url:
            guard.check_host(url)
        return open_stream(url)

    client.fetch, client.client = guarded_fetch, guarded_stream


def checked_base(base_url: str) -> str:
    """Return the address in its one form. UserError: not this machine's, or more than an address."""
    try:
        return loopback_address(base_url)
    except ValueError as error:
        shown = base_url.rpartition("@")[2].partition("?")[0]  # what stands before and behind may be a secret
        raise UserError(
            f"The exchange address {shown!r} cannot be used: {error}. "
            "Start `ringfence exchange serve` and give its address."
        ) from None


def _route_to(client: Any, base: str) -> None:
    """Replace scheme and host of every address, so that a request that strays arrives there too."""
    client.urls["api"] = _moved(client.urls["api"], urlsplit(base).netloc)


def _moved(tree: Any, netloc: str) -> Any:
    if isinstance(tree, dict):
        return {name: _moved(value, netloc) for name, value in tree.items()}
    parts = urlsplit(tree)
    scheme = "http" if parts.scheme.startswith("http") else "ws"
    return urlunsplit((scheme, netloc, parts.path, parts.query, ""))


def _use_linear_error_tables(client: Any) -> None:
    """ccxt chooses Binance's table by URL prefix: elsewhere -2019 would be a bare ExchangeError."""
    linear = client.exceptions.get("linear")
    if linear:
        for table in ("exact", "broad"):
            client.exceptions[table].update(linear.get(table, {}))


def _leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for value in tree.values():
            yield from _leaves(value)
    elif isinstance(tree, str):
        yield tree
