"""A look at the session's state each second: what no event says, and what has passed.

Distances to liquidation, the margin budget of a position, its stop, the drawdown, the daily summary. Reads
only. What was found before is in `memory`, plain JSON values that a restart gives back.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.alerts.router import Happening, Over
from bot.alerts.rules import DAY_MS, MINUTE_MS
from bot.alerts.sources import id_of, is_latch, key_of, made, stands
from bot.alerts.state import Standing
from bot.alerts.summary import counts_of, daily_text
from bot.alerts.texts import (
    Setting,
    budget_text,
    distance_text,
    drawdown_text,
    farther_text,
    over_text,
    stop_moved_text,
)
from bot.alerts.thresholds import Threshold, depth
from bot.core.alert import Grade
from bot.engine.desk import Desk
from bot.engine.entries import unrealised_quote
from bot.engine.state import Holding, Market

NOTHING: Final[dict[str, Any]] = {}
_DISTANCE: Final = "liquidation_distance"
_BUDGET: Final = "margin_budget"
_DRAWDOWN: Final = "drawdown_level"


class Levels:
    """What is told of numbers. `summary_minute`: of the day in UTC; None: no daily summary."""

    def __init__(
        self,
        distances: tuple[Threshold, ...],
        budget: tuple[Threshold, ...],
        drawdowns: tuple[Threshold, ...],
        summary_minute: int | None,
    ) -> None:
        self.distances, self.budget, self.drawdowns = distances, budget, drawdowns
        self.summary_minute = summary_minute


class Watch:
    """Looks at one desk. `memory` is read and replaced by each look."""

    def __init__(self, desk: Desk, levels: Levels, setting: Setting, memory: Mapping[str, Any]) -> None:
        self._desk, self._levels, self._setting = desk, levels, setting
        self.memory: dict[str, Any] = {"held": {}, "drawdown": 0, **memory}

    def look(self, standing: Mapping[str, Standing], now_ms: int) -> Iterator[Happening]:
        """Yield what is found; `standing` is what was told and is not over, `now_ms` wall time."""
        yield from self._passed(standing)
        held: dict[str, Any] = {}
        for market in self._desk.state.markets.values():
            if market.holding is not None:
                name = str(market.holding.position_id)
                before = self.memory["held"].get(name, {"distance": 0, "budget": 0, "stop": 0.0})
                held[name] = dict(before)
                yield from self._look_at(market, market.holding, held[name])
        self.memory["held"] = held
        yield from self._drawdown()
        yield from self._summary(now_ms)

    def _passed(self, standing: Mapping[str, Standing]) -> Iterator[Over]:
        state = self._desk.state
        ids = {position.position_id for position in self._holdings()}
        for key, each in standing.items():
            alert = each.alert
            is_gone = alert.position_id != 0 and alert.position_id not in ids
            if stands(alert, state) is False or (is_gone and alert.kind in (_DISTANCE, _BUDGET)):
                why = "The position is no longer open." if is_gone else "What was told has passed."
                text = over_text(alert.title, why, state.now_ms)
                yield Over(key, "", "") if is_latch(alert) else Over(key, *text)

    def _holdings(self) -> Iterator[Holding]:
        return (each.holding for each in self._desk.state.markets.values() if each.holding is not None)

    def _look_at(self, market: Market, holding: Holding, known: dict[str, Any]) -> Iterator[Happening]:
        yield from self._stop(market, holding, known)
        if not self._desk.is_blind(market):
            yield from self._distance(market, holding, known)
        yield from self._budget(market, holding, known)

    def _stop(self, market: Market, holding: Holding, known: dict[str, Any]) -> Iterator[Happening]:
        now = holding.stop.trigger_price if holding.stop is not None else 0.0
        before = known["stop"]
        known["stop"] = now or before
        if 0.0 not in (now, before) and now != before:
            symbol, owner, ts_ms = market.instrument.symbol, holding.position_id, self._desk.state.now_ms
            text = stop_moved_text(market, holding, before, self._setting)
            key = key_of("stop_moved", symbol, owner)
            alert_id = id_of(key, before, now, ts_ms)
            yield made(alert_id, key, ts_ms, "stop", "stop_moved", symbol, owner, "info", text)

    def _distance(self, market: Market, holding: Holding, known: dict[str, Any]) -> Iterator[Happening]:
        levels, was = self._levels.distances, known["distance"]
        liquidation = market.liquidation_price(holding.position)
        away = (
            holding.position.side * (market.mark - liquidation) / market.mark
            if market.mark > 0.0
            else math.nan
        )
        now = depth(levels, away, was)
        known["distance"] = now
        symbol, owner = market.instrument.symbol, holding.position_id
        for number in range(now, was):
            text = farther_text(market, holding, away, levels[number].enter, self._setting)
            yield Over(_level_key(_DISTANCE, symbol, owner, number), *text)
        if now > was:  # the nearest says it all
            risk = self._desk.risk.risk_of(self._desk.view(market, holding))
            grade: Grade = "critical" if now == len(levels) else "warning"
            text = distance_text(grade, market, holding, risk, levels[now - 1].enter, self._setting)
            key, ts_ms = _level_key(_DISTANCE, symbol, owner, now - 1), market.mark_ms
            yield made(id_of(key, ts_ms), key, ts_ms, _DISTANCE, _DISTANCE, symbol, owner, grade, text)

    def _budget(self, market: Market, holding: Holding, known: dict[str, Any]) -> Iterator[Happening]:
        whole = holding.agreed_loss_quote - holding.initial_wallet_quote
        if not self._levels.budget or not whole > 0.0:
            return
        left = max(holding.agreed_loss_quote - holding.position.isolated_wallet, 0.0) / whole
        was, now = known["budget"], depth(self._levels.budget, left, known["budget"])
        known["budget"] = now
        symbol, owner, ts_ms = market.instrument.symbol, holding.position_id, self._desk.state.now_ms
        key = key_of(_BUDGET, symbol, owner)
        if now > was:
            text = budget_text(market, holding, 1.0 - left, self._setting)
            yield made(id_of(key, ts_ms), key, ts_ms, _BUDGET, _BUDGET, symbol, owner, "warning", text)
        elif now < was:
            yield Over(key, "", "")

    def _drawdown(self) -> Iterator[Happening]:
        state, levels, was = self._desk.state, self._levels.drawdowns, self.memory["drawdown"]
        peak = state.peak_equity_quote
        if not peak > 0.0:
            return
        equity = state.equity_quote() + unrealised_quote(self._desk)
        now = depth(levels, equity / peak, was)
        self.memory["drawdown"] = now
        for number in range(now, was):
            yield Over(key_of(_DRAWDOWN, number), "", "")
        if now > was:
            grade: Grade = "critical" if now == len(levels) else "warning"
            level = 1.0 - levels[now - 1].enter
            text = drawdown_text(grade, equity, peak, level, state.now_ms, self._setting)
            key = key_of(_DRAWDOWN, now - 1)
            yield made(id_of(key, state.now_ms), key, state.now_ms, "drawdown", _DRAWDOWN, "", 0, grade, text)

    def _summary(self, now_ms: int) -> Iterator[Happening]:
        minute = self._levels.summary_minute
        if minute is None:
            return
        day = (now_ms - minute * MINUTE_MS) // DAY_MS
        counts = counts_of(self._desk)
        if "day" not in self.memory:  # the first start: there is no day to sum up yet
            self.memory.update(day=day, counts=counts)
        if day <= self.memory["day"]:
            return
        text = daily_text(self._desk, self.memory["counts"], counts, self._setting)
        self.memory.update(day=day, counts=counts)
        key, ts_ms = key_of("daily_summary", day), self._desk.state.now_ms
        yield made(id_of(key), key, ts_ms, "daily_summary", "daily_summary", "", 0, "info", text)


def _away(market: Market, holding: Holding) -> float:
    """Return the distance to liquidation as a fraction of the mark; NaN without a mark."""
    gap = market.mark - market.liquidation_price(holding.position)
    return holding.position.side * gap / market.mark if market.mark > 0.0 else math.nan


def _level_key(cause: str, symbol: str, owner: int, number: int) -> str:
    return key_of(cause, symbol, owner, number)
