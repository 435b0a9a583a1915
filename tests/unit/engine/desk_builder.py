"""An engine, a risk manager and a simulated venue on one desk: two symbols around 100, no clock, no file."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np

from bot.core.candles import Candles
from bot.core.event import CandleClosed, Event, MarketEvent, MarkPrice, Note, Refused, VenueEvent
from bot.core.instrument import Instrument, margin_rules
from bot.core.intent import Action, Intent
from bot.core.profile import BINANCE_USDM
from bot.core.signal import Signals
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.engine.desk import Desk
from bot.engine.engine import Engine
from bot.engine.outbox import Decision, Outbox
from bot.engine.state import Holding, Market, RestingStop, State
from bot.engine.window import CandleWindow
from bot.risk.limits import AllocationLimits, BracketLimits, CapLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.sim.config import VenueConfig
from bot.sim.venue import SimulatedVenue
from bot.strategy import Strategy, no_signals

A: Final = "AAA/USDT:USDT"
B: Final = "BBB/USDT:USDT"
MINUTE_MS: Final = 60_000
START_MS: Final = 1_738_368_000_000
WARMUP: Final = 5
_TIERS = tiers_from_rows(
    [LeverageTier(0.0, 50_000.0, 0.01, 0.0, 50.0), LeverageTier(50_000.0, 1e9, 0.02, 500.0, 20.0)]
)
_MARGIN, _ENTRY, _BRACKET = MarginLimits(), EntryLimits(), BracketLimits()
_ALLOCATION, _CAPS = AllocationLimits(), CapLimits()


def instrument(symbol: str) -> Instrument:
    """Return a perpetual whose price is around 100."""
    return Instrument(
        symbol, 0.01, 0.1, 0.1, 5.0, 1e-8, 1.0, False, 0.0002, 0.0005, 0.0125, 50.0, 28_800_000, _TIERS
    )


class Scripted(Strategy):
    """Says what `wishes` hold for the close time of the newest candle; anything may be put in `answer`."""

    timeframe = "1m"

    def __init__(self) -> None:
        super().__init__()
        self.wishes: dict[int, tuple[int, bool, float]] = {}
        self.answer: Callable[[Candles], Any] | None = None

    @property
    def warmup(self) -> int:
        return WARMUP

    def signals(self, candles: Candles) -> Signals:
        """Return no signals but in the newest row."""
        if self.answer is not None:
            return self.answer(candles)
        told = no_signals(len(candles.close))
        direction, is_exit, stop_distance = self.wishes.get(
            int(candles.open_ms[-1]) + MINUTE_MS, (0, False, 0.0)
        )
        told.exits[-1], told.direction[-1] = is_exit, direction
        if direction and not is_exit:
            told.entries[-1], told.stop_distance[-1] = True, stop_distance
        return told


def quiet_candles(count: int, until_ms: int = START_MS, price: float = 100.0, move: float = 0.001) -> Candles:
    """Return candles that go up and down by `move`: a volatility of move * sqrt(1440) a day."""
    open_ms = until_ms - MINUTE_MS * np.arange(count, 0, -1, dtype=np.int64)
    close = price * np.where(np.arange(count) % 2, 1.0 + move, 1.0)
    zeros = np.zeros(count)
    return Candles(open_ms, close, close, close, close, zeros + 1.0, zeros)


def engine_for(
    strategy: Strategy,
    symbols: Iterable[str] = (A, B),
    policy: str = "stop_anchor",
    params: Any = None,
    margin: MarginLimits = _MARGIN,
    entry: EntryLimits = _ENTRY,
    bracket: BracketLimits = _BRACKET,
    allocation: AllocationLimits = _ALLOCATION,
    caps: CapLimits = _CAPS,
) -> Engine:
    """Return an engine without prices and without money."""
    markets = {
        symbol: Market(instrument(symbol), margin_rules(instrument(symbol), BINANCE_USDM), CandleWindow(200))
        for symbol in symbols
    }
    state = State(markets)
    risk = RiskManager(policy, params or POLICIES[policy].default, margin, entry, bracket, allocation, caps)
    desk = Desk(state, risk, strategy, "scripted", Outbox(state, "T"), MINUTE_MS, margin.max_mark_age_ms)
    return Engine(desk)


def venue_for(
    symbols: Iterable[str] = (A, B), deposit: float = 10_000.0, depth: float = 1e9, **config: Any
) -> SimulatedVenue:
    """Return a venue without spread and slippage."""
    known = {symbol: instrument(symbol) for symbol in symbols}
    return SimulatedVenue(
        known, BINANCE_USDM, VenueConfig(0.0, 0.0, dict.fromkeys(known, depth), **config), deposit
    )


class Bench:
    """Drives one engine by hand. `sent` and `notes` hold everything since the start, in order.

    `answers` maps a kind of action to what the venue says instead of performing it.
    """

    def __init__(self, *, depth: float = 1e9, latency_ms: int = 0, **rules: Any) -> None:
        self.strategy = Scripted()
        self.engine = engine_for(self.strategy, **rules)
        self.venue = venue_for(depth=depth, latency_ms=latency_ms)
        self.answers: dict[type, str] = {}
        self.is_deaf = False
        self.sent: list[Intent] = []
        self.notes: list[Note] = []
        self.ts_ms = START_MS
        state = self.engine.state
        state.free_quote = state.wallet_start_quote = state.day_start_equity_quote = 10_000.0
        for symbol, market in state.markets.items():
            market.leverage = 20
            self.engine.warm_up(symbol, quiet_candles(200))
            self.feed(MarkPrice(self.ts_ms, symbol, 100.0, 100.0))

    def market(self, symbol: str = A) -> Market:
        return self.engine.state.markets[symbol]

    def holding(self, symbol: str = A) -> Holding:
        holding = self.market(symbol).holding
        assert holding is not None, "no position is held"
        return holding

    def stop(self, symbol: str = A) -> RestingStop:
        stop = self.holding(symbol).stop
        assert stop is not None, "no stop rests"
        return stop

    def feed(self, event: MarketEvent) -> list[Any]:
        """Let the venue and then the engine see a market event; return what was sent because of it."""
        before = len(self.sent)
        for caused in self.venue.advance(event):
            self.hear(caused)
        self.hear(event)
        return self.sent[before:]

    def hear(self, event: Event) -> list[Any]:
        """Let only the engine see an event; return what was sent because of it."""
        before = len(self.sent)
        self.perform(self.engine.step(event))
        return self.sent[before:]

    def perform(self, decision: Decision) -> None:
        """Send intents in rounds, as a session does; nothing comes back while the venue `is_deaf`."""
        self.notes.extend(decision.notes)
        intents = decision.intents
        while intents:
            self.sent.extend(intents)
            if self.is_deaf:
                return
            wanted: list[Intent] = []
            for intent in intents:
                for outcome in self._outcome(intent):
                    decision = self.engine.step(outcome)
                    self.notes.extend(decision.notes)
                    wanted.extend(decision.intents)
            intents = tuple(wanted)

    def tick(self, mark: float, symbol: str = A, after_ms: int = 1_000) -> list[Any]:
        """Move on by `after_ms` and quote `mark`."""
        self.ts_ms += after_ms
        return self.feed(MarkPrice(self.ts_ms, symbol, mark, mark))

    def candle(self, price: float | None = None, symbol: str = A, **wish: Any) -> list[Any]:
        """Close the running minute; `wish`: direction, is_exit, stop_distance of the strategy's answer."""
        price = self.market(symbol).mark if price is None else price
        self.ts_ms = (self.ts_ms // MINUTE_MS + 1) * MINUTE_MS
        if wish:
            self.strategy.wishes[self.ts_ms] = (
                wish.get("direction", 0),
                wish.get("is_exit", False),
                wish.get("stop_distance", 0.02),
            )
        self.feed(MarkPrice(self.ts_ms - 1, symbol, price, price))
        return self.feed(CandleClosed(self.ts_ms, symbol, MINUTE_MS, price, price, price, price, 1.0, 0.0))

    def enter(self, direction: int = 1, symbol: str = A, stop_distance: float = 0.02) -> list[Any]:
        """Let the strategy ask for an entry at the next close."""
        return self.candle(symbol=symbol, direction=direction, stop_distance=stop_distance)

    def stops(self, symbol: str = A) -> dict[str, float]:
        """Return the stops that rest at the venue."""
        rows = self.venue._state.orders.of(symbol)
        return {order.client_id: order.trigger_price for order in rows if order.leg == "stop"}

    def told(self, kind: type) -> list[Any]:
        """Return the notes of one kind."""
        return [note for note in self.notes if isinstance(note, kind)]

    def _outcome(self, intent: Intent) -> tuple[VenueEvent, ...]:
        code = self.answers.get(type(intent.action))
        if code is None:
            return self.venue.handle(intent)
        return (
            Refused(max(self.ts_ms, intent.ts_ms), intent.action.symbol, intent.client_id, code, "by script"),
        )


def kinds(intents: Iterable[Intent]) -> list[str]:
    """Return the names of the actions."""
    return [type(intent.action).__name__ for intent in intents]


def actions(intents: Iterable[Intent], kind: type[Action] | Any) -> list[Any]:
    """Return the actions of one kind."""
    return [intent.action for intent in intents if isinstance(intent.action, kind)]


def as_text(values: Mapping[str, Any]) -> str:
    """Return a snapshot as text in which equal means equal."""
    return repr(values)
