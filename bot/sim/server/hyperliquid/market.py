"""Public market data of Hyperliquid's dialect."""

from typing import Any, Final

from bot.core.instrument import Instrument
from bot.core.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from bot.sim.server.decimals import decimal_text
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.errors import Malformed
from bot.sim.server.hyperliquid.terms import size_decimals
from bot.sim.server.hyperliquid.wire import Body, checked, needed, text, whole, whole_or
from bot.sim.server.prices import Bar

INTERVALS: Final = {
    **{f"{each}m": each * MINUTE_MS for each in (1, 3, 5, 15, 30)},
    **{f"{each}h": each * HOUR_MS for each in (1, 2, 4, 8, 12)},
    "1d": DAY_MS,
}
_MOST_BARS: Final = 5_000
_MOST_SETTLEMENTS: Final = 500
_FIRST_TABLE: Final = 51  # a lower id is no table: it is the most leverage itself


def status(desk: Desk, _body: Body) -> Any:
    """exchangeStatus: the venue's time. Wall time, by which nonces are judged."""
    return {"specialStatuses": None, "time": desk.clock.now_ms()}


def meta(desk: Desk, body: Body) -> Any:
    """meta: coins and margin tables, of the venue's own perpetual exchange only."""
    if body.get("dex"):
        raise Malformed(f"no perpetual exchange {body['dex']}")
    instruments = desk.exchange.state.instruments
    universe = [_coin(desk, symbol, index) for index, symbol in enumerate(desk.symbols.values())]
    tables = [[_FIRST_TABLE + index, _table(each)] for index, each in enumerate(instruments.values())]
    return {"universe": universe, "marginTables": tables, "collateralToken": 0}


def _coin(desk: Desk, symbol: str, index: int) -> dict[str, Any]:
    instrument = desk.exchange.state.instruments[symbol]
    row: dict[str, Any] = {
        "szDecimals": size_decimals(instrument.quantity_step),
        "name": desk.coins[symbol],
        "maxLeverage": int(instrument.max_leverage),
        "marginTableId": _FIRST_TABLE + index,
    }
    if desk.keeps_margin(symbol):
        row |= {"onlyIsolated": True, "marginMode": "strictIsolated"}
    return row


def _table(instrument: Instrument) -> dict[str, Any]:
    floors, most = instrument.tiers.notional_floor.tolist(), instrument.tiers.max_leverage.tolist()
    rows = [
        {"lowerBound": decimal_text(floor), "maxLeverage": int(each)}
        for floor, each in zip(floors, most, strict=True)
    ]
    return {"description": "", "marginTiers": rows}


def meta_and_contexts(desk: Desk, body: Body) -> Any:
    """metaAndAssetCtxs: meta, and each coin's prices in the same order."""
    return [meta(desk, body), [context(desk, symbol) for symbol in desk.symbols.values()]]


def context(desk: Desk, symbol: str) -> dict[str, Any]:
    """Return a coin's prices. The oracle is the mark here.

    `time` is not the venue's: this market has a time of its own, which nothing else would tell.
    """
    day, quote = desk.exchange.prices.day(symbol), desk.exchange.prices.of(symbol)
    bid, ask = best(desk, symbol)
    mark = decimal_text(quote.mark)
    return {
        "funding": decimal_text(quote.funding_rate),
        "openInterest": "1000.0",
        "prevDayPx": decimal_text(day.open),
        "dayNtlVlm": decimal_text(day.volume * day.close),
        "premium": "0.0",
        "oraclePx": mark,
        "markPx": mark,
        "midPx": decimal_text(quote.last),
        "impactPxs": [decimal_text(bid), decimal_text(ask)],
        "dayBaseVlm": decimal_text(day.volume),
        "time": desk.exchange.market_ms,
    }


def best(desk: Desk, symbol: str) -> tuple[float, float]:
    """Return best bid and best ask."""
    half, last = desk.exchange.state.config.half_spread_fraction, desk.exchange.prices.of(symbol).last
    return last * (1.0 - half), last * (1.0 + half)


def mids(desk: Desk, _body: Body) -> Any:
    """allMids: the middle of each coin's book."""
    return {coin: decimal_text(desk.exchange.prices.of(symbol).last) for coin, symbol in desk.symbols.items()}


def candles(desk: Desk, body: Body) -> Any:
    """candleSnapshot: oldest first, from startTime to endTime, the newest 5000 of them.

    A span that ends with the clock ends with this market, which may be years behind.
    """
    asked = checked(needed(body, "req"))
    symbol, interval = desk.symbol(asked), text(asked, "interval")
    length_ms = interval_ms(interval)
    begin_ms, end_ms = whole(asked, "startTime"), whole_or(asked, "endTime", 1 << 62)
    if begin_ms > desk.exchange.market_ms:
        begin_ms, end_ms = desk.exchange.market_ms - (end_ms - begin_ms), desk.exchange.market_ms
    count = min(max((desk.exchange.market_ms - begin_ms) // length_ms + 1, 0), _MOST_BARS)
    bars = desk.exchange.prices.bars(symbol, length_ms, count)
    found = [bar for bar in bars if begin_ms <= bar.open_ms <= end_ms]
    return [candle(desk, symbol, interval, bar) for bar in found]


def interval_ms(interval: str) -> int:
    """Return the milliseconds of "1m" to "1d". Malformed: another interval."""
    if interval not in INTERVALS:
        raise Malformed(f"no interval {interval}")
    return INTERVALS[interval]


def candle(desk: Desk, symbol: str, interval: str, bar: Bar) -> dict[str, Any]:
    """Return a candle; nothing in it says whether it is closed. `time` as in `context`."""
    return {
        "t": bar.open_ms,
        "T": bar.open_ms + INTERVALS[interval] - 1,
        "s": desk.coins[symbol],
        "i": interval,
        "o": decimal_text(bar.open),
        "c": decimal_text(bar.close),
        "h": decimal_text(bar.high),
        "l": decimal_text(bar.low),
        "v": decimal_text(bar.volume),
        "n": 1,
        "time": desk.exchange.market_ms,
    }


def settlements(desk: Desk, body: Body) -> Any:
    """fundingHistory: the market's settlements, oldest first."""
    symbol = desk.symbol(body)
    begin_ms, end_ms = whole(body, "startTime"), whole_or(body, "endTime", 1 << 62)
    found = [
        {
            "coin": desk.coins[symbol],
            "fundingRate": decimal_text(each.rate),
            "premium": "0.0",
            "time": each.ts_ms,
        }
        for each in desk.exchange.settlements(symbol)
        if begin_ms <= each.ts_ms <= end_ms
    ]
    return found[:_MOST_SETTLEMENTS]
