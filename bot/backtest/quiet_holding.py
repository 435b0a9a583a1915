"""Closed candles while something is held, of which it can be proven that the engine would leave all as it is.

The proof asks the same policy, limits and venue as the engine does, but lays no ladder and writes nothing.
What it cannot prove is played in the ordinary way. What a quiet candle does change is changed here:
estimates, regime, the best mark, the highest equity, and what the evidence counts.
"""

import math
from typing import Final, NamedTuple

from bot.backtest.lanes import Prices
from bot.backtest.nearing import Nearing
from bot.backtest.quiet_candles import QuietCandles
from bot.core.margin import distance
from bot.core.position import Position
from bot.engine.engine import Engine
from bot.engine.entries import unrealised_quote
from bot.engine.state import NEVER_MS, Holding, Market
from bot.evidence.book import TradeBook, watch_gap
from bot.evidence.nearness import can_be_reached, hourly
from bot.evidence.shadow import liquidation_of
from bot.risk.estimates import MarketEstimates
from bot.risk.regime import RegimeState, next_regime
from bot.risk.stress import Exposure
from bot.risk.trailing import trail_mark
from bot.risk.view import MarginView
from bot.sim.venue import SimulatedVenue

_GRAIN: Final = 1e-4  # of the price: how much nearer than ever a mark must come to be news


class Fixed(NamedTuple):
    """What stays while a position and its stop do: where it, its shadow and its trailing stop act.

    `wall`: from where the venue lets margin out.
    """

    position: Position
    stop_price: float
    shadow_position: Position
    liquidation: float
    shadow_liquidation: float
    trail: float
    wall: float


class News(NamedTuple):
    """What one quiet candle changes of a market."""

    market: Market
    estimates: MarketEstimates
    sigma_day: float
    regime: RegimeState | None
    is_gap_kept: bool
    is_nearness_news: bool = False


