"""What the messages about messages say: told again, held back, tried out."""

from collections.abc import Mapping

from bot.core.alert import Alert
from bot.core.timerange import utc_text

ACKNOWLEDGE = "ringfence alerts ack"


def again_text(alert: Alert, times: int) -> tuple[str, str]:
    """Return title and body of an alert that nobody has acknowledged, told again for the `times`th time."""
    body = (
        f"{alert.body}\n\nNobody has acknowledged this; it is told for the {ordinal(times + 1)} time. "
        f"Next step: look after it, then {ACKNOWLEDGE} {alert.alert_id}"
    )
    return f"AGAIN {alert.title}", body


def summary_text(counts: Mapping[str, int], since_ms: int, now_ms: int, newest: str) -> tuple[str, str]:
    """Return title and body of what a route was not told one by one."""
    total = sum(counts.values())
    listed = ", ".join(f"{count} {kind_words(kind)}" for kind, count in counts.items())
    noun = "alert was" if total == 1 else "alerts were"
    body = (
        f"{listed}. They came between {utc_text(since_ms)} and {utc_text(now_ms)} UTC, within quiet hours, "
        f"above the rate of this route, or as repetitions. The newest: {newest}. "
        "Next step: ringfence alerts lists them."
    )
    return f"{total} {noun} held back", body


def kind_words(kind: str) -> str:
    """Return a kind or cause as the journal and the live view write it: without underscores."""
    return kind.replace("_", " ")


def ordinal(number: int) -> str:
    """Return 2nd, 3rd, 11th of a whole number above zero."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
