"""Gate's stream messages. Volumes are contracts, as in the candles that ccxt reads by REST."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final

from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told

ACCOUNT_CHANNELS: Final = ("orders", "usertrades", "positions", "autoorders")
_SECOND_MS: Final = 1_000
Markets = Mapping[str, Any]


def told(markets: Markets, funding_ms: MutableMapping[str, int], message: Any) -> list[Told] | None:
    """Return what a message says of each symbol in it; None for acknowledgements.

    `funding_ms` keeps each symbol's next settlement between messages.
    """
    if not isinstance(message, dict) or message.get("event") != "update":
        return None
    kind = str(message.get("channel") or "").removeprefix("futures.")
    result = message.get("result")
    rows = result if isinstance(result, list) else [result]
    ts_ms = int(message.get("time_ms") or _SECOND_MS * int(message.get("time") or 0))
    if kind in ACCOUNT_CHANNELS:
        return [_account(markets, ts_ms, rows)]
    if kind == "tickers":
        return _marks(markets, funding_ms, ts_ms, rows)
    return _candles(markets, ts_ms, rows) if kind == "candlesticks" else None


def mark_from(
    row: Mapping[str, Any], symbol: str, ts_ms: int, funding_ms: MutableMapping[str, int]
) -> MarkTold:
    """Return the mark of a ticker or of a contract's row."""
    if row.get("funding_next_apply"):
        funding_ms[symbol] = _SECOND_MS * int(float(row["funding_next_apply"]))
    return MarkTold(ts_ms, symbol, float(row["mark_price"]), funding_ms.get(symbol, 0))


def _marks(
    markets: Markets, funding_ms: MutableMapping[str, int], ts_ms: int, rows: Sequence[Any]
) -> list[Told]:
    named = [(symbol_of(markets, row.get("contract")), row) for row in rows]
    return [
        mark_from(row, symbol, ts_ms, funding_ms)
        for symbol, row in named
        if symbol is not None and row.get("mark_price")
    ]


def _candles(markets: Markets, ts_ms: int, rows: Sequence[Any]) -> list[Told]:
    """A row is named "1m_BTC_USDT"; `w` says that its window is closed."""
    found: list[Told] = []
    for row in rows:
        symbol = symbol_of(markets, str(row.get("n") or "").partition("_")[2])
        if symbol is not None:
            open_, high, low, close, volume = (float(row[name]) for name in ("o", "h", "l", "c", "v"))
            open_ms = _SECOND_MS * int(row["t"])
            closed = bool(row.get("w"))
            found.append(CandleTold(ts_ms, symbol, open_ms, open_, high, low, close, volume, closed))
    return found


def _account(markets: Markets, ts_ms: int, rows: Sequence[Any]) -> Told:
    ids = [row.get("contract") or (row.get("initial") or {}).get("contract") for row in rows]
    found = [symbol for symbol in (symbol_of(markets, each) for each in ids) if symbol is not None]
    return AccountTold(ts_ms, tuple(dict.fromkeys(found)))


def symbol_of(markets: Markets, market_id: Any) -> str | None:
    """Return the unified symbol of a contract; None: it is not known here."""
    rows = markets.get(market_id)
    return None if not rows else next((row["symbol"] for row in rows if row["swap"]), None)
