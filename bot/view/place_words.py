"""Where a session trades, in words: whose prices, whose money, how fast its market runs."""

from typing import Final

from bot.identity import live_exchange
from bot.settings import Settings
from bot.settings.values import speed_text

_OWN_MACHINE: Final = "an exchange on this machine"


def start_words(settings: Settings) -> str:
    """Return what the start says of the place: kind of money, venue and environment, or market and speed."""
    run, feed, exchange = settings.run, settings.feed, settings.exchange
    if run.mode == "live":
        return f"Trading REAL MONEY on {exchange.name}"
    if run.mode == "testnet":
        where = f"{exchange.base_url}, {_OWN_MACHINE}" if exchange.base_url else "its test environment"
        return f"Testnet trading on {exchange.name} ({where})"
    sources = {
        "synthetic": f"a synthetic market at {speed_text(run.speed)}",
        "replay": f"candles of {feed.data} at {speed_text(run.speed)}",
        "live": f"the live prices of {live_exchange(settings)}",
    }
    return f"Paper trading on {sources[feed.kind]}"


def source_words(settings: Settings) -> str:
    """Return the same in a few words, for the live view, whose badge says whose money it is."""
    exchange = settings.exchange
    if settings.run.mode == "live":
        return f"{exchange.name}, real money"
    if settings.run.mode == "testnet":
        return f"{exchange.name} {'at ' + exchange.base_url if exchange.base_url else 'testnet'}"
    if settings.feed.kind == "live":
        return f"live prices of {live_exchange(settings)}"
    return settings.feed.kind


def market_speed(settings: Settings) -> str:
    """Return how fast the market runs, "" where it is not ours and nobody can say."""
    is_ours = settings.run.mode == "paper" and settings.feed.kind != "live"
    return speed_text(settings.run.speed) if is_ours else ""
