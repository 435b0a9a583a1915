"""The lane: who goes first, what is kept for emergencies, and waiting when told to."""

import asyncio

from bot.clock import VirtualClock
from bot.exchange.lane import Budget, Lane, Urgency, urgency_now
from bot.exchange.link import Link

MINUTE_MS = 60_000


def lane_of(weight: float = 100.0, reserve: float = 20.0, polls: int = 2) -> tuple[Lane, VirtualClock]:
    clock = VirtualClock(1_000_000)
    return Lane(clock, Budget(weight, MINUTE_MS, reserve, polls)), clock


async def request(lane: Lane, urgency: Urgency, weight: float, done: list[str], name: str) -> None:
    urgency_now.set(urgency)
    async with lane.turn(weight):
        done.append(name)
        await asyncio.sleep(0)


async def test_an_urgent_request_does_not_wait_behind_a_hundred_polls() -> None:
    lane, _ = lane_of(weight=1_000.0)
    done: list[str] = []
    polls = [asyncio.create_task(request(lane, Urgency.POLL, 1.0, done, "poll")) for _ in range(100)]
    await asyncio.sleep(0)
    urgent = asyncio.create_task(request(lane, Urgency.URGENT, 1.0, done, "urgent"))
    await asyncio.gather(*polls, urgent)
    assert done.index("urgent") <= 4


async def test_polls_start_apart_however_quick_the_replies_are() -> None:
    """Replies are read one after the other: each poll under way delays an urgent request."""
    lane, clock = lane_of(polls=2)
    starts: list[int] = []

    async def poll() -> None:
        async with lane.turn(1.0):
            starts.append(clock.now_ms())

    began_ms = clock.now_ms()
    await asyncio.gather(*(poll() for _ in range(4)))
    assert starts == [began_ms, began_ms + 50, began_ms + 100, began_ms + 150]


async def test_no_more_polls_are_under_way_than_the_venue_allows() -> None:
    lane, clock = lane_of(polls=2)
    flying, most = 0, 0

    async def poll() -> None:
        nonlocal flying, most
        async with lane.turn(1.0):
            flying += 1
            most = max(most, flying)
            await clock.sleep(0.2)
            flying -= 1

    await asyncio.gather(*(poll() for _ in range(6)))
    assert most == 2


