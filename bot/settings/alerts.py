"""The settings of alerts: what is worth telling, and the routes on which it is told."""

import re
from typing import Annotated, Final

from pydantic import SecretStr, field_validator

from bot.core.alert import KINDS, Grade
from bot.plugins import did_you_mean
from bot.settings import values
from bot.settings.section import Duration, Number, Section, Whole, from_text, setting

_ROUTE_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

Kinds = Annotated[tuple[str, ...], from_text(values.list_from_text)]
Levels = Annotated[tuple[Number, ...], from_text(values.fractions_from_text)]


class AlertRoute(Section):
    """One way to a person: where it leads, and what goes there."""

    apprise_url: SecretStr | None = setting(
        None, "Apprise URL of the service, a secret: environment or secrets folder only.", example="..."
    )
    least_grade: Grade = setting("warning", "What goes there: of this grade or graver.")
    also: Kinds = setting(("daily_summary",), "Kinds that go there whatever their grade.")
    only: Kinds = setting((), "The only kinds that go there; empty: all.")
    quiet_hours: str = setting(
        "", "HH:MM-HH:MM in UTC: everything but what is critical waits for their end; empty: none."
    )
    quiet_critical: bool = setting(False, "Quiet hours hold critical alerts back too.")
    most_per_hour: Whole = setting(
        20, "More messages that are not critical are told in one summary.", ge=1, le=1_000
    )
    only_escalations: bool = setting(False, "It hears of critical alerts that nobody has acknowledged only.")

    @field_validator("apprise_url")
    @classmethod
    def _check_url(cls, url: SecretStr | None) -> SecretStr | None:
        return None if url is None else SecretStr(values.checked_secret(url.get_secret_value()))

    @field_validator("also", "only")
    @classmethod
    def _check_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(f'there is no kind of alert "{kind}", {did_you_mean(kind, KINDS)}')
        return kinds

    @field_validator("quiet_hours")
    @classmethod
    def _check_hours(cls, text: str) -> str:
        if text:
            values.minutes_of_day(text)
        return text


class Alerts(Section):
    """What is told to a person, and how often."""

    distance_levels: Levels = setting(
        (0.02, 0.01),
        "Distances to liquidation that are told, the nearest as critical.",
        "fraction of price",
    )
    hysteresis: Number = setting(
        0.25, "So much further away a distance is left, or a loss made good.", "fraction", ge=0, le=1
    )
    budget_fraction: Number = setting(
        0.8,
        "Told when so much of what may be added to a position is added; 0: never.",
        "fraction",
        ge=0,
        le=1,
    )
    drawdown_levels: Levels = setting(
        (0.1, 0.2),
        "Losses from the highest equity that are told, the deepest as critical.",
        "fraction of equity",
    )
    repeat_after: Duration = setting(
        900.0, "The same cause of the same position is told once in this time.", "s", ge=1, le=86_400
    )
    escalate_after: Duration = setting(
        600.0,
        "A critical alert that nobody acknowledged is told again after this time.",
        "s",
        ge=10,
        le=86_400,
    )
    escalate_most: Whole = setting(6, "How often it is told again; 0: never.", ge=0, le=1_000)
    daily_summary_at: str = setting("07:00", "HH:MM in UTC of the daily summary; empty: none.")
    routes: dict[str, AlertRoute] = setting(
        {},
        "One table per route, [alerts.routes.NAME]; bot/ALERTS.md lists its keys. "
        "Its Apprise URL is a secret: RINGFENCE__ALERTS__ROUTES__NAME__APPRISE_URL.",
    )

    @field_validator("distance_levels", "drawdown_levels")
    @classmethod
    def _check_levels(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0.0 < level < 1.0 for level in levels) or len(set(levels)) != len(levels):
            raise ValueError("different fractions above 0 and below 1 were expected, such as 0.02,0.01")
        return levels

    @field_validator("daily_summary_at")
    @classmethod
    def _check_time(cls, text: str) -> str:
        if text:
            values.minute_of_day(text)
        return text

    @field_validator("routes")
    @classmethod
    def _check_routes(cls, routes: dict[str, AlertRoute]) -> dict[str, AlertRoute]:
        for name in routes:
            if _ROUTE_NAME.fullmatch(name) is None:
                raise ValueError(f'"{name}" is no name of a route: use small letters, digits and underscores')
        return routes
