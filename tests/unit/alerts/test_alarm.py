"""Alerts of a session from commit to delivery: in order, written before they are sent, over every death."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.alerts.alarm import Alarm
from bot.clock import VirtualClock
from bot.core.alert import Delivery
from bot.core.event import AlertRaised, Event, MarginMoved, PositionRisk
from bot.errors import UserError
from bot.logs import logger
from bot.ports import Commit
from bot.settings.alerts import AlertRoute, Alerts
from bot.store.acknowledgements import AcknowledgementFiles
from bot.store.alerts import AlertBook, told_alerts
from bot.store.database import Binding
from bot.store.journal import SqliteJournal
from bot.store.memory import memory_journal
from tests.unit.alerts.scenes import PAPER, WALL_MS, held_bench
from tests.unit.engine.desk_builder import START_MS, A

PHONE = Alerts(routes={"phone": AlertRoute()})
STOP = AlertRaised(START_MS, A, 1, "critical", "stop_missing", "long 1 A: no stop rests: why. Doing.", {})
BACKUP = AlertRaised(START_MS, "", 0, "warning", "backup_failed", "no copy was made", {})
RISK = PositionRisk(99.0, 300.0, 0.21, 94.3, 0.0475)
MOVED = MarginMoved(START_MS, A, 1, "c1", 5.0, "p", "below_band", RISK, RISK)


class Phone:
    """A service; `refuses` says why it takes nothing, `knows` what it took."""

    def __init__(self) -> None:
        self.knows: list[Delivery] = []
        self.refuses = ""
        self.is_silent = False

    async def send(self, delivery: Delivery) -> str:
        if self.is_silent:
            await asyncio.Event().wait()
        if not self.refuses:
            self.knows.append(delivery)
        return self.refuses


class World:
    """A session's journal and phone that outlive the processes which tell alerts."""

    def __init__(self, database: Path) -> None:
        self.bench, self.phone, self.clock = held_bench(), Phone(), VirtualClock(WALL_MS)
        self.bench.market().alerts["stop_missing"] = 1
        self.journal: SqliteJournal = memory_journal(Binding("simulated", "paper", "test"))
        self.database = database
        self.is_settled = True

    def start(self, choice: Alerts = PHONE) -> Alarm:
        sends = dict.fromkeys(choice.routes, self.phone.send)
        book, desk = self.journal.alert_book(), self.bench.engine.desk
        return Alarm(
            choice, desk, book, self.database, PAPER, sends, self.clock, logger(), lambda: self.is_settled
        )

    def commit(self, alarm: Alarm | None, *notes: Event) -> None:
        commit = Commit(START_MS, notes=notes)  # type: ignore[arg-type]
        self.journal.commit(commit)
        if alarm is not None:
            alarm.hear(commit)

    async def look(self, alarm: Alarm, seconds: int = 1) -> None:
        for _ in range(seconds):
            alarm.look()
            for _ in range(5):
                await asyncio.sleep(0)
            self.clock.advance(1_000)

    def titles(self) -> list[str]:
        return [each.title for each in self.phone.knows]

    def told(self) -> list:
        with self.journal.read() as reader:
            return told_alerts(reader, limit=1_000)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "paper.db")
    yield made
    made.journal.close()


async def test_what_is_committed_is_told_and_written_down(world: World) -> None:
    alarm = world.start()
    world.commit(alarm, STOP)
    await world.look(alarm, 2)
    assert world.titles() == ["CRITICAL AAA/USDT stop missing [paper]"]
    (told,) = world.told()
    assert told.is_open
    assert [(each["route"], each["status"]) for each in told.told] == [("phone", "delivered")]


async def test_what_was_committed_before_a_death_and_not_told_is_told_by_the_next_process(
    world: World,
) -> None:
    """The process died between the commit and the next look."""
    alarm = world.start()
    await world.look(alarm)
    world.commit(alarm, STOP)
    await world.look(world.start(), 2)
    assert world.titles() == ["CRITICAL AAA/USDT stop missing [paper]"]
    await world.look(world.start(), 2)
    assert len(world.titles()) == 1


