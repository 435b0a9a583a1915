"""The courier on virtual time: order, tries, patience, and a service that never answers."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from bot.alerts.courier import Courier, Parcel, in_thread, wait_ms
from bot.clock import VirtualClock
from bot.core.alert import Delivery, Grade
from bot.logs import logger

DAY_MS = 86_400_000


class Service:
    """Takes messages, or answers with a reason not to; `silent` for ever while told so."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.reason = ""
        self.is_silent = False

    async def send(self, delivery: Delivery) -> str:
        self.got.append(delivery.delivery_id)
        if self.is_silent:
            await asyncio.Event().wait()
        return self.reason


def parcel(name: str, route: str = "phone", grade: Grade = "warning", created_ms: int = 0) -> Parcel:
    return Parcel(Delivery(name, "a", route, "alert", grade, "title", "body", created_ms))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def phone() -> Service:
    return Service()


@pytest.fixture
def mail() -> Service:
    return Service()


@pytest.fixture
def courier(clock: VirtualClock, phone: Service, mail: Service) -> Courier:
    return Courier({"phone": phone.send, "mail": mail.send}, clock, logger())


async def test_the_gravest_goes_first_then_the_oldest(courier: Courier, phone: Service) -> None:
    courier.take(
        (parcel("b", created_ms=2), parcel("a", created_ms=1), parcel("c", grade="critical", created_ms=9))
    )
    courier.look()
    await settle()
    assert phone.got == ["c", "a", "b"]
    assert [(each.delivery_id, each.status) for each in courier.outcomes()] == [
        ("c", "delivered"),
        ("a", "delivered"),
        ("b", "delivered"),
    ]
    assert courier.outcomes() == ()


async def test_a_service_that_never_answers_holds_up_nobody_else(
    courier: Courier, phone: Service, mail: Service, clock: VirtualClock
) -> None:
    phone.is_silent = True
    courier.take(parcel(f"p{number}") for number in range(50))
    courier.take(parcel(f"m{number}", "mail") for number in range(50))
    for _ in range(10):
        courier.look()
        await settle()
        clock.advance(1_000)
    assert phone.got == ["p0"]
    assert len(mail.got) == 50
    assert courier.is_busy()
    courier.stop()


async def test_what_is_refused_is_tried_again_ever_later_and_given_up_after_a_day(
    courier: Courier, phone: Service, clock: VirtualClock
) -> None:
    phone.reason = "no such topic"
    courier.take((parcel("p"),))
    tried, last = [], ""
    while last != "given_up":
        courier.look()
        await settle()
        for outcome in courier.outcomes():
            tried.append(clock.now_ms())
            last = outcome.status
            assert outcome.detail == "no such topic"
            assert outcome.attempts == len(tried)
        clock.advance(5_000)
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert gaps[:4] == [5_000, 10_000, 20_000, 40_000]
    assert gaps == sorted(gaps)
    assert max(gaps) == 900_000
    assert DAY_MS <= tried[-1] < DAY_MS + 900_000
    assert not courier.is_busy()


async def test_a_message_that_is_refused_does_not_keep_the_next_back(
    courier: Courier, phone: Service
) -> None:
    phone.reason = "too long"
    courier.take((parcel("p", grade="critical"),))
    courier.look()
    await settle()
    phone.reason = ""
    courier.take((parcel("q"),))
    courier.look()
    await settle()
    assert phone.got == ["p", "q"]


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    assert [wait_ms(attempts) // 1000 for attempts in (1, 2, 3, 8, 9, 1000)] == [5, 10, 20, 640, 900, 900]


async def test_a_route_that_is_gone_gives_its_messages_up(courier: Courier) -> None:
    courier.take((parcel("p", "pager"),))
    (outcome,) = courier.outcomes()
    assert (outcome.status, outcome.detail) == ("given_up", "there is no such route any more")


async def test_more_than_two_hundred_messages_wait_for_no_route_and_the_gravest_stay(
    courier: Courier, phone: Service
) -> None:
    phone.is_silent = True
    courier.take(parcel(f"p{number}", grade="info", created_ms=number) for number in range(200))
    courier.take(parcel(f"c{number}", grade="critical", created_ms=number) for number in range(3))
    dropped = courier.outcomes()
    assert [(each.delivery_id, each.status) for each in dropped] == [
        ("p0", "given_up"),
        ("p1", "given_up"),
        ("p2", "given_up"),
    ]


def test_a_thread_that_hangs_holds_up_neither_the_loop_nor_the_end_of_the_process() -> None:
    import threading

    hangs, names = threading.Event(), []

    def send(_delivery: Delivery) -> str:
        names.append((threading.current_thread().name, threading.current_thread().daemon))
        hangs.wait()
        return ""

    async def story() -> bool:
        waiting = asyncio.ensure_future(_of(in_thread(send)))
        await settle()
        return waiting.done()

    try:
        assert asyncio.run(story()) is False
    finally:
        hangs.set()
    assert names == [("alert phone", True)]


async def test_a_thread_hands_its_answer_back() -> None:
    assert await in_thread(lambda delivery: f"no {delivery.route}")(parcel("p").delivery) == "no phone"


async def _of(send: Callable[[Delivery], Awaitable[str]]) -> str:
    return await send(parcel("p").delivery)
