"""The tables. Money and prices are exact decimal text, times are UTC milliseconds.

Amounts are in quote currency where the column says so; `side` is +1 long or bought, -1 short or sold.
"""

from decimal import Decimal
from typing import Final

from sqlalchemy import DDL, CheckConstraint, Index, UniqueConstraint, event, text
from sqlmodel import Field

from bot.store import alert_tables, evidence_tables
from bot.store.columns import Base
from bot.store.columns import flag as _flag
from bot.store.columns import money as _money
from bot.store.columns import number as _number
from bot.store.columns import words as _words


class RunRow(Base, table=True):
    """One process that traded. `config` is the effective configuration without secrets."""

    __tablename__ = "run"

    id: int | None = Field(default=None, primary_key=True)
    started_ms: int
    ended_ms: int | None = None
    mode: str = _words()
    seed: int | None = None
    config_hash: str = _words()
    config: str = _words()
    version: str = _words()
    strategy: str = _words()
    policy: str = _words()
    feed: str = _words()


class AccountRow(Base, table=True):
    """The one account this database belongs to, and its balance after the last venue event."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("id = 1", name="account_is_one_row"),)

    id: int = Field(primary_key=True)
    venue: str = _words()
    mode: str = _words()
    name: str = _words()
    deposit_quote: Decimal | None = _money(default=None)
    free_quote: Decimal | None = _money(default=None)
    updated_ms: int | None = None


class InstrumentRow(Base, table=True):
    """What was known of a market when it was last traded; `tiers` is JSON columns, `profile` JSON.

    `profile` is null only in rows of before it was stored: then the account's venue tells it.
    """

    __tablename__ = "instrument"

    symbol: str = _words(primary_key=True)
    tick_size: Decimal = _money()
    quantity_step: Decimal = _money()
    min_quantity: Decimal = _money()
    min_notional_quote: Decimal = _money()
    margin_step_quote: Decimal = _money()
    contract_size: Decimal = _money()
    is_inverse: bool = _flag()
    maker_fee_rate: Decimal = _money()
    taker_fee_rate: Decimal = _money()
    liquidation_fee_rate: Decimal = _money()
    max_leverage: Decimal = _money()
    funding_interval_ms: int
    tiers: str = _words()
    profile: str | None = _words(default=None)


class PositionRow(Base, table=True):
    """The life of one position, opening figures first; the closing ones are null while it is open."""

    __tablename__ = "position"
    __table_args__ = (
        Index("position_open", "symbol", unique=True, sqlite_where=text("closed_ms IS NULL")),
        Index("position_closed", "closed_ms"),
    )

    id: int = Field(primary_key=True)
    symbol: str = _words()
    side: int
    opened_ms: int
    quantity: Decimal = _money()
    entry_price: Decimal = _money()
    initial_margin_quote: Decimal = _money()
    leverage: Decimal = _money()
    stop_price: Decimal = _money()
    agreed_loss_quote: Decimal = _money()
    closed_ms: int | None = None
    cause: str | None = _words(default=None)
    exit_price: Decimal | None = _money(default=None)
    realised_pnl_quote: Decimal | None = _money(default=None)
    fees_quote: Decimal | None = _money(default=None)
    funding_quote: Decimal | None = _money(default=None)
    margin_added_quote: Decimal | None = _money(default=None)
    margin_released_quote: Decimal | None = _money(default=None)
    liquidation_loss_quote: Decimal | None = _money(default=None)
    clearance_fee_quote: Decimal | None = _money(default=None)
    insurance_quote: Decimal | None = _money(default=None)


class HoldingRow(Base, table=True):
    """What the venue holds for us now, by symbol: the position after the last venue event."""

    __tablename__ = "holding"

    symbol: str = _words(primary_key=True)
    side: int
    quantity: Decimal = _money()
    entry_price: Decimal = _money()
    isolated_wallet: Decimal = _money()
    leverage: Decimal = _money()
    opened_ms: int
    updated_ms: int


class IntentRow(Base, table=True):
    """An action and its reason, committed before it was sent. `body` is the action as JSON.

    `status`: pending and unknown are unresolved; done, refused and superseded are final.
    """

    __tablename__ = "intent"
    __table_args__ = (
        Index("intent_unresolved", "seq", sqlite_where=text("status IN ('pending', 'unknown')")),
    )

    seq: int = Field(primary_key=True)
    run_id: int | None = Field(default=None, foreign_key="run.id")
    client_id: str = _words(unique=True)
    ts_ms: int
    kind: str = _words()
    symbol: str = _words()
    body: str = _words()
    reason: str = _words()
    facts: str = _words()
    status: str = _words()
    detail: str | None = _words(default=None)
    resolved_ms: int | None = None


class OrderRow(Base, table=True):
    """An order of ours. `status`: pending, open, partially_filled, filled, cancelled, refused, superseded."""

    __tablename__ = "order"
    __table_args__ = (
        Index(
            "order_resting",
            "symbol",
            sqlite_where=text("status IN ('pending', 'open', 'partially_filled')"),
        ),
    )

    client_id: str = _words(primary_key=True)
    intent_seq: int | None = Field(default=None, foreign_key="intent.seq")
    symbol: str = _words()
    leg: str = _words()
    kind: str | None = _words(default=None)
    side: int | None = None
    quantity: Decimal | None = _money(default=None)
    limit_price: Decimal | None = _money(default=None)
    trigger_price: Decimal | None = _money(default=None)
    trigger_on: str | None = _words(default=None)
    callback_rate: Decimal | None = _money(default=None)
    is_reduce_only: bool | None = _flag(default=None)
    status: str = _words()
    remaining_quantity: Decimal | None = _money(default=None)
    cause: str | None = _words(default=None)
    created_ms: int
    updated_ms: int


class FillRow(Base, table=True):
    """A fill. A liquidation is one too: leg "liquidation", at the bankruptcy price, its loss as PnL."""

    __tablename__ = "fill"
    __table_args__ = (
        UniqueConstraint("symbol", "trade_id", name="fill_once"),
        Index("fill_unassigned", "symbol", sqlite_where=text("position_id IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True)
    symbol: str = _words()
    trade_id: int
    client_id: str | None = _words(default=None)
    position_id: int | None = Field(default=None, foreign_key="position.id")
    ts_ms: int
    leg: str = _words()
    side: int
    price: Decimal = _money()
    quantity: Decimal = _money()
    fee_quote: Decimal = _money()
    is_maker: bool = _flag()
    realised_pnl_quote: Decimal = _money()


class MarginAdjustmentRow(Base, table=True):
    """Isolated margin moved: amount (> 0 added, < 0 released), why, and the risk before and after.

    The reason and the risk are null only when the venue reported a move that nobody explained.
    """

    __tablename__ = "margin_adjustment"
    __table_args__ = (
        Index("margin_adjustment_symbol", "symbol", "ts_ms"),
        Index("margin_adjustment_position", "position_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    client_id: str = _words(unique=True)
    intent_seq: int | None = Field(default=None, foreign_key="intent.seq")
    position_id: int | None = Field(default=None, foreign_key="position.id")
    symbol: str = _words()
    ts_ms: int
    amount_quote: Decimal = _money()
    policy: str | None = _words(default=None)
    reason: str | None = _words(default=None)
    mark_before: Decimal | None = _money(default=None)
    isolated_wallet_before: Decimal | None = _money(default=None)
    margin_ratio_before: Decimal | None = _money(default=None)
    liquidation_price_before: Decimal | None = _money(default=None)
    distance_before: Decimal | None = _money(default=None)
    mark_after: Decimal | None = _money(default=None)
    isolated_wallet_after: Decimal | None = _money(default=None)
    margin_ratio_after: Decimal | None = _money(default=None)
    liquidation_price_after: Decimal | None = _money(default=None)
    distance_after: Decimal | None = _money(default=None)
    venue_reply: str | None = _words(default=None)
    notional_quote_before: Decimal | None = _money(default=None)
    liquidation_probability_before: float | None = _number(default=None)
    notional_quote_after: Decimal | None = _money(default=None)
    liquidation_probability_after: float | None = _number(default=None)


class FundingRow(Base, table=True):
    """Funding into (> 0) or out of (< 0) a position's isolated wallet."""

    __tablename__ = "funding"
    __table_args__ = (UniqueConstraint("symbol", "ts_ms", name="funding_once"),)

    id: int | None = Field(default=None, primary_key=True)
    symbol: str = _words()
    ts_ms: int
    position_id: int | None = Field(default=None, foreign_key="position.id")
    rate: Decimal = _money()
    mark: Decimal = _money()
    amount_quote: Decimal = _money()


