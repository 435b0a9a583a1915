"""Settings that are each possible and impossible together."""

from collections.abc import Iterator

from bot.settings.model import Settings


def contradictions(settings: Settings) -> list[str]:
    """Return one clause, with its numbers, for each pair of settings that cannot both hold."""
    return [*_of_feed(settings), *_of_stops(settings), *_of_caps(settings), *_of_targets(settings)]


def _of_feed(settings: Settings) -> Iterator[str]:
    if settings.feed.kind == "replay" and settings.feed.data is None:
        yield "feed.kind is replay but feed.data names no folder of candles (flag --data)"


def _of_stops(settings: Settings) -> Iterator[str]:
    entry = settings.entry
    if entry.min_stop_distance >= entry.max_stop_distance:
        yield (
            f"entry.min_stop_distance {entry.min_stop_distance} is not below "
            f"entry.max_stop_distance {entry.max_stop_distance}"
        )
    # A short at leverage 1, the safest there is, is liquidated a little below twice its entry price.
    beyond = (1.0 + entry.max_stop_distance) * (1.0 + entry.buffer_min)
    if beyond >= 2.0:
        yield (
            f"entry.max_stop_distance {entry.max_stop_distance} with entry.buffer_min {entry.buffer_min} "
            "puts a stop beyond liquidation even at leverage 1"
        )


def _of_caps(settings: Settings) -> Iterator[str]:
    entry = settings.entry
    if entry.position_cap_fraction > entry.portfolio_cap_fraction:
        yield (
            f"entry.position_cap_fraction {entry.position_cap_fraction} is above "
            f"entry.portfolio_cap_fraction {entry.portfolio_cap_fraction}"
        )
    if entry.portfolio_cap_fraction + entry.reserve_fraction > 1.0:
        yield (
            f"entry.portfolio_cap_fraction {entry.portfolio_cap_fraction} and entry.reserve_fraction "
            f"{entry.reserve_fraction} are more than the whole equity"
        )


def _of_targets(settings: Settings) -> Iterator[str]:
    brackets = settings.brackets
    first, second = brackets.first_take_profit_r, brackets.second_take_profit_r
    if second <= first:
        yield (f"brackets.second_take_profit_r {second} is not above brackets.first_take_profit_r {first}")
    share = brackets.take_profit_fraction
    expected = share * first + (1.0 - share) * second
    if expected < settings.entry.min_reward_to_risk:
        yield (
            f"entry.min_reward_to_risk {settings.entry.min_reward_to_risk} is above the {expected:g} R that "
            "the targets of [brackets] can bring, so every entry would be refused"
        )
