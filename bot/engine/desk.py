"""What every part of the engine works with: the state, the rules, the strategy, the outbox."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bot.core.intent import Action, Fact
from bot.engine.outbox import Outbox
from bot.engine.readings import FROM_WINDOW, Readings
from bot.engine.state import Holding, Market, State
from bot.engine.witness import Witness
from bot.risk.limits import ForeignPositions, HaltLimits
from bot.risk.manager import RiskManager
from bot.risk.view import MarginBook, MarginView
from bot.strategy import Strategy

_LIMITS: Final = HaltLimits()
_FOREIGN: Final = ForeignPositions()


class Question:
    """Whether the strategy is being asked right now, and for which time: read by another thread."""

    __slots__ = ("is_open", "number")

    def __init__(self) -> None:
        self.number, self.is_open = 0, False

    def __enter__(self) -> None:
        self.number += 1
        self.is_open = True

    def __exit__(self, *_: object) -> None:
        self.is_open = False


@dataclass(slots=True)
class Desk:
    """One engine's working set. `max_mark_age_ms`: older marks allow protection only.

    `strategy_name`: as the user gave it, for the journal. `pace`: market seconds per second of the clock;
    what invariants wait for takes so much longer in market time. `began_ms`: the first mark after the start,
    0 before it. `shown`: takes the secrets of this process out of a text of somebody else's code.
    `doubtful`: symbols of requests whose fate was not told, as of a person's last order.
    """

    state: State
    risk: RiskManager
    strategy: Strategy
    strategy_name: str
    outbox: Outbox
    timeframe_ms: int
    max_mark_age_ms: int
    limits: HaltLimits = _LIMITS
    foreign: ForeignPositions = _FOREIGN
    pace: float = 1.0
    witness: Witness = field(default_factory=Witness)
    question: Question = field(default_factory=Question)
    began_ms: int = 0
    shown: Callable[[str], str] = str
    readings: Readings = FROM_WINDOW
    doubtful: frozenset[str] = frozenset()

    def is_in_flight(self, symbol: str, *kinds: type[Action]) -> bool:
        """Return whether an action of one of `kinds` waits for its outcome on `symbol`."""
        return bool(self.state.in_flight) and any(
            intent.action.symbol == symbol and isinstance(intent.action, kinds)
            for intent in self.state.in_flight.values()
        )

    def is_blind(self, market: Market) -> bool:
        """Return whether the market's prices are missing or too old to enter or to move margin."""
        now_ms = self.state.now_ms
        return now_ms < market.gap_until_ms or now_ms - market.mark_ms > self.max_mark_age_ms

    def risk_before(self, market: Market, holding: Holding) -> dict[str, Fact]:
        """Return the holding's risk now, as the facts that a margin move keeps until it is booked."""
        risk = self.risk.risk_of(self.view(market, holding))
        return {f"before_{name}": value for name, value in risk._asdict().items()}

    def view(self, market: Market, holding: Holding) -> MarginView:
        """Return what the risk manager may know of a holding now."""
        return self.state.view(market, holding)

    def book(self, market: Market, holding: Holding) -> MarginBook:
        """Return what was done to the holding's margin so far, and what the account can spare."""
        return self.state.book(market, holding)