class QuietHolding:
    """Proves quiet candles of one run, and lets them pass."""

    def __init__(self, engine: Engine, venue: SimulatedVenue, quiet: QuietCandles, nearing: Nearing) -> None:
        self._engine, self._venue, self._quiet = engine, venue, quiet
        self._nearing = nearing
        self._nearer: list[Market] = []
        self._desk = engine.desk
        self._limits = engine.desk.risk.margin_limits
        self._fixed: dict[str, Fixed] = {}

    def takes(self, stop: int, prices: dict[str, Prices]) -> bool:
        """Let the candles that close at a stop pass, and the bars up to the next; False: nothing was changed.

        `prices`: where each symbol goes from this stop to the next.
        """
        state, now_ms = self._desk.state, self._quiet.end_ms(stop)
        if not self._quiet.is_closing_alone(stop) or self._is_busy():
            return False
        was_ms, state.now_ms = state.now_ms, now_ms
        news = self._news(stop, now_ms, prices)
        wallets = state.equity_quote()
        equity = wallets + unrealised_quote(self._desk)
        if news is None or not self._is_within_losses(equity) or not self._is_within_caps(news, wallets):
            state.now_ms = was_ms
            return False
        self._engine.roll_clock()
        for each in news:
            self._pass(each, now_ms)
        self._nearer = [each.market for each in news if each.is_nearness_news]
        state.peak_equity_quote = max(state.peak_equity_quote, equity)
        return True

    def follow(self, stop: int) -> None:
        """Show the evidence the marks it wants to see of the bars that pass, once the candles were noted."""
        for market in self._nearer:
            self._nearing.follow(market, stop)

    def _is_busy(self) -> bool:
        desk = self._desk
        state = desk.state
        return bool(state.in_flight or state.stale_since_ms or state.broken or desk.witness.orphans)

    def _news(self, stop: int, now_ms: int, prices: dict[str, Prices]) -> list[News] | None:
        news = []
        for symbol, market in self._desk.state.markets.items():
            found = self._news_of(symbol, market, stop, now_ms, prices[symbol])
            if found is None:
                return None
            news.append(found)
        return news

    def _news_of(self, symbol: str, market: Market, stop: int, now_ms: int, ahead: Prices) -> News | None:
        """Return what a market's candle changes; None: it may change more than that."""
        holding, evidence = market.holding, market.evidence
        estimates = self._quiet.estimates(symbol, stop)
        if (
            estimates is None
            or market.entry is not None
            or market.foreign is not None
            or market.gap_until_ms
            or market.mark_ms != now_ms - 1
            or evidence.orphans
            or evidence.forecasts
            or self._quiet.is_told(symbol, stop, 0 if holding is None else holding.position.side)
        ):
            return None
        near = self._venue.watched(symbol)
        is_inside = (
            near[0] < ahead.mark_low
            and ahead.mark_high < near[1]
            and near[2] < ahead.last_low
            and ahead.last_high < near[3]
        )
        sigma = estimates.sigma_day if math.isfinite(estimates.sigma_day) else 0.0
        if not is_inside:
            return None
        if holding is None or evidence.book is None:
            return None if holding is not None else News(market, estimates, sigma, None, True)
        return self._news_of_holding(market, holding, evidence.book, estimates, sigma, ahead)

    def _news_of_holding(
        self,
        market: Market,
        holding: Holding,
        book: TradeBook,
        estimates: MarketEstimates,
        sigma: float,
        ahead: Prices,
    ) -> News | None:
        desk, side = self._desk, holding.position.side
        if not _is_settled(market, holding, desk.state.now_ms) or book.is_blind:
            return None
        fixed = self._fixed_of(market, holding, book)
        adverse, favourable = (
            (ahead.mark_low, ahead.mark_high) if side > 0 else (ahead.mark_high, ahead.mark_low)
        )
        adverse = min(adverse * side, market.mark * side) * side
        if _may_end(fixed, adverse):
            return None
        best = max(favourable * side, market.mark * side, holding.best_mark * side)
        if fixed.trail > 0.0 and best >= side * fixed.trail:
            return None
        before = RegimeState(side, holding.regime, holding.regime_since_ms)
        regime = next_regime(before, estimates, desk.state.now_ms)
        view = self._view(market, holding, estimates, sigma, regime.regime)
        low, high = min(ahead.mark_low, market.mark), max(ahead.mark_high, market.mark)
        if not desk.risk.holds_between(view, fixed.liquidation, fixed.wall, low, high):
            return None
        is_nearer = _is_nearer(book, fixed, sigma, adverse)
        return News(market, estimates, sigma, regime, desk.risk.is_anchor_gap_kept(view), is_nearer)

    def _view(
        self, market: Market, holding: Holding, estimates: MarketEstimates, sigma: float, regime: int
    ) -> MarginView:
        """Return the view after the candle; the engine's state is left as it was."""
        known = market.estimates, market.sigma_day, holding.regime
        market.estimates, market.sigma_day, holding.regime = estimates, sigma, regime
        view = self._desk.view(market, holding)
        market.estimates, market.sigma_day, holding.regime = known
        return view

    def _fixed_of(self, market: Market, holding: Holding, book: TradeBook) -> Fixed:
        symbol, stop = market.instrument.symbol, holding.stop
        known = self._fixed.get(symbol)
        price = 0.0 if stop is None else stop.trigger_price
        if (
            known is not None
            and known.position is holding.position
            and known.shadow_position is book.shadow.position
            and known.stop_price == price
        ):
            return known
        position = holding.position
        trail = trail_mark(
            position.side,
            position.entry_price,
            holding.initial_stop,
            price,
            market.rules.tick_size,
            self._desk.risk.bracket_limits,
        )
        found = Fixed(
            position,
            price,
            book.shadow.position,
            float(market.liquidation_price(position)),
            liquidation_of(book.shadow, market.rules),
            trail,
            self._desk.risk.release_wall(position, market.rules),
        )
        self._fixed[symbol] = found
        return found

    def _is_within_losses(self, equity: float) -> bool:
        """Whether neither the day's loss nor the drawdown is at its limit."""
        state, limits = self._desk.state, self._desk.limits
        base, peak = state.loss_base_quote or equity, state.peak_equity_quote
        day, whole = limits.daily_loss_fraction, limits.drawdown_fraction
        return (day <= 0.0 or base - equity <= day * base) and (whole <= 0.0 or peak - equity <= whole * peak)

    def _is_within_caps(self, news: list[News], wallets_quote: float) -> bool:
        risk = self._desk.risk
        if risk.caps.cut_above == 0.0:
            return True
        legs = [
            Exposure(
                each.market.instrument.symbol,
                held.side,
                held.quantity * each.market.mark,
                max(held.isolated_wallet, 0.0),
                max(each.sigma_day, each.market.sigma_day),
            )
            for each in news
            if each.market.holding is not None and (held := each.market.holding.position)
        ]
        return not legs or not risk.cap_cuts(legs, wallets_quote)

    def _pass(self, news: News, now_ms: int) -> None:
        market, holding, book = news.market, news.market.holding, news.market.evidence.book
        market.estimates, market.sigma_day = news.estimates, news.sigma_day
        market.evidence.enters = 0
        if holding is None or book is None or news.regime is None:
            return
        side = holding.position.side
        holding.regime, holding.regime_since_ms = news.regime.regime, news.regime.since_ms
        holding.best_mark = side * max(side * holding.best_mark, side * market.mark)
        holding.does_reenter, holding.last_hold_reason = False, ""
        watch_gap(book, news.is_gap_kept, now_ms)


def _is_settled(market: Market, holding: Holding, now_ms: int) -> bool:
    """Whether a position is filled, protected and looked at, and nothing about it waits or is wrong."""
    return (
        holding.is_filled
        and not holding.is_closing
        and holding.stop is not None
        and holding.unprotected_since_ms == 0
        and holding.recheck_at_ms == NEVER_MS
        and holding.margin_again_ms <= now_ms
        and holding.sleep_low < market.mark < holding.sleep_high
        and not market.alerts
        and not market.fault
    )


def _may_end(fixed: Fixed, adverse: float) -> bool:
    """Whether a mark up to `adverse` may end the shadow, or liquidation is nowhere."""
    price, side = fixed.shadow_liquidation, fixed.position.side
    is_near = can_be_reached(price) and side * (adverse - price) <= _GRAIN * adverse
    return is_near or not can_be_reached(fixed.liquidation)


def _is_nearer(book: TradeBook, fixed: Fixed, sigma: float, adverse: float) -> bool:
    """Whether a mark up to `adverse` may be nearer to liquidation than any before, or within one sigma."""
    known, sigma_hour = book.nearness, hourly(sigma)
    away = float(distance(fixed.position.side, adverse, fixed.liquidation))
    return not (
        known.near_since_ms == 0
        and sigma_hour > 0.0
        and away > known.least_distance
        and away > known.least_sigmas * sigma_hour
        and away > sigma_hour * (1.0 + _GRAIN)
    )
