"""Public market data of Bybit's dialect."""

from typing import Any, Final

from bot.core.timeframe import HOUR_MS, MINUTE_MS
from bot.sim.server.bybit.desk import COIN, Desk
from bot.sim.server.bybit.errors import INVALID_PARAMETER, ApiError
from bot.sim.server.bybit.wire import Params, Row, needed, page, whole_or
from bot.sim.server.decimals import decimal_text
from bot.sim.server.prices import Bar

FUNDING_HOURS: Final = 8
_MINUTES: Final = (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)
INTERVALS: Final = {**{str(each): each * MINUTE_MS for each in _MINUTES}, "D": 24 * HOUR_MS}
_MOST_BARS: Final = 1_000


def server_time(desk: Desk, _params: Params) -> Row:
    """GET /v5/market/time: wall time, on which requests are signed; the market lives in its own."""
    now_ms = desk.clock.now_ms()
    return {"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)}


def instruments(desk: Desk, params: Params) -> Row:
    """GET /v5/market/instruments-info."""
    is_wanted = params.get("status", "Trading") in ("", "Trading")
    symbols = desk.chosen(params) if is_wanted else []
    return page(params, [_instrument_row(desk, each) for each in symbols], 500, 1_000)


def _instrument_row(desk: Desk, symbol: str) -> Row:
    instrument, name = desk.exchange.state.instruments[symbol], desk.ids[symbol]
    tick, step = decimal_text(instrument.tick_size), decimal_text(instrument.quantity_step)
    return {
        "symbol": name,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": symbol.partition("/")[0],
        "quoteCoin": COIN,
        "settleCoin": COIN,
        "launchTime": "1584230400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(len(tick.partition(".")[2])),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": decimal_text(instrument.max_leverage),
            "leverageStep": "0.01",
        },
        "priceFilter": {"minPrice": tick, "maxPrice": "19999998", "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": "1000000",
            "minOrderQty": decimal_text(instrument.min_quantity),
            "qtyStep": step,
            "postOnlyMaxOrderQty": "1000000",
            "maxMktOrderQty": "1000000",
            "minNotionalValue": decimal_text(instrument.min_notional_quote),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": FUNDING_HOURS * 60,
        "copyTrading": "none",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "isPreListing": False,
    }


def risk_limits(desk: Desk, params: Params) -> Row:
    """GET /v5/market/risk-limit: the first tier's mmDeduction is empty, as at the venue."""
    rows = [row for symbol in desk.chosen(params) for row in _tier_rows(desk, symbol)]
    return {"category": "linear", "list": rows, "nextPageCursor": ""}


def _tier_rows(desk: Desk, symbol: str) -> list[Row]:
    tiers = desk.exchange.state.instruments[symbol].tiers
    columns = zip(*(column.tolist() for column in tiers), strict=True)
    return [
        {
            "id": index,
            "symbol": desk.ids[symbol],
            "riskLimitValue": decimal_text(cap),
            "maintenanceMargin": decimal_text(rate),
            "initialMargin": decimal_text(1.0 / leverage),
            "isLowestRisk": int(index == 1),
            "maxLeverage": decimal_text(leverage),
            "mmDeduction": decimal_text(amount) if amount else "",
        }
        for index, (_, cap, rate, amount, leverage) in enumerate(columns, 1)
    ]


def klines(desk: Desk, params: Params) -> Row:
    """GET /v5/market/kline: newest first; from `start` on, or the newest. Mark candles are the same."""
    symbol, length_ms = desk.symbol(params), interval_ms(needed(params, "interval"))
    limit = min(max(whole_or(params, "limit", 200), 1), _MOST_BARS)
    start_ms, end_ms = whole_or(params, "start", 0), whole_or(params, "end", 1 << 62)
    oldest_ms = start_ms or min(end_ms, desk.exchange.market_ms) - limit * length_ms
    count = max((desk.exchange.market_ms - oldest_ms) // length_ms + 1, 0)
    bars = desk.exchange.prices.bars(symbol, length_ms, count)
    rows = [_kline_row(bar) for bar in bars if start_ms <= bar.open_ms <= end_ms]
    rows = rows[:limit] if start_ms else rows[-limit:]
    return {"category": "linear", "symbol": desk.ids[symbol], "list": rows[::-1]}


def interval_ms(text: str) -> int:
    """Return the milliseconds of "1" to "720" and "D". ApiError: another interval."""
    if text not in INTERVALS:
        raise ApiError(INVALID_PARAMETER, why="interval is invalid")
    return INTERVALS[text]


def _kline_row(bar: Bar) -> list[str]:
    prices = [decimal_text(each) for each in (bar.open, bar.high, bar.low, bar.close, bar.volume)]
    return [str(bar.open_ms), *prices, decimal_text(bar.volume * bar.close)]


def tickers(desk: Desk, params: Params) -> Row:
    """GET /v5/market/tickers."""
    return {"category": "linear", "list": [ticker_row(desk, each) for each in desk.chosen(params)]}


def next_funding_ms(now_ms: int) -> int:
    """Return the settlement instant after `now_ms`."""
    interval = FUNDING_HOURS * HOUR_MS
    return now_ms - now_ms % interval + interval


def ticker_row(desk: Desk, symbol: str) -> Row:
    """Return a ticker. ccxt takes a row without openInterestValue for a spot market's."""
    day, quote = desk.exchange.prices.day(symbol), desk.exchange.prices.of(symbol)
    bid, ask, quantity = best(desk, symbol)
    last, mark = decimal_text(quote.last), decimal_text(quote.mark)
    return {
        "symbol": desk.ids[symbol],
        "lastPrice": last,
        "markPrice": mark,
        "indexPrice": mark,
        "prevPrice24h": decimal_text(day.open),
        "price24hPcnt": decimal_text(round(day.close / day.open - 1.0, 6)),
        "highPrice24h": decimal_text(day.high),
        "lowPrice24h": decimal_text(day.low),
        "volume24h": decimal_text(day.volume),
        "turnover24h": decimal_text(day.volume * day.close),
        "openInterest": "1000",
        "openInterestValue": decimal_text(1000.0 * quote.mark),
        "fundingRate": decimal_text(quote.funding_rate),
        "nextFundingTime": str(next_funding_ms(quote.ts_ms)),
        "bid1Price": bid,
        "bid1Size": quantity,
        "ask1Price": ask,
        "ask1Size": quantity,
    }


def best(desk: Desk, symbol: str) -> tuple[str, str, str]:
    """Return best bid, best ask and the quantity at both, as texts."""
    config, last = desk.exchange.state.config, desk.exchange.prices.of(symbol).last
    half = config.half_spread_fraction
    quantity = decimal_text(round(config.depth_quote[symbol] / last, 3))
    return decimal_text(last * (1.0 - half)), decimal_text(last * (1.0 + half)), quantity


def book(desk: Desk, params: Params) -> Row:
    """GET /v5/market/orderbook: the one level this market has."""
    return book_row(desk, desk.symbol(params))


def book_row(desk: Desk, symbol: str) -> dict[str, Any]:
    """Return the book of a symbol."""
    bid, ask, quantity = best(desk, symbol)
    ts_ms = desk.exchange.prices.of(symbol).ts_ms
    names = {"s": desk.ids[symbol], "b": [[bid, quantity]], "a": [[ask, quantity]]}
    return {**names, "ts": ts_ms, "u": ts_ms, "seq": ts_ms}
