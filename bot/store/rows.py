"""What the queries return: one NamedTuple per question, fields named like the columns they come from."""

from decimal import Decimal
from typing import Any, NamedTuple


class RunInfo(NamedTuple):
    """One start of the program; `ended_ms` is None while it runs, or when it was killed."""

    id: int
    started_ms: int
    ended_ms: int | None
    mode: str
    seed: int | None
    config_hash: str
    version: str
    strategy: str
    policy: str
    feed: str


class RiskSeen(NamedTuple):
    """The risk of a position after its last margin move, with the time it was computed."""

    ts_ms: int
    mark_after: Decimal | None
    margin_ratio_after: Decimal | None
    liquidation_price_after: Decimal | None
    distance_after: Decimal | None


class OpenPosition(NamedTuple):
    """A position as the venue holds it now. `stop_price` rests on the venue (None: none known)."""

    id: int
    symbol: str
    side: int
    quantity: Decimal
    entry_price: Decimal
    isolated_wallet: Decimal
    leverage: Decimal
    opened_ms: int
    initial_margin_quote: Decimal
    agreed_loss_quote: Decimal
    stop_price: Decimal | None
    take_profit_prices: tuple[Decimal, ...]
    margin_added_quote: Decimal
    margin_released_quote: Decimal
    risk: RiskSeen | None


class Status(NamedTuple):
    """The account at a glance. `wallet_quote` is free plus committed, without unrealised PnL."""

    venue: str
    mode: str
    account: str
    run: RunInfo | None
    last_event_ms: int | None
    deposit_quote: Decimal | None
    wallet_quote: Decimal | None
    free_quote: Decimal | None
    committed_quote: Decimal
    positions: tuple[OpenPosition, ...]


class Trade(NamedTuple):
    """A closed position."""

    id: int
    symbol: str
    side: int
    opened_ms: int
    closed_ms: int
    cause: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    initial_margin_quote: Decimal
    leverage: Decimal
    stop_price: Decimal
    agreed_loss_quote: Decimal
    realised_pnl_quote: Decimal
    fees_quote: Decimal
    funding_quote: Decimal
    margin_added_quote: Decimal
    margin_released_quote: Decimal
    liquidation_loss_quote: Decimal | None

    @property
    def net_pnl_quote(self) -> Decimal:
        """What the position did to the wallet: realised PnL minus fees plus funding (> 0: received)."""
        return self.realised_pnl_quote - self.fees_quote + self.funding_quote


class MarginMove(NamedTuple):
    """One margin adjustment, with the risk before and after it. `venue_reply` is the decoded reply."""

    id: int
    client_id: str
    intent_seq: int | None
    position_id: int | None
    symbol: str
    ts_ms: int
    amount_quote: Decimal
    policy: str | None
    reason: str | None
    mark_before: Decimal | None
    isolated_wallet_before: Decimal | None
    margin_ratio_before: Decimal | None
    liquidation_price_before: Decimal | None
    distance_before: Decimal | None
    mark_after: Decimal | None
    isolated_wallet_after: Decimal | None
    margin_ratio_after: Decimal | None
    liquidation_price_after: Decimal | None
    distance_after: Decimal | None
    venue_reply: dict[str, Any] | None
    notional_quote_before: Decimal | None
    liquidation_probability_before: float | None
    notional_quote_after: Decimal | None
    liquidation_probability_after: float | None


class TradeEvidenceRow(NamedTuple):
    """What moving the margin did to one ended position; every field as in core/event.py TradeEvidence."""

    position_id: int
    symbol: str
    side: int
    policy: str
    opened_ms: int
    closed_ms: int
    closed_by: str
    pnl_quote: Decimal
    liquidated: bool
    shadow_closed_ms: int
    shadow_closed_by: str
    shadow_pnl_quote: Decimal
    shadow_liquidated: bool
    added_quote: Decimal
    added_lost_quote: Decimal
    adds_without_reentry: int
    margin_quote_hours: Decimal
    shadow_margin_quote_hours: Decimal
    released_redeployed_quote_hours: Decimal
    least_distance: float | None
    least_distance_sigma_hours: float | None
    near_miss_ms: int
    stop_beyond_liquidation_ms: int
    loss_beyond_stop_fraction: float
    moves: int
    moves_refused: int
    stale_holds: int


class ForecastRow(NamedTuple):
    """A chance of liquidation within `horizon_ms` of `ts_ms`, and whether the mark came to that price."""

    id: int
    position_id: int
    symbol: str
    ts_ms: int
    horizon_ms: int
    probability: float
    liquidation_price: Decimal
    resolved_ms: int
    touched: bool


class LedgerMove(NamedTuple):
    """A margin move as the dead-weight ledger needs it; None: moved before these figures were kept.

    `until_ms`: when the next move of the position was made or the position ended; None: still open.
    """

    position_id: int
    symbol: str
    side: int
    ts_ms: int
    until_ms: int | None
    amount_quote: Decimal
    policy: str
    reason: str
    mark_before: Decimal
    notional_quote_before: Decimal | None
    liquidation_probability_before: float | None
    notional_quote_after: Decimal | None
    liquidation_probability_after: float | None


class OrderEntry(NamedTuple):
    client_id: str
    intent_seq: int | None
    symbol: str
    leg: str
    kind: str | None
    side: int | None
    quantity: Decimal | None
    limit_price: Decimal | None
    trigger_price: Decimal | None
    status: str
    remaining_quantity: Decimal | None
    cause: str | None
    created_ms: int
    updated_ms: int


class EventEntry(NamedTuple):
    """A row of the append-only journal; `body` is the event as JSON values (core/codec.py)."""

    id: int
    run_id: int | None
    ts_ms: int
    kind: str
    symbol: str
    body: dict[str, Any]


class IntentEntry(NamedTuple):
    """An action, its reason and its end; `body` is the action as JSON values (core/codec.py)."""

    seq: int
    run_id: int | None
    client_id: str
    ts_ms: int
    kind: str
    symbol: str
    body: dict[str, Any]
    reason: str
    facts: dict[str, Any]
    status: str
    detail: str | None
    resolved_ms: int | None


class SignalEntry(NamedTuple):
    id: int
    ts_ms: int
    symbol: str
    strategy: str
    direction: int
    is_entry: bool
    strength: float
    is_approved: bool
    checks: list[str]
    facts: dict[str, Any]


class EquityPoint(NamedTuple):
    """The wallet at one time; unrealised PnL is known in the hourly points only."""

    ts_ms: int
    free_quote: Decimal
    committed_quote: Decimal
    wallet_quote: Decimal
    unrealised_pnl_quote: Decimal | None


class Totals(NamedTuple):
    """Counts and sums over the whole database, for the summary of a run."""

    trades: int
    liquidations: int
    margin_adds: int
    margin_releases: int
    margin_added: Decimal
    margin_released: Decimal
    stops_filled: int
    take_profits_filled: int
    trailing_stops_filled: int
    invariant_violations: int
