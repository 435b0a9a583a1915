"""Bybit's stream messages. A ticker's deltas hold only what has changed: the rest is remembered."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told

Markets = Mapping[str, Any]


class Tickers:
    """The newest mark and funding time of every symbol heard of."""

    def __init__(self) -> None:
        self._marks: dict[str, float] = {}
        self._funding_ms: dict[str, int] = {}

    def hear(self, symbol: str, ts_ms: int, row: Mapping[str, Any]) -> MarkTold | None:
        """Return the mark now, None before the first one was told."""
        if row.get("markPrice"):
            self._marks[symbol] = float(row["markPrice"])
        if row.get("nextFundingTime"):
            self._funding_ms[symbol] = int(row["nextFundingTime"])
        mark = self._marks.get(symbol)
        return None if mark is None else MarkTold(ts_ms, symbol, mark, self._funding_ms.get(symbol, 0))


def told(markets: Markets, tickers: Tickers, message: Any) -> Told | None:
    """Return what a message says, None for acknowledgements and for symbols that are not traded here."""
    if not isinstance(message, dict) or "topic" not in message:
        return None
    kind = str(message["topic"]).partition(".")[0]
    if kind == "tickers":
        return _mark(markets, tickers, message)
    reader = _READERS.get(kind)
    return None if reader is None else reader(markets, message)


def _mark(markets: Markets, tickers: Tickers, message: Mapping[str, Any]) -> Told | None:
    row = message["data"]
    symbol = _symbol(markets, row.get("symbol"))
    return None if symbol is None else tickers.hear(symbol, int(message["ts"]), row)


def _candle(markets: Markets, message: Mapping[str, Any]) -> Told | None:
    symbol = _symbol(markets, str(message["topic"]).rpartition(".")[2])
    if symbol is None:
        return None
    bar = message["data"][-1]
    open_, high, low, close, volume = (
        float(bar[name]) for name in ("open", "high", "low", "close", "volume")
    )
    ts_ms, closed = int(message["ts"]), bool(bar["confirm"])
    return CandleTold(ts_ms, symbol, int(bar["start"]), open_, high, low, close, volume, closed)


def _account(markets: Markets, message: Mapping[str, Any]) -> Told:
    return _changed(markets, message, [row.get("symbol") for row in message["data"]])


def _wallet(markets: Markets, message: Mapping[str, Any]) -> Told:
    return _changed(markets, message, [])


def _changed(markets: Markets, message: Mapping[str, Any], ids: Sequence[Any]) -> Told:
    found = [symbol for symbol in (_symbol(markets, each) for each in ids) if symbol is not None]
    return AccountTold(int(message["creationTime"]), tuple(dict.fromkeys(found)))


def _symbol(markets: Markets, market_id: Any) -> str | None:
    rows = markets.get(market_id)
    return None if not rows else next((row["symbol"] for row in rows if row["swap"]), None)


_READERS: Final[Mapping[str, Callable[[Markets, Mapping[str, Any]], Told | None]]] = MappingProxyType(
    {
        "kline": _candle,
        "order": _account,
        "execution": _account,
        "position": _account,
        "wallet": _wallet,
    }
)
