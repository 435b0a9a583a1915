"""The feed: nothing that must be seen one by one is lost, silence is noticed, the account is read."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from bot.core.event import CandleClosed, FeedGap, FundingDue, FundingSettled, MarkPrice, OrderFilled
from bot.core.intent import OpenPosition, PlaceStop, SetLeverage
from bot.exchange.candle_book import Missing
from bot.exchange.connect import Connection
from bot.exchange.feed import CcxtFeed
from bot.exchange.lane import Urgency
from bot.exchange.told import AccountTold
from tests.contract.venue_worlds import Desk, Served
from tests.unit.exchange.okx_wire import wired as okx_wired
from tests.unit.exchange.wire import BTC, START_MS, Reply, Wire, wired

MINUTE_MS = 60_000
FIRST_MS = START_MS - START_MS % MINUTE_MS


class StepClock:
    """Time that passes when the test says so; sleepers wake in order."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0.0:
            await asyncio.sleep(0)
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now_ms + round(seconds * 1_000), waiting))
        await waiting

    async def pass_by(self, ms: int) -> None:
        """Let time pass in small steps, so that what repeats does."""
        for _ in range(0, ms, 250):
            self._now_ms += 250
            due = [each for each in self._sleepers if each[0] <= self._now_ms]
            self._sleepers = [each for each in self._sleepers if each[0] > self._now_ms]
            for _, waiting in due:
                if not waiting.done():
                    waiting.set_result(None)
            await settle()


async def settle() -> None:
    for _ in range(60):
        await asyncio.sleep(0)


class Socket:
    """What the tap gets with a message; remembers that it was broken."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def on_error(self, error: Exception) -> None:
        self.errors.append(error)


class Listener:
    """Drives a feed and keeps what it yields."""

    def __init__(self, connection: Connection, feed: CcxtFeed) -> None:
        self.client, self.feed, self.connection = connection.link.client, feed, connection
        self.events: list[Any] = []
        self.socket = Socket()
        self.subscribed: list[str] = []
        self.breaks: dict[str, asyncio.Future[None]] = {}
        for name in ("watch_mark_prices", "watch_ohlcv_for_symbols", "watch_orders"):
            setattr(self.client, name, self._watch(name))
        self._task: asyncio.Task[None] | None = None

    def _watch(self, name: str) -> Any:
        async def watch(*_arguments: Any) -> None:
            self.subscribed.append(name)
            self.breaks[name] = asyncio.get_running_loop().create_future()
            await self.breaks[name]

        return watch

    async def start(self) -> None:
        self._task = asyncio.create_task(self._listen())
        await settle()

    async def _listen(self) -> None:
        async for event in self.feed.events():
            self.events.append(event)

    def say(self, message: dict[str, Any]) -> None:
        self.client.handle_message(self.socket, message)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def mark(price: float, ts_ms: int, next_funding_ms: int = START_MS + 10**9) -> dict[str, Any]:
    return {"e": "markPriceUpdate", "E": ts_ms, "s": "BTCUSDT", "p": str(price), "T": next_funding_ms}


def bar(minute: int, close: float = 50_000.0, is_closed: bool = False) -> dict[str, Any]:
    open_ms = FIRST_MS + minute * MINUTE_MS
    row = {"t": open_ms, "s": "BTCUSDT", "i": "1m", "o": "1", "h": "2", "l": "0.5", "c": str(close), "v": "3"}
    return {"e": "kline", "E": open_ms + 1, "s": "BTCUSDT", "k": {**row, "x": is_closed}}


def kline_row(minute: int) -> list[Any]:
    open_ms = FIRST_MS + minute * MINUTE_MS
    return [open_ms, "1", "2", "0.5", "1.5", "3", open_ms + MINUTE_MS - 1, "0", 1, "0", "0", "0"]


def wired_listener() -> tuple[Listener, Wire, StepClock]:
    clock = StepClock(START_MS)
    connection, wire = wired(clock)  # pyright: ignore[reportArgumentType]
    wire.answers["GET /fapi/v1/klines"] = [kline_row(-2), kline_row(-1), kline_row(0)]
    wire.answers["GET /fapi/v1/premiumIndex"] = Reply(503, {"code": -1000, "msg": "down"})
    return Listener(connection, connection.feed(MINUTE_MS)), wire, clock


@pytest.fixture
async def heard() -> AsyncIterator[tuple[Listener, Wire, StepClock]]:
    listener, wire, clock = wired_listener()
    await listener.start()
    yield listener, wire, clock
    await listener.stop()


Heard = tuple[Listener, Wire, StepClock]


async def test_marks_that_nobody_saw_are_replaced_by_newer_ones(heard: Heard) -> None:
    listener, _, _ = heard
    listener.say(bar(0, close=50_005.0))
    for step in range(100):
        listener.say(mark(50_000.0 + step, START_MS + step))
    listener.say(mark(1.0, START_MS + 50))
    await settle()
    assert listener.of(MarkPrice) == [MarkPrice(START_MS + 99, BTC, 50_099.0, 50_005.0)]


async def test_no_closed_candle_is_lost_in_a_flood(heard: Heard) -> None:
    """ccxt's own watch returned 7 to 11 times in 20,000 messages."""
    listener, _, _ = heard
    for minute in range(200):
        for close in range(20):
            listener.say(bar(minute, close=float(close)))
        listener.say(bar(minute, close=99.0, is_closed=True))
    await settle()
    for _ in range(20):
        await settle()
    closed = listener.of(CandleClosed)
    assert [event.ts_ms for event in closed] == [FIRST_MS + (each + 1) * MINUTE_MS for each in range(200)]
    assert {event.close for event in closed} == {99.0}


