"""What happened. Market events come from a feed, venue events from an exchange, notes from the engine.

`ts_ms` is always the first field: UTC milliseconds of the event, the only time the engine knows.
Amounts are in quote currency unless the name says otherwise. `position` is the venue's position
AFTER the event (None when flat), `free_quote` the venue's available balance after it.
"""

from typing import Literal, NamedTuple

from bot.core.instrument import Instrument
from bot.core.note import (  # noqa: F401  one door for everything that happened
    AlertRaised,
    BookRebalanced,
    CapBreached,
    CommandDone,
    EntriesHalted,
    EntriesResumed,
    EquityMarked,
    ForecastResolved,
    InvariantBroken,
    MarginHeld,
    MarginMoved,
    Note,
    PositionClosed,
    PositionOpened,
    PositionRisk,
    Reconciled,
    Severity,
    SignalSeen,
    TradeEvidence,
)
from bot.core.position import Position
from bot.core.profile import VenueProfile

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
    """The order rests, or was taken for execution.

    `quantity`: what a conditional order is for; 0.0: the whole position, and any other order.
    """

    ts_ms: int
    symbol: str
    client_id: str
    leg: Leg
    quantity: float = 0.0


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
    """No longer resting. `cause`: "requested", "position_closed", "reduce_only", "expired".

    `free_quote`: for an entry, whose reserve is free again; None: it did not change, or nobody said.
    """

    ts_ms: int
    symbol: str
    client_id: str
    leg: Leg
    cause: str
    free_quote: float | None = None


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


class InstrumentChanged(NamedTuple):
    """The venue trades the symbol by other rules now: tiers, steps, minima, fees. They count from here on."""

    ts_ms: int
    symbol: str
    instrument: Instrument
    profile: VenueProfile


class AutoAddSwitched(NamedTuple):
    """The venue's own auto-add-margin of the symbol was found on, or off again; a person switched it."""

    ts_ms: int
    symbol: str
    is_on: bool


class VenueDiffers(NamedTuple):
    """The venue says otherwise than we reckon. `what`: "liquidation_price", or "clock" (UTC ms).

    A clock belongs to no symbol; it is told under the first of the session.
    """

    ts_ms: int
    symbol: str
    what: str
    ours: float
    venue: float


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
    | InstrumentChanged
    | AutoAddSwitched
    | VenueDiffers
)
Event = MarketEvent | VenueEvent | Note
