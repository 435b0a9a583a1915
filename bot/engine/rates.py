"""How many requests were decided in the last minute: counted with the decision, so that it is on disk too."""

from typing import Final

from bot.core.intent import (
    Action,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
)
from bot.engine.state import State

RATE_MS: Final = 60_000
_ORDERS: Final = (OpenPosition, ReducePosition, PlaceStop, PlaceTakeProfit, PlaceTrailingStop)


def count_request(state: State, action: Action) -> None:
    """Count a request, and an order where it is one."""
    counted(state.sent_ms, state.now_ms, RATE_MS)
    if isinstance(action, _ORDERS):
        counted(state.ordered_ms, state.now_ms, RATE_MS)


def counted(times: list[int], now_ms: int, window_ms: int) -> int:
    """Add now to `times`, drop what left the window, and return how many are left."""
    times.append(now_ms)
    gone = sum(1 for ts_ms in times if ts_ms <= now_ms - window_ms)
    del times[:gone]
    return len(times)