async def test_candles_that_were_not_told_are_fetched(heard: Heard) -> None:
    listener, wire, _ = heard
    wire.answers["GET /fapi/v1/klines"] = [kline_row(each) for each in range(6)]
    listener.say(bar(4, is_closed=True))
    await settle()
    closed = listener.of(CandleClosed)
    assert [event.ts_ms for event in closed] == [FIRST_MS + each * MINUTE_MS for each in range(1, 6)]
    assert listener.of(FeedGap) == []


async def test_candles_that_nobody_has_are_a_gap(heard: Heard) -> None:
    listener, wire, _ = heard
    wire.answers["GET /fapi/v1/klines"] = [kline_row(0), kline_row(3)]
    listener.say(bar(4, is_closed=True))
    await settle()
    gap = FeedGap(FIRST_MS + MINUTE_MS, BTC, FIRST_MS + 3 * MINUTE_MS)
    assert [type(each) for each in listener.events] == [CandleClosed, FeedGap, CandleClosed, CandleClosed]
    assert listener.of(FeedGap) == [gap]


def pages_of(minutes: Sequence[int], most: int) -> Any:
    """Answer as a venue does that gives `most` candles a reply, from startTime on."""

    def answer(params: dict[str, str]) -> list[Any]:
        since_ms = int(params["startTime"])
        return [kline_row(each) for each in minutes if kline_row(each)[0] >= since_ms][:most]

    return answer


async def test_a_gap_of_many_pages_is_filled_whole(heard: Heard) -> None:
    listener, wire, _ = heard
    wire.answers["GET /fapi/v1/klines"] = pages_of(range(2_500), 300)
    listener.say(bar(2_400, is_closed=True))
    for _ in range(10):
        await settle()
    closed = listener.of(CandleClosed)
    assert [event.ts_ms for event in closed] == [FIRST_MS + each * MINUTE_MS for each in range(1, 2_402)]
    assert listener.of(FeedGap) == []