async def test_an_entry_goes_before_polls_that_wait_longer() -> None:
    lane, _ = lane_of(polls=1)
    done: list[str] = []
    polls = [asyncio.create_task(request(lane, Urgency.POLL, 1.0, done, "poll")) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.gather(*polls, asyncio.create_task(request(lane, Urgency.NORMAL, 1.0, done, "entry")))
    assert done.index("entry") <= 2


async def test_the_reserve_is_spent_by_urgent_requests_only() -> None:
    lane, clock = lane_of(weight=100.0, reserve=20.0)
    done: list[str] = []
    for _ in range(8):
        await request(lane, Urgency.NORMAL, 10.0, done, "entry")
    began = clock.now_ms()
    await request(lane, Urgency.URGENT, 20.0, done, "urgent")
    assert clock.now_ms() == began
    await request(lane, Urgency.NORMAL, 10.0, done, "late")
    assert clock.now_ms() >= began + MINUTE_MS


async def test_nobody_exceeds_the_weight_of_a_window() -> None:
    lane, clock = lane_of(weight=50.0, reserve=0.0)
    sent: list[tuple[int, float]] = []
    for number in range(40):
        weight = 1.0 + number % 7
        async with lane.turn(weight):
            sent.append((clock.now_ms(), weight))
    for began, _ in sent:
        assert sum(cost for at, cost in sent if began <= at < began + MINUTE_MS) <= 50.0


async def test_retry_after_is_obeyed_by_everybody() -> None:
    lane, clock = lane_of()
    lane.observe(429, {"Retry-After": "7"}, "")
    done: list[str] = []
    began = clock.now_ms()
    await request(lane, Urgency.URGENT, 1.0, done, "urgent")
    assert clock.now_ms() == began + 7_000


async def test_weight_that_others_used_is_counted() -> None:
    lane, _ = lane_of()
    lane.observe(200, {"x-mbx-used-weight-1m": "55"}, "X-MBX-USED-WEIGHT-1M")
    assert lane.spent_weight == 55.0


async def test_a_cancelled_waiter_leaves_no_hole() -> None:
    lane, _ = lane_of(polls=1)
    done: list[str] = []
    holder = asyncio.create_task(request(lane, Urgency.POLL, 1.0, done, "holder"))
    waiter = asyncio.create_task(request(lane, Urgency.POLL, 1.0, done, "waiter"))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.gather(holder, waiter, return_exceptions=True)
    await request(lane, Urgency.POLL, 1.0, done, "next")
    assert done == ["holder", "next"]


async def test_weight_that_others_used_is_free_again_when_the_venues_minute_turns() -> None:
    """It was spent some time in this minute, and not when the reply told of it."""
    lane, clock = lane_of(weight=100.0, reserve=20.0)
    to_the_turn_ms = MINUTE_MS - clock.now_ms() % MINUTE_MS
    began = clock.now_ms()
    clock.advance(10_000)
    lane.observe(200, {"x-mbx-used-weight-1m": "95"}, "X-MBX-USED-WEIGHT-1M")
    await request(lane, Urgency.NORMAL, 5.0, [], "entry")
    waited_ms = clock.now_ms() - began
    assert to_the_turn_ms < waited_ms <= to_the_turn_ms + 1_000


async def test_a_reply_of_the_minute_before_is_not_booked_in_the_new_one() -> None:
    lane, clock = lane_of(weight=100.0, reserve=20.0)
    clock.advance(MINUTE_MS - clock.now_ms() % MINUTE_MS + 500)
    began = clock.now_ms()
    lane.observe(200, {"x-mbx-used-weight-1m": "95"}, "X-MBX-USED-WEIGHT-1M")
    await request(lane, Urgency.NORMAL, 5.0, [], "entry")
    assert clock.now_ms() - began <= 500


async def test_a_reply_that_the_minute_overtook_is_not_booked_in_the_new_one() -> None:
    """Asked for at the end of a minute, read three seconds after it: the new minute is not spent with it."""
    lane, clock = lane_of(weight=100.0, reserve=20.0)
    clock.advance(MINUTE_MS - clock.now_ms() % MINUTE_MS - 500)
    async with lane.turn(1.0):
        clock.advance(3_500)
        lane.observe(200, {"x-mbx-used-weight-1m": "95"}, "X-MBX-USED-WEIGHT-1M")
    began = clock.now_ms()
    await request(lane, Urgency.NORMAL, 5.0, [], "entry")
    assert clock.now_ms() == began


async def test_a_long_wait_for_weight_is_told_with_what_is_used() -> None:
    clock, told = VirtualClock(1_000_000), list[tuple[int, float, float]]()

    lane = Lane(clock, Budget(100.0, MINUTE_MS, 20.0, 2), slowed=lambda *facts: told.append(facts))
    await request(lane, Urgency.POLL, 5.0, [], "before")
    assert told == []
    lane.observe(200, {"x-mbx-used-weight-1m": "95"}, "X-MBX-USED-WEIGHT-1M")
    await request(lane, Urgency.NORMAL, 5.0, [], "entry")
    assert told == [(21_000, 95.0, 80.0)]


async def test_every_request_is_urgent_until_a_start_is_over() -> None:
    link, seen = Link(None, "binanceusdm", VirtualClock(0)), list[Urgency]()

    async def call() -> None:
        seen.append(urgency_now.get())

    link.is_starting = True
    await link.read(call, Urgency.NORMAL)
    link.is_starting = False
    await link.read(call, Urgency.NORMAL)
    assert seen == [Urgency.URGENT, Urgency.NORMAL]


async def test_polls_leave_what_is_kept_for_news() -> None:
    clock = VirtualClock(1_000_000)
    lane = Lane(clock, Budget(100.0, MINUTE_MS, 20.0, 3, kept_for_news=30.0))
    done: list[str] = []
    for _ in range(5):
        await request(lane, Urgency.POLL, 10.0, done, "poll")
    began = clock.now_ms()
    for urgency, weight in ((Urgency.NORMAL, 30.0), (Urgency.URGENT, 20.0)):
        await request(lane, urgency, weight, done, "news")
    assert clock.now_ms() == began
    await request(lane, Urgency.POLL, 10.0, done, "late")
    assert clock.now_ms() >= began + MINUTE_MS - 500


def test_an_account_that_was_granted_more_keeps_as_large_a_share_for_news() -> None:
    budget = Budget(100.0, MINUTE_MS, 20.0, 3, kept_for_news=30.0).granted(200)
    assert [budget.allowed(each) for each in Urgency] == [200.0, 190.0, 160.0, 100.0]


async def test_a_proof_goes_on_when_the_weight_for_all_else_is_spent_and_leaves_some_for_a_stop() -> None:
    lane, clock = lane_of(weight=400.0, reserve=80.0)
    done: list[str] = []
    await request(lane, Urgency.NORMAL, 320.0, done, "entry")
    began_ms = clock.now_ms()
    await request(lane, Urgency.PROOF, 60.0, done, "proof")
    assert clock.now_ms() == began_ms
    late = asyncio.create_task(request(lane, Urgency.PROOF, 10.0, done, "late"))
    await request(lane, Urgency.URGENT, 10.0, done, "stop")
    assert done == ["entry", "proof", "stop"]
    await late
    assert clock.now_ms() > began_ms
