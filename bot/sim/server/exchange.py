"""An exchange around the simulated venue: order ids, histories, market time, and a state that survives.

Neutral between dialects. One thread; nothing here waits. A change is visible to anyone only after
`commit` has written it.
"""

from collections.abc import Callable
from typing import Any

from bot.core.event import CandleClosed, FundingDue, MarketEvent, MarkPrice, Refused
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.errors import UserError
from bot.sim.requests import VenueAction
from bot.sim.server.books import Books, ConditionalOrder, PlacedOrder, Settlement
from bot.sim.server.changes import Change
from bot.sim.server.prices import Prices
from bot.sim.server.recorder import Recorder
from bot.sim.server.state import StateFile
from bot.sim.source import MarketSource, Place
from bot.sim.venue import SimulatedVenue

_MOST_QUIET_EVENTS = 20_000  # between two full records: what a restart plays again


class EmbeddedExchange:
    """One account and one market. `listeners` are told every change; `flushers` that it may be shown."""

    def __init__(
        self, venue: SimulatedVenue, source: MarketSource, file: StateFile, base_ms: int, deposit_quote: float
    ) -> None:
        self.venue, self.source = venue, source
        self.state = venue.state
        self.books = Books()
        self.prices = Prices(source, tuple(self.state.instruments), base_ms)
        self.recorder = Recorder(self.books, self.state, self.tell)
        self.settings: dict[str, Any] = {}
        self.listeners: list[Callable[[Change], None]] = []
        self.flushers: list[Callable[[], None]] = []
        self.tier_rule: Callable[[list[LeverageTier]], list[LeverageTier]] = list  # the dialect's
        self.market_ms = 0
        self.asked_ms = 0  # when the account last asked for something, by the clock
        self._file = file
        self._deposit_quote = deposit_quote
        self._event: MarketEvent | None = None
        self._earlier: dict[str, tuple[Settlement, ...]] = {}
        self._is_changed = False
        self._quiet_events = 0

    # --- life -------------------------------------------------------------------------------------

    def open(self) -> None:
        """Continue from the state file, or begin: play the market until every symbol has a price."""
        record = self._file.load()
        if record is None:
            self._begin()
        else:
            self._continue(record.rows, record.core, record.place)
        self._rewrite()

    def close(self) -> None:
        """Write the last place and close the file."""
        self.mark_changed()
        self.commit()
        self._file.close()

    # --- requests ---------------------------------------------------------------------------------

    def request(self, action: VenueAction, venue_id: str | None = None) -> Refused | None:
        """Ask the venue for one action; book what happens. Return the refusal, if it was one."""
        name = venue_id or f"r{self.recorder.next('requests')}"
        self._is_changed = True
        refused: Refused | None = None
        for event in self.venue.perform(name, action, self.market_ms):
            if isinstance(event, Refused):
                refused = event
            self.recorder.record(event)
        return refused

    def place_order(self, order: PlacedOrder | ConditionalOrder, action: VenueAction) -> Refused | None:
        """Ask for an order that the books know from the moment it is accepted."""
        self.recorder.draft(order)
        refused = self.request(action, order.venue_id)
        if refused:
            self.recorder.drop_draft(order.venue_id)
        return refused

    def change_tiers(self, symbol: str, rows: list[LeverageTier]) -> None:
        """Give a symbol other leverage tiers, as venues do without asking. ValueError: no sound table."""
        ruled = [list(row) for row in self.tier_rule(rows)]
        self._use_tiers(symbol, ruled)
        self.settings.setdefault("tiers", {})[symbol] = ruled
        self._is_changed = True

    def mark_changed(self) -> None:
        """Say that settings changed, so that the next commit writes them."""
        self._is_changed = True

    def commit(self) -> None:
        """Write what changed, then let it be shown."""
        if self._is_changed:
            self._file.append(self.books.take_rows(), self._core(), self.place())
            self._is_changed = False
            self._quiet_events = 0
            if self._file.is_long:
                self._rewrite()
        elif self._quiet_events:
            self._file.append_place(self.place())
        for flush in self.flushers:
            flush()

    # --- the market -------------------------------------------------------------------------------

    def peek(self) -> MarketEvent | None:
        """Return the next market event without applying it; None at the end of the data."""
        if self._event is None:
            self._event = self.source.next()
        return self._event

    def step(self) -> bool:
        """Apply the next market event; False at the end of the data."""
        event = self.peek()
        if event is None:
            return False
        self._event = None
        self.apply(event)
        return True

    def apply(self, event: MarketEvent) -> None:
        """Apply one market event, also one that is not the source's."""
        is_quiet = self.venue.is_quiet(event)
        self.market_ms = max(self.market_ms, event.ts_ms)
        self.prices.apply(event)
        if isinstance(event, FundingDue):
            self._settle(event)
        if not is_quiet:
            for caused in self.venue.advance(event):
                self._is_changed = True
                self.recorder.record(caused)
        self._quiet_events += 1
        self._is_changed = self._is_changed or self._quiet_events >= _MOST_QUIET_EVENTS
        if isinstance(event, MarkPrice | CandleClosed | FundingDue):
            self.tell(event)

    def place(self) -> Place:
        """Return the place after the last applied event."""
        return self.source.place() if self._event is None else self.source.place_before()

    def settlements(self, symbol: str | None) -> list[Settlement]:
        """Return the settlements of a symbol, or of all, oldest first; before the beginning mark 0.0."""
        symbols = self.state.instruments if symbol is None else (symbol,)
        earlier = [each for name in symbols for each in self._settled_before(name)]
        recorded = [each for each in self.books.settlements if each.symbol in symbols]
        return sorted([*earlier, *recorded], key=lambda each: each.ts_ms)

    # --- inside -----------------------------------------------------------------------------------

    def _use_tiers(self, symbol: str, rows: list[list[float]]) -> None:
        tiers = tiers_from_rows([LeverageTier(*row) for row in rows])
        most = float(tiers.max_leverage[0])
        self.venue.change_instrument(self.state.instruments[symbol]._replace(tiers=tiers, max_leverage=most))

    def _settled_before(self, symbol: str) -> tuple[Settlement, ...]:
        if symbol not in self._earlier:
            known = self.source.settled_before(symbol)
            rows = zip(known.ts_ms.tolist(), known.rate.tolist(), strict=True)
            self._earlier[symbol] = tuple(Settlement(symbol, rate, 0.0, ts_ms) for ts_ms, rate in rows)
        return self._earlier[symbol]

    def _settle(self, due: FundingDue) -> None:
        self._is_changed = True
        self.books.add(Settlement(due.symbol, due.rate, self.prices.of(due.symbol).mark, due.ts_ms))

    def _begin(self) -> None:
        self.recorder.deposit(self._deposit_quote, 0)
        while any(tape.now is None for tape in self.state.tapes.values()) and self.step():
            pass

    def _continue(self, rows: list[list[Any]], core: dict[str, Any], place: Place) -> None:
        """Take up the last full record, then play the quiet events up to the last place again."""
        self.books.load(rows)
        self.venue.restore(core["venue"])
        self.market_ms = core["market_ms"]
        self.settings.update(core["settings"])
        for symbol, tiers in self.settings.get("tiers", {}).items():
            self._use_tiers(symbol, tiers)
        self.recorder.counts.update(core["counts"])
        self.recorder.position_ms.update(core["position_ms"])
        self.prices.restore(core["prices"])
        self.source.seek(tuple(core["place"]))
        self._reach(place)

    def _reach(self, place: Place) -> None:
        """Play until the market is at `place`, written with the next event in hand or without."""
        while self.place() != place:
            self.peek()
            if self.place() == place:
                return
            if self.place()[:2] > place[:2] or not self.step():
                raise UserError(
                    f"The state file tells of a place in the market, {list(place)}, that this market "
                    "does not have: its data has changed. Give the data it began with, or another file "
                    "with --state."
                )

    def _rewrite(self) -> None:
        self.books.take_rows()  # they are among all rows
        self._file.rewrite(self.books.all_rows(), self._core(), self.place())

    def _core(self) -> dict[str, Any]:
        return {
            "place": self.place(),
            "market_ms": self.market_ms,
            "venue": self.venue.snapshot(),
            "settings": self.settings,
            "counts": self.recorder.counts,
            "position_ms": self.recorder.position_ms,
            "prices": self.prices.snapshot(),
        }

    def tell(self, change: Change) -> None:
        """Tell every listener; what they make of it is shown after the next commit."""
        for listener in self.listeners:
            listener(change)
