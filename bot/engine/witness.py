"""What the invariants remember between two looks. Nothing is decided from it, so no checkpoint holds it.

After a start it is empty: what went on before is compared with the venue by bot/engine/reconcile.py.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from bot.core.intent import Action

_TRADES_KEPT: Final = 256


@dataclass(slots=True)
class Prior:
    """Sums of what was told of a position that is not managed; `quantity` is negative for a short."""

    quantity: float = 0.0
    fees_quote: float = 0.0
    realised_pnl_quote: float = 0.0
    funding_quote: float = 0.0


@dataclass(slots=True)
class Witness:
    """`trades`: ids of the newest fills by symbol. `latched`: causes of latches at the last look.

    `newest_command`: the last order of a person that was obeyed then. `enlarged`: when which actions that
    enlarge were decided in the last minute. `orphans`: orders that were accepted with nothing held, by client
    id: symbol and time. `explained_quote`: what the account must hold by everything booked since the book was
    last at rest; None before the first time. `priors`: by symbol, what bot/engine/prior.py books.
    """

    trades: dict[str, "deque[int]"] = field(default_factory=dict)
    latched: frozenset[str] = frozenset()
    newest_command: str = ""
    enlarged: list[tuple[int, Action]] = field(default_factory=list)
    orphans: dict[str, tuple[str, int]] = field(default_factory=dict)
    explained_quote: float | None = None
    priors: dict[str, Prior] = field(default_factory=dict)

    def has_seen(self, symbol: str, trade_id: int) -> bool:
        """Return whether this fill was told before, and remember it."""
        known = self.trades.setdefault(symbol, deque(maxlen=_TRADES_KEPT))
        if trade_id in known:
            return True
        known.append(trade_id)
        return False
