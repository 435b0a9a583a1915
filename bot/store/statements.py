"""The SQL of the hot path: text built once from the tables, named parameters, no ORM.

Inserts name their columns through the tables, so that a renamed column fails on import. The rest is
plain SQL, prepared against the schema by a test.
"""

from collections.abc import Mapping
from typing import Final

from bot.store.tables import TABLES

RESTING: Final = ("pending", "open", "partially_filled")
UNRESOLVED: Final = ("pending", "unknown")


def _columns(table: str, without: tuple[str, ...] = ("id",)) -> list[str]:
    return [column.name for column in TABLES[table].columns if column.name not in without]


def _insert(table: str, columns: list[str], computed: Mapping[str, str] | None = None) -> str:
    expressions = computed or {}
    known = [TABLES[table].columns[name].name for name in columns]
    names = ", ".join(f'"{name}"' for name in known)
    values = ", ".join(expressions.get(name, f":{name}") for name in known)
    return f'INSERT INTO "{table}" ({names}) VALUES ({values})'


def _upsert(table: str, key: str, columns: list[str], computed: Mapping[str, str] | None = None) -> str:
    """Return an insert that, when `key` exists, sets every other given column instead."""
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name != key)
    return f"{_insert(table, columns, computed)} ON CONFLICT ({key}) DO UPDATE SET {changes}"


# The open position of the symbol, once the venue holds it: the entry's own fills have none yet, the
# note that opens the position claims them.
_HELD_POSITION: Final = (
    "(SELECT p.id FROM position p JOIN holding h ON h.symbol = p.symbol "
    "WHERE p.symbol = :symbol AND p.closed_ms IS NULL)"
)
_INTENT_OF_CLIENT: Final = "(SELECT seq FROM intent WHERE client_id = :client_id)"

START_RUN: Final = _insert("run", _columns("run", ("id", "ended_ms")))
SELECT_FIRST_START: Final = "SELECT min(started_ms) FROM run"
END_RUN: Final = "UPDATE run SET ended_ms = :ended_ms WHERE id = :id"

CREATE_ACCOUNT: Final = _insert("account", ["id", "venue", "mode", "name"], {"id": "1"})
SET_DEPOSIT: Final = "UPDATE account SET deposit_quote = :deposit_quote WHERE deposit_quote IS NULL"
SET_FREE: Final = "UPDATE account SET free_quote = :free_quote, updated_ms = :ts_ms"
PUT_INSTRUMENT: Final = _upsert("instrument", "symbol", _columns("instrument"))

APPEND_EVENT: Final = _insert("event", _columns("event"))
SELECT_HEAD: Final = "SELECT id, chain FROM event ORDER BY id DESC LIMIT 1"
SELECT_LINKS: Final = "SELECT id, chain, run_id, ts_ms, kind, symbol, body FROM event ORDER BY id"
SELECT_ROWS_GIVEN: Final = "SELECT seq FROM sqlite_sequence WHERE name = 'event'"

INSERT_INTENT: Final = _insert(
    "intent",
    [*_columns("intent", ("status", "detail", "resolved_ms")), "status"],
    {"status": "'pending'"},
)
RESOLVE_INTENT: Final = (
    "UPDATE intent SET status = :status, detail = :detail, resolved_ms = :ts_ms "
    f"WHERE seq = :seq AND status IN {UNRESOLVED}"
)
STATUS_OF_INTENT: Final = "SELECT status FROM intent WHERE seq = :seq"
SELECT_UNRESOLVED: Final = (
    f"SELECT seq, client_id, ts_ms, body, reason, facts FROM intent WHERE status IN {UNRESOLVED} ORDER BY seq"
)

