"""bot/ALERTS.md names every kind, and every key of a route with its default."""

import re

from bot.alerts.courier import _FIRST_WAIT_MS, _GIVE_UP_MS, _LONGEST_WAIT_MS, _MOST_WAITING
from bot.core.alert import KINDS
from bot.settings.alerts import AlertRoute, Alerts
from tests.unit.docs.reading import text_of

PAGE = text_of("bot/ALERTS.md")
ROWS = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", PAGE, re.MULTILINE))


def test_every_kind_has_its_row() -> None:
    assert set(KINDS) <= set(ROWS)


def test_every_key_of_a_route_stands_there_with_its_default() -> None:
    for name, field in AlertRoute.model_fields.items():
        default = field.default
        said = ROWS[name].strip().strip("`")
        if isinstance(default, tuple):
            assert said == ", ".join(default)
        elif default in (None, ""):
            assert said == ""
        else:
            assert said == str(default).lower()
    assert set(ROWS) == {*KINDS, *AlertRoute.model_fields}


def test_times_and_counts_are_the_defaults() -> None:
    choice, text = Alerts(), " ".join(PAGE.split())
    for said in (
        f"`repeat_after` ({choice.repeat_after / 60:.0f} minutes)",
        f"`escalate_after` ({choice.escalate_after / 60:.0f} minutes)",
        f"`escalate_most` times ({choice.escalate_most})",
        f"from {_FIRST_WAIT_MS // 1000} s on, doubled up to {_LONGEST_WAIT_MS // 60_000} minutes, for a day",
        f"{_MOST_WAITING} messages wait for a route",
    ):
        assert said in text
    assert _GIVE_UP_MS == 86_400_000
    assert choice.hysteresis == 0.25
