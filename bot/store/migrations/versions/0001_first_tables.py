"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _create_account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("deposit_quote", sa.Text(), nullable=True),
        sa.Column("free_quote", sa.Text(), nullable=True),
        sa.Column("updated_ms", sa.Integer(), nullable=True),
        sa.CheckConstraint("id = 1", name="account_is_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_checkpoint() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name="checkpoint_is_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_command() -> None:
    op.create_table(
        "command",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("resolved_ms", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_equity() -> None:
    op.create_table(
        "equity",
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("free_quote", sa.Text(), nullable=False),
        sa.Column("committed_quote", sa.Text(), nullable=False),
        sa.Column("wallet_quote", sa.Text(), nullable=False),
        sa.Column("unrealised_pnl_quote", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("ts_ms"),
    )


def _create_holding() -> None:
    op.create_table(
        "holding",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("entry_price", sa.Text(), nullable=False),
        sa.Column("isolated_wallet", sa.Text(), nullable=False),
        sa.Column("leverage", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.Integer(), nullable=False),
        sa.Column("updated_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("symbol"),
    )


def _create_instrument() -> None:
    op.create_table(
        "instrument",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("tick_size", sa.Text(), nullable=False),
        sa.Column("quantity_step", sa.Text(), nullable=False),
        sa.Column("min_quantity", sa.Text(), nullable=False),
        sa.Column("min_notional_quote", sa.Text(), nullable=False),
        sa.Column("margin_step_quote", sa.Text(), nullable=False),
        sa.Column("contract_size", sa.Text(), nullable=False),
        sa.Column("is_inverse", sa.Boolean(), nullable=False),
        sa.Column("maker_fee_rate", sa.Text(), nullable=False),
        sa.Column("taker_fee_rate", sa.Text(), nullable=False),
        sa.Column("liquidation_fee_rate", sa.Text(), nullable=False),
        sa.Column("max_leverage", sa.Text(), nullable=False),
        sa.Column("funding_interval_ms", sa.Integer(), nullable=False),
        sa.Column("tiers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("symbol"),
    )


def _create_position() -> None:
    op.create_table(
        "position",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("opened_ms", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("entry_price", sa.Text(), nullable=False),
        sa.Column("initial_margin_quote", sa.Text(), nullable=False),
        sa.Column("leverage", sa.Text(), nullable=False),
        sa.Column("stop_price", sa.Text(), nullable=False),
        sa.Column("agreed_loss_quote", sa.Text(), nullable=False),
        sa.Column("closed_ms", sa.Integer(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("exit_price", sa.Text(), nullable=True),
        sa.Column("realised_pnl_quote", sa.Text(), nullable=True),
        sa.Column("fees_quote", sa.Text(), nullable=True),
        sa.Column("funding_quote", sa.Text(), nullable=True),
        sa.Column("margin_added_quote", sa.Text(), nullable=True),
        sa.Column("margin_released_quote", sa.Text(), nullable=True),
        sa.Column("liquidation_loss_quote", sa.Text(), nullable=True),
        sa.Column("clearance_fee_quote", sa.Text(), nullable=True),
        sa.Column("insurance_quote", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )

    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.create_index("position_closed", ["closed_ms"], unique=False)
        batch_op.create_index(
            "position_open", ["symbol"], unique=True, sqlite_where=sa.text("closed_ms IS NULL")
        )


def _create_run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_ms", sa.Integer(), nullable=False),
        sa.Column("ended_ms", sa.Integer(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=True),
        sa.Column("config_hash", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_signal() -> None:
    op.create_table(
        "signal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("direction", sa.Integer(), nullable=False),
        sa.Column("is_entry", sa.Boolean(), nullable=False),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("is_approved", sa.Boolean(), nullable=False),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["run.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _create_fill() -> None:
    op.create_table(
        "fill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("trade_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("position_id", sa.Integer(), nullable=True),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("fee_quote", sa.Text(), nullable=False),
        sa.Column("is_maker", sa.Boolean(), nullable=False),
        sa.Column("realised_pnl_quote", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["position_id"],
            ["position.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("symbol", "trade_id", name="fill_once"),
    )

    with op.batch_alter_table("fill", schema=None) as batch_op:
        batch_op.create_index(
            "fill_unassigned", ["symbol"], unique=False, sqlite_where=sa.text("position_id IS NULL")
        )


def _create_funding() -> None:
    op.create_table(
        "funding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("position_id", sa.Integer(), nullable=True),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("amount_quote", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["position_id"],
            ["position.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("symbol", "ts_ms", name="funding_once"),
    )


def _create_intent() -> None:
    op.create_table(
        "intent",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("resolved_ms", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["run.id"],
        ),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("client_id"),
    )

    with op.batch_alter_table("intent", schema=None) as batch_op:
        batch_op.create_index(
            "intent_unresolved",
            ["seq"],
            unique=False,
            sqlite_where=sa.text("status IN ('pending', 'unknown')"),
        )


def _create_margin_adjustment() -> None:
    op.create_table(
        "margin_adjustment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("intent_seq", sa.Integer(), nullable=True),
        sa.Column("position_id", sa.Integer(), nullable=True),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ts_ms", sa.Integer(), nullable=False),
        sa.Column("amount_quote", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("mark_before", sa.Text(), nullable=True),
        sa.Column("isolated_wallet_before", sa.Text(), nullable=True),
        sa.Column("margin_ratio_before", sa.Text(), nullable=True),
        sa.Column("liquidation_price_before", sa.Text(), nullable=True),
        sa.Column("distance_before", sa.Text(), nullable=True),
        sa.Column("mark_after", sa.Text(), nullable=True),
        sa.Column("isolated_wallet_after", sa.Text(), nullable=True),
        sa.Column("margin_ratio_after", sa.Text(), nullable=True),
        sa.Column("liquidation_price_after", sa.Text(), nullable=True),
        sa.Column("distance_after", sa.Text(), nullable=True),
        sa.Column("venue_reply", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["intent_seq"],
            ["intent.seq"],
        ),
        sa.ForeignKeyConstraint(
            ["position_id"],
            ["position.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client_id"),
    )

    with op.batch_alter_table("margin_adjustment", schema=None) as batch_op:
        batch_op.create_index("margin_adjustment_position", ["position_id"], unique=False)
        batch_op.create_index("margin_adjustment_symbol", ["symbol", "ts_ms"], unique=False)


def _create_order() -> None:
    op.create_table(
        "order",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("intent_seq", sa.Integer(), nullable=True),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("side", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Text(), nullable=True),
        sa.Column("limit_price", sa.Text(), nullable=True),
        sa.Column("trigger_price", sa.Text(), nullable=True),
        sa.Column("trigger_on", sa.Text(), nullable=True),
        sa.Column("callback_rate", sa.Text(), nullable=True),
        sa.Column("is_reduce_only", sa.Boolean(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("remaining_quantity", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("created_ms", sa.Integer(), nullable=False),
        sa.Column("updated_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["intent_seq"],
            ["intent.seq"],
        ),
        sa.PrimaryKeyConstraint("client_id"),
    )

    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.create_index(
            "order_resting",
            ["symbol"],
            unique=False,
            sqlite_where=sa.text("status IN ('pending', 'open', 'partially_filled')"),
        )


def _forbid_changes_of_events() -> None:
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER event_no_{verb} BEFORE {verb.upper()} ON event "
            "BEGIN SELECT RAISE(ABORT, 'the event table is append-only'); END"
        )


def upgrade() -> None:
    """Make every table of an empty database."""
    _create_account()
    _create_checkpoint()
    _create_command()
    _create_equity()
    _create_holding()
    _create_instrument()
    _create_position()
    _create_run()
    _create_signal()
    _create_event()
    _create_fill()
    _create_funding()
    _create_intent()
    _create_margin_adjustment()
    _create_order()
    _forbid_changes_of_events()
    op.execute("PRAGMA application_id = 1380339267")
