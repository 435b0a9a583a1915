"""Hyperliquid's stream messages. Marks and candles carry no time of their own: they are of now."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from bot.exchange.dialects.hyperliquid_ids import client_id_of, is_ours
from bot.exchange.dialects.hyperliquid_time import VenueTime
from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told

USER_STREAMS: Final = ("orderUpdates", "userFills", "userFundings")
_HOUR_MS: Final = 3_600_000


async def watch(client: Any, subscriptions: Sequence[Mapping[str, Any]]) -> Any:
    """Subscribe to each on the venue's one socket; wait until it breaks."""
    url = client.urls["api"]["ws"]["public"]
    return await asyncio.gather(
        *(
            client.watch(url, name, {"method": "subscribe", "subscription": dict(each)}, name)
            for each in subscriptions
            for name in (":".join(str(value) for value in each.values()),)
        )
    )


def told(client: Any, message: Any, time: VenueTime) -> Told | list[Told] | None:
    """Return what a message says; None for acknowledgements, pongs and coins that are not traded here."""
    if not isinstance(message, dict):
        return None
    channel = message.get("channel")
    reader = _READERS.get(str(channel))
    return None if reader is None else reader(client, message["data"], time)


def mark_from(symbol: str, row: Mapping[str, Any], now_ms: int) -> MarkTold:
    """Return a mark of the stream or of REST. Funding is settled every hour."""
    return MarkTold(now_ms, symbol, float(row["markPx"]), (now_ms // _HOUR_MS + 1) * _HOUR_MS)


def symbol_of(client: Any, coin: Any) -> str | None:
    """Return the unified symbol of a coin; None: no perpetual of it is known here."""
    markets = (client.markets or {}).values()
    return next((each["symbol"] for each in markets if each["swap"] and each["baseName"] == coin), None)


def _mark(client: Any, data: Mapping[str, Any], time: VenueTime) -> Told | None:
    symbol = symbol_of(client, data.get("coin"))
    return None if symbol is None else mark_from(symbol, data["ctx"], time.told(client, data["ctx"]))


def _candle(client: Any, bar: Mapping[str, Any], time: VenueTime) -> Told | None:
    """No message says that a candle is closed: the next one does."""
    symbol = symbol_of(client, bar.get("s"))
    if symbol is None:
        return None
    open_, high, low, close, volume = (float(bar[name]) for name in ("o", "h", "l", "c", "v"))
    now_ms = time.told(client, bar)
    return CandleTold(now_ms, symbol, int(bar["t"]), open_, high, low, close, volume, False)


def _orders(client: Any, rows: Sequence[Mapping[str, Any]], _time: VenueTime) -> Told | list[Told]:
    """An order of ours that is open is what the reply to it said: looking again would cost 42 of 1200."""
    news = [row for row in rows if row.get("status") != "open" or not is_ours(row["order"].get("cloid"))]
    if not news:
        return []
    coins = (row["order"].get("coin") for row in news)
    found = _changed(client, coins, (int(row.get("statusTimestamp") or 0) for row in news))
    if any(row.get("status") != "canceled" for row in news):
        return found
    return found._replace(cancelled=tuple(client_id_of(row["order"].get("cloid")) for row in news))


def _fills(client: Any, data: Mapping[str, Any], _time: VenueTime) -> Told:
    rows = data.get("fills") or []
    return _changed(client, (row.get("coin") for row in rows), (int(row["time"]) for row in rows))


def _fundings(client: Any, data: Mapping[str, Any], _time: VenueTime) -> Told:
    rows = data.get("fundings") or []
    return _changed(client, (row.get("coin") for row in rows), (int(row["time"]) for row in rows))


def _changed(client: Any, coins: Iterable[Any], times: Iterable[int]) -> AccountTold:
    found = [symbol for symbol in (symbol_of(client, each) for each in coins) if symbol is not None]
    return AccountTold(max(times, default=0), tuple(dict.fromkeys(found)))


_READERS: Final[Mapping[str, Callable[[Any, Any, VenueTime], Told | list[Told] | None]]] = MappingProxyType(
    {
        "activeAssetCtx": _mark,
        "candle": _candle,
        "orderUpdates": _orders,
        "userFills": _fills,
        "userFundings": _fundings,
    }
)
