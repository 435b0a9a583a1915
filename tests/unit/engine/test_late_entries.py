"""An entry is a decision on the prices of its bar: what comes up after a restart is not sent any more."""

import asyncio
from typing import Any

import pytest

from bot.core.event import LeverageSet, Refused, SignalSeen, VenueEvent
from bot.core.intent import Intent, OpenPosition, PlaceStop, SetLeverage
from bot.engine.reconcile import resume
from bot.engine.state import restore
from tests.unit.engine.desk_builder import MINUTE_MS, A, Bench, kinds
from tests.unit.engine.session_builder import RUN, Fate, Killed, Process, market_history, new_memory

HISTORY = market_history(seed=2, bars=90)


async def nothing() -> tuple[VenueEvent, ...]:
    return ()


class Lives:
    """Two processes on one venue: the first dies when it is about to send, the second comes up later."""

    def __init__(self, wanted: type, number: int, at: str = "before execute") -> None:
        self.memory, self._left, self._at = new_memory(), number, at
        self._wanted = wanted
        self.dead = Process(self.memory, HISTORY, Fate(self._die))
        self._first = self.dead.exchange
        self.asked: Intent | None = None
        self._watch()
        assert not self.dead.live()
        self.heir = Process(self.memory, HISTORY, venue=self.dead.venue)

    def _watch(self) -> None:
        execute = self._first.execute

        async def watched(intent: Intent) -> Any:
            self.asked = intent
            return await execute(intent)

        self._first.execute = watched  # pyright: ignore[reportAttributeAccessIssue]

    def _die(self, what: str) -> None:
        if what != self._at or self.asked is None or not isinstance(self.asked.action, self._wanted):
            return
        self._left -= 1
        if self._left == 0:
            raise Killed

    def come_up(self) -> list[Intent]:
        """Let the heir start while the market went on; return what it sent."""
        heir, sent = self.heir, []
        execute = heir.exchange.execute

        async def watched(intent: Intent) -> Any:
            sent.append(intent)
            return await execute(intent)

        heir.exchange.execute = watched  # pyright: ignore[reportAttributeAccessIssue]
        asyncio.run(self._recover())
        return sent

    async def _recover(self) -> None:
        heir = self.heir
        recovered = heir.journal.recover()
        assert recovered is not None
        heir.journal.start_run(RUN)
        heir.feed.seek(recovered.checkpoint.feed)
        restore(heir.engine.state, recovered.checkpoint.engine)
        exchange: Any = heir.exchange
        await resume(heir.session, exchange, recovered, nothing)

    def lost(self) -> list[str]:
        events = [event for commit in self.heir.commits for event in commit.events]
        return [each.client_id for each in events if isinstance(each, Refused) and each.code == "lost"]


@pytest.mark.parametrize("number", [1, 2])
def test_an_entry_that_never_arrived_is_given_up_at_the_next_start(number: int) -> None:
    lives = Lives(OpenPosition, number)
    entry = lives.asked
    assert entry is not None
    assert kinds(lives.come_up()) == []
    assert lives.lost() == [entry.client_id]
    market = lives.heir.engine.state.markets[entry.action.symbol]
    assert (market.entry, market.holding) == (None, None)
    rows = lives.memory.connection.execute(
        "SELECT status FROM intent WHERE client_id = ?", (entry.client_id,)
    )
    assert rows.fetchall() == [("refused",)]


def test_the_leverage_of_an_entry_that_never_arrived_is_given_up_with_it() -> None:
    lives = Lives(SetLeverage, 1)
    assert kinds(lives.come_up()) == []
    assert len(lives.lost()) == 1
    assert all(market.entry is None for market in lives.heir.engine.state.markets.values())


def test_a_leverage_that_was_set_before_the_end_sends_no_entry_after_it() -> None:
    lives = Lives(SetLeverage, 1, "after execute")
    assert kinds(lives.come_up()) == []
    assert [key[-1] for key in lives.lost()] == ["E"]
    assert all(market.entry is None for market in lives.heir.engine.state.markets.values())


def test_a_stop_that_never_arrived_is_sent_at_the_next_start() -> None:
    lives = Lives(PlaceStop, 1)
    assert "PlaceStop" in kinds(lives.come_up())
    assert lives.lost() == []


def test_an_entry_decided_on_the_market_of_now_is_sent_after_a_start() -> None:
    lives = Lives(OpenPosition, 1)
    entry = lives.asked
    assert entry is not None
    asyncio.run(lives.heir.recover())
    assert lives.lost() == []
    assert lives.heir.engine.state.markets[entry.action.symbol].holding is not None


def test_a_leverage_that_took_a_bar_sends_no_entry() -> None:
    bench = Bench()
    bench.is_deaf = True
    asked = bench.enter()[0]
    bench.is_deaf = False
    for _ in range(MINUTE_MS // 1_000):
        bench.tick(100.0)
    late = LeverageSet(asked.ts_ms + MINUTE_MS, A, asked.client_id, asked.action.leverage)
    assert kinds(bench.hear(late)) == []
    assert bench.market().entry is None
    assert "the signal is 60 s old: the bar of the decision is over" in str(bench.told(SignalSeen)[-1].checks)
