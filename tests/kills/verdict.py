"""What must be so once a bot has recovered: database and exchange agree, and every position has its stop."""

from pathlib import Path

from tests.kills.truth import Truth
from tests.simulation.books import differences
from tests.simulation.storage import rows


def faults(truth: Truth, database: Path) -> list[str]:
    """Return in words what is wrong now, while the market stands still; none is right."""
    return [
        *differences(truth.embedded, database),
        *(f"protection: {symbol} is held and has no stop" for symbol in truth.unprotected()),
        *(f"ids: more than one order was accepted as {client_id}" for client_id in truth.doubled()),
        *(f"ids: {client_id} was sent and never written" for client_id in _unwritten(truth, database)),
        *(f"invariant: {body}" for (body,) in rows(database, _BROKEN)),
    ]


_BROKEN = "SELECT body FROM event WHERE kind = 'InvariantBroken'"


def _unwritten(truth: Truth, database: Path) -> list[str]:
    books = truth.embedded.books
    sent = {order.client_id for order in (*books.orders.values(), *books.conditionals.values())}
    return sorted(sent - {row[0] for row in rows(database, "SELECT client_id FROM intent")} - {""})
