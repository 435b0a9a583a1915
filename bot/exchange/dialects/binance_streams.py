"""Binance's stream messages. ccxt handles none of MARGIN_CALL, ACCOUNT_CONFIG_UPDATE and listenKeyExpired."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told, UserStreamEnded

Markets = Mapping[str, Any]


def told(markets: Markets, message: Any) -> Told | None:
    """Return what a message says, None for acknowledgements and for symbols that are not traded here."""
    reader = _READERS.get(str(message.get("e"))) if isinstance(message, dict) else None
    return None if reader is None else reader(markets, message)


def _mark(markets: Markets, message: Mapping[str, Any]) -> Told | None:
    symbol = _symbol(markets, message["s"])
    if symbol is None:
        return None
    return MarkTold(int(message["E"]), symbol, float(message["p"]), int(message["T"]))


def _candle(markets: Markets, message: Mapping[str, Any]) -> Told | None:
    bar = message["k"]
    symbol = _symbol(markets, bar["s"])
    if symbol is None:
        return None
    open_, high, low, close, volume = (float(bar[name]) for name in ("o", "h", "l", "c", "v"))
    closed = bool(bar["x"])
    return CandleTold(int(message["E"]), symbol, int(bar["t"]), open_, high, low, close, volume, closed)


def _order(markets: Markets, message: Mapping[str, Any]) -> Told:
    return _account(markets, message, [message["o"].get("s")])


def _balances(markets: Markets, message: Mapping[str, Any]) -> Told:
    return _account(markets, message, [row.get("s") for row in message["a"].get("P", ())])


def _anywhere(markets: Markets, message: Mapping[str, Any]) -> Told:
    return _account(markets, message, [])


def _account(markets: Markets, message: Mapping[str, Any], ids: list[Any]) -> Told:
    found = [symbol for symbol in (_symbol(markets, each) for each in ids) if symbol is not None]
    return AccountTold(int(message.get("T") or message["E"]), tuple(found))


def _ended(_markets: Markets, message: Mapping[str, Any]) -> Told:
    return UserStreamEnded(int(message["E"]))


def _symbol(markets: Markets, market_id: Any) -> str | None:
    rows = markets.get(market_id)
    return None if not rows else next((row["symbol"] for row in rows if row["swap"]), None)


_READERS: Final[Mapping[str, Callable[[Markets, Mapping[str, Any]], Told | None]]] = MappingProxyType(
    {
        "markPriceUpdate": _mark,
        "kline": _candle,
        "ORDER_TRADE_UPDATE": _order,
        "ALGO_UPDATE": _order,
        "ACCOUNT_UPDATE": _balances,
        "ACCOUNT_CONFIG_UPDATE": _anywhere,
        "MARGIN_CALL": _anywhere,
        "listenKeyExpired": _ended,
    }
)
