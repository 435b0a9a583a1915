"""The risk board of a browser: plain values, whose names are those of the API.

Money and prices are in the account's quote currency and in quote per base, fractions and probabilities from 0
to 1, times UTC milliseconds. None: there is none, or it is not known.
"""

from dataclasses import dataclass
from typing import Literal

from bot.view.board import Counters, Mode

SideName = Literal["long", "short"]
RungKind = Literal["liquidation", "stop", "add", "release", "trail", "take_profit", "mark", "entry"]


@dataclass(frozen=True, slots=True)
class Reserve:
    """`left_quote`: what adds may still take of the free balance; `total_quote`: without a position."""

    left_quote: float
    total_quote: float


@dataclass(frozen=True, slots=True)
class HaltCause:
    """One cause for which the bot is halted; `is_latched`: only a person lifts it."""

    cause: str
    level: str
    message: str
    since_ms: int
    is_latched: bool


@dataclass(frozen=True, slots=True)
class Guard:
    """`level`: the highest of all that stands, "" while the bot is armed. `words`: the same as one line."""

    state: Literal["armed", "halted"]
    level: str
    causes: tuple[HaltCause, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Worst:
    """The position nearest to its liquidation."""

    symbol: str
    side: SideName
    distance: float


@dataclass(frozen=True, slots=True)
class Funding:
    """The next payment at an unchanged mark and rate; `due_quote` above 0 is paid, below 0 received."""

    due_quote: float
    rate: float
    at_ms: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The stop that rests at the venue; `confirmed_ms`: when the venue last showed that it does."""

    price: float
    confirmed_ms: int | None


@dataclass(frozen=True, slots=True)
class LadderRung:
    """One price at which something happens. `amount_quote`: margin then moved; `note`: the same in words."""

    kind: RungKind
    price: float
    amount_quote: float | None
    liquidation_after: float | None
    note: str


@dataclass(frozen=True, slots=True)
class PastMove:
    """Where the mark was when margin was moved before; `amount_quote` > 0 added, < 0 released."""

    price: float
    amount_quote: float
    ts_ms: int


@dataclass(frozen=True, slots=True)
class NextAction:
    """What is due on the side of danger. `kind`: "none" without a rung there. `left_quote`: may be added."""

    text: str
    kind: Literal["add", "stop", "liquidation", "none"]
    price: float | None
    amount_quote: float | None
    left_quote: float
    adds_used: int
    adds_most: int


@dataclass(frozen=True, slots=True)
class RiskPosition:
    """One open position; `distance` = side x (mark - liquidation) / mark, `hour_moves` in typical hours.

    `level`: "danger", "caution" or "calm". `isolated_wallet_quote` holds `margin_added_quote` (less releases)
    already. `equity_quote`: the wallet with unrealised PnL. `is_stale`: none of these numbers is of now.
    """

    symbol: str
    side: SideName
    quantity: float
    notional_quote: float
    leverage: float
    policy: str
    mark: float
    mark_age_ms: int
    is_stale: bool
    level: Literal["danger", "caution", "calm"]
    entry_price: float
    price_decimals: int
    liquidation_price: float | None
    distance: float | None
    hour_moves: float | None
    probability_24h: float | None
    margin_ratio: float | None
    isolated_wallet_quote: float
    margin_added_quote: float
    equity_quote: float
    unrealised_pnl_quote: float
    funding: Funding | None
    stop: Stop | None
    rungs: tuple[LadderRung, ...]
    past_moves: tuple[PastMove, ...]
    next_action: NextAction
    alerts: tuple[str, ...]
    opened_ms: int


@dataclass(frozen=True, slots=True)
class Move:
    """One completed margin move; `amount_quote` > 0 added, < 0 released."""

    ts_ms: int
    symbol: str
    amount_quote: float
    reason: str
    reason_text: str
    distance_before: float | None
    distance_after: float | None
    liquidation_before: float | None
    liquidation_after: float | None
    mark: float
    policy: str


@dataclass(frozen=True, slots=True)
class RiskBoard:
    """One picture of the bot. `speed`: "600x", "" where the market is not ours. `wall_ts_ms`: when made.

    `data_age_ms`: age of the newest mark of the most outdated symbol; above `stale_after_ms` it is stale.
    `positions`: nearest to liquidation first. `moves`: newest first. `note`: what the bot waits for.
    """

    as_of_ms: int
    mode: Mode
    feed: str
    strategy: str
    policy: str
    quote: str
    market_ts_ms: int
    wall_ts_ms: int
    speed: str
    data_age_ms: int
    stale_after_ms: int
    loop_lag_ms: float
    equity_quote: float
    free_quote: float
    reserve: Reserve
    margin_committed_quote: float
    day_pnl_quote: float
    guard: Guard
    worst: Worst | None
    positions: tuple[RiskPosition, ...]
    moves: tuple[Move, ...]
    counters: Counters
    note: str
    alerts_open: int
