"""Every row of the journal gets the hash of its content and of the row before it; see bot/store/chain.py."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ROWS = "SELECT id, run_id, ts_ms, kind, symbol, body FROM event WHERE id > ? ORDER BY id LIMIT 10000"
_TRIGGER = "SELECT sql FROM sqlite_master WHERE name = 'event_no_update'"


def _link(before: str, run_id: int | None, ts_ms: int, kind: str, symbol: str, body: str) -> str:
    text = f"{before},{run_id},{ts_ms},{len(kind)}:{kind},{len(symbol)}:{symbol},{body}"
    return hashlib.sha256(text.encode()).hexdigest()


def upgrade() -> None:
    """Add the links. A row that was changed before the upgrade is chained as it is found."""
    connection = op.get_bind()
    op.add_column("event", sa.Column("chain", sa.Text(), nullable=True))
    (trigger,) = connection.exec_driver_sql(_TRIGGER).one()
    connection.exec_driver_sql("DROP TRIGGER event_no_update")
    before, last_id = "", 0
    while rows := connection.exec_driver_sql(_ROWS, (last_id,)).fetchall():
        links = list[tuple[str, int]]()
        for last_id, *content in rows:
            before = _link(before, *content)
            links.append((before, last_id))
        connection.exec_driver_sql("UPDATE event SET chain = ? WHERE id = ?", links)
    connection.exec_driver_sql(trigger)
