"""KuCoin futures' streams (classic): marks, candles and the account, by topics that ccxt does not all know.

The address of a socket holds a token of its own: it is negotiated anew for each connection, where ccxt would
dial the old one. Positions are not listened to: they are told again with every mark.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.errors import UserError
from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told

_MARKS: Final = "/contract/instrument:"
_CANDLES: Final = "/contractMarket/limitCandle:"
_ACCOUNT: Final = ("/contractMarket/tradeOrders", "/contractMarket/advancedOrders", "/contractAccount/wallet")
_MOST_NAMES: Final = 100
_PRIVATE, _PUBLIC = "privateFutures", "publicFutures"
_TIMES: Final = ("ts", "timestamp", "time")
_NANOSECONDS: Final = 1_000_000
_YEAR_5138_MS: Final = 10**14  # a number above is of nanoseconds


class Schedule:
    """When funding is settled: every so often, counted from a settlement that is known."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}

    def learn(self, symbol: str, settled_ms: int, interval_ms: int) -> None:
        """Remember one settlement and the time between two."""
        self._known[symbol] = settled_ms, interval_ms

    def next_ms(self, symbol: str, ts_ms: int) -> int:
        """Return the first settlement after `ts_ms`; 0: nothing is known of the symbol."""
        settled_ms, interval_ms = self._known.get(symbol, (0, 0))
        if interval_ms <= 0:
            return 0
        return settled_ms + ((ts_ms - settled_ms) // interval_ms + 1) * interval_ms


async def watch_marks(client: Any, symbols: Sequence[str]) -> Any:
    """Subscribe to marks, a hundred names a topic."""
    ids = [client.market(symbol)["id"] for symbol in symbols]
    groups = [ids[index : index + _MOST_NAMES] for index in range(0, len(ids), _MOST_NAMES)]
    return await _listen(client, _PUBLIC, [f"{_MARKS}{','.join(group)}" for group in groups])


async def watch_candles(client: Any, symbols: Sequence[str], timeframe: str) -> Any:
    """Subscribe to candles. UserError: the venue streams none of this length."""
    lengths = client.options["timeframes"]["swap"]
    if not lengths.get(timeframe):
        raise UserError(
            f"KuCoin streams no candles of {timeframe}. Cause: the exchange has none of this length. "
            f"Set feed.timeframe to one of: {', '.join(each for each in lengths if lengths[each])}."
        )
    name = client.timeframes[timeframe]
    ids = [client.market(symbol)["id"] for symbol in symbols]
    return await _listen(client, _PUBLIC, [f"{_CANDLES}{each}_{name}" for each in ids])


async def watch_account(client: Any) -> Any:
    """Listen to orders, stops and the balance."""
    return await _listen(client, _PRIVATE, _ACCOUNT)


def forget(client: Any, connection: str = _PRIVATE) -> None:
    """Let the next subscription negotiate a new address."""
    (client.options.get("urls") or {}).pop(connection, None)


def told(markets: Mapping[str, Any], schedule: Schedule, message: Any) -> Told | None:
    """Return what a message says; None for acknowledgements, pongs and what is not traded here."""
    if not isinstance(message, dict) or message.get("type") != "message":
        return None
    topic, data = str(message.get("topic")), message.get("data") or {}
    if topic.startswith(_ACCOUNT):
        return _account(markets, data)
    market = _market(markets, data.get("symbol") or topic.partition(":")[2])
    if market is None:
        return None
    if topic.startswith(_MARKS) and message.get("subject") == "mark.index.price":
        ts_ms = int(data["timestamp"])
        due_ms = schedule.next_ms(market["symbol"], ts_ms)
        return MarkTold(ts_ms, market["symbol"], float(data["markPrice"]), due_ms)
    return _candle(market, data) if topic.startswith(_CANDLES) else None


def _candle(market: Any, data: Mapping[str, Any]) -> Told:
    """Open, close, high, low, in seconds. The volume is the seventh number: the sixth is wrong.

    It is in contracts, as it is in the candles that are read.
    """
    row = data["candles"]
    open_, close, high, low = (float(each) for each in row[1:5])
    volume = float(row[6])
    open_ms = int(row[0]) * 1_000
    return CandleTold(int(data["time"]), market["symbol"], open_ms, open_, high, low, close, volume, False)


def _account(markets: Mapping[str, Any], data: Mapping[str, Any]) -> Told:
    market = _market(markets, data.get("symbol"))
    return AccountTold(_time_ms(data), () if market is None else (market["symbol"],))


def _time_ms(data: Mapping[str, Any]) -> int:
    value = next((int(data[name]) for name in _TIMES if data.get(name)), 0)
    return value // _NANOSECONDS if value > _YEAR_5138_MS else value


def _market(markets: Mapping[str, Any], market_id: Any) -> Any:
    rows = markets.get(market_id)
    return None if not rows else next((row for row in rows if row["swap"]), None)


async def _listen(client: Any, connection: str, topics: Sequence[str]) -> Any:
    """Subscribe to each topic and wait until the socket breaks; a token is good for one connection."""
    try:
        url = await client.negotiate(connection == _PRIVATE, True)
        return await asyncio.gather(*(_watch(client, url, connection, topic) for topic in topics))
    finally:
        forget(client, connection)


def _watch(client: Any, url: str, connection: str, topic: str) -> Any:
    request: dict[str, Any] = {
        "id": str(client.request_id()),
        "type": "subscribe",
        "topic": topic,
        "response": True,
    }
    if connection == _PRIVATE:
        request["privateChannel"] = True
    return client.watch(url, f"ringfence:{topic}", request, f"ringfence:{topic}")
