"""The tables of alerts: what was found worth telling, each message of it, and the router's memory.

Not part of the journal: what a network did to a message depends on no seed and no data. Rows change.
"""

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from bot.store.columns import Base, words


class AlertRow(Base, table=True):
    """Something worth telling; see core/alert.py Alert. The last three: UTC of the machine's clock."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("alert_key", "key"),
        Index("alert_raised", "raised_ms"),
    )

    alert_id: str = words(primary_key=True)
    key: str = words()
    ts_ms: int
    kind: str = words()
    cause: str = words()
    symbol: str = words()
    position_id: int
    grade: str = words()
    title: str = words()
    body: str = words()
    raised_ms: int
    over_ms: int | None = None
    acknowledged_ms: int | None = None


class AlertDeliveryRow(Base, table=True):
    """A message to one route. `status`: waiting, delivered, given_up; `detail`: why the last try failed."""

    __tablename__ = "alert_delivery"
    __table_args__ = (
        Index("alert_delivery_waiting", "created_ms", sqlite_where=text("status = 'waiting'")),
        Index("alert_delivery_of", "alert_id"),
    )

    delivery_id: str = words(primary_key=True)
    alert_id: str = words()
    route: str = words()
    form: str = words()
    grade: str = words()
    title: str = words()
    body: str = words()
    created_ms: int
    status: str = words()
    attempts: int
    ended_ms: int | None = None
    detail: str | None = words(default=None)


class AlertRouterRow(Base, table=True):
    """How far the journal was looked through for alerts, and what router and watch remember, as JSON."""

    __tablename__ = "alert_router"
    __table_args__ = (CheckConstraint("id = 1", name="alert_router_is_one_row"),)

    id: int = Field(primary_key=True)
    event_id: int
    memory: str = words()
