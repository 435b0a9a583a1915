"""By which of the venue's rules a market was traded: its margin is read with them, not with settings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the profile; rows written before it have none, and the account's venue says which it was."""
    op.add_column("instrument", sa.Column("profile", sa.Text(), nullable=True))
