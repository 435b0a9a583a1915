"""Bitget's streams (v2): tickers hold mark and next settlement; candles do not say when they are closed.

ccxt has a channel per call and keeps the newest value only: what we want is subscribed to at once, raw.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.errors import UserError
from bot.exchange.dialects.bitget_orders import PRODUCT
from bot.exchange.told import AccountTold, CandleTold, MarkTold, Told

_ACCOUNT: Final = ("orders", "orders-algo", "positions", "fill")
_BALANCE: Final = "account"
_LAST_CANDLES: Final = 2


async def watch_marks(client: Any, symbols: Sequence[str]) -> Any:
    """Subscribe to the tickers."""
    return await _watch(client, "public", "ringfence:marks", _by_symbol(client, symbols, "ticker"))


async def watch_candles(client: Any, symbols: Sequence[str], timeframe: str) -> Any:
    """Subscribe to candles. UserError: the venue streams none of this length."""
    names = client.options["timeframes"]
    if timeframe not in names:
        raise UserError(
            f"Bitget streams no candles of {timeframe}. Cause: the exchange has none of this length. "
            f"Set feed.timeframe to one of: {', '.join(names)}."
        )
    args = _by_symbol(client, symbols, f"candle{names[timeframe]}")
    return await _watch(client, "public", "ringfence:candles", args)


async def watch_account(client: Any) -> Any:
    """Log in and listen to everything of the account."""
    await client.authenticate({"url": _url(client, "private")})
    args = [{"instType": PRODUCT, "channel": name, "instId": "default"} for name in _ACCOUNT]
    args.append({"instType": PRODUCT, "channel": _BALANCE, "coin": "default"})
    return await _watch(client, "private", "ringfence:account", args)


def told(markets: Mapping[str, Any], message: Any) -> Told | list[Told] | None:
    """Return what a message says; None for acknowledgements, pongs and what is not traded here."""
    arg = message.get("arg") if isinstance(message, dict) and "event" not in message else None
    if not isinstance(arg, dict) or "data" not in message:
        return None
    channel, data = str(arg.get("channel")), message["data"]
    if channel in _ACCOUNT or channel == _BALANCE:
        return _account(markets, message)
    symbol = _symbol(markets, arg.get("instId"))
    if symbol is None or not data:
        return None
    if channel == "ticker":
        return _mark(symbol, data[-1])
    if not channel.startswith("candle"):
        return None
    # The first message holds hundreds that were read already; later ones the last of a candle, and the next.
    return [_candle(symbol, int(message["ts"]), row) for row in data[-_LAST_CANDLES:]]


def _mark(symbol: str, row: Mapping[str, Any]) -> Told | None:
    if not row.get("markPrice"):
        return None
    return MarkTold(int(row["ts"]), symbol, float(row["markPrice"]), int(row.get("nextFundingTime") or 0))


def _candle(symbol: str, ts_ms: int, row: Sequence[str]) -> Told:
    open_, high, low, close, volume = (float(each) for each in row[1:6])
    return CandleTold(ts_ms, symbol, int(row[0]), open_, high, low, close, volume, False)


def _account(markets: Mapping[str, Any], message: Mapping[str, Any]) -> Told:
    """No symbols: a balance changed, or the last position is gone, which is an empty list."""
    names = [row.get("instId") or row.get("symbol") for row in message["data"]]
    found = [symbol for symbol in (_symbol(markets, name) for name in names) if symbol is not None]
    return AccountTold(int(message["ts"]), tuple(dict.fromkeys(found)))


def _symbol(markets: Mapping[str, Any], market_id: Any) -> str | None:
    rows = markets.get(market_id)
    return None if not rows else next((row["symbol"] for row in rows if row["swap"]), None)


def _by_symbol(client: Any, symbols: Sequence[str], channel: str) -> list[dict[str, str]]:
    ids = [client.market(symbol)["id"] for symbol in symbols]
    return [{"instType": PRODUCT, "channel": channel, "instId": name} for name in ids]


async def _watch(client: Any, access: str, name: str, args: Sequence[Mapping[str, str]]) -> Any:
    request = {"op": "subscribe", "args": list(args)}
    return await client.watch(_url(client, access), name, request, name)


def _url(client: Any, access: str) -> str:
    """Demo accounts have a host of their own, which ccxt keeps beside the usual one."""
    is_demo = client.options.get("sandboxMode") or client.options.get("sandbox")
    tree = client.urls["api"]["demo" if is_demo else "ws"]
    return tree[access]
