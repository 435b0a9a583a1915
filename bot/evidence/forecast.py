"""Chances of liquidation that were told and are not decided yet."""

from typing import Final, NamedTuple

HORIZON_MS: Final = 24 * 3_600_000


class Forecast(NamedTuple):
    """Told at `ts_ms`: the mark reaches `liquidation_price` within HORIZON_MS with `probability`."""

    ts_ms: int
    position_id: int
    side: int
    probability: float
    liquidation_price: float


def is_over(forecast: Forecast, now_ms: int) -> bool:
    """Return whether a mark of `now_ms` no longer counts."""
    return now_ms > forecast.ts_ms + HORIZON_MS


def is_touched(forecast: Forecast, mark: float) -> bool:
    """Return whether `mark` is at or beyond the price, whatever became of the position."""
    return forecast.side * (mark - forecast.liquidation_price) <= 0.0