INSERT_ORDER: Final = _insert("order", _columns("order", ("cause",)))
END_PENDING_ORDER: Final = (
    'UPDATE "order" SET status = :status, cause = :detail, updated_ms = :ts_ms '
    "WHERE intent_seq = :seq AND status = 'pending'"
)
_SEEN_ORDER: Final = ["client_id", "intent_seq", "symbol", "leg", "status", "created_ms", "updated_ms"]
_SEEN_VALUES: Final = {"intent_seq": _INTENT_OF_CLIENT, "created_ms": ":ts_ms", "updated_ms": ":ts_ms"}
# An acceptance that arrives after a fill or a cancellation must not reopen the order.
ACCEPT_ORDER: Final = (
    _insert("order", _SEEN_ORDER, {**_SEEN_VALUES, "status": "'open'"})
    + " ON CONFLICT (client_id) DO UPDATE SET status = 'open', updated_ms = :ts_ms WHERE status = 'pending'"
)
FILL_ORDER: Final = (
    _insert("order", [*_SEEN_ORDER, "side", "remaining_quantity"], _SEEN_VALUES)
    + " ON CONFLICT (client_id) DO UPDATE SET status = excluded.status, side = excluded.side, "
    f"remaining_quantity = excluded.remaining_quantity, updated_ms = :ts_ms WHERE status IN {RESTING}"
)
CANCEL_ORDER: Final = (
    _insert("order", [*_SEEN_ORDER, "cause"], {**_SEEN_VALUES, "status": "'cancelled'"})
    + " ON CONFLICT (client_id) DO UPDATE SET status = 'cancelled', cause = excluded.cause, "
    f"updated_ms = :ts_ms WHERE status IN {RESTING}"
)
REFUSE_ORDER: Final = (
    "UPDATE \"order\" SET status = 'refused', cause = :cause, updated_ms = :ts_ms "
    "WHERE client_id = :client_id AND status = 'pending'"
)

INSERT_FILL: Final = (
    _insert("fill", _columns("fill"), {"position_id": _HELD_POSITION})
    + " ON CONFLICT (symbol, trade_id) DO NOTHING"
)
SELECT_FILL: Final = "SELECT side, price, quantity FROM fill WHERE symbol = :symbol AND trade_id = :trade_id"
CLAIM_FILLS: Final = "UPDATE fill SET position_id = :id WHERE symbol = :symbol AND position_id IS NULL"

PUT_HOLDING: Final = _upsert("holding", "symbol", _columns("holding"))
# A position found gone after an outage has no closing fill; one reopened meanwhile must stay.
DROP_OLDER_HOLDING: Final = "DELETE FROM holding WHERE symbol = :symbol AND opened_ms < :closed_ms"
DROP_HOLDING: Final = "DELETE FROM holding WHERE symbol = :symbol"
SELECT_COMMITTED: Final = "SELECT isolated_wallet FROM holding"

INSERT_FUNDING: Final = (
    _insert("funding", _columns("funding"), {"position_id": _HELD_POSITION})
    + " ON CONFLICT (symbol, ts_ms) DO NOTHING"
)
PUT_EQUITY: Final = _upsert("equity", "ts_ms", _columns("equity"))

_LINKS: Final = {"position_id": _HELD_POSITION, "intent_seq": _INTENT_OF_CLIENT}
PUT_ADJUSTMENT: Final = (
    _insert(
        "margin_adjustment",
        ["client_id", "intent_seq", "position_id", "symbol", "ts_ms", "amount_quote", "venue_reply"],
        _LINKS,
    )
    + " ON CONFLICT (client_id) DO UPDATE SET venue_reply = excluded.venue_reply"
)
EXPLAIN_ADJUSTMENT: Final = _upsert(
    "margin_adjustment",
    "client_id",
    _columns("margin_adjustment", ("id", "venue_reply")),
    {"intent_seq": _INTENT_OF_CLIENT},
)

_OPENING: Final = [
    "id",
    "symbol",
    "side",
    "opened_ms",
    "quantity",
    "entry_price",
    "initial_margin_quote",
    "leverage",
    "stop_price",
    "agreed_loss_quote",
]
_LIQUIDATION: Final = ["liquidation_loss_quote", "clearance_fee_quote", "insurance_quote"]
_CLOSING: Final = [name for name in _columns("position", ()) if name not in {*_OPENING, *_LIQUIDATION}]


