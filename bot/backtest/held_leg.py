"""One held position while candles close: the proof that none of them moves its margin, trail or shadow.

The proof asks the same policy, limits and venue as the engine does, but lays no ladder and writes nothing.
"""

import math
from typing import Final, NamedTuple

from bot.backtest.estimates_table import estimates_in
from bot.core.margin import distance
from bot.core.position import Position
from bot.engine.desk import Desk
from bot.engine.state import NEVER_MS, Holding, Market
from bot.evidence.book import TradeBook, watch_gap
from bot.evidence.nearness import can_be_reached, hourly
from bot.evidence.shadow import liquidation_of
from bot.risk.regime import RegimeState, next_regime
from bot.risk.stress import Exposure
from bot.risk.trailing import trail_mark
from bot.risk.view import MarginView

_GRAIN: Final = 1e-4  # of the price: how much nearer than ever a mark must come to be news

# Of the rows of Lane.ahead and of the table of estimates.
_MARK, _LAST, _SIGMA_DAY = 4, 5, 0

Watched = tuple[float, float, float, float]


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


class HeldLeg:
    """A held position, from one stop on. `watched`: the venue's marks and lasts between which nothing comes.

    `is_nearer`: whether the evidence wants to see the marks of the candle that was proven last.
    """

    __slots__ = (
        "_book",
        "_desk",
        "_ended",
        "_fixed",
        "_gap_kept",
        "_gap_kept_to",
        "_gap_lost_from",
        "_holding",
        "_regime",
        "_size",
        "_was",
        "_watched",
        "estimates",
        "is_nearer",
        "market",
        "prices",
    )

    def __init__(
        self, desk: Desk, market: Market, holding: Holding, book: TradeBook, fixed: Fixed, watched: Watched
    ) -> None:
        self.market, self._holding, self._book = market, holding, book
        self._desk, self._fixed, self._watched = desk, fixed, watched
        self._regime = RegimeState(holding.position.side, holding.regime, holding.regime_since_ms)
        self._size = holding.position.side * holding.position.quantity
        self._was = market.estimates, market.sigma_day, holding.regime
        self._gap_kept = self.is_nearer = False
        self._gap_kept_to, self._gap_lost_from = -math.inf, math.inf
        ended = fixed.shadow_liquidation
        self._ended = ended if can_be_reached(ended) else math.nan
        self.prices: list[list[float]] = []
        self.estimates: list[list[float]] = []

    def exposure(self) -> Exposure:
        """Return what the caps may count of it, at most, at the closes that are looked at."""
        held, known = self._holding.position, self.market.sigma_day
        mark = max([row[_MARK] for row in self.prices])
        sigma = max([known, *(row[_SIGMA_DAY] for row in self.estimates if math.isfinite(row[_SIGMA_DAY]))])
        return Exposure(held.symbol, held.side, held.quantity * mark, max(held.isolated_wallet, 0.0), sigma)

    def close(self, at: int) -> float:
        """Stand at a close; return the unrealised PnL there."""
        row, market = self.prices[at], self.market
        market.mark, market.last, market.mark_ms = row[_MARK], row[_LAST], self._desk.state.now_ms - 1
        return self._size * (market.mark - self._fixed.position.entry_price)

    def exposure_at(self, at: int) -> Exposure:
        """Return the same at one close, by the larger of the volatilities before and after it."""
        held, sigma = self._holding.position, _known(self.estimates[at][_SIGMA_DAY])
        value, margin = held.quantity * self.prices[at][_MARK], max(held.isolated_wallet, 0.0)
        return Exposure(held.symbol, held.side, value, margin, max(sigma, self._was[1]))

    def proves(self, at: int) -> bool:
        """Take over the estimates of a close; return whether nothing comes of it and the prices after it."""
        mark_low, mark_high, last_low, last_high, mark, _ = self.prices[at]
        near, fixed = self._watched, self._fixed
        if not (near[0] < mark_low and mark_high < near[1] and near[2] < last_low and last_high < near[3]):
            return False
        low, high = mark if mark < mark_low else mark_low, mark if mark > mark_high else mark_high
        side, trail = fixed.position.side, fixed.trail
        adverse, favourable = (low, high) if side > 0 else (high, low)
        # A shadow that nothing liquidates ends nowhere: no comparison holds for NaN.
        if side * (adverse - self._ended) <= _GRAIN * adverse:
            return False
        if trail > 0.0 and side * favourable >= side * trail:
            return False
        return self._holds(at, low, high, adverse)

    def _holds(self, at: int, low: float, high: float, adverse: float) -> bool:
        desk, market, holding, fixed = self._desk, self.market, self._holding, self._fixed
        estimates = estimates_in(self.estimates[at])
        self._was = market.estimates, market.sigma_day, holding.regime
        regime = next_regime(self._regime, estimates, desk.state.now_ms)
        market.estimates, market.sigma_day = estimates, _known(estimates.sigma_day)
        holding.regime = regime.regime
        view = desk.state.view(market, holding)
        if not desk.risk.holds_between(view, fixed.liquidation, fixed.wall, low, high):
            self.undo()
            return False
        self._regime = regime
        self._gap_kept = self._keeps_gap(view)
        self.is_nearer = self._comes_nearer(market.sigma_day, adverse)
        return True

    def _keeps_gap(self, view: MarginView) -> bool:
        """Whether the anchor's gap is kept: the calmer the market the sooner, all else stays here."""
        sigma = view.sigma_day
        if self._gap_kept_to < sigma < self._gap_lost_from:
            is_kept = self._desk.risk.is_anchor_gap_kept(view)
            if is_kept:
                self._gap_kept_to = sigma
            else:
                self._gap_lost_from = sigma
        return sigma <= self._gap_kept_to

    def _comes_nearer(self, sigma_day: float, adverse: float) -> bool:
        """Whether a mark up to `adverse` may be nearer to liquidation than ever, or within one sigma."""
        known, sigma_hour = self._book.nearness, hourly(sigma_day)
        away = float(distance(self._fixed.position.side, adverse, self._fixed.liquidation))
        return not (
            known.near_since_ms == 0
            and sigma_hour > 0.0
            and away > known.least_distance
            and away > known.least_sigmas * sigma_hour
            and away > sigma_hour * (1.0 + _GRAIN)
        )

    def undo(self) -> None:
        """Know what was known before the newest close."""
        self.market.estimates, self.market.sigma_day, self._holding.regime = self._was

    def passes(self, at: int) -> None:
        """Change what a candle changes of which nothing comes."""
        holding, book, now_ms = self._holding, self._book, self._desk.state.now_ms
        side, mark = self._fixed.position.side, self.prices[at][_MARK]
        holding.regime_since_ms = self._regime.since_ms
        if side * mark > side * holding.best_mark:
            holding.best_mark = mark
        holding.does_reenter, holding.last_hold_reason = False, ""
        if self._gap_kept == (book.gap_since_ms != 0):
            watch_gap(book, self._gap_kept, now_ms)


