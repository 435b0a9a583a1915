"""Streams of four venues over a real socket: what is subscribed to, and what messages say."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import WSMsgType, web

from bot.clock import WallClock
from bot.exchange.connect import connect, venue_of
from bot.exchange.hosts import Access, Guard
from bot.exchange.link import Link
from bot.exchange.streams import Streams
from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told
from tests.unit.exchange.documented import BTC, BTC_USDC, gate, hyperliquid
from tests.unit.exchange.recorder import CANARY, START_MS, Recorder, market_row

SECONDS = START_MS // 1000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def update(channel: str, *rows: Any) -> dict[str, Any]:
    return {"time": SECONDS, "time_ms": START_MS + 123, "channel": f"futures.{channel}", "event": "update",
            "result": list(rows)}  # fmt: skip


TICKER = {"contract": "BTC_USDT", "last": "50001", "mark_price": "50000.5", "index_price": "50000",
          "funding_rate": "0.0001", "funding_next_apply": SECONDS + 3_600}  # fmt: skip
CANDLE = {"t": SECONDS, "v": "27", "c": "95.4", "h": "96.9", "l": "89.5", "o": "94.3", "n": "1m_BTC_USDT",
          "a": "314.8", "w": True}  # fmt: skip


def heard(made: Recorder, message: Any) -> Any:
    return made.trading.told(made.client, message)


def test_gates_ticker_carries_the_mark_and_the_next_settlement() -> None:
    made = gate()
    next_ms = START_MS + HOUR_MS
    assert heard(made, update("tickers", TICKER)) == [MarkTold(START_MS + 123, BTC, 50_000.5, next_ms)]
    later = {"contract": "BTC_USDT", "mark_price": "50001.5"}
    assert heard(made, update("tickers", later)) == [MarkTold(START_MS + 123, BTC, 50_001.5, next_ms)]
    assert heard(made, update("tickers", {**TICKER, "contract": "NO_USDT"}, {"contract": "BTC_USDT"})) == []


def test_gates_closed_and_new_candle_come_in_one_message() -> None:
    new = {**CANDLE, "t": SECONDS + 60, "w": False}
    first, second = heard(gate(), update("candlesticks", CANDLE, new))
    assert first == CandleTold(START_MS + 123, BTC, START_MS, 94.3, 96.9, 89.5, 95.4, 27.0, True)
    assert (second.open_ms, second.is_closed) == (START_MS + MINUTE_MS, False)


@pytest.mark.parametrize("channel", ["orders", "usertrades", "positions", "autoorders"])
def test_gates_account_messages_have_the_account_read(channel: str) -> None:
    row = {"initial": {"contract": "BTC_USDT"}} if channel == "autoorders" else {"contract": "BTC_USDT"}
    assert heard(gate(), update(channel, row, row)) == [AccountTold(START_MS + 123, (BTC,))]


def test_gates_acknowledgements_are_ccxts_business() -> None:
    made = gate()
    acknowledged = {**update("tickers"), "event": "subscribe", "result": {"status": "success"}}
    for message in (acknowledged, update("pong"), {"channel": "futures.pong"}, "pong", None):
        assert heard(made, message) is None


def test_hyperliquids_marks_and_candles_are_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    made = hyperliquid()
    still = SimpleNamespace(monotonic=lambda: 5.0)
    monkeypatch.setattr("bot.exchange.dialects.hyperliquid_time.time", still)
    made.client.milliseconds = lambda: START_MS
    context = {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": {"markPx": "50000.5"}}}
    next_ms = START_MS - START_MS % HOUR_MS + HOUR_MS
    assert heard(made, context) == MarkTold(START_MS, BTC_USDC, 50_000.5, next_ms)
    bar = {"t": START_MS - 5, "T": START_MS, "s": "BTC", "i": "1m", "o": "1", "c": "2", "h": "3", "l": "0.5",
           "v": "7.5", "n": 2}  # fmt: skip
    candle = heard(made, {"channel": "candle", "data": bar})
    assert candle == CandleTold(START_MS, BTC_USDC, START_MS - 5, 1.0, 3.0, 0.5, 2.0, 7.5, False)
    assert heard(made, {"channel": "candle", "data": {**bar, "s": "NONE"}}) is None


def test_hyperliquids_account_messages_have_the_account_read() -> None:
    made = hyperliquid()
    rows = [{"order": {"coin": "BTC"}, "status": "open", "statusTimestamp": START_MS}]
    told = AccountTold(START_MS, (BTC_USDC,))
    assert heard(made, {"channel": "orderUpdates", "data": rows}) == told
    timed = [{"coin": "BTC", "time": START_MS}, {"coin": "BTC", "time": START_MS - 1}]
    assert heard(made, {"channel": "userFills", "data": {"isSnapshot": True, "fills": timed}}) == told
    assert heard(made, {"channel": "userFundings", "data": {"fundings": timed}}) == told
    assert heard(made, {"channel": "userFills", "data": {"fills": []}}) == AccountTold(0, ())
    for message in ({"channel": "pong"}, {"channel": "subscriptionResponse", "data": {}}, "x", None):
        assert heard(made, message) is None


@pytest.mark.parametrize("name", ["gate", "hyperliquid"])
@pytest.mark.parametrize("environment", ["live", "testnet"])
def test_the_sockets_of_each_environment_pass_its_guard(name: str, environment: Any) -> None:
    access = Access(environment)
    connection = connect(name, access, CANARY, (BTC,), WallClock())
    client = connection.link.client
    url = (
        client.urls["api"]["ws"]["public"] if name == "hyperliquid" else client.get_url_by_market_type("swap")
    )
    Guard(venue_of(name), access).check_host(url)


# --- over a socket --------------------------------------------------------------------------------


class Line(NamedTuple):
    """A venue's end of its sockets: what they were asked and where, and the address of its exchange."""

    asked: list[Any]
    base: str
    doors: list[str]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Line]]]:
    """Serve a socket for any path; every subscription is answered with what `said` makes of it.

    `posted` answers requests, given the path and the address of this exchange.
    """
    runners: list[web.AppRunner] = []

    async def serving(
        said: Callable[[Any], list[Any]], posted: Callable[[str, str], Any] = lambda _path, _host: {}
    ) -> Line:
        asked: list[Any] = []
        doors: list[str] = []

        async def answer(request: web.Request) -> web.Response:
            return web.json_response(posted(request.path, request.host))

        async def door(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            doors.append(request.path_qs)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    asked.append(json.loads(message.data))
                    for each in said(asked[-1]):
                        await socket.send_json(each)
            return socket

        application = web.Application()
        application.router.add_get("/{path:.*}", door)
        application.router.add_post("/{path:.*}", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        return Line(asked, f"http://127.0.0.1:{port}", doors)

    yield serving
    for runner in runners:
        await runner.cleanup()


class Ear:
    """Streams of a connection, and what they told."""

    def __init__(self, name: str, base: str, market: dict[str, Any], symbol: str) -> None:
        connection = connect(name, Access("loopback", base), CANARY, (symbol,), WallClock())
        self.link: Link = connection.link
        self.link.client.open()  # as the first request does, which comes before any stream
        self.link.client.set_markets([market_row(self.link.client, market)])
        self.told: list[Told] = []
        self.broken: list[str] = []
        dialect = connection.gateway.dialect
        self.streams = Streams(self.link, dialect, self.told.append, self.broken.append)
        self.streams.start(dialect.watchers(self.link.client, [symbol], "1m"))

    async def until(self, *kinds: type) -> None:
        """Wait until each kind was told."""
        async with asyncio.timeout(10.0):
            while not {type(each) for each in self.told} >= set(kinds):
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.streams.stop()
        await self.link.client.close()


async def test_gates_streams_are_heard_over_a_socket(serve: Any) -> None:
    def said(asked: Any) -> list[Any]:
        kind = asked["channel"].removeprefix("futures.")
        rows = {"tickers": TICKER, "candlesticks": CANDLE}.get(kind, {"contract": "BTC_USDT"})
        return [{**asked, "result": {"status": "success"}}, update(kind, rows)]

    line = await serve(said)
    ear = Ear("gate", line.base, {"id": "BTC_USDT", "settleId": "usdt"}, BTC)

    async def account(_: Any) -> Any:
        return {"user": 11}

    ear.link.client.privateFuturesGetSettleAccounts = account
    await ear.until(MarkTold, CandleTold, AccountTold)
    payloads = {each["channel"]: each["payload"] for each in line.asked}
    assert payloads["futures.tickers"] == ["BTC_USDT"]
    assert payloads["futures.candlesticks"] == ["1m", "BTC_USDT"]
    for channel in ("orders", "usertrades", "positions", "autoorders"):
        assert payloads[f"futures.{channel}"] == ["11", "!all"]
    signed = [each for each in line.asked if each["channel"] == "futures.positions"]
    assert {"method", "KEY", "SIGN"} == set(signed[0]["auth"])
    assert CANARY.secret not in json.dumps(line.asked)
    await ear.close()


async def test_hyperliquids_streams_are_heard_over_a_socket(serve: Any) -> None:
    def said(asked: Any) -> list[Any]:
        kind = asked["subscription"]["type"]
        bar = {"t": START_MS, "T": START_MS, "s": "BTC", "o": "1", "c": "1", "h": "1", "l": "1", "v": "1"}
        data = {"activeAssetCtx": {"coin": "BTC", "ctx": {"markPx": "50000"}}, "candle": bar,
                "orderUpdates": [{"order": {"coin": "BTC"}, "statusTimestamp": START_MS}],
                "userFills": {"fills": []}, "userFundings": {"fundings": []}}[kind]  # fmt: skip
        return [{"channel": "subscriptionResponse", "data": asked}, {"channel": kind, "data": data}]

    line = await serve(said)
    market = {"id": "0", "baseId": "0", "settle": "USDC"}
    ear = Ear("hyperliquid", line.base, market, BTC_USDC)
    await ear.until(MarkTold, CandleTold, AccountTold)
    while len(line.asked) < 5:
        await asyncio.sleep(0.01)
    user = {"user": CANARY.wallet_address}
    wanted: list[Any] = [
        {"type": "activeAssetCtx", "coin": "BTC"},
        {"type": "candle", "coin": "BTC", "interval": "1m"},
        *({"type": each, **user} for each in ("orderUpdates", "userFills", "userFundings")),
    ]
    assert sorted(line.asked, key=str) == sorted(
        ({"method": "subscribe", "subscription": each} for each in wanted), key=str
    )
    ear.streams.renew("marks")
    async with asyncio.timeout(10.0):
        while len(line.asked) < 10:
            await asyncio.sleep(0.01)
    assert set(ear.broken) == {"marks", "candles", "account"}, "one socket carries them all"
    await ear.close()


async def test_bitgets_streams_are_heard_over_a_socket(serve: Any) -> None:
    """The account's socket is logged in to before anything is asked of it."""
    ticker = {"instId": "BTCUSDT", "markPrice": "50000.5", "nextFundingTime": "1", "ts": str(START_MS)}
    candle = [str(START_MS), "1", "1", "1", "1", "2", "2", "2"]
    data = {"ticker": [ticker], "candle1m": [candle], "orders": [{"instId": "BTCUSDT"}]}

    def said(asked: Any) -> list[Any]:
        if asked["op"] == "login":
            return [{"event": "login", "code": 0}]
        replies: list[Any] = [{"event": "subscribe", "arg": arg} for arg in asked["args"]]
        for arg in asked["args"]:
            if arg["channel"] in data:
                rows = data[arg["channel"]]
                replies.append({"action": "snapshot", "arg": arg, "data": rows, "ts": START_MS})
        return replies

    line = await serve(said)
    ear = Ear("bitget", line.base, {"id": "BTCUSDT"}, BTC)
    await ear.until(MarkTold, CandleTold, AccountTold)
    assert {each for each in ear.told if isinstance(each, AccountTold)} == {AccountTold(START_MS, (BTC,))}
    logins = [index for index, each in enumerate(line.asked) if each["op"] == "login"]
    names = [[arg.get("channel") for arg in each["args"]] for each in line.asked]
    private = names.index(["orders", "orders-algo", "positions", "fill", "account"])
    assert len(logins) == 1
    assert logins[0] < private
    (login,) = line.asked[logins[0]]["args"]
    assert set(login) == {"apiKey", "passphrase", "timestamp", "sign"}
    assert CANARY.secret not in json.dumps(line.asked)
    assert sorted(path.rpartition("/")[2] for path in line.doors) == ["private", "public"]
    ear.streams.renew("account")
    async with asyncio.timeout(10.0):
        while "account" not in ear.broken or len(line.doors) < 3:
            await asyncio.sleep(0.01)
    assert ear.broken == ["account"], "the public socket goes on"
    await ear.close()


async def test_kucoins_streams_are_heard_over_sockets_of_their_own_tokens(serve: Any) -> None:
    given: list[str] = []

    def posted(path: str, host: str) -> Any:
        given.append(path)
        server = {"endpoint": f"ws://{host}/endpoint", "pingInterval": 18_000, "pingTimeout": 10_000,
                  "protocol": "websocket", "encrypt": False}  # fmt: skip
        return {"code": "200000", "data": {"token": f"token{len(given)}", "instanceServers": [server]}}

    def said(asked: Any) -> list[Any]:
        topic = asked.get("topic", "")
        mark = {"markPrice": 50_000.5, "indexPrice": 1, "granularity": 1_000, "timestamp": START_MS}
        bar = {"symbol": "XBTUSDTM", "time": START_MS,
               "candles": [str(SECONDS), "1", "1", "1", "1", "2", "2"]}  # fmt: skip
        pushed = {
            "/contract/instrument:XBTUSDTM": ("mark.index.price", mark),
            "/contractMarket/limitCandle:XBTUSDTM_1min": ("candle.stick", bar),
            "/contractMarket/tradeOrders": (
                "orderChange",
                {"symbol": "XBTUSDTM", "ts": START_MS * 1_000_000},
            ),
        }
        acknowledged = {"id": asked["id"], "type": "ack"}
        if topic not in pushed:
            return [acknowledged]
        subject, data = pushed[topic]
        return [acknowledged, {"topic": topic, "type": "message", "subject": subject, "data": data}]

    line = await serve(said, posted)
    ear = Ear("kucoinfutures", line.base, {"id": "XBTUSDTM", "contractSize": 0.001}, BTC)
    await ear.until(MarkTold, CandleTold, AccountTold)
    async with asyncio.timeout(10.0):
        while len([each for each in line.asked if each["type"] == "subscribe"]) < 5:
            await asyncio.sleep(0.01)
    private = [each["topic"] for each in line.asked if each.get("privateChannel")]
    assert sorted(private) == [
        "/contractAccount/wallet", "/contractMarket/advancedOrders", "/contractMarket/tradeOrders",
    ]  # fmt: skip
    assert sorted(path.rpartition("-")[2] for path in given) == ["private", "public"]
    tokens = [parse_qs(urlsplit(path).query)["token"][0] for path in line.doors]
    assert len(tokens) == len(set(tokens)), "each socket has a token of its own"
    before = len(line.doors)
    ear.streams.renew("account")
    async with asyncio.timeout(10.0):
        while "account" not in ear.broken or len(line.doors) == before:
            await asyncio.sleep(0.01)
    assert ear.broken == ["account"]
    assert parse_qs(urlsplit(line.doors[-1]).query)["token"][0] not in tokens, "an old token is not dialled"
    await ear.close()