def _assignments(names: list[str]) -> str:
    return ", ".join(f"{name} = :{name}" for name in names)


OPEN_POSITION: Final = _insert("position", _OPENING)
# Later fills of the entry order make the position what was meant.
GROW_POSITION: Final = (
    "UPDATE position SET quantity = :quantity, entry_price = :entry_price, "
    "initial_margin_quote = :isolated_wallet WHERE symbol = :symbol AND closed_ms IS NULL"
)
CLOSE_POSITION: Final = f"UPDATE position SET {_assignments(_CLOSING)} WHERE id = :id AND closed_ms IS NULL"
LIQUIDATE_POSITION: Final = (
    f"UPDATE position SET {_assignments(_LIQUIDATION)} WHERE symbol = :symbol AND closed_ms IS NULL"
)

INSERT_SIGNAL: Final = _insert("signal", _columns("signal"))

INSERT_TRADE_EVIDENCE: Final = _insert("trade_evidence", _columns("trade_evidence", ()))
INSERT_FORECAST: Final = _insert("forecast", _columns("forecast"))

PUT_CHECKPOINT: Final = _upsert("checkpoint", "id", _columns("checkpoint", ()), {"id": "1"})
SELECT_CHECKPOINT: Final = "SELECT engine, feed, venue FROM checkpoint"

PUT_ALERT: Final = (
    _insert("alert", _columns("alert", ("over_ms", "acknowledged_ms"))) + " ON CONFLICT (alert_id) DO NOTHING"
)
SELECT_ALERT_KEY: Final = "SELECT key FROM alert WHERE alert_id = :alert_id"
END_ALERT: Final = "UPDATE alert SET over_ms = :now_ms WHERE key = :key AND over_ms IS NULL"
ACKNOWLEDGE_ALERT: Final = (
    "UPDATE alert SET acknowledged_ms = :now_ms WHERE :key IN ('', key) AND acknowledged_ms IS NULL"
)
_NEW_DELIVERY: Final = {"status": "'waiting'", "attempts": "0"}
PUT_DELIVERY: Final = (
    _insert("alert_delivery", _columns("alert_delivery", ("ended_ms", "detail")), _NEW_DELIVERY)
    + " ON CONFLICT (delivery_id) DO NOTHING"
)
END_DELIVERY: Final = (
    "UPDATE alert_delivery SET status = :status, attempts = :attempts, ended_ms = :ended_ms, "
    "detail = :detail WHERE delivery_id = :delivery_id"
)
SELECT_WAITING_DELIVERIES: Final = (
    "SELECT delivery_id, alert_id, route, form, grade, title, body, created_ms, attempts FROM alert_delivery "
    "WHERE status = 'waiting' ORDER BY created_ms, delivery_id"
)
_LAST_EVENT: Final = "(SELECT coalesce(max(id), 0) FROM event)"
PUT_ALERT_ROUTER: Final = _upsert(
    "alert_router", "id", _columns("alert_router", ()), {"id": "1", "event_id": _LAST_EVENT}
)
SET_ALERT_MEMORY: Final = "UPDATE alert_router SET memory = :memory"
SELECT_ALERT_ROUTER: Final = "SELECT event_id, memory FROM alert_router"
_FORGOTTEN_BEFORE: Final = "(SELECT raised_ms FROM alert ORDER BY raised_ms DESC LIMIT 1 OFFSET :kept)"
FORGET_ALERTS: Final = (
    f"DELETE FROM alert_delivery WHERE status <> 'waiting' AND created_ms < {_FORGOTTEN_BEFORE}",
    f"DELETE FROM alert WHERE raised_ms < {_FORGOTTEN_BEFORE}",
)
