"""An exchange in this process: isolated positions, orders, triggers, funding, liquidation, margin moves.

Market events go in through `advance`, requests through `execute`; both return what happened. The venue
knows nothing of the bot. Its clock is the events' and the requests' own time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from bot.core.codec import from_json, to_json
from bot.core.event import FundingDue, InstrumentChanged, MarketEvent, MarkPrice, Refused, VenueEvent
from bot.core.instrument import Instrument
from bot.core.intent import (
    AddMargin,
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.core.profile import VenueProfile
from bot.errors import UserError
from bot.ports import Account
from bot.sim.config import VenueConfig, check_config
from bot.sim.limit_entry import amend_limit, reduce_at_limit, rest_entry, rest_stop
from bot.sim.liquidation import is_funding_finished, liquidate, settle_funding, skip_funding
from bot.sim.margin_moves import add_margin, release_margin, set_leverage
from bot.sim.order_entry import (
    cancel_order,
    execute_market_order,
    fill_or_expire,
    open_position,
    place_stop,
    place_take_profit,
    place_trailing_stop,
    reduce_position,
)
from bot.sim.requests import AmendLimit, ReduceAtLimit, RestEntry, RestStop, VenueAction
from bot.sim.state import Moment, State
from bot.sim.tape import Tape
from bot.sim.triggers import follow, instant_of, next_limit_order, next_market_order, next_trigger, watch

_DESK: Final[dict[type, Callable[..., Any]]] = {
    SetLeverage: set_leverage,
    OpenPosition: open_position,
    PlaceStop: place_stop,
    PlaceTakeProfit: place_take_profit,
    PlaceTrailingStop: place_trailing_stop,
    CancelOrder: cancel_order,
    ReducePosition: reduce_position,
    AddMargin: add_margin,
    ReleaseMargin: release_margin,
    RestStop: rest_stop,
    RestEntry: rest_entry,
    ReduceAtLimit: reduce_at_limit,
    AmendLimit: amend_limit,
}


class SimulatedVenue:
    """The venue of paper trading and backtests. Implements bot.ports.Exchange; nothing in it waits.

    Where `profile` counts a fee to close, each symbol counts its own taker rate.

    Rules: one-way mode, isolated margin only, liquidation on mark. UserError: impossible config or deposit.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        profile: VenueProfile,
        config: VenueConfig,
        deposit_quote: float,
    ) -> None:
        check_config(config, instruments)
        _check_deposit(deposit_quote)
        self._state = State(instruments, profile, config, deposit_quote)
        self._now_ms = 0

    @property
    def state(self) -> State:
        """The books, for reading only."""
        return self._state

    def follow_rules(self, instrument: Instrument) -> None:
        """Count by the symbol's new rules from now on, and say so with what happens next."""
        self.change_instrument(instrument)
        profile = self._state.rules[instrument.symbol].profile
        self._state.outbox.append(InstrumentChanged(self._now_ms, instrument.symbol, instrument, profile))

    @property
    def profiles(self) -> Mapping[str, VenueProfile]:
        """By which rules each symbol is liquidated."""
        return {symbol: rules.profile for symbol, rules in self._state.rules.items()}

    # --- the exchange port ------------------------------------------------------------------------

    async def instruments(self) -> Mapping[str, Instrument]:
        """Return every instrument by symbol."""
        return self._state.instruments

    async def account(self) -> Account:
        """Return free balance, wallet, positions, open orders and leverage settings now."""
        return self.truth()

    def truth(self) -> Account:
        """Return what `account` does, without waiting."""
        state = self._state
        return Account(
            self._now_ms,
            state.free_quote,
            state.ledger.trader_quote(),
            tuple(state.positions.values()),
            tuple(order.as_open_order() for order in sorted(state.orders)),
            dict(state.leverage),
        )

    async def execute(self, intent: Intent) -> tuple[VenueEvent, ...]:
        """Perform the intent once; return what happened at once, refusals included."""
        return self.handle(intent)

    async def outcome_of(self, intent: Intent) -> tuple[VenueEvent, ...] | None:
        """Return what this intent's request did at once; None when it never arrived.

        An id older than the last few outcomes but still remembered gives an empty tuple.
        """
        if not self._state.memory.knows(intent.client_id):
            return None
        return from_json(self._state.memory.outcome(intent.client_id))

    # --- the simulation ---------------------------------------------------------------------------

    def handle(self, intent: Intent) -> tuple[VenueEvent, ...]:
        """Perform the intent: what `execute` does, without waiting."""
        return self.perform(intent.client_id, intent.action, intent.ts_ms)

    def perform(self, client_id: str, action: VenueAction, sent_ms: int) -> tuple[VenueEvent, ...]:
        """Perform an action sent at `sent_ms`, the engine's or a foreign client's; the id counts once."""
        state = self._state
        ts_ms = self._request_time(action.symbol, sent_ms)
        if state.memory.knows(client_id) or state.orders.is_open(client_id):
            message = f"client id {client_id} was used before"
            return (Refused(ts_ms, action.symbol, client_id, "duplicate_client_id", message),)
        out: list[VenueEvent] = []
        refusal = _DESK[type(action)](state, client_id, action, Moment(ts_ms, out))
        if refusal:
            out.append(Refused(ts_ms, action.symbol, client_id, *refusal))
        state.memory.keep(client_id, to_json(out))
        return tuple(out)

    def is_quiet(self, event: MarketEvent) -> bool:
        """Return whether the event causes nothing; if so it is applied already. A fast path for feeds."""
        state = self._state
        if state.outbox:
            return False
        if type(event) is MarkPrice:
            near = state.watches.get(event.symbol) or self._watch(event.symbol)
            if not (near[0] < event.mark < near[1] and near[2] < event.last < near[3]):
                return False
            state.tapes[event.symbol].jump(event)
            self._now_ms = event.ts_ms
            return True
        if type(event) is FundingDue:
            if event.symbol in state.positions:
                return False
            skip_funding(state, event)
        return True

    def watched(self, symbol: str) -> tuple[float, float, float, float]:
        """Return the low and high mark, then the low and high last, between which nothing happens."""
        return self._state.watches.get(symbol) or self._watch(symbol)

    def jump(self, tick: MarkPrice) -> None:
        """Take over the last of several ticks that lay within `watched`."""
        self._state.tapes[tick.symbol].jump(tick)
        self._now_ms = max(self._now_ms, tick.ts_ms)

    def advance(self, event: MarketEvent) -> Iterator[VenueEvent]:
        """Apply one market event; yield what it causes, one event at a time.

        The caller may `execute` between two events. Applying the last event again, also in the
        middle and after a restore, leaves the venue as applying it once.
        """
        state = self._state
        yield from self._hand_out()
        if type(event) is MarkPrice:
            if not self.is_quiet(event):
                yield from self._apply_tick(event)
        elif type(event) is FundingDue:
            while not is_funding_finished(state, event):
                settle_funding(state, event, Moment(event.ts_ms, state.outbox))
                yield from self._hand_out()
        self._now_ms = max(self._now_ms, event.ts_ms)

    def live_through(self, events: Iterable[MarketEvent]) -> None:
        """Apply events that nobody saw; what they cause waits for `undelivered`, or the next `advance`.

        So the bot hears of it, and can answer, only after all of it: it was away.
        """
        caused = list(self._finish_ticks())
        for event in events:
            if not self.is_quiet(event):
                caused.extend(self.advance(event))
        self._state.outbox.extend(caused)

    def undelivered(self) -> Iterator[VenueEvent]:
        """Yield what has happened and was not handed out; each leaves the snapshot before it is seen."""
        yield from self._hand_out()

    def is_exposed(self, symbol: str) -> bool:
        """Return whether the symbol has a position or an open order."""
        return symbol in self._state.positions or bool(self._state.orders.of(symbol))

    def change_instrument(self, instrument: Instrument) -> None:
        """Trade a known symbol by other terms from now on; a snapshot does not hold them."""
        self._state.change_instrument(instrument)

    def position_side(self, symbol: str) -> int:
        """Return +1 long, -1 short, 0 flat."""
        held = self._state.positions.get(symbol)
        return 0 if held is None else held.side

    def conservation_error(self) -> float:
        """Return how far the sum of all money is from the deposits, relative to them."""
        return self._state.ledger.conservation_error()

    def balances(self) -> dict[str, float]:
        """Return every account of the ledger: free, wallets, fees, funding, market, insurance."""
        return self._state.ledger.snapshot()

    def snapshot(self) -> dict[str, Any]:
        """Return the whole venue as plain JSON values, small enough for every commit."""
        return {"now_ms": self._now_ms, **self._state.snapshot()}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Become the venue of a snapshot. UserError: it has symbols that this venue does not trade."""
        self._state.restore(values)
        self._now_ms = values["now_ms"]

    # --- one tick ---------------------------------------------------------------------------------

    def _finish_ticks(self) -> Iterator[VenueEvent]:
        """Do the rest of what was cut off in the middle of a tick that does not come again."""
        yield from self._hand_out()
        for tape in self._state.tapes.values():
            if tape.tick is not None and not tape.is_done:
                yield from self._apply_tick(tape.tick)

    def _apply_tick(self, tick: MarkPrice) -> Iterator[VenueEvent]:
        _check_tick(tick)
        tape = self._state.tapes[tick.symbol]
        tape.begin(tick)
        while not tape.is_done:
            if not self._step(tape, tick):
                tape.finish()
            yield from self._hand_out()

    def _step(self, tape: Tape, tick: MarkPrice) -> bool:
        """Do the next thing the tick causes; False when nothing is left.

        Order: market orders that are due, at the price of their instant; limit orders; then triggers
        and liquidation as the price meets them.
        """
        state = self._state
        order = next_market_order(state, tape, tick)
        if order:
            instant = tape.walk_to(instant_of(order, tick))
            execute_market_order(state, order, Moment(instant.ts_ms, state.outbox))
            return True
        at = Moment(tape.walk_to(tick.ts_ms).ts_ms, state.outbox)
        order = next_limit_order(state, tape, tick)
        if order:
            fill_or_expire(state, order, order.limit_price, True, at)
            return True
        return self._protect(tape, tick, at)

    def _protect(self, tape: Tape, tick: MarkPrice, at: Moment) -> bool:
        state = self._state
        follow(state, tick.symbol, tick.mark)
        trigger = next_trigger(state, tape, tick)
        if trigger:
            fill_or_expire(state, trigger.order, trigger.price, False, at)
            return True
        if state.is_liquidated_at(tick.symbol, tick.mark):
            liquidate(state, tick.symbol, tick.mark, at)
            return True
        return False

    def _hand_out(self) -> Iterator[VenueEvent]:
        """Yield queued events; each leaves the queue before it is seen, so that none is seen twice."""
        outbox = self._state.outbox
        while outbox:
            event = outbox.pop(0)
            self._now_ms = max(self._now_ms, event.ts_ms)
            yield event

    def _watch(self, symbol: str) -> tuple[float, float, float, float]:
        near = self._state.watches[symbol] = watch(self._state, symbol)
        return near

    def _request_time(self, symbol: str, sent_ms: int) -> int:
        """A request arrives when it was sent, but not before the price it meets."""
        tape = self._state.tapes.get(symbol)
        return sent_ms if tape is None or tape.now is None else max(sent_ms, tape.now.ts_ms)


def _check_tick(tick: MarkPrice) -> None:
    if not (0.0 < tick.mark < float("inf") and 0.0 < tick.last < float("inf")):
        raise ValueError(f"impossible price of {tick.symbol}: mark {tick.mark}, last {tick.last}")


def _check_deposit(deposit_quote: float) -> None:
    if not 0.0 < deposit_quote < float("inf"):
        raise UserError(
            f"The simulated venue was given a deposit of {deposit_quote}: paper trading needs a positive "
            "amount of quote currency to start with. Set the wallet to a positive number."
        )
