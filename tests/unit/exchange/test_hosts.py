"""Where requests may go. The guard looks at every address; these tests never reach a network."""

import pytest

from bot.clock import VirtualClock
from bot.errors import UserError
from bot.exchange.connect import DIALECTS, Credentials, _client, connect
from bot.exchange.hosts import Access, Guard, switch_client
from bot.exchange.venues import VENUES
from tests.unit.exchange.wire import BTC, KEYS

PATH_OF_BITGET = ("v2/mix/account/accounts", ["private", "mix"])


def switched(name: str, access: Access):
    keys = Credentials("key", "secret", "word", "0x1", "0x2")
    client = _client(VENUES[name], keys)
    switch_client(client, VENUES[name], access)
    return client


@pytest.mark.parametrize("name", sorted(set(VENUES) - {"kucoinfutures"}))
def test_testnet_reaches_no_production_trading_host(name: str) -> None:
    client = switched(name, Access("testnet"))
    guard = Guard(VENUES[name], Access("testnet"))
    shared = VENUES[name].live_hosts & VENUES[name].test_hosts
    for host in VENUES[name].live_hosts - shared:
        with pytest.raises(UserError):
            guard.check_host(f"https://{host}/anything")
    assert client.id


@pytest.mark.parametrize("name", ["okx", "bitget"])
def test_a_shared_host_needs_the_header_that_says_test(name: str) -> None:
    client = switched(name, Access("testnet"))
    header, value = VENUES[name].test_header
    url = f"https://{sorted(VENUES[name].live_hosts & VENUES[name].test_hosts)[0]}/x"
    guard = Guard(VENUES[name], Access("testnet"))
    guard.check_request(url, {header: value})
    with pytest.raises(UserError, match=header):
        guard.check_request(url, {})
    path, api = ("account/balance", ["private"]) if name == "okx" else PATH_OF_BITGET
    sent = client.sign(path, api, "GET")
    assert {**(client.headers or {}), **(sent["headers"] or {})}.get(header) == value


async def test_bitgets_clock_may_be_asked_on_its_demo_account() -> None:
    """ccxt sends this request without the header; it holds nothing of an account."""
    client = switched("bitget", Access("testnet"))
    sent = client.sign("v2/public/time", ["public", "common"], "GET")
    assert "PAPTRADING" not in (sent["headers"] or {})
    guard = Guard(VENUES["bitget"], Access("testnet"))
    guard.check_request(sent["url"], sent["headers"] or {})


def test_a_venue_without_test_environment_is_for_paper_only() -> None:
    with pytest.raises(UserError, match="paper"):
        switched("kucoinfutures", Access("testnet"))


async def test_a_switch_that_did_nothing_is_found_before_the_first_request() -> None:
    client = _client(VENUES["binanceusdm"], KEYS)
    client.enable_demo_trading = lambda _enable: None
    with pytest.raises(UserError, match=r"api\.binance\.com"):
        switch_client(client, VENUES["binanceusdm"], Access("testnet"))


async def test_a_request_that_strays_to_production_is_not_sent() -> None:
    client = switched("binanceusdm", Access("testnet"))
    client.urls["api"]["fapiPrivate"] = "https://fapi.binance.com/fapi/v1"
    with pytest.raises(UserError, match=r"fapi\.binance\.com"):
        await client.fapiPrivateGetPositionSideDual()
    with pytest.raises(UserError):
        client.client("wss://fstream.binance.com/private/ws?listenKey=x")
    await client.close()


def test_everything_goes_to_loopback_when_an_address_is_given() -> None:
    client = switched("binanceusdm", Access("loopback", "http://127.0.0.1:8123"))
    assert client.urls["api"]["fapiPrivateV3"] == "http://127.0.0.1:8123/fapi/v3"
    assert client.urls["api"]["ws"]["linear"] == "ws://127.0.0.1:8123/ws"
    assert client.urls["api"]["sapi"].startswith("http://127.0.0.1:8123/")


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("http://[::1]:8123", "[::1]:8123"),
        ("http://[0:0:0:0:0:0:0:1]:8123", "[::1]:8123"),
        ("http://localhost:8123", "127.0.0.1:8123"),
        ("HTTP://LocalHost:08123/", "127.0.0.1:8123"),
        ("http://127.0.0.1:80", "127.0.0.1"),
    ],
)
def test_every_spelling_of_this_machine_is_one_address(written: str, host: str) -> None:
    client = switched("binanceusdm", Access("loopback", written))
    assert client.urls["api"]["fapiPrivateV3"] == f"http://{host}/fapi/v3"
    assert client.urls["api"]["ws"]["linear"] == f"ws://{host}/ws"


@pytest.mark.parametrize(
    ("excess", "says"),
    [
        ("http://user:canary@127.0.0.1:80", "a user or password"),
        ("http://canary@127.0.0.1:80/", "a user or password"),
        ("http://127.0.0.1:80/fapi", "a path"),
        ("http://127.0.0.1:80/?key=canary", "a query"),
        ("http://127.0.0.1:80#part", "a query"),
    ],
)
def test_an_address_says_where_and_nothing_else(excess: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as refused:
        switched("binanceusdm", Access("loopback", excess))
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("address", ["http://::1:80", "http://[::1:80", "http://[::2]:80", "http://[::1]:x"])
def test_an_address_that_is_none_is_refused_in_words(address: str) -> None:
    with pytest.raises(UserError, match="not on this machine"):
        switched("binanceusdm", Access("loopback", address))


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1:80", "https://127.0.0.1:80", "http://localhost.evil.org", "127.0.0.1", ""]
)
def test_keys_are_sent_to_this_machine_only(address: str) -> None:
    with pytest.raises(UserError, match="not on this machine"):
        switched("binanceusdm", Access("loopback", address))


def test_live_is_live_hosts_only() -> None:
    guard = Guard(VENUES["binanceusdm"], Access("live"))
    guard.check_host("https://fapi.binance.com/fapi/v1/order")
    with pytest.raises(UserError):
        guard.check_host("https://fapi.binance.com.evil.org/fapi/v1/order")


def test_unknown_venues_and_missing_keys_are_refused_in_words() -> None:
    clock = VirtualClock(0)
    with pytest.raises(UserError, match="not known"):
        connect("mtgox", Access("testnet"), KEYS, (BTC,), clock)
    with pytest.raises(UserError, match="missing: secret"):
        connect("binanceusdm", Access("testnet"), type(KEYS)("key"), (BTC,), clock)
    with pytest.raises(UserError, match=r"missing: password\. The password is the API key's passphrase"):
        connect("okx", Access("testnet"), type(KEYS)("key", "secret"), (BTC,), clock)


def test_every_venue_that_is_listed_is_traded() -> None:
    assert set(DIALECTS) == set(VENUES)
