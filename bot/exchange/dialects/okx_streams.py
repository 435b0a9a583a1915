"""OKX's stream messages. Marks do not say when funding is settled: the funding-rate channel does."""

from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told

PRIVATE_CHANNELS: Final = ("orders", "positions", "account")
ALGO_CHANNEL: Final = "orders-algo"
MARK_CHANNELS: Final = ("funding-rate", "mark-price")
_CLOSED: Final = "1"


def told(markets: Mapping[str, Any], funding_ms: MutableMapping[str, int], message: Any) -> Told | None:
    """Return what a message says; None for acknowledgements, pongs and what is not traded here.

    `funding_ms` keeps each symbol's next settlement between messages.
    """
    arg = message.get("arg") if isinstance(message, dict) and "event" not in message else None
    if not isinstance(arg, dict) or not message.get("data"):
        return None
    channel, data = str(arg.get("channel")), message["data"]
    if channel in PRIVATE_CHANNELS or channel == ALGO_CHANNEL:
        return _account(markets, data)
    symbol = symbol_of(markets, arg.get("instId"))
    if symbol is None:
        return None
    if channel == "funding-rate":
        funding_ms[symbol] = int(data[-1]["fundingTime"])
    if channel == "mark-price":
        return mark_from(data[-1], symbol, funding_ms)
    return _candle(symbol, data[-1]) if channel.startswith("candle") else None


def mark_from(row: Mapping[str, Any], symbol: str, funding_ms: Mapping[str, int]) -> MarkTold:
    """Return a mark of REST or of the stream."""
    return MarkTold(int(row["ts"]), symbol, float(row["markPx"]), funding_ms.get(symbol, 0))


def symbol_of(markets: Mapping[str, Any], market_id: Any) -> str | None:
    """Return the unified symbol of an instrument id; None: it is not known here."""
    rows = markets.get(market_id)
    return None if not rows else next((row["symbol"] for row in rows if row["swap"]), None)


def _candle(symbol: str, row: list[str]) -> CandleTold:
    """The volume in base units is the seventh number; the sixth is contracts."""
    open_, high, low, close = (float(each) for each in row[1:5])
    open_ms = int(row[0])
    return CandleTold(open_ms, symbol, open_ms, open_, high, low, close, float(row[6]), row[8] == _CLOSED)


def _account(markets: Mapping[str, Any], data: list[Any]) -> Told:
    found = [symbol_of(markets, row.get("instId")) for row in data]
    times = [int(row.get("pTime") or row.get("uTime") or 0) for row in data]
    return AccountTold(max(times), tuple(each for each in found if each is not None))
