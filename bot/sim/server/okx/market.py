"""Public market data."""

from typing import Any, Final

from bot.core.steps import step_down
from bot.core.timeframe import HOUR_MS, timeframe_ms
from bot.sim.server.decimals import decimal_text
from bot.sim.server.okx.desk import COIN, Desk
from bot.sim.server.okx.errors import PARAMETER, ApiError
from bot.sim.server.okx.terms import contract_value
from bot.sim.server.okx.wire import Params, needed, whole_or
from bot.sim.server.prices import Bar

Row = dict[str, Any]
FUNDING_MS: Final = 8 * HOUR_MS
_MOST_BARS: Final = 300
_MOST_SETTLEMENTS: Final = 400


def server_time(desk: Desk, _params: Params) -> list[Row]:
    """GET public/time: wall time, on which requests are signed; the market lives in its own."""
    return [{"ts": str(desk.clock.now_ms())}]


def instruments(desk: Desk, params: Params) -> list[Row]:
    """GET public/instruments: swaps only."""
    if needed(params, "instType") != "SWAP":
        return []
    return [_instrument_row(desk, symbol) for symbol in desk.chosen(params)]


def _instrument_row(desk: Desk, symbol: str) -> Row:
    terms, name = desk.instrument(symbol), desk.ids[symbol]
    family = name.removesuffix("-SWAP")
    return {
        "instType": "SWAP",
        "instId": name,
        "instFamily": family,
        "uly": family,
        "baseCcy": "",
        "quoteCcy": "",
        "settleCcy": COIN,
        "ctVal": f"{contract_value(symbol):f}",
        "ctMult": "1",
        "ctValCcy": symbol.partition("/")[0],
        "ctType": "linear",
        "lever": f"{terms.max_leverage:g}",
        "tickSz": decimal_text(terms.tick_size),
        "lotSz": desk.contracts(symbol, terms.quantity_step),
        "minSz": desk.contracts(symbol, terms.min_quantity),
        "maxLmtSz": "100000000",
        "maxMktSz": "100000000",
        "maxTriggerSz": "100000000",
        "state": "live",
        "listTime": "1573557408000",
        "expTime": "",
        "category": "1",
        "alias": "",
        "optType": "",
        "stk": "",
        "ruleType": "normal",
    }


def tiers(desk: Desk, params: Params) -> list[Row]:
    """GET public/position-tiers: bounds in contracts, here those of the notional at the mark."""
    needed(params, "tdMode")
    symbol = desk.chosen(params)[0]
    mark = desk.exchange.prices.of(symbol).mark
    table = desk.instrument(symbol).tiers
    lot = desk.instrument(symbol).quantity_step
    rows: list[Row] = []
    least = "0"
    columns = zip(*(column.tolist() for column in table), strict=True)
    for index, (_, cap, rate, _, leverage) in enumerate(columns, 1):
        most = desk.contracts(symbol, step_down(cap / mark, lot))
        rows.append(
            {
                "instFamily": desk.ids[symbol].removesuffix("-SWAP"),
                "uly": desk.ids[symbol].removesuffix("-SWAP"),
                "instId": "",
                "tier": str(index),
                "minSz": least,
                "maxSz": most,
                "mmr": decimal_text(rate),
                "imr": decimal_text(round(1.0 / leverage, 8)),
                "maxLever": f"{leverage:g}",
            }
        )
        least = desk.contracts(symbol, step_down(cap / mark, lot) + lot)
    return rows


