"""Bans, refusals for the rate and outages are told, once for each episode, with their end."""

from typing import Any

import pytest

from bot.clock import VirtualClock
from bot.errors import Unavailable
from bot.exchange.hindrances import Hindrances
from tests.unit.exchange.wire import START_MS, Reply, error, wired

TIME = "GET /fapi/v1/time"


class Told:
    def __init__(self, hindrances: Hindrances) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []
        hindrances.listen(lambda name, **facts: self.lines.append((name, facts)))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.lines]


@pytest.mark.parametrize(("status", "name"), [(429, "venue.rate_limited"), (418, "venue.banned")])
async def test_a_refusal_for_the_rate_says_until_when_once(status: int, name: str) -> None:
    clock = VirtualClock(START_MS)
    connection, wire = wired(clock)
    told, link = Told(connection.link.hindrances), connection.link
    replies = [Reply(status, {"code": -1003, "msg": "slow down"}, {"Retry-After": "30"})] * 3
    wire.answers[TIME] = lambda _: replies.pop() if replies else {"serverTime": START_MS}
    await link.read(link.client.fapiPublicGetTime)
    assert told.names == [name]
    assert told.lines[0][1] == {"nothing_is_sent_until": "2023-11-14 22:13:50 UTC", "wait_seconds": 30.0}


def test_a_short_wait_ends_at_a_time_that_is_not_past_yet() -> None:
    hindrances = Hindrances(VirtualClock(START_MS))
    told = Told(hindrances)
    hindrances.blocked(False, START_MS + 2_001)
    assert told.lines[0][1]["nothing_is_sent_until"] == "2023-11-14 22:13:23 UTC"


def test_a_ban_after_refusals_and_a_later_episode_are_told_again() -> None:
    clock = VirtualClock(START_MS)
    hindrances = Hindrances(clock)
    told = Told(hindrances)
    hindrances.blocked(False, START_MS + 10_000)
    hindrances.blocked(True, START_MS + 20_000)
    hindrances.blocked(False, START_MS + 20_000)
    clock.advance(90_000)
    hindrances.blocked(False, START_MS + 100_000)
    assert told.names == ["venue.rate_limited", "venue.banned", "venue.rate_limited"]


async def test_an_outage_is_told_once_and_so_is_its_end() -> None:
    clock = VirtualClock(START_MS)
    connection, wire = wired(clock)
    told, link = Told(connection.link.hindrances), connection.link
    wire.answers[TIME] = error(-1, "in maintenance", 503)
    for _ in range(5):
        with pytest.raises(Unavailable):
            await link.read(link.client.fapiPublicGetTime)
        clock.advance(10_000)
    wire.answers[TIME] = {"serverTime": START_MS}
    await link.read(link.client.fapiPublicGetTime)
    await link.read(link.client.fapiPublicGetTime)
    assert told.names == ["venue.unavailable", "venue.available"]
    assert "maintenance" in told.lines[0][1]["message"]
    assert told.lines[1][1]["out_seconds"] >= 50.0


def test_an_answer_between_two_failures_floods_no_log() -> None:
    clock = VirtualClock(START_MS)
    hindrances = Hindrances(clock)
    told = Told(hindrances)
    for _ in range(120):
        hindrances.unavailable("gone")
        hindrances.answered()
        clock.advance(1_000)
    assert told.names == ["venue.unavailable", "venue.available"] * 2


def test_waits_for_weight_are_told_once_for_an_episode() -> None:
    clock = VirtualClock(START_MS)
    hindrances = Hindrances(clock)
    told = Told(hindrances)
    for _ in range(3):
        hindrances.slowed(20_000, 2_100.0, 1_920.0)
        clock.advance(20_000)
    facts = {"wait_seconds": 20.0, "used_weight": 2_100.0, "most_weight": 1_920.0}
    assert told.lines == [("venue.waiting_for_weight", facts)]
    clock.advance(61_000)
    hindrances.slowed(5_000, 2_000.0, 1_920.0)
    assert len(told.lines) == 2


async def test_a_connection_tells_of_a_wait_for_weight() -> None:
    connection, wire = wired(VirtualClock(START_MS))
    told, link = Told(connection.link.hindrances), connection.link
    used = {"X-MBX-USED-WEIGHT-1M": "2300"}
    wire.answers[TIME] = lambda _: Reply(200, {"serverTime": START_MS}, used)
    await link.read(link.client.fapiPublicGetTime)
    await link.read(link.client.fapiPublicGetTime)
    assert told.names == ["venue.waiting_for_weight"]
    assert told.lines[0][1]["used_weight"] == 2_300.0
