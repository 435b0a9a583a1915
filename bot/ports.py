"""What the engine needs from the world. Adapters implement these; the engine never names an adapter."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple, Protocol

from bot.core.candles import Candles
from bot.core.event import Event, Leg, MarketEvent, Note, VenueEvent
from bot.core.instrument import Instrument
from bot.core.intent import Intent, TriggerOn
from bot.core.position import Position

Json = dict[str, Any]


class OpenOrder(NamedTuple):
    """A resting order at the venue. trigger_price 0: not conditional. quantity 0: whole position."""

    client_id: str
    symbol: str
    leg: Leg
    order_side: int
    quantity: float
    trigger_price: float
    trigger_on: TriggerOn
    limit_price: float
    is_reduce_only: bool
    created_ms: int


class Account(NamedTuple):
    """The venue's truth at one instant. wallet_quote = free + used by positions and orders, without uPnL."""

    ts_ms: int
    free_quote: float
    wallet_quote: float
    positions: tuple[Position, ...]
    orders: tuple[OpenOrder, ...]
    leverage: Mapping[str, int]


class Exchange(Protocol):
    async def instruments(self) -> Mapping[str, Instrument]:
        """Return every tradable instrument of the session by unified symbol."""
        ...

    async def account(self) -> Account:
        """Return the venue's truth now."""
        ...

    async def execute(self, intent: Intent) -> tuple[VenueEvent, ...]:
        """Perform the intent once; return what happened, refusals included.

        Raises OutcomeUnknown when the fate is unclear, Fatal to end the process. Never retries by itself.
        """
        ...

    async def outcome_of(self, intent: Intent) -> tuple[VenueEvent, ...] | None:
        """Return what an earlier send of this intent did, or None when it provably never arrived."""
        ...


class MarketFeed(Protocol):
    def events(self) -> AsyncIterator[MarketEvent | VenueEvent]:
        """Yield events in time order; venue events caused by a tick come before that tick."""
        ...

    async def history(self, symbol: str, timeframe_ms: int, count: int) -> Candles:
        """Return up to `count` closed candles up to the feed's current place (for warm-up and restart)."""
        ...

    def cursor(self) -> Json:
        """Return the place AFTER the last yielded market event, to resume from."""
        ...


class Clock(Protocol):
    def now_ms(self) -> int: ...

    async def sleep(self, seconds: float) -> None: ...


class Command(NamedTuple):
    """A person's order. `verb`: "halt", "flatten", "resume"; `level` of core/halt.py, "" for resume.

    "strategy_hung" is left by a process whose strategy did not answer. "add", "release", "reduce" and "close"
    are about the open position of `symbol`: an amount in quote, or a fraction of its quantity. `position_id`:
    the one that the person saw, 0 for whichever is open.
    """

    command_id: str
    verb: str
    level: str
    message: str
    symbol: str = ""
    amount_quote: float = 0.0
    fraction: float = 0.0
    position_id: int = 0


class Commands(Protocol):
    def waiting(self) -> tuple[Command, ...]:
        """Return the orders nobody has taken yet, the oldest first; the same again until they are done."""
        ...

    def done(self, command_id: str) -> None:
        """Forget an order: what it changed is committed."""
        ...


class Checkpoint(NamedTuple):
    """A consistent cut: engine, feed and (simulated) venue as they were when a commit was made."""

    engine: Json
    feed: Json
    venue: Json


class Resolution(NamedTuple):
    """How an intent ended. `status`: "done", "refused", "unknown", "superseded"."""

    seq: int
    status: str
    detail: str


class Commit(NamedTuple):
    """Everything one decision changes, written in one durable transaction."""

    ts_ms: int
    events: tuple[Event, ...] = ()
    intents: tuple[Intent, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    notes: tuple[Note, ...] = ()
    checkpoint: Checkpoint | None = None


class Recovered(NamedTuple):
    """What a journal knew when the last process ended."""

    checkpoint: Checkpoint
    pending: tuple[Intent, ...]


class Journal(Protocol):
    def commit(self, commit: Commit) -> None:
        """Write durably (fsync) before returning, all or nothing."""
        ...

    def recover(self) -> Recovered | None:
        """Return the last checkpoint and the unresolved intents in order, or None for a new database."""
        ...
