"""A venue that says no for good: the request is settled, its position made safe, and the session ends."""

import asyncio
from typing import Any

import pytest

from bot.core.event import AlertRaised, Refused, VenueEvent
from bot.core.intent import Intent, OpenPosition, PlaceStop, ReducePosition, SetLeverage
from bot.engine.reconcile import resume
from bot.engine.state import restore
from bot.errors import Fatal
from tests.unit.engine.desk_builder import kinds
from tests.unit.engine.session_builder import RUN, Process, market_history, new_memory

HISTORY = market_history(seed=2, bars=90)


class Denied:
    """No action is of this kind."""


class Denying:
    """Answers the first request of a kind, or every one from then on, by an error that ends the session."""

    def __init__(self, process: Process, wanted: type, *, is_answer: bool = True, spares: type = Denied):
        self.venue, self._wanted, self._spares, self._is_answer = process.venue, wanted, spares, is_answer
        self.sent: list[Intent] = []
        self.denied: list[Intent] = []

    async def account(self) -> Any:
        return await self.venue.account()

    async def outcome_of(self, intent: Intent) -> Any:
        return await self.venue.outcome_of(intent)

    async def execute(self, intent: Intent) -> Any:
        self.sent.append(intent)
        is_due = self.denied or isinstance(intent.action, self._wanted)
        if not is_due or isinstance(intent.action, self._spares):
            return await self.venue.execute(intent)
        self.denied.append(intent)
        error = Fatal(f"denied: {type(intent.action).__name__}")
        error.is_answer = self._is_answer
        raise error


class Ended:
    """A session that such an answer has ended, and its database."""

    def __init__(self, wanted: type, **habits: Any) -> None:
        self.memory = new_memory()
        self.process = Process(self.memory, HISTORY)
        self.exchange = Denying(self.process, wanted, **habits)
        self.process.session._exchange = self.exchange  # pyright: ignore[reportAttributeAccessIssue]
        with pytest.raises(Fatal, match="denied"):
            self.process.live()

    def statuses(self) -> dict[str, str]:
        rows = self.memory.connection.execute("SELECT client_id, status FROM intent")
        return dict(rows.fetchall())

    def next_start(self) -> list[Intent]:
        """Start again on the same venue while the market went on; return what was sent."""
        heir = Process(self.memory, HISTORY, venue=self.process.venue)
        sent: list[Intent] = []
        execute = heir.exchange.execute

        async def watched(intent: Intent) -> Any:
            sent.append(intent)
            return await execute(intent)

        heir.exchange.execute = watched  # pyright: ignore[reportAttributeAccessIssue]
        asyncio.run(_recover(heir))
        return sent


async def _recover(heir: Process) -> None:
    recovered = heir.journal.recover()
    assert recovered is not None
    heir.journal.start_run(RUN)
    heir.feed.seek(recovered.checkpoint.feed)
    restore(heir.engine.state, recovered.checkpoint.engine)
    exchange: Any = heir.exchange
    await resume(heir.session, exchange, recovered, _nothing)


async def _nothing() -> tuple[VenueEvent, ...]:
    return ()


@pytest.mark.parametrize("wanted", [SetLeverage, OpenPosition])
def test_an_entry_that_was_denied_is_settled_and_no_start_sends_it_again(wanted: type) -> None:
    ended = Ended(wanted)
    (denied,) = ended.exchange.denied
    assert ended.statuses()[denied.client_id] == "refused"
    assert set(ended.statuses().values()) <= {"done", "refused"}
    assert all(market.entry is None for market in ended.process.engine.state.markets.values())
    assert ended.next_start() == []


def test_a_position_whose_stop_was_denied_is_closed_before_the_end() -> None:
    ended = Ended(PlaceStop, spares=ReducePosition)
    assert "ReducePosition" in kinds(ended.exchange.sent)
    assert not isinstance(ended.exchange.denied[-1].action, OpenPosition | SetLeverage)
    assert asyncio.run(ended.process.venue.account()).positions == ()
    assert set(ended.statuses().values()) <= {"done", "refused"}
    assert ended.next_start() == []


def test_a_position_that_the_venue_denied_everything_is_protected_by_the_next_start() -> None:
    ended = Ended(PlaceStop)
    assert kinds(ended.exchange.denied)[0] == "PlaceStop"
    assert kinds(ended.exchange.denied)[-1] == "ReducePosition"
    assert set(ended.statuses().values()) <= {"done", "refused"}
    (position,) = asyncio.run(ended.process.venue.account()).positions
    assert kinds(ended.next_start()) == ["PlaceStop"]
    orders = asyncio.run(ended.process.venue.account()).orders
    assert "stop" in [order.leg for order in orders if order.symbol == position.symbol]


def test_a_fatal_error_that_is_no_answer_leaves_the_request_open() -> None:
    ended = Ended(OpenPosition, is_answer=False)
    (denied,) = ended.exchange.denied
    assert ended.statuses()[denied.client_id] not in ("done", "refused")


def test_a_denial_is_journalled_with_the_answer_and_told() -> None:
    commits = Ended(OpenPosition).process.commits
    (refused,) = [each for commit in commits for each in commit.events if isinstance(each, Refused)]
    assert (refused.code, refused.message) == ("denied", "denied: OpenPosition")
    alert = commits[-1].notes[-1]
    assert isinstance(alert, AlertRaised)
    assert (alert.cause, alert.message) == ("stopped", "denied: OpenPosition")