async def test_what_comes_after_a_hole_longer_than_a_page_is_still_fetched() -> None:
    """OKX looks into the window of one page only: an empty reply says nothing about what comes later."""
    connection, wire = okx_wired()
    there = [*range(10), *range(1_000, 1_400)]

    def window(params: dict[str, str]) -> list[Any]:
        newer_ms, older_ms = int(params["before"]), int(params["after"])
        rows = [[str(each) for each in kline_row(minute)[:6]] for minute in reversed(there)]
        return [row for row in rows if newer_ms < int(row[0]) < older_ms][: int(params["limit"])]

    await connection.gateway.instruments()
    wire.answers["GET market/candles"] = wire.answers["GET market/history-candles"] = window
    feed = connection.feed(MINUTE_MS)
    feed.prices._candles.begin(BTC, FIRST_MS)
    await feed.prices._fill(Missing(BTC, FIRST_MS, FIRST_MS + 1_400 * MINUTE_MS))
    events = list(feed._queue)
    closed = [(each.ts_ms - FIRST_MS) // MINUTE_MS - 1 for each in events if isinstance(each, CandleClosed)]
    assert closed == there
    gaps = [each for each in events if isinstance(each, FeedGap)]
    assert gaps == [FeedGap(FIRST_MS + 10 * MINUTE_MS, BTC, FIRST_MS + 1_000 * MINUTE_MS)]


async def test_an_expired_key_breaks_the_user_stream_and_asks_for_a_new_one(heard: Heard) -> None:
    """ccxt ignores listenKeyExpired and would wait on a dead stream for ever."""
    listener, _, clock = heard
    listener.client.options["linear"] = {"listenKey": "old", "lastAuthenticatedTime": 1}
    listener.say({"e": "listenKeyExpired", "E": START_MS, "listenKey": "old"})
    assert len(listener.socket.errors) == 1
    listener.breaks["watch_orders"].set_exception(listener.socket.errors[0])
    await clock.pass_by(1_000)
    assert listener.subscribed.count("watch_orders") == 2
    assert listener.client.options["linear"]["lastAuthenticatedTime"] == 0


async def test_every_broken_stream_comes_back_and_the_account_is_read_then(heard: Heard) -> None:
    listener, wire, clock = heard
    for name in ("watch_mark_prices", "watch_ohlcv_for_symbols", "watch_orders"):
        before = len(wire.sent("GET", "/fapi/v3/positionRisk"))
        listener.breaks[name].set_exception(OSError("gone"))
        await clock.pass_by(1_000)
        assert listener.subscribed.count(name) == 2
        assert len(wire.sent("GET", "/fapi/v3/positionRisk")) > before


async def test_silent_marks_are_read_by_rest(heard: Heard) -> None:
    listener, wire, clock = heard
    row = {
        "symbol": "BTCUSDT",
        "markPrice": "50123.4",
        "time": START_MS + 7,
        "nextFundingTime": START_MS + 10**9,
    }
    wire.answers["GET /fapi/v1/premiumIndex"] = row
    await clock.pass_by(8_000)
    assert [event.mark for event in listener.of(MarkPrice)][:1] == [50_123.4]


async def test_a_long_silence_is_a_gap(heard: Heard) -> None:
    listener, _, clock = heard
    listener.say(mark(50_000.0, START_MS))
    await clock.pass_by(40_000)
    listener.say(mark(51_000.0, START_MS + 40_000))
    await settle()
    assert listener.of(FeedGap) == [FeedGap(START_MS, BTC, START_MS + 40_000)]


async def test_a_funding_instant_is_told_with_the_rate_that_was_settled(heard: Heard) -> None:
    listener, wire, _ = heard
    wire.answers["GET /fapi/v1/fundingRate"] = [
        {"symbol": "BTCUSDT", "fundingRate": "0.0003", "fundingTime": START_MS, "markPrice": "50000"}
    ]
    listener.say(mark(50_000.0, START_MS - 1, START_MS))
    listener.say(mark(50_000.0, START_MS + 1, START_MS + 8 * 3_600_000))
    await settle()
    assert listener.of(FundingDue) == [FundingDue(START_MS, BTC, 0.0003)]


async def test_history_holds_closed_candles_only_and_the_feed_goes_on_after_them() -> None:
    listener, _, _ = wired_listener()
    candles = await listener.feed.history(BTC, MINUTE_MS, 2)
    assert candles.open_ms.tolist() == [FIRST_MS - 2 * MINUTE_MS, FIRST_MS - MINUTE_MS]
    assert listener.feed.cursor() == {"next_open_ms": {BTC: FIRST_MS}}


# --- the account ----------------------------------------------------------------------------------


class Traded:
    """A position with a stop at the served venue, and a feed that listens."""

    def __init__(self) -> None:
        self.world = Served()
        self.clock = StepClock(self.world.clock.now_ms())
        self.world.clock = self.clock  # pyright: ignore[reportAttributeAccessIssue]
        self.world.server.desk.clock = self.clock  # pyright: ignore[reportAttributeAccessIssue]
        self.world.connection = self.world.connect()
        connection = self.world.connection
        self.listener = Listener(connection, connection.feed(MINUTE_MS))

    async def open(self) -> None:
        desk = Desk(self.world.exchange)
        await desk.send(SetLeverage(BTC, 10))
        await desk.send(OpenPosition(BTC, 1, 0.1))
        await desk.send(PlaceStop(BTC, 1, 49_000.0))
        await self.listener.start()

    def move(self, price: float) -> None:
        ts_ms = self.world.embedded.market_ms + 1_000
        self.world.embedded.apply(MarkPrice(ts_ms, BTC, price, price))
        self.world.embedded.commit()


@pytest.fixture
async def traded() -> AsyncIterator[Traded]:
    made = Traded()
    await made.open()
    yield made
    await made.listener.stop()


async def test_a_user_message_has_the_account_read(traded: Traded) -> None:
    traded.move(48_900.0)
    traded.listener.say({"e": "ALGO_UPDATE", "E": 1, "T": 1, "o": {"s": "BTCUSDT"}})
    await settle()
    assert [event.leg for event in traded.listener.of(OrderFilled)] == ["stop"]


async def test_the_account_is_read_every_few_seconds_whatever_the_streams_say(traded: Traded) -> None:
    traded.move(48_900.0)
    await traded.clock.pass_by(7_000)
    assert [event.leg for event in traded.listener.of(OrderFilled)] == ["stop"]


async def test_funding_is_found_by_the_sweep(traded: Traded) -> None:
    embedded = traded.world.embedded
    embedded.apply(FundingDue(embedded.market_ms + 1_000, BTC, 0.0002))
    embedded.commit()
    await traded.clock.pass_by(7_000)
    assert [event.rate for event in traded.listener.of(FundingSettled)] == [0.0002]


async def test_a_reply_does_not_move_the_engines_time_past_the_marks_it_has_seen(traded: Traded) -> None:
    """Streams run ahead of what the engine was given: its newest mark would look too old to enter on."""
    book = traded.world.connection.gateway.book
    traded.listener.say(mark(50_000.0, book.handed_ms + 5))
    await settle()
    seen_ms = traded.listener.of(MarkPrice)[-1].ts_ms
    book.saw(seen_ms + 60_000)
    events = await Desk(traded.world.exchange).send(SetLeverage(BTC, 11))
    assert [event.ts_ms for event in events] == [seen_ms]


async def test_what_was_not_handed_out_is_part_of_the_snapshot(traded: Traded) -> None:
    gateway = traded.world.connection.gateway
    await traded.listener.stop()
    traded.move(48_900.0)
    await gateway.sweep_behind(BTC, Urgency.NORMAL)
    assert [row["type"] for row in gateway.snapshot()["outbox"]] == ["OrderFilled"]
    other = traded.world.connect().gateway
    other.restore(gateway.snapshot())
    assert [type(event) for event in await other.catch_up()] == [OrderFilled]


def test_a_message_about_another_market_is_ignored() -> None:
    listener, _, _ = wired_listener()
    said = {"e": "ACCOUNT_UPDATE", "E": 1, "T": 1, "a": {"P": [{"s": "NOPE"}]}}
    told = listener.connection.gateway.dialect.told(listener.client, said)
    assert told == AccountTold(1, ())