async def test_the_first_process_on_a_database_may_die_before_its_first_look(world: World) -> None:
    world.commit(world.start(), STOP)
    await world.look(world.start(), 2)
    assert world.titles() == ["CRITICAL AAA/USDT stop missing [paper]"]


async def test_what_the_look_saw_outlives_the_process(world: World) -> None:
    """The stop moved while no bot ran: a person at the exchange, or the last request of the one before."""
    stops = Alerts(routes={"phone": AlertRoute(also=("stop",))})
    alarm, market = world.start(stops), world.bench.market()
    holding, market.holding = market.holding, None
    await world.look(alarm, 2)
    market.holding = holding
    await world.look(alarm)
    world.bench.stop().trigger_price += 0.5
    await world.look(world.start(stops), 2)
    assert world.titles() == ["AAA/USDT stop moved to 98.50 [paper]"]


async def test_a_message_that_was_not_delivered_is_delivered_after_a_restart(world: World) -> None:
    world.phone.refuses = "no network"
    alarm = world.start()
    world.commit(alarm, STOP)
    await world.look(alarm, 3)
    assert [each["attempts"] for each in world.told()[0].told] == [1]
    world.phone.refuses = ""
    await world.look(world.start())
    assert len(world.titles()) == 1


async def test_a_death_while_it_is_sent_tells_it_again_rather_than_never(world: World) -> None:
    world.phone.is_silent = True
    alarm = world.start()
    world.commit(alarm, STOP)
    await world.look(alarm, 2)
    world.phone.is_silent = False
    await world.look(world.start())
    assert len(world.titles()) == 1


async def test_nothing_is_sent_before_it_is_written_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    write, send = AlertBook.write, world.phone.send

    async def sent(delivery: Delivery) -> str:
        order.append("sent")
        return await send(delivery)

    monkeypatch.setattr(
        AlertBook, "write", lambda self, page: (order.append("written"), write(self, page))[1]
    )
    world.phone.send = sent  # type: ignore[method-assign]
    alarm = world.start()
    order.clear()
    world.commit(alarm, STOP)
    await world.look(alarm)
    assert order[:2] == ["written", "sent"]


