"""What waits for the venue: an entry whose fill is not told yet, and the stop that may rest before it is."""

from dataclasses import dataclass
from typing import Any, Final

from bot.risk.view import EntryPlan, TakeProfit

_FLOAT_NOISE: Final = 1e-9


@dataclass(slots=True)
class RestingStop:
    """A stop the venue has accepted. `quantity` 0.0: it closes the whole position, however large that is."""

    client_id: str
    trigger_price: float
    quantity: float = 0.0

    def covers(self, quantity: float) -> bool:
        """Return whether it closes a position of so much."""
        return self.quantity == 0.0 or self.quantity >= quantity * (1.0 - _FLOAT_NOISE)


@dataclass(slots=True)
class PendingEntry:
    """An approved entry on its way: first the leverage, then the order `client_id`.

    `stop` rests already where the fill is late to be told; `stop_again_ms` says when one may be asked for,
    `cancel_again_ms` when the rest of the order may be taken back again.
    """

    plan: EntryPlan
    client_id: str = ""
    stop: RestingStop | None = None
    stop_again_ms: int = 0
    cancel_again_ms: int = 0


def entry_json(entry: PendingEntry) -> dict[str, Any]:
    """Return the entry as plain JSON values."""
    stop = entry.stop
    return {
        "plan": {**entry.plan._asdict(), "take_profits": [list(value) for value in entry.plan.take_profits]},
        "client_id": entry.client_id,
        "stop": [stop.client_id, stop.trigger_price, stop.quantity] if stop is not None else None,
        "stop_again_ms": entry.stop_again_ms,
        "cancel_again_ms": entry.cancel_again_ms,
    }


def entry_from(saved: dict[str, Any]) -> PendingEntry:
    """Return the entry of a snapshot."""
    plan, stop = saved["plan"], saved.get("stop")  # absent: written before it existed
    rungs = tuple(TakeProfit(*value) for value in plan["take_profits"])
    return PendingEntry(
        EntryPlan(**{**plan, "take_profits": rungs}),
        saved["client_id"],
        RestingStop(*stop) if stop is not None else None,
        saved.get("stop_again_ms", 0),
        saved.get("cancel_again_ms", 0),
    )
