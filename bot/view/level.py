"""How alarming a position is: by typical hours to liquidation, or by distance without a volatility."""

from typing import Final, Literal

from bot.view.board import BoardRow

Level = Literal["danger", "caution", "calm"]

_DANGER_HOUR_MOVES: Final = 3.0
_CAUTION_HOUR_MOVES: Final = 6.0
_DANGER_DISTANCE: Final = 0.02
_CAUTION_DISTANCE: Final = 0.04


def level_of(row: BoardRow) -> Level:
    """Return how alarming the distance of this position is."""
    if row.distance is None:
        return "calm"
    if row.hour_moves is None:
        return _between(row.distance, _DANGER_DISTANCE, _CAUTION_DISTANCE)
    return _between(row.hour_moves, _DANGER_HOUR_MOVES, _CAUTION_HOUR_MOVES)


def _between(value: float, danger: float, caution: float) -> Level:
    if value < danger:
        return "danger"
    return "caution" if value < caution else "calm"