async def test_alerts_that_cannot_be_written_are_told_and_written_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The full disk is one of the things that are told."""
    write = AlertBook.write

    def refuse(*_: object) -> None:
        raise UserError("the disk is full")

    alarm = world.start()
    monkeypatch.setattr(AlertBook, "write", refuse)
    world.commit(alarm, STOP)
    await world.look(alarm, 3)
    assert (len(world.titles()), world.told()) == (1, [])
    monkeypatch.setattr(AlertBook, "write", write)
    await world.look(alarm)
    (told,) = world.told()
    assert [(each["route"], each["status"]) for each in told.told] == [("phone", "delivered")]


async def test_a_critical_alert_is_told_again_until_it_is_acknowledged(world: World) -> None:
    alarm = world.start()
    world.commit(alarm, STOP)
    await world.look(alarm, 1_230)
    assert [each.form for each in world.phone.knows] == ["alert", "escalation", "escalation"]
    assert "3rd time" in world.phone.knows[-1].body
    files = AcknowledgementFiles(world.database)
    files.leave(world.told()[0].alert_id)
    files.leave("ffffffff")
    await world.look(alarm, 1_230)
    assert len(world.phone.knows) == 3
    assert files.waiting() == ()
    (told,) = world.told()
    assert told.acknowledged_ms is not None
    assert not told.is_open


async def test_an_acknowledgement_outlives_the_process(world: World) -> None:
    alarm = world.start()
    world.commit(alarm, STOP)
    await world.look(alarm, 2)
    AcknowledgementFiles(world.database).leave(world.told()[0].alert_id)
    await world.look(alarm)
    await world.look(world.start(), 1_230)
    assert len(world.phone.knows) == 1


async def test_what_has_passed_is_told_to_those_who_heard_of_it(world: World) -> None:
    alarm = world.start()
    world.commit(alarm, STOP)
    await world.look(alarm, 2)
    world.bench.market().alerts.clear()
    await world.look(alarm, 2)
    assert [each.form for each in world.phone.knows] == ["alert", "over"]
    assert world.told()[0].over_ms is not None


async def test_what_only_informs_and_goes_nowhere_leaves_nothing(world: World) -> None:
    alarm = world.start()
    world.commit(alarm, BACKUP)
    alarm.hear(Commit(START_MS, notes=(MOVED,)))
    await world.look(alarm, 2)
    assert [each.cause for each in world.told()] == ["backup_failed"]
    moves = Alerts(routes={"phone": AlertRoute(also=("margin_moved",))})
    alarm = world.start(moves)
    alarm.hear(Commit(START_MS, notes=(MOVED._replace(ts_ms=START_MS + 1),)))
    await world.look(alarm, 2)
    assert world.titles()[-1] == "AAA/USDT margin added: 5.00 USDT [paper]"


async def test_without_a_route_alerts_are_kept_and_nothing_is_sent(world: World) -> None:
    alarm = world.start(Alerts())
    world.commit(alarm, STOP)
    await world.look(alarm, 1_230)
    assert world.phone.knows == []
    assert [(each.cause, each.told) for each in world.told()] == [("stop_missing", ())]


async def test_a_session_at_rest_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = world.start()
    await world.look(alarm, 2)
    pages = []
    monkeypatch.setattr(AlertBook, "write", lambda _self, page: pages.append(page))
    await world.look(alarm, 600)
    assert pages == []


async def test_an_engine_that_is_not_restored_yet_ends_nothing(world: World) -> None:
    alarm = world.start()
    world.commit(alarm, STOP)
    await world.look(alarm, 2)
    holding, world.bench.market().holding = world.bench.market().holding, None
    world.is_settled = False
    alarm = world.start()
    await world.look(alarm, 2)
    world.bench.market().holding, world.is_settled = holding, True
    await world.look(alarm, 2)
    assert [each.form for each in world.phone.knows] == ["alert"]


async def test_a_start_that_comes_to_nothing_is_told_once_and_its_end_too(world: World) -> None:
    world.is_settled = False
    alarm = world.start()
    await world.look(alarm, 59)
    assert world.phone.knows == []
    await world.look(alarm, 100)
    assert world.titles() == ["CRITICAL not started yet [paper]"]
    world.is_settled = True
    await world.look(alarm, 2)
    assert world.titles()[1:] == ["OVER not started yet [paper]"]


async def test_the_end_waits_a_moment_for_what_is_on_its_way_and_no_longer(world: World) -> None:
    alarm = world.start()
    world.commit(alarm, STOP)
    await alarm.close()
    assert len(world.titles()) == 1
    world.phone.is_silent = True
    alarm = world.start()
    world.commit(alarm, BACKUP)
    await asyncio.wait_for(alarm.close(), 20)
    assert [each["status"] for each in world.told()[0].told] == ["waiting"]


async def test_a_service_that_never_answers_delays_no_look(world: World) -> None:
    """In virtual time: every look comes back, and what is heard is written down."""
    world.phone.is_silent = True
    alarm = world.start()
    looks = 0

    async def count(is_over: Callable[[], bool]) -> int:
        nonlocal looks
        while not is_over():
            looks += 1
            await asyncio.sleep(0)
        return looks

    keeping = asyncio.create_task(alarm.keep())
    for number in range(300):
        world.commit(alarm, BACKUP._replace(ts_ms=START_MS + number))
        await asyncio.sleep(0)
    begun = world.clock.now_ms()
    await count(lambda: looks > 500)
    assert world.clock.now_ms() - begun > 400_000
    assert len(world.told()) == 300
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
