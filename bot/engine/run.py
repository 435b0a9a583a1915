"""THE loop: for each event, step; journal what is intended, do it, feed the outcome back, journal that.

It never asks which mode it is in. An intent is committed before it is sent; every commit holds a
consistent cut of engine, feed and simulated venue, so a process killed anywhere continues exactly.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from bot.core.event import (
    AlertRaised,
    CandleClosed,
    Event,
    FeedGap,
    FundingDue,
    MarkPrice,
    Note,
    Reconciled,
    Refused,
    VenueEvent,
)
from bot.core.intent import Fact, Intent, OpenPosition, SetLeverage
from bot.engine import by_hand, halts
from bot.engine.engine import Engine
from bot.engine.gate import Gate
from bot.engine.outage import Outage
from bot.engine.outbox import NOTHING, Decision
from bot.engine.sendings import Sendings
from bot.errors import Fatal, OutcomeUnknown, RingfenceError, Transient, Unavailable
from bot.ports import Checkpoint, Commands, Commit, Exchange, Journal, Json, MarketFeed, Resolution

_MAX_ROUNDS: Final = 64
# Notes and quiet marks wait for the next commit, but not longer: they can be worked out again.
_LONGEST_UNCOMMITTED_SECONDS: Final = 1.0
_ASK_AGAIN_SECONDS: Final = 1.0
_HEAR_SECONDS: Final = 0.5
_MOST_AT_ONCE: Final = 20  # orders that are heard before a commit: as many ids as are remembered at least
_MARKET_EVENTS: Final = (MarkPrice, CandleClosed, FundingDue, FeedGap)

Observer = Callable[[Commit], None]


class Session:
    """One engine wired to a feed, an exchange and a journal."""

    def __init__(
        self,
        engine: Engine,
        feed: MarketFeed,
        exchange: Exchange,
        journal: Journal,
        venue_state: Callable[[], Json],
        observe: Observer,
        outage: Outage | None = None,
        commands: Commands | None = None,
    ) -> None:
        self.engine = engine
        self._gate = Gate(engine.desk, outage.proof if outage is not None else None)
        self._sendings = Sendings(engine.desk)
        self._feed = feed
        self._exchange = exchange
        self._journal = journal
        self._venue_state = venue_state
        self._observe = observe
        self.outage = outage  # None: the market lives in this process and cannot fall silent
        self._commands = commands
        self._heard: set[str] = set()
        self._is_stopping = False
        self._is_settling = False
        self._is_late = False
        self._is_free = asyncio.Event()
        self._notes: list[Note] = []
        self._due = 0.0
        self._doubts: dict[int, Intent] = {}
        self._fates: list[Note] = []
        self._end: Fatal | None = None
        self._ask_due = 0.0
        self._task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """End after the event in hand, or at once while waiting for one; resting stops stay."""
        self._is_stopping = True
        if self._task is not None and not self._is_settling:
            self._task.cancel()

    async def run(self) -> None:
        """Follow the feed to its end, or until `stop`."""
        self._task = asyncio.create_task(self._follow())
        watching = asyncio.create_task(self._watch_feed(self._task))
        hearing = asyncio.create_task(self._watch_orders(self._task))
        try:
            await self._task
        except Fatal as error:
            self._tell_end(error)
            raise
        except asyncio.CancelledError:
            for task in (watching, hearing):
                if task.done() and not task.cancelled():
                    task.result()
            if not self._is_stopping:
                raise
        finally:
            watching.cancel()
            hearing.cancel()
        self.commit(Commit(self.engine.state.now_ms))

    def _tell_end(self, error: Fatal) -> None:
        """Journal why the session ends, where a cut is whole; the journal itself may be the reason."""
        if self._is_settling:
            return
        now_ms = self.engine.state.now_ms
        note = AlertRaised(now_ms, "", 0, "critical", "stopped", str(error), {})
        with suppress(RingfenceError):
            self.commit(Commit(now_ms, notes=(note,)))

    async def _watch_feed(self, following: asyncio.Task[None]) -> None:
        """Notice that nothing comes at all; only while nothing is being settled, so that a cut is whole."""
        if self.outage is None:
            return
        self.outage.begin()
        try:
            while True:
                await self.outage.pause()
                if not self._is_settling and self.outage.look():
                    self.say()
        except RingfenceError:
            following.cancel()
            raise

    def hear(self) -> bool:
        """Take what a person ordered: the gate obeys from now on, the next commit writes it down."""
        waiting = self._commands.waiting() if self._commands is not None else ()
        for command in waiting[:_MOST_AT_ONCE]:
            obey = by_hand.take if by_hand.is_one(command.verb) else halts.obey
            obey(self.engine.desk, command)
            self._heard.add(command.command_id)
        return bool(waiting)

    async def obey(self) -> None:
        """Do what halts and a person's orders want done at once: under FLATTEN everything is closed."""
        self._is_settling = True
        self._is_free.clear()
        self.engine.desk.doubtful = frozenset(intent.action.symbol for intent in self._doubts.values())
        await self.settle((), self.engine.obey())
        self._is_settling = False
        self._is_free.set()

    async def _watch_orders(self, following: asyncio.Task[None]) -> None:
        """Take a person's orders within a second, also while nothing comes from the feed."""
        if self._commands is None:
            return
        is_due = False
        try:
            while True:
                await asyncio.sleep(_HEAR_SECONDS)
                is_due = self.hear() or is_due or by_hand.is_any_due(self.engine.state)
                if is_due and not self._is_settling:
                    is_due = False
                    await self.obey()
                    if self._is_stopping:
                        following.cancel()
        except RingfenceError:
            following.cancel()
            raise

    async def _follow(self) -> None:
        step, desk, outage = self.engine.step, self.engine.desk, self.outage
        async for event in self._feed.events():
            if self._is_settling:  # a person's order is being carried out
                await self._is_free.wait()
            if not desk.began_ms and isinstance(event, MarkPrice):
                desk.began_ms = event.ts_ms
            decision = step(event)
            is_market = isinstance(event, _MARKET_EVENTS)
            if outage is not None:
                outage.heard += is_market
            if decision.intents or not is_market:
                self._is_settling = True
                await self.settle((event,), decision)
                self._is_settling = False
            elif decision is not NOTHING:
                self._notes.extend(decision.notes)
            if self._doubts and time.monotonic() > self._ask_due:
                self._is_settling = True
                await self._ask_again()
                self._is_settling = False
            if time.monotonic() > self._due:
                self.commit(Commit(self.engine.state.now_ms))
            if self._is_stopping:
                return

    def doubtful_ids(self) -> frozenset[str]:
        """Return the client ids of the requests whose fate the venue has not told yet."""
        return frozenset(intent.client_id for intent in self._doubts.values())

    async def settle(self, events: tuple[Event, ...], decision: Decision) -> None:
        """Journal a decision, then perform its intents one by one, outcomes included."""
        told = tuple(event for event in events if not isinstance(event, _MARKET_EVENTS))
        self.commit(Commit(self.engine.state.now_ms, told, decision.intents, (), decision.notes))
        await self.perform(decision.intents)

    async def perform(self, intents: tuple[Intent, ...]) -> None:
        """Send journalled intents; what they cause is journalled and sent in turn."""
        await self._drain(intents, frozenset())

    async def finish(self, pending: tuple[Intent, ...], *, is_late: bool) -> None:
        """Settle intents whose fate an earlier process left open: ask for it first, send only if absent.

        `is_late`: the market went on since they were decided. Entries are given up then, not sent.
        """
        self._is_late = is_late
        self._sendings.inherit(pending)
        await self._drain(pending, frozenset(intent.seq for intent in pending))
        self._is_late = False

    async def _drain(self, intents: tuple[Intent, ...], doubtful: frozenset[int]) -> None:
        # All intents of a round are journalled before the first is sent; what came of them is
        # journalled together with the next round.
        for _ in range(_MAX_ROUNDS):
            if not intents:
                self._end_if_denied()
                return
            intents = await self._send(intents, doubtful)
        raise Fatal(
            f"One event caused more than {_MAX_ROUNDS} rounds of actions. Cause: the engine and the venue "
            "answer each other without end. Next step: restart; the journal holds the last consistent state."
        )

    def _end_if_denied(self) -> None:
        """End the session when the venue said so to a request: all that it led to is settled now."""
        if self._end is not None:
            self._is_settling = False  # the cut is whole
            raise self._end

    async def _ask_again(self) -> None:
        """Ask the venue once more what became of the requests it left unanswered."""
        doubts = tuple(self._doubts.values())
        await self._drain(doubts, frozenset(intent.seq for intent in doubts))

    async def _send(self, intents: tuple[Intent, ...], doubtful: frozenset[int]) -> tuple[Intent, ...]:
        events: list[VenueEvent] = []
        resolutions: list[Resolution] = []
        decisions: list[Decision] = []
        for intent in intents:
            outcome, resolution = await self._outcome(intent, is_doubtful=intent.seq in doubtful)
            events.extend(outcome)
            resolutions.extend(resolution)
            decisions.extend(self.engine.step(event) for event in outcome)
        decisions.append(self.engine.desk.outbox.take())  # what the gate had to say
        wanted = tuple(intent for decision in decisions for intent in decision.intents)
        notes = (*self._fates, *(note for decision in decisions for note in decision.notes))
        self._fates.clear()
        now_ms = self.engine.state.now_ms
        self.commit(Commit(now_ms, tuple(events), wanted, tuple(resolutions), notes))
        return wanted

    async def _outcome(
        self, intent: Intent, *, is_doubtful: bool
    ) -> tuple[tuple[VenueEvent, ...], tuple[Resolution, ...]]:
        """Return what the intent did and how it ended; while its fate is unknown it stays in flight.

        A doubtful intent is asked for, and sent only when it provably never arrived.
        """
        try:
            outcome = await self._exchange.outcome_of(intent) if is_doubtful else None
            has_arrived = outcome is not None
            if outcome is None:
                outcome = self._kept_back(intent) or await self._sent(intent, is_absent=is_doubtful)
        except (OutcomeUnknown, Transient, Unavailable) as doubt:
            return (), self._doubt(intent, str(doubt))
        is_in_doubt = self._doubts.pop(intent.seq, None) is not None
        self._sendings.ends(intent, was_asked_for=is_doubtful, is_in_doubt=is_in_doubt)
        if is_in_doubt:
            self._fates.append(_fate(intent, has_arrived, outcome, self.engine.state.now_ms))
        return outcome, (_resolution(intent, outcome),)

    async def _sent(self, intent: Intent, *, is_absent: bool) -> tuple[VenueEvent, ...]:
        """Send an intent that was committed, once; anything else stays in doubt until the venue was asked."""
        if not self._sendings.may_leave(intent, is_absent=is_absent):
            raise OutcomeUnknown(f"{intent.client_id} was held back: the journal says which invariant broke.")
        return await self._execute(intent)

    async def _execute(self, intent: Intent) -> tuple[VenueEvent, ...]:
        """Send it. A no that ends the session is a refusal first, or each start would send it again.

        What follows from it is tried before the end: a position whose stop was denied is closed, if the venue
        lets it. Nothing is entered any more.
        """
        try:
            return await self._exchange.execute(intent)
        except Fatal as error:
            if not error.is_answer:
                raise
            self._end = self._end or error
            symbol, now_ms = intent.action.symbol, self.engine.state.now_ms
            return (Refused(now_ms, symbol, intent.client_id, "denied", str(error)),)

    def _kept_back(self, intent: Intent) -> tuple[VenueEvent, ...]:
        """Return the refusal of an intent that is not sent: a halt forbids it, or it was lost on the way."""
        refused = self._gate.refusal(intent)
        return (refused,) if refused is not None else self._given_up(intent)

    def _given_up(self, intent: Intent) -> tuple[VenueEvent, ...]:
        """An entry that was lost on the way is not sent late, nor its leverage: its price was another one."""
        is_due = not self._is_late and self._end is None and intent.seq not in self._doubts
        if is_due or not isinstance(intent.action, OpenPosition | SetLeverage):
            return ()
        message = "the venue never received it, and an entry is not sent late"
        now_ms = self.engine.state.now_ms
        return (Refused(now_ms, intent.action.symbol, intent.client_id, "lost", message),)

    def _doubt(self, intent: Intent, message: str) -> tuple[Resolution, ...]:
        self._ask_due = time.monotonic() + _ASK_AGAIN_SECONDS
        if intent.seq in self._doubts:
            return ()
        self._doubts[intent.seq] = intent
        return (Resolution(intent.seq, "unknown", message),)

    def say(self) -> bool:
        """Commit what was noted beside the events; False while requests are under way and no cut is whole."""
        if self._is_settling:
            return False
        notes = self.engine.desk.outbox.take().notes
        self.commit(Commit(self.engine.state.now_ms, notes=notes))
        return True

    def commit(self, commit: Commit) -> None:
        """Write one commit together with the cut that a restart continues from."""
        cut = Checkpoint(self.engine.snapshot(), self._feed.cursor(), self._venue_state())
        # What was said earlier is written earlier, so that the wall time of a commit changes no row.
        whole = commit._replace(events=(*self._notes, *commit.events), checkpoint=cut)
        self._journal.commit(whole)
        self._sendings.hear(whole)
        self._notes.clear()
        self._forget_orders()
        self._due = time.monotonic() + _LONGEST_UNCOMMITTED_SECONDS
        self._observe(whole)

    def _forget_orders(self) -> None:
        """What a person ordered is in the database now."""
        if self._commands is not None:
            for command_id in self._heard:
                self._commands.done(command_id)
        self._heard.clear()


def _fate(intent: Intent, has_arrived: bool, outcome: tuple[VenueEvent, ...], now_ms: int) -> Note:
    """Return what was found out about a request that was left without an answer."""
    asked = type(intent.action).__name__
    found = "it had arrived" if has_arrived else "it never arrived"
    came = ", ".join(type(event).__name__ for event in outcome) or "nothing new"
    facts: dict[str, Fact] = {
        "asked": asked,
        "client_id": intent.client_id,
        "found": found,
        "came_of_it": came,
    }
    return Reconciled(now_ms, intent.action.symbol, "lost_reply", facts)


def _resolution(intent: Intent, outcome: tuple[VenueEvent, ...]) -> Resolution:
    for event in outcome:
        if isinstance(event, Refused) and event.client_id == intent.client_id:
            return Resolution(intent.seq, "refused", f"{event.code}: {event.message}")
    return Resolution(intent.seq, "done", "")
