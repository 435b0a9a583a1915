"""What is asked of Hyperliquid once and not again, and what time it is there."""

import asyncio
import gc
from types import SimpleNamespace
from typing import Any

import pytest

from bot.exchange.book import Book
from bot.exchange.dialects import hyperliquid_streams as streams
from bot.exchange.dialects.hyperliquid import HyperliquidDialect
from bot.exchange.dialects.hyperliquid_ids import cloid
from bot.exchange.dialects.hyperliquid_shared import SharedReplies
from bot.exchange.dialects.hyperliquid_time import VenueTime
from bot.exchange.lane import Urgency, urgency_now
from bot.exchange.told import AccountTold
from tests.unit.exchange.documented import BTC_USDC, hyperliquid
from tests.unit.exchange.recorder import START_MS


class Clock:
    def __init__(self) -> None:
        self.ms, self.set_ms = START_MS, 0

    def milliseconds(self) -> int:
        return self.ms


class Lists:
    """Counts what is asked, with the beginning of each."""

    def __init__(self) -> None:
        self.client, self.shared = Clock(), SharedReplies()
        self.asked: list[int] = []

    async def read(self, symbol: str, begin_ms: int = 0) -> list[Any]:
        async def fetch(earliest_ms: int) -> list[Any]:
            self.asked.append(earliest_ms)
            return [len(self.asked)]

        return await self.shared.rows(self.client, "fills", symbol, begin_ms, fetch)


async def test_a_reply_serves_each_symbol_once_within_a_second() -> None:
    lists = Lists()
    assert await lists.read("A") == [1]
    lists.client.ms += 251
    assert [await lists.read(each) for each in ("B", "A", "B")] == [[1], [2], [2]]


async def test_a_reply_serves_whoever_asks_at_once() -> None:
    lists = Lists()
    assert [await lists.read(each) for each in ("A", "B", "A", "B")] == [[1]] * 4
    lists.shared.changed()
    assert await lists.read("A") == [2]


async def test_a_reply_serves_nobody_after_a_second_or_a_change() -> None:
    lists = Lists()
    await lists.read("A")
    lists.client.ms += 1_001
    assert await lists.read("B") == [2]
    lists.shared.changed()
    assert await lists.read("C") == [3]


async def test_what_changes_while_a_reply_is_under_way_spoils_it() -> None:
    lists = Lists()

    async def fetch(_: int) -> list[Any]:
        lists.shared.changed()
        return ["old"]

    await lists.shared.rows(lists.client, "fills", "A", 0, fetch)
    assert await lists.read("B") == [1]


async def test_what_is_asked_twice_at_one_instant_is_sent_once() -> None:
    clock, shared, sent = Clock(), SharedReplies(), list[Urgency]()

    async def fetch() -> int:
        sent.append(urgency_now.get())
        await asyncio.sleep(0)
        return len(sent)

    async def ask(urgency: Urgency) -> int:
        urgency_now.set(urgency)
        return await shared.state(clock, fetch)

    both = [asyncio.create_task(ask(Urgency.POLL)) for _ in range(2)]
    assert await asyncio.gather(*both) == [1, 1]
    await ask(Urgency.POLL)
    assert sent == [Urgency.POLL] * 2, "the first was over"
    both = [asyncio.create_task(ask(each)) for each in (Urgency.POLL, Urgency.URGENT)]
    await asyncio.gather(*both)
    assert sent[2:] == [Urgency.POLL, Urgency.URGENT], "what is urgent does not wait with a poll"


async def test_a_failure_that_nobody_waits_for_any_more_is_not_called_unheard() -> None:
    loop, unheard = asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _, context: unheard.append(context))
    shared, fails = SharedReplies(), asyncio.Event()

    async def fetch() -> int:
        await fails.wait()
        raise ConnectionError

    reader = asyncio.create_task(shared.state(Clock(), fetch))
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    fails.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del reader, shared
    gc.collect()
    assert unheard == []


async def test_what_was_sent_or_told_meanwhile_has_the_state_asked_for_anew() -> None:
    clock, shared, sent = Clock(), SharedReplies(), list[int]()

    async def fetch() -> int:
        sent.append(clock.ms)
        await asyncio.sleep(0)
        return 0

    for _ in range(2):
        task = asyncio.create_task(shared.state(clock, fetch))
        await asyncio.sleep(0)
        shared.changed()
        await shared.state(clock, fetch)
        await task
    assert len(sent) == 4
    task = asyncio.create_task(shared.state(clock, fetch))
    await asyncio.sleep(0)
    clock.ms += 2
    await shared.state(clock, fetch)
    await task
    assert len(sent) == 6, "an instant later"


