"""Forecasts of liquidation: told once an hour per open position, decided by the marks of a day."""

from typing import Final

from bot.core.event import ForecastResolved
from bot.core.probability import liquidation_probability
from bot.engine.desk import Desk
from bot.engine.state import Market
from bot.evidence.forecast import HORIZON_MS, Forecast, is_over, is_touched
from bot.evidence.nearness import can_be_reached

_HOUR_MS: Final = 3_600_000
_DAYS: Final = HORIZON_MS / (24 * _HOUR_MS)


def tell(desk: Desk, market: Market) -> None:
    """Forecast at the first candle of an hour, if the position can be liquidated and volatility is known.

    At most one an hour and symbol, each kept for a day: never more than 25 wait.
    """
    holding, now_ms = market.holding, desk.state.now_ms
    hour = now_ms // _HOUR_MS
    if holding is None or hour <= market.evidence.forecast_hour or desk.is_blind(market):
        return
    price = market.liquidation_price(holding.position)
    if market.sigma_day <= 0.0 or not can_be_reached(price):
        return
    market.evidence.forecast_hour = hour
    chance = float(liquidation_probability(market.mark, price, market.sigma_day, _DAYS))
    side = holding.position.side
    market.evidence.forecasts.append(Forecast(now_ms, holding.position_id, side, chance, price))


def resolve(desk: Desk, market: Market) -> None:
    """Decide what the newest mark, or the end of its day, decides; a touch counts after the position too."""
    evidence, now_ms = market.evidence, desk.state.now_ms
    if not evidence.forecasts:
        return
    decided = [
        (forecast, not is_over(forecast, now_ms))
        for forecast in evidence.forecasts
        if is_over(forecast, now_ms) or is_touched(forecast, market.mark)
    ]
    if not decided:
        return
    gone = {forecast for forecast, _ in decided}
    evidence.forecasts = [forecast for forecast in evidence.forecasts if forecast not in gone]
    for forecast, touched in decided:
        desk.outbox.note(_resolved(market.instrument.symbol, forecast, touched, now_ms))


def _resolved(symbol: str, forecast: Forecast, touched: bool, now_ms: int) -> ForecastResolved:
    return ForecastResolved(
        now_ms,
        symbol,
        forecast.position_id,
        forecast.ts_ms,
        HORIZON_MS,
        forecast.probability,
        forecast.liquidation_price,
        touched,
    )
