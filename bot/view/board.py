"""What a risk board shows, in a terminal or a browser: plain values. All money is in the account's quote
currency, all prices in quote per base."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.risk.view import Rung

Mode = Literal["paper", "testnet", "live"]


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One open position.

    `distance`: side * (mark - liquidation) / mark. `hour_moves`: distance in typical 1-hour moves, see
    `hour_moves`. `liquidation_price`, `distance`, `hour_moves` and `probability_24h` (0 to 1) are None
    when there is no liquidation price or no volatility estimate yet. `isolated_wallet_quote` already
    holds `margin_added_quote` (added minus released; negative after releases). `next_action`: see
    `next_action_words`.
    """

    symbol: str
    side: int
    quantity: float
    notional_quote: float
    leverage: float
    mark: float
    mark_age_ms: int
    entry_price: float
    price_decimals: int
    liquidation_price: float | None
    distance: float | None
    hour_moves: float | None
    probability_24h: float | None
    isolated_wallet_quote: float
    margin_added_quote: float
    unrealised_pnl_quote: float
    rungs: tuple[Rung, ...]
    next_action: str


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One completed margin move: `amount_quote` > 0 added, < 0 released; liquidation None: none."""

    ts_ms: int
    symbol: str
    amount_quote: float
    reason: str
    distance_before: float | None
    distance_after: float | None
    liquidation_before: float | None
    liquidation_after: float | None
    price_decimals: int


@dataclass(frozen=True, slots=True)
class Counters:
    """What happened since the run began (restarts included). Amounts in quote, both >= 0."""

    trades: int
    liquidations: int
    margin_adds: int
    margin_releases: int
    margin_added_quote: float
    margin_released_quote: float


@dataclass(frozen=True, slots=True)
class Board:
    """One picture of the bot.

    `feed`: whose prices. `speed`: "1x", "60x", "max"; "" where the market is not ours. `data_age_ms`: age of
    the newest mark of the most outdated symbol. A mark older than `stale_after_ms` greys its row. `moves`:
    newest first. `note`: what the bot waits for, shown while no position is open, see `waiting_words`.
    `pages`: where the same is shown to a browser, "" for nowhere.
    """

    mode: Mode
    feed: str
    strategy: str
    policy: str
    quote: str
    market_ts_ms: int
    speed: str
    data_age_ms: int
    stale_after_ms: int
    equity_quote: float
    free_quote: float
    margin_committed_quote: float
    day_pnl_quote: float
    is_entries_halted: bool
    halt_cause: str
    positions: tuple[BoardRow, ...]
    moves: tuple[MoveRow, ...]
    counters: Counters
    note: str
    pages: str = ""


def worst_first(rows: Sequence[BoardRow]) -> tuple[BoardRow, ...]:
    """Return the positions by distance to liquidation, nearest first; those without one come last."""
    return tuple(sorted(rows, key=lambda row: (row.distance is None, row.distance or 0.0, row.symbol)))


def hour_moves(distance: float, sigma_day: float) -> float | None:
    """Return `distance` in typical 1-hour moves, distance / (sigma_day / sqrt(24)); None without sigma."""
    return distance * 24.0**0.5 / sigma_day if sigma_day > 0.0 else None
