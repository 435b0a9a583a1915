"""Where the switches of ccxt lead today, and what its streams leave out. Each fails without its fix."""

import inspect
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import ccxt
import ccxt.pro
import pytest
from ccxt.async_support.base.exchange import Exchange

from bot.clock import VirtualClock
from bot.errors import UserError
from bot.exchange.connect import DIALECTS, link_to, venue_of
from bot.exchange.hosts import Access, switch_client
from bot.exchange.told import AccountTold, UserStreamEnded
from bot.exchange.venues import VENUES
from tests.unit.exchange.recorder import CANARY, START_MS
from tests.unit.exchange.wire import BTC, wired

TESTED = sorted(set(VENUES) - {"kucoinfutures"})
LISTEN_KEY_MS = 3_600_000


def test_client(name: str) -> Any:
    return link_to(venue_of(name), Access("testnet"), CANARY, VirtualClock(START_MS))[0].client


test_client.__test__ = False  # pyright: ignore[reportFunctionMemberAccess]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str | None]:
    """The hosts that were asked; every answer is empty."""
    hosts: set[str | None] = set()

    async def fetch(_self: Any, url: str, *_: Any) -> Any:
        hosts.add(urlsplit(url).hostname)
        return {}

    monkeypatch.setattr(Exchange, "fetch", fetch)
    return hosts


Hosts = set[str | None]


async def test_binances_switch_is_demo_because_the_sandbox_signs_nothing(asked: Hosts) -> None:
    await test_client("binanceusdm").fapiPrivateV3GetPositionRisk()
    assert asked == {"demo-fapi.binance.com"}
    sandbox: Any = ccxt.pro.binanceusdm({"apiKey": "key", "secret": "word"})
    sandbox.set_sandbox_mode(True)
    with pytest.raises(ccxt.NotSupported, match="demo trading"):
        await sandbox.fapiPrivateV3GetPositionRisk()


async def test_bybits_demo_has_its_own_requests_and_private_stream(asked: Hosts) -> None:
    client = test_client("bybit")
    await client.privateGetV5PositionList()
    assert asked == {"api-demo.bybit.com"}
    private = await client.get_url_by_market_type(None, True, "watchOrders")
    assert urlsplit(private).hostname == "stream-demo.bybit.com"


async def test_a_signed_request_on_a_shared_host_says_that_it_is_a_test(asked: Hosts) -> None:
    """Without keys nothing can be traded: Bitget's clock and some of its markets are asked without it."""
    client = test_client("bitget")
    await client.fetch_time()
    client.options["sandboxMode"] = False
    await client.publicMixGetV2MixMarketContracts({"productType": "USDT-FUTURES"})
    asked.clear()
    with pytest.raises(UserError, match="PAPTRADING"):
        await client.privateMixGetV2MixAccountAccounts({"productType": "USDT-FUTURES"})
    assert asked == set()


@pytest.mark.parametrize(
    ("name", "switch"), [("kucoinfutures", "sandbox"), ("gate", "demo"), ("okx", "demo")]
)
def test_a_switch_that_ccxt_does_not_have_is_refused_in_words(name: str, switch: Any) -> None:
    """It raises TypeError or KeyError, by accident."""
    client = getattr(ccxt.pro, name)()
    with pytest.raises(UserError, match="no test addresses"):
        switch_client(client, VENUES[name]._replace(switch=switch), Access("testnet"))


@pytest.mark.parametrize("name", TESTED)
async def test_loading_markets_of_a_test_environment_asks_test_hosts_only(name: str, asked: Hosts) -> None:
    """Binance's demo has no addresses for coins and margin; others load spot and options elsewhere."""
    # The answers are empty; a refusal by the guard would be a UserError.
    with suppress(TypeError, KeyError, IndexError, ccxt.BaseError):
        await test_client(name).load_markets(True)
    assert asked
    assert asked <= VENUES[name].test_hosts


