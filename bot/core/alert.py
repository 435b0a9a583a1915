"""Alerts: what a person should know now, and each message in which one of them is told on a route."""

from typing import Final, Literal, NamedTuple, get_args

Grade = Literal["info", "warning", "critical"]
Kind = Literal[
    "liquidation_distance",
    "margin_moved",
    "add_refused",
    "margin_budget",
    "stop",
    "liquidation",
    "halt",
    "feed",
    "venue",
    "drawdown",
    "strategy",
    "bot",
    "daily_summary",
]
Form = Literal["alert", "escalation", "over", "summary", "test"]

GRADES: Final[tuple[Grade, ...]] = get_args(Grade)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Alert(NamedTuple):
    """What a person should know now.

    `alert_id`: of what happened; the same happening has the same one after any number of restarts. `key`: of
    what lasts, by cause and position; two alerts of one key say the same twice. `ts_ms` is the market's time.
    `title` and `body` are plain text.
    """

    alert_id: str
    key: str
    ts_ms: int
    kind: Kind
    cause: str
    symbol: str
    position_id: int
    grade: Grade
    title: str
    body: str


class Delivery(NamedTuple):
    """One message to one route. `alert_id` is "" for a summary of what was held back."""

    delivery_id: str
    alert_id: str
    route: str
    form: Form
    grade: Grade
    title: str
    body: str
    created_ms: int


class Outcome(NamedTuple):
    """What came of a delivery. `status`: "delivered", "waiting" for another try, or "given_up"."""

    delivery_id: str
    status: str
    attempts: int
    ended_ms: int
    detail: str


def rank(grade: str) -> int:
    """Return the place of a grade: 0 info, 1 warning, 2 critical. ValueError: no grade."""
    return GRADES.index(grade)  # type: ignore[arg-type]
