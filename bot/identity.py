"""What a session is of: its feed or account, and the database it continues from by default."""

import hashlib
from pathlib import Path
from typing import Final

from bot.core.timerange import timerange_text
from bot.liveness import DEFAULT_DATABASE, FOLDER
from bot.settings import Settings
from bot.settings.values import plain

_USUAL_EXCHANGE: Final = "binanceusdm"


def identity(settings: Settings) -> str:
    """Return one line that names the feed; a database belongs to one of them for ever."""
    feed = settings.feed
    symbols = ",".join(feed.symbols)
    if settings.run.mode != "paper":
        return f"{settings.run.mode} account {_account(settings)}, {symbols}"
    deposit = f"deposit {settings.venue.deposit_quote:g}"
    if feed.kind == "synthetic":
        return f"synthetic market, seed {settings.run.seed}, {symbols}, ticks of {feed.tick_ms} ms, {deposit}"
    if feed.kind == "live":
        return f"live prices of {live_exchange(settings)}{_where(settings)}, {symbols}, {deposit}"
    days = timerange_text(feed.timerange) if feed.timerange is not None else "all"
    folder = feed.data.resolve() if feed.data is not None else ""
    return f"replay of {folder}, {symbols}, {days}, {deposit}"


def live_exchange(settings: Settings) -> str:
    """Return whose prices paper money is traded on, if they are live."""
    return settings.exchange.name or _USUAL_EXCHANGE


def database_path(settings: Settings) -> Path:
    """Return the database of this session: the one named, or one per feed and rules in `var`.

    The default synthetic market lives in var/paper.db. Another feed or strategy, and for a replay other
    rules, has a file of its own, so that the same command continues what it began and nothing else.
    """
    if settings.run.db is not None:
        return settings.run.db
    if settings.run.mode != "paper":
        name = f"{settings.run.mode}-{settings.exchange.name}-{_digest(_session(settings))}"
        return FOLDER / f"{name}.db"
    default = Settings.model_construct()
    if _session(settings) == _session(default):
        return DEFAULT_DATABASE
    if settings.feed.kind == "live":
        return FOLDER / f"paper-{live_exchange(settings)}-{_digest(_session(settings))}.db"
    if settings.feed.kind == "synthetic":
        return FOLDER / f"paper-{_digest(_session(settings))}.db"
    return FOLDER / f"replay-{_digest(identity(settings) + _rules(settings))}.db"


def _account(settings: Settings) -> str:
    """Whose account it is, without saying the key: a database belongs to one account."""
    exchange = settings.exchange
    key = plain(exchange.api_key) or exchange.wallet_address
    return f"{_digest(key)} of {exchange.name}{_where(settings)}"


def _where(settings: Settings) -> str:
    return f" at {settings.exchange.base_url}" if settings.exchange.base_url else ""


def _session(settings: Settings) -> str:
    return f"{identity(settings)}, {settings.strategy.name}, {settings.feed.timeframe}"


def _rules(settings: Settings) -> str:
    parts = (
        settings.strategy,
        settings.entry,
        settings.brackets,
        settings.margin,
        settings.venue,
        settings.feed,
    )
    return repr(parts)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