# --- streams ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(VENUES))
def test_a_row_claims_a_stream_of_marks_where_ccxt_has_one(name: str) -> None:
    has = getattr(ccxt.pro, name)().has
    assert VENUES[name].has_mark_stream == bool(has.get("watchMarkPrice"))


_CONNECTING = ("watch", "subscribe", "negotiate", "authenticate", "get_url")


class Watched:
    """A client of which each call that subscribes is written down instead."""

    def __init__(self, client: Any) -> None:
        self._client, self.watched = client, list[str]()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(_CONNECTING):
            return getattr(self._client, name)
        is_plain = name.startswith("get_url") and not inspect.iscoroutinefunction(getattr(self._client, name))

        def note(*_: Any, **__: Any) -> str:
            self.watched.append(name)
            return "wss://somewhere"

        async def note_later(*_: Any, **__: Any) -> str:
            return note()

        return note if is_plain else note_later


@pytest.mark.parametrize("name", sorted(DIALECTS))
async def test_nothing_is_subscribed_to_that_ccxt_does_not_have(name: str, asked: Hosts) -> None:
    access = Access("loopback", "http://127.0.0.1:1")
    client = link_to(venue_of(name), access, CANARY, VirtualClock(START_MS))[0].client
    client.market = lambda symbol: {"id": "BTCUSDT", "symbol": symbol, "baseName": "BTC"}
    client.uid, watched = "1", Watched(client)
    for watch in DIALECTS[name]().watchers(watched, (BTC,), "1m").values():
        await watch()
    claims = {camel(each) for each in watched.watched if each.startswith("watch_")} - {"watchTopics"}
    assert [each for each in sorted(claims) if not client.has.get(each)] == []
    assert asked <= {"127.0.0.1"}


def camel(name: str) -> str:
    head, *rest = name.split("_")
    words = "".join(each.upper() if each == "ohlcv" else each.capitalize() for each in rest)
    return f"{head}{words}"


@pytest.mark.parametrize("kind", ["MARGIN_CALL", "ACCOUNT_CONFIG_UPDATE"])
def test_messages_that_ccxt_drops_are_heard(kind: str) -> None:
    connection, _ = wired()
    dialect, client = connection.gateway.dialect, connection.link.client
    assert dialect.told(client, {"e": kind, "E": 7, "T": 6}) == AccountTold(6, ())
    assert dialect.told(client, {"e": "listenKeyExpired", "E": 7}) == UserStreamEnded(7)


async def test_a_margin_move_is_a_reason_to_read_and_never_read_itself() -> None:
    """ACCOUNT_UPDATE has neither liquidation price, leverage nor mark, and ccxt fills `total` only."""
    connection, _ = wired()
    await connection.gateway.instruments()
    position = {"s": "BTCUSDT", "pa": "9", "ep": "1", "iw": "77777", "mt": "isolated", "ps": "BOTH"}
    said = {"e": "ACCOUNT_UPDATE", "E": 7, "T": 6, "a": {"m": "MARGIN_TRANSFER", "B": [], "P": [position]}}
    client = connection.link.client
    assert connection.gateway.dialect.told(client, said) == AccountTold(6, (BTC,))
    assert (await connection.gateway.account()).positions == ()


async def test_marks_of_binance_come_every_second() -> None:
    connection, _ = wired()
    await connection.gateway.instruments()
    client, asked = connection.link.client, list[str]()

    async def watch_multiple(_url: str, _hashes: Any, request: Any, *_: Any) -> Any:
        asked.extend(request["params"])
        raise ccxt.NetworkError("that is all")

    client.watch_multiple = watch_multiple
    with pytest.raises(ccxt.NetworkError):
        await connection.gateway.dialect.watchers(client, (BTC,), "1m")["marks"]()
    assert asked == ["btcusdt@markPrice@1s"]


def test_a_listen_key_is_renewed_before_it_lapses() -> None:
    connection, _ = wired()
    assert 0 < connection.link.client.options["listenKeyRefreshRate"] <= LISTEN_KEY_MS / 2
