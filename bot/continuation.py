"""What a database of an exchange account holds that the next session must look after, whatever it asks for.

Symbols, timeframe and strategy are choices of a session; positions, stops and orders are the account's.
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from bot.core.codec import from_json
from bot.core.timeframe import timeframe_text
from bot.errors import UserError
from bot.ports import Json
from bot.settings import Settings
from bot.store.peek import committed


def held_beyond(path: Path, symbols: Collection[str]) -> tuple[str, ...]:
    """Return the symbols not among `symbols` with which the database at `path` is not done."""
    cut = committed(path)
    return () if cut is None else tuple(each for each in unfinished(cut.engine) if each not in symbols)


def unfinished(engine: Json) -> tuple[str, ...]:
    """Return the symbols of a checkpoint that have a position, an entry on its way or a request in flight."""
    markets = engine["markets"]
    held = [key for key, market in markets.items() if market["holding"] or market["entry"]]
    asked = [from_json(intent).action.symbol for intent in engine["in_flight"].values()]
    moving = [*engine["rebalance"]["waiting"].values(), *(move[0] for move in engine["rebalance"]["adds"])]
    return tuple(dict.fromkeys((*held, *asked, *moving)))


def held_timeframe(settings: Settings, path: Path) -> str | None:
    """Return the candles of what an account's database is not done with; None: nothing, or on paper."""
    cut = None if settings.run.mode == "paper" else committed(path)
    return timeframe_text(cut.engine["timeframe_ms"]) if cut is not None and unfinished(cut.engine) else None


def with_symbols(settings: Settings, more: Iterable[str]) -> Settings:
    """Return the settings of a session that trades `more` symbols as well."""
    feed = settings.feed.model_copy(update={"symbols": (*settings.feed.symbols, *more)})
    return settings.model_copy(update={"feed": feed})


def kept_notices(symbols: Iterable[str]) -> tuple[str, ...]:
    """Return what a person should know of symbols that stay though nobody asked for them."""
    return tuple(
        f"{symbol} is not among feed.symbols, and this database has a position or an order in it: it is "
        "managed until it is closed, and nothing new is entered in it."
        for symbol in symbols
    )


def carried_over(engine: Json, symbols: Collection[str], timeframe_ms: int) -> Json:
    """Return a checkpoint's engine for a session on these symbols and candles.

    What the strategy said on candles of another length is forgotten: it is no thesis to add on. UserError: a
    symbol that is at stake is missing.
    """
    missing = [each for each in unfinished(engine) if each not in symbols]
    if missing:
        raise UserError(
            f"The database has come to hold {', '.join(missing)} while this start was under way. Nothing was "
            "sent. Start again."
        )
    markets = {key: market for key, market in engine["markets"].items() if key in symbols}
    if engine["timeframe_ms"] != timeframe_ms:
        markets = {key: _without_belief(market) for key, market in markets.items()}
    stale = {key: since_ms for key, since_ms in engine.get("stale_since_ms", {}).items() if key in symbols}
    return {**engine, "markets": markets, "stale_since_ms": stale, "timeframe_ms": timeframe_ms}


def _without_belief(market: dict[str, Any]) -> dict[str, Any]:
    changed = dict(market)
    if market["holding"]:
        changed["holding"] = {**market["holding"], "does_reenter": False}
    if "evidence" in market:
        changed["evidence"] = {**market["evidence"], "enters": 0}
    return changed
