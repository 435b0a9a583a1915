"""From the settings to what the router and the watch go by."""

from bot.alerts.rules import NEVER, Quiet, RouteRule, Rules
from bot.alerts.thresholds import distance_thresholds, loss_thresholds
from bot.alerts.watch import Levels
from bot.settings.alerts import AlertRoute, Alerts
from bot.settings.values import minute_of_day, minutes_of_day


def rules_of(choice: Alerts) -> Rules:
    """Return the router's rules, its routes by name."""
    return Rules(
        tuple(_rule(name, route) for name, route in sorted(choice.routes.items())),
        round(1000 * choice.repeat_after),
        round(1000 * choice.escalate_after),
        choice.escalate_most,
    )


def levels_of(choice: Alerts) -> Levels:
    """Return what the watch tells of numbers."""
    budget = (choice.budget_fraction,) if choice.budget_fraction > 0.0 else ()
    summary_at = choice.daily_summary_at
    return Levels(
        distance_thresholds(choice.distance_levels, choice.hysteresis),
        loss_thresholds(budget, choice.hysteresis),
        loss_thresholds(choice.drawdown_levels, choice.hysteresis),
        minute_of_day(summary_at) if summary_at else None,
    )


def _rule(name: str, route: AlertRoute) -> RouteRule:
    return RouteRule(
        name,
        route.least_grade,
        route.also,
        route.only,
        Quiet(*minutes_of_day(route.quiet_hours)) if route.quiet_hours else NEVER,
        route.quiet_critical,
        route.most_per_hour,
        route.only_escalations,
    )