def candles(desk: Desk, params: Params) -> list[list[str]]:
    """GET market/candles and its kin: newest first; `after` and `before` are open times, exclusive."""
    symbol, length_ms = desk.symbol(params), bar_ms(params.get("bar") or "1m")
    after, before = whole_or(params, "after", 1 << 62), whole_or(params, "before", -1)
    limit = min(max(whole_or(params, "limit", 100), 1), _MOST_BARS)
    oldest_ms = max(before, after - (limit + 1) * length_ms) if after < 1 << 62 else before
    count = limit + 1
    if oldest_ms >= 0:
        count = max((desk.exchange.market_ms - oldest_ms) // length_ms + 1, 0)
    bars = desk.exchange.prices.bars(symbol, length_ms, count)
    found = [candle_row(desk, symbol, bar) for bar in bars if before < bar.open_ms < after]
    return found[-limit:][::-1]


def candle_row(desk: Desk, symbol: str, bar: Bar) -> list[str]:
    """Return [ts, o, h, l, c, contracts, base, quote, confirm]."""
    prices = [decimal_text(price) for price in (bar.open, bar.high, bar.low, bar.close)]
    base = decimal_text(bar.volume)
    quote = decimal_text(bar.volume * bar.close)
    return [str(bar.open_ms), *prices, desk.contracts(symbol, bar.volume), base, quote, f"{bar.is_closed:d}"]


def bar_ms(text: str) -> int:
    """Return the milliseconds of "1m", "1H", "1Dutc". ApiError: another length."""
    plain = text.removesuffix("utc")
    try:
        return timeframe_ms(plain if plain.endswith("M") else plain.lower())
    except ValueError:
        raise ApiError(PARAMETER, name="bar") from None


def mark_prices(desk: Desk, params: Params) -> list[Row]:
    """GET public/mark-price."""
    return [mark_row(desk, symbol) for symbol in desk.chosen(params)]


def mark_row(desk: Desk, symbol: str) -> Row:
    """Return the newest mark, in REST and in the stream."""
    quote = desk.exchange.prices.of(symbol)
    mark = decimal_text(quote.mark)
    return {"instType": "SWAP", "instId": desk.ids[symbol], "markPx": mark, "ts": str(quote.ts_ms)}


def next_funding_ms(now_ms: int) -> int:
    """Return the settlement instant after `now_ms`."""
    return now_ms - now_ms % FUNDING_MS + FUNDING_MS


def funding(desk: Desk, params: Params) -> list[Row]:
    """GET public/funding-rate."""
    return [funding_row(desk, symbol) for symbol in desk.chosen(params)]


def funding_row(desk: Desk, symbol: str) -> Row:
    """Return the rate and the next two settlements, in REST and in the stream."""
    quote = desk.exchange.prices.of(symbol)
    due_ms = next_funding_ms(quote.ts_ms)
    return {
        "instType": "SWAP",
        "instId": desk.ids[symbol],
        "method": "current_period",
        "formulaType": "withRate",
        "fundingRate": decimal_text(quote.funding_rate),
        "fundingTime": str(due_ms),
        "nextFundingRate": "",
        "nextFundingTime": str(due_ms + FUNDING_MS),
        "minFundingRate": "-0.02",
        "maxFundingRate": "0.02",
        "settState": "settled",
        "settFundingRate": decimal_text(quote.funding_rate),
        "ts": str(quote.ts_ms),
    }


def settlements(desk: Desk, params: Params) -> list[Row]:
    """GET public/funding-rate-history: newest first."""
    symbol = desk.symbol(params)
    after, before = whole_or(params, "after", 1 << 62), whole_or(params, "before", -1)
    limit = min(max(whole_or(params, "limit", 100), 1), _MOST_SETTLEMENTS)
    rows = [
        {
            "instType": "SWAP",
            "instId": desk.ids[symbol],
            "fundingRate": decimal_text(each.rate),
            "realizedRate": decimal_text(each.rate),
            "fundingTime": str(each.ts_ms),
            "method": "current_period",
        }
        for each in reversed(desk.exchange.settlements(symbol))
        if before < each.ts_ms < after
    ]
    return rows[:limit]


def tickers(desk: Desk, params: Params) -> list[Row]:
    """GET market/ticker and market/tickers."""
    return [ticker_row(desk, symbol) for symbol in desk.chosen(params)]


def ticker_row(desk: Desk, symbol: str) -> Row:
    """Return the last day, in REST and in the stream."""
    day, quote = desk.exchange.prices.day(symbol), desk.exchange.prices.of(symbol)
    bid, ask, contracts = _book(desk, symbol)
    return {
        "instType": "SWAP",
        "instId": desk.ids[symbol],
        "last": decimal_text(quote.last),
        "lastSz": "1",
        "askPx": ask,
        "askSz": contracts,
        "bidPx": bid,
        "bidSz": contracts,
        "open24h": decimal_text(day.open),
        "high24h": decimal_text(day.high),
        "low24h": decimal_text(day.low),
        "vol24h": desk.contracts(symbol, day.volume),
        "volCcy24h": decimal_text(day.volume),
        "sodUtc0": decimal_text(day.open),
        "sodUtc8": decimal_text(day.open),
        "ts": str(quote.ts_ms),
    }


def order_book(desk: Desk, params: Params) -> list[Row]:
    """GET market/books: the one level this market has."""
    symbol = desk.symbol(params)
    bid, ask, contracts = _book(desk, symbol)
    ts_ms = str(desk.exchange.prices.of(symbol).ts_ms)
    return [{"asks": [[ask, contracts, "0", "1"]], "bids": [[bid, contracts, "0", "1"]], "ts": ts_ms}]


def market_trades(desk: Desk, params: Params) -> list[Row]:
    """GET market/trades: the newest price, as one trade."""
    symbol = desk.symbol(params)
    quote = desk.exchange.prices.of(symbol)
    name, ts_ms = desk.ids[symbol], str(quote.ts_ms)
    price = decimal_text(quote.last)
    return [{"instId": name, "tradeId": ts_ms, "px": price, "sz": "1", "side": "buy", "ts": ts_ms}]


def _book(desk: Desk, symbol: str) -> tuple[str, str, str]:
    config, last = desk.exchange.state.config, desk.exchange.prices.of(symbol).last
    half = config.half_spread_fraction
    depth = step_down(config.depth_quote[symbol] / last, desk.instrument(symbol).quantity_step)
    return decimal_text(last * (1.0 - half)), decimal_text(last * (1.0 + half)), desk.contracts(symbol, depth)
