"""Alerts: what was found worth telling, each message of it, and what the router remembers."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _create_alert() -> None:
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("position_id", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("raised_ms", sa.Integer(), nullable=False),
        sa.Column("over_ms", sa.Integer(), nullable=True),
        sa.Column("acknowledged_ms", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("alert_id"),
        sqlite_strict=True,
    )
    op.create_index("alert_key", "alert", ["key"])
    op.create_index("alert_raised", "alert", ["raised_ms"])


def _create_delivery() -> None:
    op.create_table(
        "alert_delivery",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ended_ms", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id"),
        sqlite_strict=True,
    )
    waiting = sa.text("status = 'waiting'")
    op.create_index("alert_delivery_waiting", "alert_delivery", ["created_ms"], sqlite_where=waiting)
    op.create_index("alert_delivery_of", "alert_delivery", ["alert_id"])


def upgrade() -> None:
    """Add the tables; the journal before them was told by nobody and is not told now."""
    _create_alert()
    _create_delivery()
    op.create_table(
        "alert_router",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("memory", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name="alert_router_is_one_row"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
