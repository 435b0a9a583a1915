"""The tables of evidence: what moving the margin did. Amounts are exact decimal text in quote currency."""

from decimal import Decimal

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from bot.store.columns import Base, flag, money, number, words


class TradeEvidenceRow(Base, table=True):
    """One ended position against the shadow that kept its first margin; see core/event.py TradeEvidence."""

    __tablename__ = "trade_evidence"
    __table_args__ = (Index("trade_evidence_symbol", "symbol", "closed_ms"),)

    position_id: int = Field(primary_key=True, foreign_key="position.id")
    symbol: str = words()
    side: int
    policy: str = words()
    opened_ms: int
    closed_ms: int
    closed_by: str = words()
    pnl_quote: Decimal = money()
    liquidated: bool = flag()
    shadow_closed_ms: int
    shadow_closed_by: str = words()
    shadow_pnl_quote: Decimal = money()
    shadow_liquidated: bool = flag()
    added_quote: Decimal = money()
    added_lost_quote: Decimal = money()
    adds_without_reentry: int
    margin_quote_hours: Decimal = money()
    shadow_margin_quote_hours: Decimal = money()
    released_redeployed_quote_hours: Decimal = money()
    least_distance: float | None = number(default=None)
    least_distance_sigma_hours: float | None = number(default=None)
    near_miss_ms: int
    stop_beyond_liquidation_ms: int
    loss_beyond_stop_fraction: float = number()
    moves: int
    moves_refused: int
    stale_holds: int


class ForecastRow(Base, table=True):
    """A chance of liquidation told at `ts_ms` and what came of it; see core/event.py ForecastResolved."""

    __tablename__ = "forecast"
    __table_args__ = (UniqueConstraint("position_id", "ts_ms", name="forecast_once"),)

    id: int | None = Field(default=None, primary_key=True)
    position_id: int = Field(foreign_key="position.id")
    symbol: str = words()
    ts_ms: int
    horizon_ms: int
    probability: float = number()
    liquidation_price: Decimal = money()
    resolved_ms: int
    touched: bool = flag()
