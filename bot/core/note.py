"""What the engine says of itself: decisions, their reasons, and what became of them.

`ts_ms` is always the first field, `symbol` the second. Amounts are in quote currency.
"""

from typing import Literal, NamedTuple

from bot.core.intent import Fact

Severity = Literal["warning", "critical"]


class PositionRisk(NamedTuple):
    """The numbers kept before and after every margin move.

    `liquidation_probability`: within 24 h by the Student form, in [0, 1]. None: written before it was kept.
    """

    mark: float
    isolated_wallet: float
    margin_ratio: float
    liquidation_price: float
    distance: float
    notional_quote: float | None = None
    liquidation_probability: float | None = None


class SignalSeen(NamedTuple):
    """An entry or exit signal and what risk said to it; `checks` lists every failed check with numbers."""

    ts_ms: int
    symbol: str
    strategy: str
    direction: int
    is_entry: bool
    strength: float
    is_approved: bool
    checks: tuple[str, ...]
    facts: dict[str, Fact]


class PositionOpened(NamedTuple):
    """`agreed_loss_quote` is the most this leg may ever lose; adds never raise it."""

    ts_ms: int
    symbol: str
    position_id: int
    side: int
    quantity: float
    entry_price: float
    isolated_wallet: float
    leverage: float
    stop_price: float
    agreed_loss_quote: float


class PositionClosed(NamedTuple):
    """`cause`: "stop", "take_profit", "trailing", "exit", "by_hand", "liquidation", "deleveraged"..."""

    ts_ms: int
    symbol: str
    position_id: int
    side: int
    cause: str
    exit_price: float
    realised_pnl_quote: float
    fees_quote: float
    funding_quote: float
    margin_added_quote: float
    margin_released_quote: float


class MarginMoved(NamedTuple):
    """A completed margin move with its reason and the risk before and after it."""

    ts_ms: int
    symbol: str
    position_id: int
    client_id: str
    amount_quote: float
    policy: str
    reason: str
    before: PositionRisk
    after: PositionRisk


class MarginHeld(NamedTuple):
    """A rung was touched and no margin was moved; `reason` says why (cooldown, budget, stale...)."""

    ts_ms: int
    symbol: str
    position_id: int
    policy: str
    reason: str
    facts: dict[str, Fact]


class BookRebalanced(NamedTuple):
    """One margin budget was split anew over all positions, and moves were decided; `symbol` is "".

    `cause`: "interval", "risk_doubled", "new_position", "below_band". Wallets are the sum over the book now
    and after the moves; losses are expected from liquidations over the horizon. `facts`: wallet, target and
    liquidation probability of each leg that moves.
    """

    ts_ms: int
    symbol: str
    cause: str
    budget_quote: float
    wallets_quote: float
    target_quote: float
    loss_before_quote: float
    loss_after_quote: float
    shadow_price: float
    facts: dict[str, Fact]


class CapBreached(NamedTuple):
    """The whole book exceeds a cap, and `quantity` (base) of `symbol` is closed for it.

    `cap`: "margin", "correlated_risk" or "cascade"; `value_quote` against `limit_quote`, and
    `after_quote` once every position of this cut is smaller.
    """

    ts_ms: int
    symbol: str
    position_id: int
    cap: str
    value_quote: float
    limit_quote: float
    after_quote: float
    quantity: float


class AlertRaised(NamedTuple):
    """A person should look. `cause` is one of bot/engine/alerts.py; told once until the cause is gone.

    `position_id` is 0 when it concerns a market without a position.
    """

    ts_ms: int
    symbol: str
    position_id: int
    severity: Severity
    cause: str
    message: str
    facts: dict[str, Fact]


class EntriesHalted(NamedTuple):
    """Entries stop (a halt, strategy error, gap...). `symbol` is "" for all symbols.

    `level`: see bot/core/halt.py. Latched: until a person lifts it. `by`: "person" for a person's order.
    """

    ts_ms: int
    symbol: str
    cause: str
    message: str
    level: str = "NO_ENTRY"
    is_latched: bool = False
    by: str = ""


class EntriesResumed(NamedTuple):
    """A halt has ended: `by` is "person" when a person lifted it, "" when its cause has passed."""

    ts_ms: int
    symbol: str
    cause: str
    by: str = ""


class CommandDone(NamedTuple):
    """What became of a person's order about one position: `verb` "add", "release", "reduce" or "close".

    `state`: "done" or "refused"; `message` says what happened, or why not and what to do next.
    """

    ts_ms: int
    symbol: str
    command_id: str
    verb: str
    state: str
    message: str


class EquityMarked(NamedTuple):
    """The account at the first candle of each hour. equity = free + isolated wallets, no unrealised PnL."""

    ts_ms: int
    symbol: str
    free_quote: float
    equity_quote: float
    margin_committed_quote: float
    unrealised_pnl_quote: float


class Reconciled(NamedTuple):
    """The venue's truth replaced what the journal believed, or ended a doubt; `facts` hold both."""

    ts_ms: int
    symbol: str
    what: str
    facts: dict[str, Fact]


class InvariantBroken(NamedTuple):
    """`invariant` is an id of bot/engine/invariants.py."""

    ts_ms: int
    symbol: str
    invariant: str
    message: str


class TradeEvidence(NamedTuple):
    """What moving the margin did to one ended position, against a shadow that kept its first margin.

    Written once both have ended. Every field is defined in bot/evidence/book.py.
    """

    ts_ms: int
    symbol: str
    position_id: int
    side: int
    policy: str
    opened_ms: int
    closed_ms: int
    closed_by: str
    pnl_quote: float
    liquidated: bool
    shadow_closed_ms: int
    shadow_closed_by: str
    shadow_pnl_quote: float
    shadow_liquidated: bool
    added_quote: float
    added_lost_quote: float
    adds_without_reentry: int
    margin_quote_hours: float
    shadow_margin_quote_hours: float
    released_redeployed_quote_hours: float
    least_distance: float | None
    least_distance_sigma_hours: float | None
    near_miss_ms: int
    stop_beyond_liquidation_ms: int
    loss_beyond_stop_fraction: float
    moves: int
    moves_refused: int
    stale_holds: int


class ForecastResolved(NamedTuple):
    """A chance of liquidation that was told at `forecast_ms`, and whether the mark came to that price.

    `touched` counts until `forecast_ms + horizon_ms`, whether or not the position was still open.
    """

    ts_ms: int
    symbol: str
    position_id: int
    forecast_ms: int
    horizon_ms: int
    probability: float
    liquidation_price: float
    touched: bool


Note = (
    SignalSeen
    | PositionOpened
    | PositionClosed
    | MarginMoved
    | MarginHeld
    | BookRebalanced
    | CapBreached
    | AlertRaised
    | EntriesHalted
    | EntriesResumed
    | CommandDone
    | EquityMarked
    | Reconciled
    | InvariantBroken
    | TradeEvidence
    | ForecastResolved
)
