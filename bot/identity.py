"""What a session is of: its feed or account, and the database it continues from by default."""

import hashlib
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bot.core.timerange import timerange_text
from bot.errors import UserError
from bot.liveness import DEFAULT_DATABASE, FOLDER
from bot.loopback import loopback_address
from bot.settings import Settings
from bot.settings.values import plain

_USUAL_EXCHANGE: Final = "binanceusdm"
# The symbols behind the comma were part of it once, and the address stood there as it was typed.
_ACCOUNT: Final = re.compile(r"(\w+ account \w+ of \w+)(?: at ([^\s,]+))?(?:, .*)?")


def identity(settings: Settings) -> str:
    """Return one line that names the feed or the account; a database belongs to one of them for ever.

    An account is whose it is and where: symbols, timeframe and strategy may change while it holds positions.
    """
    feed = settings.feed
    symbols = ",".join(feed.symbols)
    if settings.run.mode != "paper":
        return f"{settings.run.mode} account {_account(settings)}"
    deposit = f"deposit {settings.venue.deposit_quote:g}"
    if feed.kind == "synthetic":
        return f"synthetic market, seed {settings.run.seed}, {symbols}, ticks of {feed.tick_ms} ms, {deposit}"
    if feed.kind == "live":
        return f"live prices of {live_exchange(settings)}{_where(settings)}, {symbols}, {deposit}"
    days = timerange_text(feed.timerange) if feed.timerange is not None else "all"
    folder = feed.data.resolve() if feed.data is not None else ""
    return f"replay of {folder}, {symbols}, {days}, {deposit}"


def kept_identity(settings: Settings, kept: str | None) -> str:
    """Return the identity of the session as its database has it, which may be older; else as it is now."""
    ours = identity(settings)
    return kept if kept is not None and _is_account(kept, ours) else ours


def account_name_of(settings: Settings) -> str | None:
    """Return one word for the account at an exchange, by which it is locked; None on paper."""
    if settings.run.mode == "paper":
        return None
    return f"{settings.run.mode}-{settings.exchange.name}-{_digest(identity(settings))}"


def live_exchange(settings: Settings) -> str:
    """Return whose prices paper money is traded on, if they are live."""
    return settings.exchange.name or _USUAL_EXCHANGE


def database_path(settings: Settings) -> Path:
    """Return the database of this session: the one named, or one per feed and rules in `var`.

    The default synthetic market lives in var/paper.db. Another feed or strategy, and for a replay other
    rules, has a file of its own, so that the same command continues what it began and nothing else. An
    account at an exchange has one file. UserError: it has several, of which none is the one to continue.
    """
    if settings.run.db is not None:
        return settings.run.db
    if settings.run.mode != "paper":
        return _database_of_account(settings)
    default = Settings.model_construct()
    if _session(settings) == _session(default):
        return DEFAULT_DATABASE
    if settings.feed.kind == "live":
        return FOLDER / f"paper-{live_exchange(settings)}-{_digest(_session(settings))}.db"
    if settings.feed.kind == "synthetic":
        return FOLDER / f"paper-{_digest(_session(settings))}.db"
    return FOLDER / f"replay-{_digest(identity(settings) + _rules(settings))}.db"


def _database_of_account(settings: Settings) -> Path:
    """Return the account's file, or the one of an older version, which had one per symbols and strategy."""
    begin, ours = f"{settings.run.mode}-{settings.exchange.name}", identity(settings)
    path = FOLDER / f"{account_name_of(settings)}.db"
    if path.exists() or not FOLDER.is_dir():
        return path
    from bot.store.peek import account_name  # noqa: PLC0415  only a first start needs it

    files = sorted(FOLDER.glob(f"{begin}-*.db"))
    former = [file for file in files if _is_account(account_name(file) or "", ours)]
    if len(former) > 1:
        raise UserError(
            f"This account has {len(former)} databases: {', '.join(map(str, former))}. Cause: an older "
            "version made one for every set of symbols, timeframe and strategy, and positions of one are "
            "strange to the others. See with `ringfence positions --db FILE` which holds the open ones and "
            f"name it with --db, or move the others out of {FOLDER}."
        )
    return former[0] if former else path


def _is_account(kept: str, ours: str) -> bool:
    """Return whether a name that a database holds means the account `ours`."""
    found = _ACCOUNT.fullmatch(kept)
    if found is None:
        return False
    address = urlsplit(found[2] or "")
    try:
        where = f" at {loopback_address('http://' + address.netloc.rpartition('@')[2])}" if found[2] else ""
    except ValueError:
        return False
    return found[1] + where == ours


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
