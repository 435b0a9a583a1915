"""What happened. Market events come from a feed, venue events from an exchange, notes from the engine.

`ts_ms` is always the first field: UTC milliseconds of the event, the only time the engine knows.
Amounts are in quote currency unless the name says otherwise. `position` is the venue's position
AFTER the event (None when flat), `free_quote` the venue's available balance after it.
"""

from typing import Literal, NamedTuple

from bot.core.intent import Fact
from bot.core.position import Position

Leg = Literal["entry", "stop", "take_profit", "trailing", "exit"]


# --- market ---------------------------------------------------------------------------------------


class MarkPrice(NamedTuple):
    """A tick: mark price (liquidation, triggers) and last traded price (fills)."""

    ts_ms: int
    symbol: str
    mark: float
    last: float


class CandleClosed(NamedTuple):
    """A closed candle of the strategy's timeframe. `ts_ms` is its CLOSE time (open time + timeframe)."""

    ts_ms: int
    symbol: str
    timeframe_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    funding_rate: float


class FundingDue(NamedTuple):
    """A funding settlement instant: rate > 0 means longs pay shorts; a fraction of notional."""

    ts_ms: int
    symbol: str
    rate: float


class FeedGap(NamedTuple):
    """Market data is missing from `ts_ms` to `until_ms`: nothing may be entered or released."""

    ts_ms: int
    symbol: str
    until_ms: int


# --- venue ----------------------------------------------------------------------------------------


class LeverageSet(NamedTuple):
    ts_ms: int
    symbol: str
    client_id: str
    leverage: int


class OrderAccepted(NamedTuple):
    """The order rests, or was taken for execution."""

    ts_ms: int
    symbol: str
    client_id: str
    leg: Leg


class OrderFilled(NamedTuple):
    """A fill or partial fill. `order_side` +1 bought, -1 sold. Fee > 0 was paid."""

    ts_ms: int
    symbol: str
    client_id: str
    trade_id: int
    leg: Leg
    order_side: int
    price: float
    quantity: float
    remaining_quantity: float
    fee_quote: float
    is_maker: bool
    realised_pnl_quote: float
    position: Position | None
    free_quote: float


class OrderCancelled(NamedTuple):
    """No longer resting. `cause`: "requested", "position_closed", "reduce_only", "expired"."""

    ts_ms: int
    symbol: str
    client_id: str
    leg: Leg
    cause: str


class Refused(NamedTuple):
    """The venue said no, with proof. `code` is stable (see bot/errors.py RefusalCode)."""

    ts_ms: int
    symbol: str
    client_id: str
    code: str
    message: str


class MarginAdjusted(NamedTuple):
    """Isolated margin moved by request. amount_quote > 0 added, < 0 released."""

    ts_ms: int
    symbol: str
    client_id: str
    amount_quote: float
    position: Position
    free_quote: float


class FundingSettled(NamedTuple):
    """Funding moved into (amount_quote > 0) or out of (< 0) the position's isolated wallet."""

    ts_ms: int
    symbol: str
    rate: float
    mark: float
    amount_quote: float
    position: Position
    free_quote: float


class Liquidated(NamedTuple):
    """The venue closed the position at its liquidation price and kept the rest of its margin.

    loss_quote > 0: isolated wallet lost. `insurance_quote` > 0 went to the insurance fund, < 0 was
    paid by it (the price gapped beyond bankruptcy).
    """

    ts_ms: int
    symbol: str
    trade_id: int
    side: int
    quantity: float
    mark: float
    liquidation_price: float
    bankruptcy_price: float
    loss_quote: float
    clearance_fee_quote: float
    insurance_quote: float
    free_quote: float


# --- notes: the engine's own words ----------------------------------------------------------------


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
    """`cause`: "stop", "take_profit", "trailing", "exit", "liquidation", "protection"."""

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


class EntriesHalted(NamedTuple):
    """Entries stop (daily loss, strategy error, gap...). `symbol` is "" for all symbols."""

    ts_ms: int
    symbol: str
    cause: str
    message: str


class EntriesResumed(NamedTuple):
    ts_ms: int
    symbol: str
    cause: str


class EquityMarked(NamedTuple):
    """The account at the first candle of each hour. equity = free + isolated wallets, no unrealised PnL."""

    ts_ms: int
    symbol: str
    free_quote: float
    equity_quote: float
    margin_committed_quote: float
    unrealised_pnl_quote: float


class Reconciled(NamedTuple):
    """The venue's truth replaced what the journal believed; `facts` hold both."""

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


MarketEvent = MarkPrice | CandleClosed | FundingDue | FeedGap
VenueEvent = (
    LeverageSet
    | OrderAccepted
    | OrderFilled
    | OrderCancelled
    | Refused
    | MarginAdjusted
    | FundingSettled
    | Liquidated
)
Note = (
    SignalSeen
    | PositionOpened
    | PositionClosed
    | MarginMoved
    | MarginHeld
    | EntriesHalted
    | EntriesResumed
    | EquityMarked
    | Reconciled
    | InvariantBroken
    | TradeEvidence
    | ForecastResolved
)
Event = MarketEvent | VenueEvent | Note
