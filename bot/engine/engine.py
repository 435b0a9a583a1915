"""The engine: `step(event)` is synchronous and deterministic, and time is `event.ts_ms`.

The same events in the same order give the same intents, in paper trading, replay and live. Most
marks touch no rung of any ladder and return after two comparisons.
"""

import math
from collections.abc import Callable
from typing import Any, Final

from bot.core.candles import Candles
from bot.core.event import (
    AutoAddSwitched,
    CandleClosed,
    EntriesHalted,
    EntriesResumed,
    EquityMarked,
    Event,
    FeedGap,
    FundingDue,
    FundingSettled,
    InstrumentChanged,
    LeverageSet,
    Liquidated,
    MarginAdjusted,
    MarkPrice,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    Refused,
    VenueDiffers,
)
from bot.core.intent import (
    AddMargin,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.core.timerange import utc_text
from bot.engine import (
    alerts,
    allocation,
    book_caps,
    by_hand,
    conduct,
    deleverage,
    entries,
    fills,
    foreign,
    instruments,
    margins,
    money,
    ours,
    protection,
    shadows,
    transitions,
    tripwires,
)
from bot.engine.beliefs import newest_signal
from bot.engine.desk import Desk
from bot.engine.flatten import flatten, flatten_book
from bot.engine.halts import is_flattening
from bot.engine.invariants import check, check_time
from bot.engine.outbox import NOTHING, Decision
from bot.engine.state import Holding, Market, snapshot
from bot.engine.window import is_sound_candle
from bot.risk.estimates import MarketEstimates
from bot.risk.inputs import fault_of_tiers

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


class Engine:
    """Turns events into intents. It never asks which mode it runs in, and never reads a clock."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.state = desk.state
        self._markets = desk.state.markets
        for market in self._markets.values():
            market.fault = fault_of_tiers(market.rules.tiers)
        self._handlers: dict[type, Callable[[Any], None]] = {
            CandleClosed: self._on_candle,
            FeedGap: self._on_gap,
            FundingDue: self._on_funding_rate,
            LeverageSet: self._on_leverage_set,
            OrderAccepted: self._on_accepted,
            OrderFilled: self._on_filled,
            OrderCancelled: self._on_cancelled,
            Refused: self._on_refused,
            MarginAdjusted: self._on_adjusted,
            FundingSettled: self._on_funding,
            Liquidated: self._on_liquidated,
            InstrumentChanged: self._on_instrument_changed,
            AutoAddSwitched: self._on_auto_add,
            VenueDiffers: self._on_difference,
        }

    def step(self, event: Event) -> Decision:
        """Return what to do about `event`; NOTHING (the same object) when nothing is due."""
        state = self.state
        state.now_ms = event.ts_ms
        if type(event) is MarkPrice:
            state.tally.marks_processed += 1
            market = self._markets[event.symbol]
            holding = market.holding
            # No comparison holds for NaN, and no sleep reaches below zero or to infinity.
            if (
                holding is not None
                and holding.quiet_low < event.mark < holding.quiet_high
                and event.ts_ms < holding.recheck_at_ms
            ):
                market.mark, market.last, market.mark_ms = event.mark, event.last, event.ts_ms
                return NOTHING
            if not 0.0 < event.mark < math.inf:
                self._ignore(market, event)
                return self.desk.outbox.take()
            check_time(self.desk, market, event)
            market.mark, market.last, market.mark_ms = event.mark, event.last, event.ts_ms
            if market.alerts:
                alerts.clear(market, alerts.BAD_PRICE)
            if (
                holding is None
                and market.foreign is None
                and market.evidence.watch_low < event.mark < market.evidence.watch_high
            ):
                if market.entry is None:
                    return NOTHING
                protection.protect_unseen(self.desk, market)
                entries.end_late(self.desk, market)
            else:
                self._on_mark(market, holding)
        else:
            self._handle(event)
        conduct.check_intents(self.desk)
        return self.desk.outbox.take()

    def obey(self) -> Decision:
        """Return what a halt, or a person, wants done at once, without waiting for an event."""
        flatten_book(self.desk)
        by_hand.pursue(self.desk)
        tripwires.losses(self.desk)
        self._check()
        conduct.check_intents(self.desk)
        return self.desk.outbox.take()

    def _handle(self, event: Event) -> None:
        """Do what an event that is no mark asks for, and look at what it changed."""
        before, was = shadows.before(self.desk, event), transitions.before(self.desk, event)
        self._handlers[type(event)](event)
        transitions.after(self.desk, event, was)
        if self.state.errands:
            by_hand.follow(self.desk, event, was)
        self._check()
        money.follow(self.desk, event)
        shadows.after(self.desk, event, before)

    def warm_up(self, symbol: str, candles: Candles) -> None:
        """Load closed candles before the first event, or after a restart."""
        market = self._markets[symbol]
        market.window.load(candles)
        if len(market.window):
            self._estimate(market)

    def snapshot(self) -> dict[str, Any]:
        """Return everything a restart needs, as JSON values."""
        return snapshot(self.state)

    def _on_mark(self, market: Market, holding: Holding | None) -> None:
        """Show the mark to the evidence, and act on it unless only the evidence wanted to see it."""
        if foreign.is_due(self.desk, market):
            foreign.adopt(self.desk, market)
        protection.protect_unseen(self.desk, market)
        shadows.look(self.desk, market)
        if holding is not None and not (
            holding.sleep_low < market.mark < holding.sleep_high and self.state.now_ms < holding.recheck_at_ms
        ):
            self._look_at(market)
            shadows.count_blindness(self.desk, market)
            self._check()
        elif holding is None:
            entries.end_late(self.desk, market)
        shadows.lay(market)

    def _check(self) -> None:
        """Take back what is late, and look whether anything has broken."""
        for market in self._markets.values():
            entries.end_late(self.desk, market)
        check(self.desk)

    def _look_at(self, market: Market) -> None:
        holding = market.holding
        if is_flattening(self.state):
            flatten(self.desk, market)
        if holding is None or holding.is_closing:
            return
        if holding.position.side * (market.mark - holding.best_mark) > 0.0:
            holding.best_mark = market.mark
        protection.ensure(self.desk, market, holding)
        protection.cover(self.desk, market, holding)
        protection.trail(self.desk, market, holding)
        if not holding.is_closing:
            margins.reconsider(self.desk, market, holding)
        if holding.stop is None or not holding.stop.covers(holding.position.quantity):
            holding.wake()

    def _ignore(self, market: Market, event: MarkPrice) -> None:
        """Keep the last good mark, which ages; the next one is looked at."""
        alerts.bad_price(self.desk, market, event)
        if market.holding is not None:
            market.holding.wake()

    def _estimate(self, market: Market) -> None:
        self.take_estimates(market, self.desk.readings.estimates(market, self.desk.timeframe_ms))

    def take_estimates(self, market: Market, estimates: MarketEstimates) -> None:
        """Let a market be known by these from now on."""
        market.estimates = estimates
        sigma_day = market.estimates.sigma_day
        market.sigma_day = sigma_day if math.isfinite(sigma_day) else 0.0

    def _on_candle(self, event: CandleClosed) -> None:
        market = self._markets[event.symbol]
        is_sound = is_sound_candle(event)
        if is_sound and not market.window.append(event):
            return
        if is_sound:
            alerts.clear(market, alerts.BAD_CANDLE)
            self._estimate(market)
            if market.holding is not None:
                margins.follow_regime(self.desk, market, market.holding)
        else:
            alerts.bad_candle(self.desk, market, event)
        self._end_gap(market)
        self.roll_clock()
        alerts.stale_elsewhere(self.desk)
        tripwires.staleness(self.desk)
        signal = newest_signal(self.desk, market) if is_sound else None
        deleverage.follow_belief(market.holding, signal)
        shadows.hear(self.desk, market, signal)
        if signal is not None:
            entries.on_signal(self.desk, market, signal)
        tripwires.losses(self.desk)
        book_caps.reconsider(self.desk)
        self._look_at(market)

    def roll_clock(self) -> None:
        """Mark the account once an hour, and begin the day's loss anew once a day."""
        state = self.state
        hour_ms = state.now_ms - state.now_ms % _HOUR_MS
        if hour_ms == state.hour_ms:
            return
        state.hour_ms = hour_ms
        unrealised = entries.unrealised_quote(self.desk)
        equity = state.equity_quote()
        committed = equity - state.free_quote
        self.desk.outbox.note(EquityMarked(state.now_ms, "", state.free_quote, equity, committed, unrealised))
        day_ms = hour_ms - hour_ms % _DAY_MS
        if day_ms != state.day_start_ms:
            state.day_start_ms, state.day_start_equity_quote = day_ms, equity + unrealised
            state.loss_base_quote = equity + unrealised

    def _on_gap(self, event: FeedGap) -> None:
        market = self._markets[event.symbol]
        market.gap_until_ms = max(market.gap_until_ms, event.until_ms)
        message = f"no market data until {utc_text(event.until_ms)} UTC; resting stops stay at the venue"
        self.desk.outbox.note(EntriesHalted(event.ts_ms, event.symbol, "feed_gap", message))
        if market.holding is not None:
            alerts.stale(self.desk, market, market.holding)
            market.holding.wake()

    def _end_gap(self, market: Market) -> None:
        if 0 < market.gap_until_ms <= self.state.now_ms:
            market.gap_until_ms = 0
            symbol = market.instrument.symbol
            self.desk.outbox.note(EntriesResumed(self.state.now_ms, symbol, "feed_gap"))

    def _on_funding_rate(self, event: FundingDue) -> None:
        market = self._markets[event.symbol]
        market.funding_rate = event.rate
        if market.holding is not None:
            market.holding.wake()

    def _on_leverage_set(self, event: LeverageSet) -> None:
        intent = self.state.in_flight.pop(event.client_id, None)
        decided_ms = event.ts_ms if intent is None else intent.ts_ms
        entries.on_leverage_set(self.desk, self._markets[event.symbol], event, decided_ms)

    def _on_accepted(self, event: OrderAccepted) -> None:
        intent = self.state.in_flight.get(event.client_id)
        if intent is None:
            ours.hear(self.desk, event)
            return
        if not isinstance(intent.action, OpenPosition | ReducePosition):
            del self.state.in_flight[event.client_id]
            protection.on_accepted(self.desk, self._markets[event.symbol], event, intent)

    def _on_filled(self, event: OrderFilled) -> None:
        market, in_flight = self._markets[event.symbol], self.state.in_flight
        self.state.free_quote = event.free_quote
        intent = in_flight.get(event.client_id)
        if event.remaining_quantity <= 0.0:
            in_flight.pop(event.client_id, None)
        if intent is None:
            ours.hear(self.desk, event)
        fills.on_filled(self.desk, market, event, intent)
        deleverage.on_reduced(self.desk, market, event, intent)
        tripwires.losses(self.desk)

    def _on_cancelled(self, event: OrderCancelled) -> None:
        market = self._markets[event.symbol]
        if event.free_quote is not None:
            self.state.free_quote = event.free_quote
        self._forget_cancel(event.client_id)
        was_entry = market.entry is not None and market.entry.client_id == event.client_id
        intent = self.state.in_flight.pop(event.client_id, None)
        if was_entry:
            fills.complete_entry(self.desk, market)
        elif market.holding is not None and intent is not None and _is_whole_close(intent):
            market.holding.is_closing = False
            market.holding.wake()
        else:
            asked = intent.action if intent is not None else None
            protection.on_cancelled(self.desk, market, event, asked)

    def _forget_cancel(self, target_client_id: str) -> None:
        in_flight = self.state.in_flight
        done = [
            key
            for key, intent in in_flight.items()
            if getattr(intent.action, "target_client_id", None) == target_client_id
        ]
        for key in done:
            del in_flight[key]

    def _on_refused(self, event: Refused) -> None:
        market = self._markets[event.symbol]
        tripwires.refusals(self.desk, event)
        intent = self.state.in_flight.pop(event.client_id, None)
        action = intent.action if intent is not None else None
        if isinstance(action, SetLeverage | OpenPosition):
            fills.complete_entry(self.desk, market)
        elif isinstance(action, PlaceStop):
            protection.on_stop_refused(self.desk, market, event)
        elif isinstance(action, PlaceTakeProfit):
            protection.on_take_profit_refused(self.desk, market, event, action)
        elif isinstance(action, AddMargin | ReleaseMargin) and intent is not None:
            margins.on_refused(self.desk, market, event, intent)
            allocation.on_outcome(self.desk, event.client_id, is_done=False)
        elif intent is not None and _is_whole_close(intent):
            protection.on_close_refused(market, event)
        if intent is not None:
            deleverage.on_refused(self.desk, market, event, intent)

    def _on_adjusted(self, event: MarginAdjusted) -> None:
        self.state.free_quote = event.free_quote
        intent = self.state.in_flight.pop(event.client_id, None)
        if intent is None:
            margins.on_moved_by_hand(self.desk, self._markets[event.symbol], event)
        else:
            margins.on_adjusted(self.desk, self._markets[event.symbol], event, intent)
            allocation.on_outcome(self.desk, event.client_id, is_done=True)

    def _on_funding(self, event: FundingSettled) -> None:
        self.state.free_quote = event.free_quote
        fills.on_funding(self.desk, self._markets[event.symbol], event)

    def _on_liquidated(self, event: Liquidated) -> None:
        self.state.free_quote = event.free_quote
        fills.on_liquidated(self.desk, self._markets[event.symbol], event)
        tripwires.losses(self.desk)

    def _on_instrument_changed(self, event: InstrumentChanged) -> None:
        instruments.on_changed(self.desk, self._markets[event.symbol], event)

    def _on_auto_add(self, event: AutoAddSwitched) -> None:
        alerts.auto_add(self.desk, self._markets[event.symbol], event)

    def _on_difference(self, event: VenueDiffers) -> None:
        tripwires.differences(self.desk, event)


def _is_whole_close(intent: Intent) -> bool:
    return isinstance(intent.action, ReducePosition) and intent.action.quantity == 0.0
