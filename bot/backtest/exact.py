"""The exact engine: the live engine against the simulated venue, event by event, without a clock.

It does what `Session` does on a replay, in one thread and one go: the same engine, gate, venue and price
path, hence the same events. Bars in which no price reaches anything that the engine or the venue waits for
are taken in one jump to their last tick; everything else is played tick by tick.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.backtest.lanes import Lane
from bot.backtest.nearing import Nearing
from bot.backtest.quiet_candles import QuietCandles
from bot.backtest.quiet_holding import QuietHolding
from bot.backtest.recital import Told
from bot.backtest.recorder import Recorder
from bot.backtest.result import Counts, Halted, Result
from bot.core.event import CandleClosed, Event, FundingDue, MarketEvent, VenueEvent
from bot.core.intent import Intent
from bot.core.margin import distance
from bot.engine.engine import Engine
from bot.engine.entries import unrealised_quote
from bot.engine.gate import Gate
from bot.engine.outbox import NOTHING, Decision
from bot.engine.reconcile import begin
from bot.engine.state import NEVER_MS, Market
from bot.errors import Fatal
from bot.sim.replay import ReplayMarket
from bot.sim.series import MarketHistory
from bot.sim.venue import SimulatedVenue

_MAX_ROUNDS: Final = 64
_TELL_EVERY: Final = 4096  # bars

Observe = Callable[[Event | Intent], None]


class ExactRun:
    """One run over one history. `observe`, if given, hears every venue event, intent and note."""

    def __init__(
        self,
        engine: Engine,
        venue: SimulatedVenue,
        history: MarketHistory,
        observe: Observe | None = None,
        told: Mapping[str, Told] | None = None,
    ) -> None:
        """`told`: what the engine's readings recite; with it quiet candles are passed over together."""
        desk = engine.desk
        self._engine, self._venue, self._gate = engine, venue, Gate(desk)
        self._history = history
        self._market = ReplayMarket(history, desk.timeframe_ms, venue.position_side)
        self._bar_ms = history.timeframe_ms
        self._bars = (history.end_ms - history.start_ms) // self._bar_ms
        self._lanes = [Lane(series, history) for series in history.series]
        self._stops = _stops(history, desk.timeframe_ms)
        for lane in self._lanes:
            lane.look_ahead(self._stops)
        self._quiet, self._holding = self._passers(told) if told else (None, None)
        self._observe = observe
        self.recorder = Recorder(tuple(engine.state.markets), self.distance)

    def _passers(self, told: Mapping[str, Told]) -> tuple[QuietCandles, QuietHolding]:
        """Return what lets candles pass: while nothing is held, and while something is."""
        desk, stops = self._engine.desk, self._stops
        within = np.any([lane.has_something_within() for lane in self._lanes], axis=0)
        quiet = QuietCandles(told, self._history, desk.timeframe_ms, stops, within)
        nearing = Nearing(desk, self._market, self._lanes, [*stops.tolist(), self._bars])
        lanes = {lane.symbol: lane for lane in self._lanes}
        return quiet, QuietHolding(self._engine, self._venue, quiet, lanes, nearing, self._settle_said)

    def warm_up(self) -> None:
        """Load the candles before the range, and begin with what the venue holds."""
        engine = self._engine
        for symbol, market in engine.state.markets.items():
            market.evidence.forecast_hour = NEVER_MS  # no forecast is told: they decide nothing
            engine.warm_up(symbol, self._market.history(symbol, engine.desk.timeframe_ms, market.window.size))
        begin(engine, self._venue.truth(), self._history.start_ms)

    def run(self, say: Callable[[int], None]) -> None:
        """Play the whole range; `say` is told now and then how many bars are done."""
        stops = [*self._stops.tolist(), self._bars]
        number, bar, told = 0, 0, 0
        while number < len(stops):
            quiet = self._quiet_candles_until(number, bar, stops)
            if quiet > number:
                self._pass_over(number, quiet, bar, stops[quiet])
                number, bar = quiet, stops[quiet]
            self._play(bar, stops[number])
            passed = self._hold(number, stops)
            if passed > number and self._is_idle():
                bar, number = stops[passed], passed
                continue
            number = self._open(passed, stops)
            bar, number = stops[number], max(number, passed + 1)
            if bar - told >= _TELL_EVERY:
                told = bar
                say(bar)
        say(self._bars)

    def distance(self) -> float:
        """Return the least distance to liquidation over all open positions, a fraction; NaN while flat."""
        held = [market for market in self._engine.state.markets.values() if market.holding is not None]
        return min(map(_distance, held), default=math.nan)

    def result(self, name: str) -> Result:
        """Return what the run found; `name` is the engine's."""
        state, desk, recorder = self._engine.state, self._engine.desk, self.recorder
        equity = state.equity_quote()
        recorder.mark(
            self._history.end_ms,
            equity,
            unrealised_quote(desk),
            sum(each.isolated_wallet for each in state.positions()),
        )
        still_open = recorder.still_open(self._history.end_ms, state.markets)
        shadows, trades = recorder.shadows(), recorder.trades()
        return Result(
            engine=name,
            symbols=tuple(state.markets),
            causes=recorder.causes.seen(),
            reasons=recorder.reasons.seen(),
            timeframe_ms=desk.timeframe_ms,
            detail_ms=self._bar_ms,
            start_ms=self._history.start_ms,
            end_ms=self._history.end_ms,
            deposit_quote=state.wallet_start_quote,
            wallet_quote=equity,
            trades=trades,
            open_trades=still_open,
            moves=recorder.moves(),
            account=recorder.account(),
            counts=self._counts(),
            shadows=shadows,
            halts=tuple(
                Halted(note.ts_ms, note.symbol, note.cause, note.message, note.is_latched)
                for note in recorder.halts
            ),
        )

    def _counts(self) -> Counts:
        tally = self._engine.state.tally
        bars = sum(lane.count for lane in self._lanes)
        return Counts(bars, *(getattr(tally, name) for name in Counts._fields[1:]))

    def _quiet_candles_until(self, number: int, bar: int, stops: Sequence[int]) -> int:
        """Return the number of the stop up to which, from `number` on, nothing but closed candles comes."""
        if self._quiet is None or not self._is_idle():
            return number
        has_shadows = any(market.evidence.orphans for market in self._engine.state.markets.values())
        until = self._quiet.until(number, hears_exits=has_shadows)
        if until <= number:
            return number
        leaves = min(lane.leaves(bar, stops[until], *self._bounds(lane.symbol)[:4]) for lane in self._lanes)
        # The stop at or before the bar that leaves the bounds is met in the ordinary way.
        return until if leaves == stops[until] else max(bisect_right(stops, leaves) - 1, number)

    def _is_idle(self) -> bool:
        """Whether nothing is held, on its way or told to be missing."""
        desk = self._engine.desk
        state = desk.state
        return not (state.in_flight or state.stale_since_ms or desk.witness.orphans) and all(
            market.holding is None
            and market.entry is None
            and market.foreign is None
            and not market.evidence.forecasts
            and market.gap_until_ms == 0
            for market in state.markets.values()
        )

    def _hold(self, number: int, stops: Sequence[int], *, is_funded: bool = False) -> int:
        """Let candles pass while something is held; return the number of the first stop that did not.

        `is_funded`: what is due there beside its candles was funding, and was settled.
        """
        if self._holding is None or number + 1 >= len(stops):
            return number
        passed = self._holding.passes(number, is_funded=is_funded)
        if passed > number:
            self._jump(stops[number], stops[passed])
        return passed

    def _open(self, number: int, stops: Sequence[int]) -> int:
        """Play what is due at a stop; return the number of the stop up to which its candles then passed."""
        may_pass = self._holding is not None and self._holding.is_asleep()
        for at, event in enumerate(self._market.opening(stops[number])):
            if may_pass and at > 0 and type(event) is CandleClosed:
                may_pass = False  # funding came first
                passed = self._hold(number, stops, is_funded=True)
                if passed > number:
                    return passed
            self._feed(event)
            may_pass = may_pass and type(event) is FundingDue
        return number

    def _settle_said(self) -> None:
        self._settle(self._engine.desk.outbox.take())

    def _pass_over(self, first: int, last: int, bar: int, until: int) -> None:
        """Let the stops from `first` up to `last` pass, at which candles close and nothing comes of it."""
        quiet, state = self._quiet, self._engine.state
        if quiet is None:
            return
        for ts_ms in quiet.turns(first, last):
            state.now_ms = ts_ms
            self._engine.roll_clock()
            self._settle(self._engine.desk.outbox.take())
        state.now_ms = quiet.end_ms(last - 1)
        self._jump(bar, until)
        for symbol, market in state.markets.items():
            market.evidence.enters = 0
            known = quiet.estimates(symbol, last - 1)
            if known is not None:
                self._engine.take_estimates(market, known)

    def _play(self, bar: int, stop: int) -> None:
        """Play the bars up to `stop`; nothing but prices is due in between."""
        while bar < stop:
            quiet = self._quiet_until(bar, stop)
            if quiet > bar:
                self._jump(bar, quiet)
                bar = quiet
                continue
            for event in self._market.prices(bar, tuple(self._side(lane) for lane in self._lanes)):
                self._feed(event)
            bar += 1

    def _side(self, lane: Lane) -> int:
        return self._venue.position_side(lane.symbol)

    def _quiet_until(self, bar: int, stop: int) -> int:
        """Return the first bar of [bar, stop) in which a price may cause something; `stop` for none."""
        for lane in self._lanes:
            low, high, last_low, last_high, until_ms = self._bounds(lane.symbol)
            if until_ms < math.inf:
                last_bar = int((until_ms - self._history.start_ms) // self._bar_ms)
                stop = min(stop, last_bar)
            stop = lane.quiet_until(bar, stop, low, high, last_low, last_high)
            if stop <= bar:
                return bar
        return stop

    def _bounds(self, symbol: str) -> tuple[float, float, float, float, float]:
        """Return the marks, then the lasts, between which nothing is due, and until when."""
        low, high, last_low, last_high = self._venue.watched(symbol)
        market = self._engine.state.markets[symbol]
        holding, evidence = market.holding, market.evidence
        if holding is not None:
            low, high = max(low, holding.quiet_low), min(high, holding.quiet_high)
            return low, high, last_low, last_high, holding.recheck_at_ms
        if market.entry is not None or market.foreign is not None:
            return math.inf, -math.inf, last_low, last_high, math.inf
        return max(low, evidence.watch_low), min(high, evidence.watch_high), last_low, last_high, math.inf

    def _jump(self, bar: int, until: int) -> None:
        """Take over the last ticks of the bars from `bar` up to `until`."""
        state = self._engine.state
        for lane in self._lanes:
            tick = lane.last_tick(bar, until)
            if tick is not None:
                self._venue.jump(tick)
                market = state.markets[lane.symbol]
                market.mark, market.last, market.mark_ms = tick.mark, tick.last, tick.ts_ms
                state.now_ms = max(state.now_ms, tick.ts_ms)

    def _feed(self, event: MarketEvent) -> None:
        if not self._venue.is_quiet(event):
            for caused in self._venue.advance(event):
                self._hear(caused)
                self._settle(self._engine.step(caused))
        decision = self._engine.step(event)
        if decision is not NOTHING:
            self._settle(decision)

    def _settle(self, decision: Decision) -> None:
        """Perform a decision's intents one by one, and what their outcomes lead to."""
        self._note(decision)
        intents = decision.intents
        for _ in range(_MAX_ROUNDS):
            if not intents:
                return
            intents = self._send(intents)
        raise Fatal(
            f"One event caused more than {_MAX_ROUNDS} rounds of actions. Cause: the engine and the venue "
            "answer each other without end. Next step: report the strategy, the settings and the range."
        )

    def _send(self, intents: tuple[Intent, ...]) -> tuple[Intent, ...]:
        decisions: list[Decision] = []
        for intent in intents:
            refused = self._gate.refusal(intent)
            for event in self._venue.handle(intent) if refused is None else (refused,):
                self._hear(event)
                decisions.append(self._engine.step(event))
        decisions.append(self._engine.desk.outbox.take())  # what the gate had to say
        for decision in decisions:
            self._note(decision)
        return tuple(intent for decision in decisions for intent in decision.intents)

    def _hear(self, event: VenueEvent) -> None:
        self.recorder.hear(event)
        if self._observe is not None:
            self._observe(event)

    def _note(self, decision: Decision) -> None:
        for note in decision.notes:
            self.recorder.note(note)
        if self._observe is not None:
            for said in (*decision.intents, *decision.notes):
                self._observe(said)


def _distance(market: Market) -> float:
    holding = market.holding
    if holding is None:
        return math.nan
    return float(distance(holding.position.side, market.mark, market.liquidation_price(holding.position)))


def _stops(history: MarketHistory, timeframe_ms: int) -> NDArray[np.int64]:
    """Return the bars before whose prices something is due, in order: closings, settlements, gaps."""
    start_ms, bar_ms = history.start_ms, history.timeframe_ms
    bars = (history.end_ms - start_ms) // bar_ms
    opens = start_ms + bar_ms * np.arange(bars, dtype=np.int64)
    due = [np.flatnonzero(opens % timeframe_ms == 0)]
    for series in history.series:
        times = np.array([gap.from_ms for gap in series.gaps], np.int64)
        due += [(series.funding.ts_ms - start_ms) // bar_ms, (times - start_ms) // bar_ms]
    every = np.unique(np.concatenate(due).astype(np.int64))
    return every[(every >= 0) & (every < bars)]
