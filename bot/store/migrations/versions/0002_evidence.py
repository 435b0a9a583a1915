"""What moving margin did: trades against their static shadow, forecasts and their ends, odds at each move."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _create_trade_evidence() -> None:
    op.create_table(
        "trade_evidence",
        sa.Column("position_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.Integer(), nullable=False),
        sa.Column("closed_ms", sa.Integer(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("pnl_quote", sa.Text(), nullable=False),
        sa.Column("liquidated", sa.Boolean(), nullable=False),
        sa.Column("shadow_closed_ms", sa.Integer(), nullable=False),
        sa.Column("shadow_closed_by", sa.Text(), nullable=False),
        sa.Column("shadow_pnl_quote", sa.Text(), nullable=False),
        sa.Column("shadow_liquidated", sa.Boolean(), nullable=False),
        sa.Column("added_quote", sa.Text(), nullable=False),
        sa.Column("added_lost_quote", sa.Text(), nullable=False),
        sa.Column("adds_without_reentry", sa.Integer(), nullable=False),
        sa.Column("margin_quote_hours", sa.Text(), nullable=False),
        sa.Column("shadow_margin_quote_hours", sa.Text(), nullable=False),
        sa.Column("released_redeployed_quote_hours", sa.Text(), nullable=False),
        sa.Column("least_distance", sa.Float(), nullable=True),
        sa.Column("least_distance_sigma_hours", sa.Float(), nullable=True),
        sa.Column("near_miss_ms", sa.Integer(), nullable=False),
        sa.Column("stop_beyond_liquidation_ms", sa.Integer(), nullable=False),
        sa.Column("loss_beyond_stop_fraction", sa.Float(), nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("moves_refused", sa.Integer(), nullable=False),
        sa.Column("stale_holds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["position_id"],
            ["position.id"],
        ),
        sa.PrimaryKeyConstraint("position_id"),
    )

    with op.batch_alter_table("trade_evidence", schema=None) as batch_op:
        batch_op.create_index("trade_evidence_symbol", ["symbol", "closed_ms"], unique=False)


def _create_forecast() -> None:
    op.create_table(
        "forecast",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("horizon_ms", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("liquidation_price", sa.Text(), nullable=False),
        sa.Column("resolved_ms", sa.Integer(), nullable=False),
        sa.Column("touched", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["position_id"],
            ["position.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("position_id", "ts_ms", name="forecast_once"),
    )


def upgrade() -> None:
    """Add the tables of evidence, and the chance of liquidation to every later margin move."""
    _create_trade_evidence()
    _create_forecast()
    # Adding a column in place keeps the rows untouched; nothing here needs a copy of the table.
    for when in ("before", "after"):
        op.add_column("margin_adjustment", sa.Column(f"notional_quote_{when}", sa.Text(), nullable=True))
        op.add_column(
            "margin_adjustment", sa.Column(f"liquidation_probability_{when}", sa.Float(), nullable=True)
        )