def fixed_of(desk: Desk, market: Market, holding: Holding, book: TradeBook, known: Fixed | None) -> Fixed:
    """Return where a position, its shadow and its trailing stop act; `known` if that still holds."""
    stop, position = holding.stop, holding.position
    price = 0.0 if stop is None else stop.trigger_price
    if (
        known is not None
        and known.position is position
        and known.shadow_position is book.shadow.position
        and known.stop_price == price
    ):
        return known
    trail = trail_mark(
        position.side,
        position.entry_price,
        holding.initial_stop,
        price,
        market.rules.tick_size,
        desk.risk.bracket_limits,
    )
    return Fixed(
        position,
        price,
        book.shadow.position,
        float(market.liquidation_price(position)),
        liquidation_of(book.shadow, market.rules),
        trail,
        desk.risk.release_wall(position, market.rules),
    )


def is_asleep(market: Market, holding: Holding) -> bool:
    """Whether nobody asked for another look at a position since the newest one."""
    return holding.sleep_low < market.mark < holding.sleep_high


def is_settled(market: Market, holding: Holding, fixed: Fixed, now_ms: int, *, is_funded: bool) -> bool:
    """Whether a position is filled, protected and looked at, and nothing about it waits or is wrong.

    `is_funded`: it was before funding was settled, and that alone asks for another look.
    """
    side = fixed.position.side
    return (
        holding.is_filled
        and not holding.is_closing
        and holding.stop is not None
        and holding.unprotected_since_ms == 0
        and holding.recheck_at_ms == NEVER_MS
        and holding.margin_again_ms <= now_ms
        and (is_funded or is_asleep(market, holding))
        and not market.alerts
        and not market.fault
        and can_be_reached(fixed.liquidation)
        and (fixed.trail <= 0.0 or side * holding.best_mark < side * fixed.trail)
    )


def _known(sigma_day: float) -> float:
    return sigma_day if math.isfinite(sigma_day) else 0.0
