"""Closed candles while something is held, of which it can be proven that the engine would leave all as it is.

What cannot be proven is played in the ordinary way. What a quiet candle does change is changed here:
estimates, regime, the best mark, the highest equity, and what the evidence counts.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bot.backtest.held_leg import Fixed, HeldLeg, fixed_of, is_asleep, is_settled
from bot.backtest.lanes import Lane
from bot.backtest.nearing import Nearing
from bot.backtest.quiet_candles import QuietCandles
from bot.core.timeframe import HOUR_MS
from bot.engine.engine import Engine
from bot.engine.state import Market
from bot.sim.venue import SimulatedVenue

_AT_ONCE: Final = 24  # stops whose prices and estimates are fetched together


class QuietHolding:
    """Proves quiet candles of one run, and lets them pass. `settle` performs what the engine then says."""

    def __init__(
        self,
        engine: Engine,
        venue: SimulatedVenue,
        quiet: QuietCandles,
        lanes: Mapping[str, Lane],
        nearing: Nearing,
        settle: Callable[[], None],
    ) -> None:
        self._engine, self._venue, self._quiet, self._settle = engine, venue, quiet, settle
        self._lanes, self._nearing = lanes, nearing
        self._desk = engine.desk
        self._fixed: dict[str, Fixed] = {}

    def is_asleep(self) -> bool:
        """Return whether everything held was looked at and waits for nothing."""
        markets = self._desk.state.markets.values()
        return all(market.holding is None or is_asleep(market, market.holding) for market in markets)

    def passes(self, first: int, *, is_funded: bool = False) -> int:
        """Let the candles of the stops from `first` on pass; return the first stop that must be played.

        The bars before that stop have passed too, but for their last ticks, which the caller takes over.
        `is_funded`: funding is settled at `first`, all was asleep before, and only its candles are left.
        """
        markets, now_ms = self._desk.state.markets, self._quiet.end_ms(first)
        if self._is_busy() or not all(_is_still(market, now_ms) for market in markets.values()):
            return first
        last = min(self._quiet.first_told(symbol, _side(market), first) for symbol, market in markets.items())
        last = min(last, self._quiet.first_funded(first + is_funded))
        legs = self._legs(now_ms, is_funded=is_funded) if last > first else None
        if legs is None:
            return first
        if not legs:
            last = first + 1  # those after it pass together, as long as nothing is held
        stop = first
        while stop < last:
            until = min(stop + _AT_ONCE, last)
            passed = self._pass_together(legs, stop, until)
            if passed < until:
                last = passed
            stop = passed
        if stop > first:
            self._take_over(stop - 1)
        return stop

    def _is_busy(self) -> bool:
        desk = self._desk
        state = desk.state
        return bool(state.in_flight or state.stale_since_ms or state.broken or desk.witness.orphans)

    def _legs(self, now_ms: int, *, is_funded: bool) -> list[HeldLeg] | None:
        """Return everything held; None where it is not at rest."""
        legs = []
        for symbol, market in self._desk.state.markets.items():
            holding, book = market.holding, market.evidence.book
            if holding is None:
                continue
            if book is None or book.is_blind:
                return None
            fixed = fixed_of(self._desk, market, holding, book, self._fixed.get(symbol))
            self._fixed[symbol] = fixed
            if not is_settled(market, holding, fixed, now_ms, is_funded=is_funded):
                return None
            legs.append(HeldLeg(self._desk, market, holding, book, fixed, self._venue.watched(symbol)))
        return legs

    def _pass_together(self, legs: list[HeldLeg], first: int, until: int) -> int:
        """Let the candles of the stops up to `until` pass; return the first that did not, else `until`."""
        state, risk = self._desk.state, self._desk.risk
        for leg in legs:
            symbol = leg.market.instrument.symbol
            leg.prices = self._lanes[symbol].ahead(first, until)
            leg.estimates = self._quiet.known(symbol, first, until)
        wallets = state.equity_quote()
        is_far = risk.is_far_within_caps([leg.exposure() for leg in legs], wallets)
        for at, now_ms in enumerate(self._quiet.ends_ms(first, until)):
            was_ms, state.now_ms = state.now_ms, now_ms
            equity = wallets + sum([leg.close(at) for leg in legs])
            is_proven = self._is_within_losses(equity) and _all_prove(legs, at)
            if not is_proven or not (is_far or self._is_within_caps(legs, at, wallets)):
                state.now_ms = was_ms
                return first + at
            self._pass(legs, first, at, equity)
        return until

    def _is_within_caps(self, legs: list[HeldLeg], at: int, wallets_quote: float) -> bool:
        """Whether no cap on the whole book cuts at a close; else nothing was changed."""
        is_within = not self._desk.risk.cap_cuts([leg.exposure_at(at) for leg in legs], wallets_quote)
        if not is_within:
            for leg in legs:
                leg.undo()
        return is_within

    def _pass(self, legs: list[HeldLeg], first: int, at: int, equity: float) -> None:
        state = self._desk.state
        for leg in legs:
            leg.passes(at)
        if state.now_ms - state.now_ms % HOUR_MS != state.hour_ms:
            self._engine.roll_clock()
            self._settle()
        state.peak_equity_quote = max(state.peak_equity_quote, equity)
        for leg in legs:
            if leg.is_nearer:
                self._nearing.follow(leg.market, first + at)

    def _take_over(self, stop: int) -> None:
        """Let the markets be known by the candles of a stop, the last that passed."""
        for symbol, market in self._desk.state.markets.items():
            market.evidence.enters = 0
            known = self._quiet.estimates(symbol, stop)
            if market.holding is None and known is not None:
                self._engine.take_estimates(market, known)

    def _is_within_losses(self, equity: float) -> bool:
        """Whether neither the day's loss nor the drawdown is at its limit."""
        state, limits = self._desk.state, self._desk.limits
        base, peak = state.loss_base_quote or equity, state.peak_equity_quote
        day, whole = limits.daily_loss_fraction, limits.drawdown_fraction
        return (day <= 0.0 or base - equity <= day * base) and (whole <= 0.0 or peak - equity <= whole * peak)


def _is_still(market: Market, now_ms: int) -> bool:
    """Whether nothing is on its way in a market, its prices are there, and no shadow waits for them."""
    evidence = market.evidence
    return (
        market.entry is None
        and market.foreign is None
        and market.gap_until_ms == 0
        and market.mark_ms == now_ms - 1
        and not evidence.orphans
        and not evidence.forecasts
    )


def _side(market: Market) -> int:
    return 0 if market.holding is None else market.holding.position.side


def _all_prove(legs: list[HeldLeg], at: int) -> bool:
    """Whether nothing comes of a close; else nothing was changed."""
    for number, leg in enumerate(legs):
        if not leg.proves(at):
            for each in legs[:number]:
                each.undo()
            return False
    return True
