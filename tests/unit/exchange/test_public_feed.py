"""The public feed: every mark, published funding, no account, and nothing that could be signed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import ccxt
import pytest

from bot.clock import VirtualClock
from bot.core.event import CandleClosed, FeedGap, FundingDue, MarkPrice
from bot.errors import Fatal, Rejected, Unavailable, UserError
from bot.exchange.connect import DIALECTS, public_feed_of
from bot.exchange.hosts import Access
from bot.exchange.link import Link
from bot.exchange.public_feed import PublicFeed
from bot.sim.embedded import instrument_for
from tests.unit.exchange.documented import FUTURES
from tests.unit.exchange.test_feed import (
    FIRST_MS,
    MINUTE_MS,
    Socket,
    StepClock,
    bar,
    kline_row,
    mark,
    settle,
)
from tests.unit.exchange.test_life_on_gate import CONTRACT, TIER
from tests.unit.exchange.wire import BASE, BTC, START_MS, Reply, Wire

DOWN = Reply(503, {"code": -1000, "msg": "down"})


def premium(price: float, ts_ms: int = START_MS) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "markPrice": str(price),
        "time": ts_ms,
        "nextFundingTime": START_MS + 10**9,
    }


def rate_row(ts_ms: int, rate: str = "0.0003") -> dict[str, Any]:
    return {"symbol": "BTCUSDT", "fundingRate": rate, "fundingTime": ts_ms, "markPrice": "50000"}


class Heard:
    """A public feed on a scripted wire, and what it yields."""

    def __init__(self) -> None:
        self.clock = StepClock(START_MS)
        _, self.link, self.feed = public_feed_of(
            "binanceusdm",
            Access("loopback", BASE),
            (BTC,),
            MINUTE_MS,
            self.clock,  # pyright: ignore[reportArgumentType]
        )
        self.wire = Wire(self.link.client)
        self.wire.answers["GET /fapi/v1/premiumIndex"] = premium(50_000.0)
        self.wire.answers["GET /fapi/v1/fundingRate"] = [rate_row(START_MS - MINUTE_MS)]
        self.wire.answers["GET /fapi/v1/klines"] = [kline_row(-1), kline_row(0)]
        self.subscribed: list[str] = []
        for name in ("watch_mark_prices", "watch_ohlcv_for_symbols", "watch_orders"):
            setattr(self.link.client, name, self._watch(name))
        self.events: list[Any] = []
        self.socket = Socket()

    def _watch(self, name: str) -> Any:
        async def watch(*_arguments: Any) -> None:
            self.subscribed.append(name)
            await asyncio.get_running_loop().create_future()

        return watch

    async def listen(self) -> None:
        async for event in self.feed.events():
            self.events.append(event)

    def say(self, message: dict[str, Any]) -> None:
        self.link.client.handle_message(self.socket, message)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    made = Heard()
    await made.feed.meet(instrument_for)
    await made.feed.history(BTC, MINUTE_MS, 1)
    task = asyncio.create_task(made.listen())
    await settle()
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_every_mark_is_told_in_its_order(heard: Heard) -> None:
    """A stop of paper money may lie between two marks: none may be replaced by a newer one."""
    heard.say(bar(0, close=50_005.0))
    for step in range(100):
        heard.say(mark(50_000.0 + step, START_MS + step))
    await settle()
    assert heard.of(MarkPrice) == [
        MarkPrice(START_MS + step, BTC, 50_000.0 + step, 50_005.0) for step in range(100)
    ]


async def test_closed_candles_come_without_a_hole_and_with_the_last_rate(heard: Heard) -> None:
    heard.wire.answers["GET /fapi/v1/klines"] = [kline_row(each) for each in range(4)]
    heard.say(bar(3, is_closed=True))
    await settle()
    closed = heard.of(CandleClosed)
    assert [event.ts_ms for event in closed] == [FIRST_MS + each * MINUTE_MS for each in range(1, 5)]
    assert {event.funding_rate for event in closed} == {0.0003}


async def test_no_user_stream_is_subscribed_to_and_no_key_is_asked_for(heard: Heard) -> None:
    await heard.clock.pass_by(3_000)
    assert sorted(set(heard.subscribed)) == ["watch_mark_prices", "watch_ohlcv_for_symbols"]
    for request in heard.wire.requests:
        assert request.method == "GET"
        assert not {"signature", "timestamp", "recvWindow"} & set(request.params)
        assert "X-MBX-APIKEY" not in request.headers


async def test_funding_is_told_when_its_rate_is_published_and_not_by_the_one_before(heard: Heard) -> None:
    heard.wire.answers["GET /fapi/v1/fundingRate"] = []
    heard.say(mark(50_000.0, START_MS - 1, START_MS))
    heard.say(mark(50_000.0, START_MS + 1, START_MS + 8 * 3_600_000))
    await settle()
    assert heard.of(FundingDue) == []
    heard.wire.answers["GET /fapi/v1/fundingRate"] = [
        rate_row(START_MS - 8 * 3_600_000, "0.0009"),
        rate_row(START_MS + 4),
    ]
    await heard.clock.pass_by(6_000)
    assert heard.of(FundingDue) == [FundingDue(START_MS, BTC, 0.0003)]


async def test_a_settlement_is_asked_for_again_while_the_exchange_is_away(heard: Heard) -> None:
    heard.wire.answers["GET /fapi/v1/fundingRate"] = DOWN
    heard.say(mark(50_000.0, START_MS - 1, START_MS))
    heard.say(mark(50_000.0, START_MS + 1, START_MS + 8 * 3_600_000))
    await heard.clock.pass_by(10_000)
    heard.wire.answers["GET /fapi/v1/fundingRate"] = [rate_row(START_MS)]
    await heard.clock.pass_by(10_000)
    assert [event.rate for event in heard.of(FundingDue)] == [0.0003]


async def test_silent_marks_are_read_by_rest_and_the_stream_is_renewed(heard: Heard) -> None:
    heard.say(mark(50_000.0, START_MS))
    heard.wire.answers["GET /fapi/v1/premiumIndex"] = premium(50_123.4, START_MS + 7)
    await heard.clock.pass_by(8_000)
    assert 50_123.4 in [event.mark for event in heard.of(MarkPrice)]


async def test_a_dead_exchange_ends_nothing_and_its_return_is_a_gap(heard: Heard) -> None:
    heard.say(mark(50_000.0, START_MS))
    heard.wire.answers["GET /fapi/v1/premiumIndex"] = DOWN
    await heard.clock.pass_by(60_000)
    heard.say(mark(51_000.0, START_MS + 60_000))
    await settle()
    assert heard.of(FeedGap) == [FeedGap(START_MS, BTC, START_MS + 60_000)]
    assert heard.events[-1] == MarkPrice(START_MS + 60_000, BTC, 51_000.0, 51_000.0)


async def test_binance_without_a_key_has_live_steps_and_the_shipped_brackets() -> None:
    made = Heard()
    found = (await made.feed.meet(instrument_for))[BTC]
    shipped = instrument_for(BTC)
    assert (found.tick_size, found.quantity_step, found.min_notional_quote) == (0.1, 0.001, 50.0)
    assert found.tiers.maintenance_margin_rate.tolist() == shipped.tiers.maintenance_margin_rate.tolist()
    assert found.taker_fee_rate == shipped.taker_fee_rate
    assert made.wire.sent("GET", "/fapi/v1/leverageBracket") == []


@pytest.mark.parametrize("symbol", ["BTC/USDT", "NOPE/USDT:USDT"])
async def test_a_symbol_that_is_not_traded_is_refused(symbol: str) -> None:
    made = Heard()
    made.feed = PublicFeed(made.link, DIALECTS["binanceusdm"](), (symbol,), MINUTE_MS)
    with pytest.raises(UserError, match="Nothing was started"):
        await made.feed.meet(instrument_for)


async def test_an_exchange_that_cannot_be_reached_is_unavailable() -> None:
    made = Heard()
    made.wire.answers["GET /fapi/v1/exchangeInfo"] = ccxt.NetworkError("no route to host")
    task = asyncio.create_task(made.feed.meet(instrument_for))
    while not task.done():
        await made.clock.pass_by(1_000)
    with pytest.raises(Unavailable):
        task.result()


# --- production hosts -----------------------------------------------------------------------------


def production(venue_id: str) -> tuple[Link, list[str]]:
    """Return the link of a session on production prices, and what it would have put on the wire."""
    _, link, _ = public_feed_of(venue_id, Access("live"), (BTC,), MINUTE_MS, VirtualClock(0))
    sent: list[str] = []

    async def fetch(url: str, *_rest: Any) -> Any:
        sent.append(url)
        raise ccxt.NetworkError("this test has no network")

    link.client.session = None
    link.client.fetch = fetch
    return link, sent


@pytest.mark.parametrize(
    ("venue_id", "signed"),
    [
        ("binanceusdm", "fapiPrivateV3GetBalance"),
        ("bybit", "privateGetV5AccountInfo"),
        ("okx", "privateGetAccountBalance"),
        ("gate", "privateFuturesGetSettleAccounts"),
    ],
)
async def test_a_client_of_public_prices_cannot_sign(venue_id: str, signed: str) -> None:
    link, sent = production(venue_id)
    ask = getattr(link.client, signed)
    with pytest.raises(ccxt.AuthenticationError):
        await ask({"settle": "usdt"})
    with pytest.raises((Fatal, Rejected, Unavailable)):
        await link.read(lambda: ask({"settle": "usdt"}))
    assert sent == []


@pytest.mark.parametrize(
    ("venue_id", "stream"),
    [
        ("binanceusdm", "wss://fstream.binance.com/ws"),
        ("bybit", "wss://stream.bybit.com/v5/public/linear"),
        ("okx", "wss://ws.okx.com:8443/ws/v5/public"),
        ("gate", "wss://fx-ws.gateio.ws/v4/ws/usdt"),
    ],
)
async def test_production_streams_are_allowed_and_other_hosts_are_not(venue_id: str, stream: str) -> None:
    _, link, _ = public_feed_of(venue_id, Access("live"), (BTC,), MINUTE_MS, VirtualClock(0))
    link.client.client(stream)
    for other in ("wss://stream.example.com/ws", "ws://127.0.0.1:1/ws"):
        with pytest.raises(UserError, match="refused before it was sent"):
            link.client.client(other)
    await link.client.close()


async def test_gate_tells_all_terms_without_a_key() -> None:
    clock = StepClock(START_MS)
    _, link, feed = public_feed_of("gate", Access("loopback", BASE), (BTC,), MINUTE_MS, clock)  # pyright: ignore[reportArgumentType]
    wire = Wire(link.client)
    wire.answers = {
        f"GET {FUTURES}/contracts": [CONTRACT],
        f"GET {FUTURES}/contracts/BTC_USDT": CONTRACT,
        f"GET {FUTURES}/risk_limit_tiers": [TIER],
        f"GET {FUTURES}/funding_rate": [{"t": CONTRACT["funding_next_apply"] - 28_800, "r": "0.0002"}],
    }
    found = (await feed.meet(instrument_for))[BTC]
    assert (found.tick_size, found.quantity_step) == (0.1, 0.0001)
    assert found.tiers.maintenance_margin_rate.tolist() == [0.004]
    assert not [request for request in wire.requests if {"KEY", "SIGN"} & set(request.headers)]
