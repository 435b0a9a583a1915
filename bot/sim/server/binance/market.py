"""Public market data."""

from typing import Any, Final

from bot.core.timeframe import DAY_MS, HOUR_MS, timeframe_ms
from bot.sim.server.binance.desk import ASSET, Desk
from bot.sim.server.binance.errors import INVALID_INTERVAL, ApiError
from bot.sim.server.binance.wire import Params, needed, whole_or
from bot.sim.server.decimals import decimal_text
from bot.sim.server.prices import Bar

Row = dict[str, Any]
FUNDING_HOURS: Final = 8
_ORDER_TYPES: Final = (
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
)
_NEVER_MS: Final = 4_133_404_800_000
_MOST_BARS: Final = 1500


def ping(_desk: Desk, _params: Params) -> Row:
    """GET /fapi/v1/ping."""
    return {}


def server_time(desk: Desk, _params: Params) -> Row:
    """GET /fapi/v1/time: wall time, on which requests are signed; the market lives in its own."""
    return {"serverTime": desk.clock.now_ms()}


def exchange_info(desk: Desk, _params: Params) -> Row:
    """GET /fapi/v1/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": desk.clock.now_ms(),
        "futuresType": "U_MARGINED",
        "rateLimits": desk.rate_limits,
        "exchangeFilters": [],
        "assets": [{"asset": ASSET, "marginAvailable": True, "autoAssetExchange": "0"}],
        "symbols": [_symbol_row(desk, symbol) for symbol in desk.ids],
    }


def _symbol_row(desk: Desk, symbol: str) -> Row:
    instrument, name = desk.exchange.state.instruments[symbol], desk.ids[symbol]
    tick, step = decimal_text(instrument.tick_size), decimal_text(instrument.quantity_step)
    lot = {"minQty": decimal_text(instrument.min_quantity), "maxQty": "1000000", "stepSize": step}
    return {
        "symbol": name,
        "pair": name,
        "contractType": "PERPETUAL",
        "deliveryDate": _NEVER_MS,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING",
        "baseAsset": symbol.partition("/")[0],
        "quoteAsset": ASSET,
        "marginAsset": ASSET,
        "pricePrecision": _decimals(tick),
        "quantityPrecision": _decimals(step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": decimal_text(instrument.liquidation_fee_rate),
        "marketTakeBound": "0.05",
        "orderTypes": list(_ORDER_TYPES),
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "10000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": decimal_text(instrument.min_notional_quote)},
        ],
    }


def klines(desk: Desk, params: Params) -> list[list[Any]]:
    """GET /fapi/v1/klines: up to the market's now; the last one forms. Mark candles are the same."""
    symbol, length_ms = desk.symbol(params), interval_ms(needed(params, "interval"))
    limit = min(whole_or(params, "limit", 500), _MOST_BARS)
    start_ms, end_ms = whole_or(params, "startTime", 0), whole_or(params, "endTime", 1 << 62)
    count = limit
    if start_ms or end_ms < desk.exchange.market_ms:
        oldest_ms = start_ms or end_ms - limit * length_ms
        count = max((desk.exchange.market_ms - oldest_ms) // length_ms + 1, 0)
    bars = desk.exchange.prices.bars(symbol, length_ms, count)
    rows = [kline_row(bar, length_ms) for bar in bars if start_ms <= bar.open_ms <= end_ms]
    return rows[:limit] if start_ms else rows[-limit:]


def interval_ms(text: str) -> int:
    """Return the milliseconds of "1m" to "1d". ApiError: another interval."""
    try:
        return timeframe_ms(text)
    except ValueError:
        raise ApiError(INVALID_INTERVAL) from None


def kline_row(bar: Bar, length_ms: int) -> list[Any]:
    """Return one candle as an array."""
    prices = [decimal_text(price) for price in (bar.open, bar.high, bar.low, bar.close, bar.volume)]
    quote = decimal_text(bar.volume * bar.close)
    half = (decimal_text(bar.volume / 2.0), decimal_text(bar.volume * bar.close / 2.0))
    return [bar.open_ms, *prices, bar.open_ms + length_ms - 1, quote, 1, *half, "0"]


def premium(desk: Desk, params: Params) -> Row | list[Row]:
    """GET /fapi/v1/premiumIndex."""
    rows = [_premium_row(desk, symbol) for symbol in desk.chosen(params)]
    return rows[0] if params.get("symbol") else rows


def next_funding_ms(now_ms: int) -> int:
    """Return the settlement instant after `now_ms`."""
    interval = FUNDING_HOURS * HOUR_MS
    return now_ms - now_ms % interval + interval


def _premium_row(desk: Desk, symbol: str) -> Row:
    quote = desk.exchange.prices.of(symbol)
    return {
        "symbol": desk.ids[symbol],
        "markPrice": decimal_text(quote.mark),
        "indexPrice": decimal_text(quote.mark),
        "estimatedSettlePrice": decimal_text(quote.mark),
        "lastFundingRate": decimal_text(quote.funding_rate),
        "interestRate": "0.00010000",
        "nextFundingTime": next_funding_ms(quote.ts_ms),
        "time": quote.ts_ms,
    }


def funding_terms(desk: Desk, _params: Params) -> list[Row]:
    """GET /fapi/v1/fundingInfo."""
    return [
        {
            "symbol": name,
            "adjustedFundingRateCap": "0.02",
            "adjustedFundingRateFloor": "-0.02",
            "fundingIntervalHours": FUNDING_HOURS,
            "disclaimer": False,
        }
        for name in desk.symbols
    ]


def day_tickers(desk: Desk, params: Params) -> Row | list[Row]:
    """GET /fapi/v1/ticker/24hr."""
    rows = [_day_row(desk, symbol) for symbol in desk.chosen(params)]
    return rows[0] if params.get("symbol") else rows


def _day_row(desk: Desk, symbol: str) -> Row:
    day, quote = desk.exchange.prices.day(symbol), desk.exchange.prices.of(symbol)
    last = decimal_text(quote.last)
    return {
        "symbol": desk.ids[symbol],
        "priceChange": decimal_text(day.close - day.open),
        "priceChangePercent": decimal_text(round(100.0 * (day.close / day.open - 1.0), 3)),
        "weightedAvgPrice": last,
        "lastPrice": last,
        "lastQty": "0",
        "openPrice": decimal_text(day.open),
        "highPrice": decimal_text(day.high),
        "lowPrice": decimal_text(day.low),
        "volume": decimal_text(day.volume),
        "quoteVolume": decimal_text(day.volume * day.close),
        "openTime": quote.ts_ms - DAY_MS,
        "closeTime": quote.ts_ms,
        "firstId": 1,
        "lastId": 1,
        "count": 1,
    }


def last_prices(desk: Desk, params: Params) -> Row | list[Row]:
    """GET /fapi/v1/ticker/price."""
    rows = []
    for symbol in desk.chosen(params):
        quote = desk.exchange.prices.of(symbol)
        rows.append({"symbol": desk.ids[symbol], "price": decimal_text(quote.last), "time": quote.ts_ms})
    return rows[0] if params.get("symbol") else rows


def best_prices(desk: Desk, params: Params) -> Row | list[Row]:
    """GET /fapi/v1/ticker/bookTicker."""
    rows = []
    for symbol in desk.chosen(params):
        bid, ask, quantity = book(desk, symbol)
        names = {"bidPrice": bid, "bidQty": quantity, "askPrice": ask, "askQty": quantity}
        rows.append({"symbol": desk.ids[symbol], **names, "time": desk.exchange.prices.of(symbol).ts_ms})
    return rows[0] if params.get("symbol") else rows


def depth(desk: Desk, params: Params) -> Row:
    """GET /fapi/v1/depth: the one level this market has."""
    symbol = desk.symbol(params)
    bid, ask, quantity = book(desk, symbol)
    ts_ms = desk.exchange.prices.of(symbol).ts_ms
    return {
        "lastUpdateId": ts_ms,
        "E": ts_ms,
        "T": ts_ms,
        "bids": [[bid, quantity]],
        "asks": [[ask, quantity]],
    }


def book(desk: Desk, symbol: str) -> tuple[str, str, str]:
    """Return best bid, best ask and the quantity at both, as texts."""
    config, last = desk.exchange.state.config, desk.exchange.prices.of(symbol).last
    half = config.half_spread_fraction
    quantity = decimal_text(round(config.depth_quote[symbol] / last, 3))
    return decimal_text(last * (1.0 - half)), decimal_text(last * (1.0 + half)), quantity


def market_trades(desk: Desk, params: Params) -> list[Row]:
    """GET /fapi/v1/aggTrades and trades: the newest price, as one trade."""
    symbol = desk.symbol(params)
    quote = desk.exchange.prices.of(symbol)
    number, price = quote.ts_ms, decimal_text(quote.last)
    quantity = decimal_text(desk.exchange.state.instruments[symbol].quantity_step)
    row = {"a": number, "p": price, "q": quantity, "f": number, "l": number, "T": quote.ts_ms, "m": False}
    return [
        {**row, "id": number, "price": price, "qty": quantity, "time": quote.ts_ms, "isBuyerMaker": False}
    ]


def _decimals(step: str) -> int:
    fraction = step.partition(".")[2].rstrip("0")
    return len(fraction)