async def test_payments_are_of_all_coins_and_read_once_at_one_instant() -> None:
    made = hyperliquid()
    made.answers["POST /info"] = []
    made.client.milliseconds = lambda: START_MS
    made.take()
    for _ in range(2):
        assert await made.trading.funding(made.client, BTC_USDC, START_MS) == ()
    assert [each.body["type"] for each in made.take()] == ["userFunding"]


async def test_a_history_that_begins_later_than_it_is_asked_from_serves_not() -> None:
    lists = Lists()
    await lists.read("A", START_MS)
    assert await lists.read("B", START_MS - 5_000) == [2]
    lists.shared.changed()
    await lists.read("A", START_MS)
    assert await lists.read("B", START_MS - 5_000) == [3]
    assert lists.asked == [START_MS, START_MS - 5_000, START_MS - 5_000]


@pytest.mark.parametrize(("status", "id_", "is_news"), [
    ("open", cloid("RFTa0b1c20000001S"), False),
    ("canceled", cloid("RFTa0b1c20000001S"), True),
    ("open", "0x" + "ff" * 16, True),
    ("open", None, True),
])  # fmt: skip
async def test_an_open_order_of_ours_is_no_news(status: str, id_: str | None, is_news: bool) -> None:
    made = hyperliquid()
    row = {"order": {"coin": "BTC", "cloid": id_}, "status": status, "statusTimestamp": 5}
    said = streams.told(made.client, {"channel": "orderUpdates", "data": [row]}, VenueTime())
    cancelled = ("RFTa0b1c20000001S",) if status == "canceled" else ()
    assert said == (AccountTold(5, (BTC_USDC,), cancelled) if is_news else [])


def test_a_cancellation_of_our_own_is_no_news_and_another_is() -> None:
    book = Book()
    assert not book.asked_for(())
    assert not book.asked_for(("S",))
    book.cancelling.add("S")
    assert book.asked_for(("S",))
    assert not book.asked_for(("S", "T"))
    book.end("T")
    assert book.asked_for(("S", "T"))


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The host's clock; its steady one goes on with it."""
    made = Clock()
    steady = SimpleNamespace(monotonic=lambda: (made.ms - made.set_ms) / 1_000.0)
    monkeypatch.setattr("bot.exchange.dialects.hyperliquid_time.time", steady)
    return made


def test_a_wrong_clock_is_corrected_by_the_accounts_time_and_a_slow_reply_is_none(clocks: Clock) -> None:
    time = VenueTime()
    time.read(clocks, {"time": START_MS - 1_400})
    assert time.now_ms(clocks) == START_MS
    time = VenueTime()
    time.read(clocks, {"time": START_MS - 8_000})
    assert time.told(clocks, {"markPx": "1"}) == START_MS - 8_000
    time.read(clocks, {"time": START_MS})
    assert time.now_ms(clocks) == START_MS


def test_a_clock_that_steps_moves_no_time(clocks: Clock) -> None:
    time = VenueTime()
    time.read(clocks, {"time": START_MS})
    clocks.ms += 8_000
    clocks.set_ms += 8_000
    assert time.now_ms(clocks) == START_MS
    clocks.ms += 500
    assert time.told(clocks, {"markPx": "1"}) == START_MS + 500


def test_a_reply_that_is_old_moves_no_time(clocks: Clock) -> None:
    time = VenueTime()
    time.read(clocks, {"time": START_MS})
    clocks.ms += 10_000
    time.read(clocks, {"time": START_MS})
    assert time.now_ms(clocks) == START_MS + 10_000


def test_readings_that_lag_put_no_time_back_behind_that_of_the_process_before(clocks: Clock) -> None:
    dialect = HyperliquidDialect()
    dialect.not_before(clocks, START_MS)
    clocks.ms += 200
    dialect._time.read(clocks, {"time": START_MS - 8_000})
    assert dialect._time.now_ms(clocks) == START_MS + 200


def test_a_steady_clock_that_is_too_fast_is_followed(clocks: Clock) -> None:
    time, day_ms = VenueTime(), 86_400_000
    time.read(clocks, {"time": START_MS})
    clocks.ms += day_ms
    time.read(clocks, {"time": START_MS + day_ms - 4_000})
    assert time.now_ms(clocks) == START_MS + day_ms - 4_000


def test_a_market_with_a_time_of_its_own_is_followed(clocks: Clock) -> None:
    time = VenueTime()
    assert time.told(clocks, {"time": 1_000_000}) == 1_000_000
    clocks.ms += 500
    assert time.now_ms(clocks) == 1_000_500


async def test_an_action_expires_by_the_venues_clock() -> None:
    made = hyperliquid()
    made.client.options["timeDifference"] = -8_000  # ours is late
    await made.dialect.set_leverage(made.client, BTC_USDC, 12)
    (body,) = [each.body for each in made.take() if each.path == "/exchange"]
    assert body["expiresAfter"] == body["nonce"] + 8_000 + 5_000