class EquityRow(Base, table=True):
    """The wallet after a venue event, and once an hour: free plus committed to positions.

    Unrealised PnL stands beside it in the hourly rows and is null in the others.
    """

    __tablename__ = "equity"

    ts_ms: int = Field(primary_key=True)
    free_quote: Decimal = _money()
    committed_quote: Decimal = _money()
    wallet_quote: Decimal = _money()
    unrealised_pnl_quote: Decimal | None = _money(default=None)


class SignalRow(Base, table=True):
    """A signal and what risk said to it; `checks` is a JSON list of every failed check."""

    __tablename__ = "signal"

    id: int | None = Field(default=None, primary_key=True)
    ts_ms: int
    symbol: str = _words()
    strategy: str = _words()
    direction: int
    is_entry: bool = _flag()
    strength: float = _number()
    is_approved: bool = _flag()
    checks: str = _words()
    facts: str = _words()


class EventRow(Base, table=True):
    """The append-only journal: venue events and notes as JSON. Rows cannot be changed or deleted.

    `chain` is the hash of the row and of the one before it (chain.py); null in no row that we wrote.
    """

    __tablename__ = "event"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int | None = Field(default=None, foreign_key="run.id")
    ts_ms: int
    kind: str = _words()
    symbol: str = _words()
    body: str = _words()
    chain: str | None = _words(default=None)


