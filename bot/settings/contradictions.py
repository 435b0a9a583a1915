"""Settings that are each possible and impossible together."""

from bot.risk.contradictions import contradictions as contradictions_of_risk
from bot.risk.policies import POLICIES
from bot.settings.model import Settings


def contradictions(settings: Settings) -> tuple[str, ...]:
    """Return one clause, with its numbers, for each pair of settings that cannot both hold."""
    margin = settings.margin
    return (
        *_of_feed(settings),
        *contradictions_of_risk(
            POLICIES[margin.policy], margin.policy_params, margin.limits, settings.entry, settings.brackets
        ),
    )


def _of_feed(settings: Settings) -> tuple[str, ...]:
    if settings.feed.kind == "replay" and settings.feed.data is None:
        return ("feed.kind is replay but feed.data names no folder of candles (flag --data)",)
    return ()