class CommandRow(Base, table=True):
    """A person's order to the running bot; `body` is JSON."""

    __tablename__ = "command"

    id: int | None = Field(default=None, primary_key=True)
    ts_ms: int
    kind: str = _words()
    body: str = _words()
    status: str = _words()
    detail: str | None = _words(default=None)
    resolved_ms: int | None = None


class CheckpointRow(Base, table=True):
    """The last consistent cut of engine, feed and simulated venue, each as JSON."""

    __tablename__ = "checkpoint"
    __table_args__ = (CheckConstraint("id = 1", name="checkpoint_is_one_row"),)

    id: int = Field(primary_key=True)
    ts_ms: int
    engine: str = _words()
    feed: str = _words()
    venue: str = _words()


EVIDENCE: Final = (evidence_tables.TradeEvidenceRow, evidence_tables.ForecastRow)
ALERTS: Final = (alert_tables.AlertRow, alert_tables.AlertDeliveryRow, alert_tables.AlertRouterRow)
TABLES: Final = Base.metadata.tables

# A STRICT table refuses a value that is not of its column's type, instead of storing it as it came.
for _table in TABLES.values():
    _table.dialect_options["sqlite"]["strict"] = True

APPEND_ONLY: Final = tuple(
    f"CREATE TRIGGER event_no_{verb} BEFORE {verb.upper()} ON event "
    "BEGIN SELECT RAISE(ABORT, 'the event table is append-only'); END"
    for verb in ("update", "delete")
)
for _trigger in APPEND_ONLY:
    event.listen(TABLES["event"], "after_create", DDL(_trigger))
