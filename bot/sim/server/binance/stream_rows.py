"""Stream messages as Binance writes them."""

from typing import Any

from bot.core.margin import unrealised_pnl
from bot.core.timeframe import timeframe_text
from bot.sim.server.binance.desk import ASSET, Desk
from bot.sim.server.binance.market import book, next_funding_ms
from bot.sim.server.binance.order_rows import (
    ALGO_STATUS,
    ALGO_TYPE,
    ORDER_TYPE,
    STATUS,
    WORKING_TYPE,
    side_text,
)
from bot.sim.server.changes import AccountChanged, ConditionalChanged, LeverageChanged, OrderChanged
from bot.sim.server.decimals import decimal_text
from bot.sim.server.prices import Bar

Message = dict[str, Any]


def mark_price(desk: Desk, symbol: str) -> Message:
    """Return a markPriceUpdate."""
    quote = desk.exchange.prices.of(symbol)
    mark = decimal_text(quote.mark)
    return {
        "e": "markPriceUpdate",
        "E": quote.ts_ms,
        "s": desk.ids[symbol],
        "p": mark,
        "ap": mark,
        "i": mark,
        "P": mark,
        "r": decimal_text(quote.funding_rate),
        "T": next_funding_ms(quote.ts_ms),
    }


def kline(desk: Desk, symbol: str, length_ms: int, bar: Bar) -> Message:
    """Return a kline, forming or closed."""
    quote = desk.exchange.prices.of(symbol)
    volume, turnover = decimal_text(bar.volume), decimal_text(bar.volume * bar.close)
    end_ms = bar.open_ms + length_ms
    return {
        "e": "kline",
        "E": end_ms if bar.is_closed else quote.ts_ms,
        "s": desk.ids[symbol],
        "k": {
            "t": bar.open_ms,
            "T": end_ms - 1,
            "s": desk.ids[symbol],
            "i": timeframe_text(length_ms),
            "f": 1,
            "L": 1,
            "o": decimal_text(bar.open),
            "c": decimal_text(bar.close),
            "h": decimal_text(bar.high),
            "l": decimal_text(bar.low),
            "v": volume,
            "n": 1,
            "x": bar.is_closed,
            "q": turnover,
            "V": volume,
            "Q": turnover,
            "B": "0",
        },
    }


def ticker(desk: Desk, symbol: str, *, is_mini: bool) -> Message:
    """Return a 24hrMiniTicker or 24hrTicker."""
    day, quote = desk.exchange.prices.day(symbol), desk.exchange.prices.of(symbol)
    mini = {
        "e": "24hrMiniTicker",
        "E": quote.ts_ms,
        "s": desk.ids[symbol],
        "c": decimal_text(day.close),
        "o": decimal_text(day.open),
        "h": decimal_text(day.high),
        "l": decimal_text(day.low),
        "v": decimal_text(day.volume),
        "q": decimal_text(day.volume * day.close),
    }
    if is_mini:
        return mini
    change = {
        "e": "24hrTicker",
        "p": decimal_text(day.close - day.open),
        "P": decimal_text(round(100.0 * (day.close / day.open - 1.0), 3)),
        "w": decimal_text(day.close),
        "Q": "0",
        "O": quote.ts_ms - 86_400_000,
        "C": quote.ts_ms,
        "F": 1,
        "L": 1,
        "n": 1,
    }
    return {**mini, **change}


def book_ticker(desk: Desk, symbol: str) -> Message:
    """Return a bookTicker."""
    bid, ask, quantity = book(desk, symbol)
    ts_ms = desk.exchange.prices.of(symbol).ts_ms
    prices = {"b": bid, "B": quantity, "a": ask, "A": quantity}
    return {"e": "bookTicker", "u": ts_ms, "E": ts_ms, "T": ts_ms, "s": desk.ids[symbol], **prices}


def trade(desk: Desk, symbol: str, *, is_aggregated: bool) -> Message:
    """Return the newest price as a trade of one step."""
    quote = desk.exchange.prices.of(symbol)
    price = decimal_text(quote.last)
    quantity = decimal_text(desk.exchange.state.instruments[symbol].quantity_step)
    ts_ms = quote.ts_ms
    head = {"E": ts_ms, "T": ts_ms, "s": desk.ids[symbol], "p": price, "q": quantity, "m": False}
    if is_aggregated:
        return {"e": "aggTrade", **head, "a": ts_ms, "f": ts_ms, "l": ts_ms}
    return {"e": "trade", **head, "t": ts_ms, "X": "MARKET"}


# --- the user's stream ----------------------------------------------------------------------------


def order_update(desk: Desk, change: OrderChanged) -> Message:
    """Return an ORDER_TRADE_UPDATE."""
    order, done = change.order, change.trade
    order_type = ORDER_TYPE[order.order_type]
    body = {
        "s": desk.ids[order.symbol],
        "c": order.client_id,
        "S": side_text(order.side),
        "o": order_type,
        "f": order.time_in_force,
        "q": decimal_text(order.quantity),
        "p": decimal_text(order.limit_price),
        "ap": decimal_text(order.average_price),
        "sp": "0",
        "x": "CALCULATED" if order.order_type == "liquidation" else change.execution,
        "X": STATUS[order.status],
        "i": order.order_id,
        "l": decimal_text(done.quantity if done else 0.0),
        "z": decimal_text(order.filled_quantity),
        "L": decimal_text(done.price if done else 0.0),
        "T": change.ts_ms,
        "t": done.trade_id if done else 0,
        "b": "0",
        "a": "0",
        "m": bool(done and done.is_maker),
        "R": order.is_reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order_type,
        "ps": "BOTH",
        "cp": order.is_close_position,
        "rp": decimal_text(done.realised_pnl_quote if done else 0.0),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
    }
    if done:
        body |= {"N": ASSET, "n": decimal_text(done.fee_quote)}
    return {"e": "ORDER_TRADE_UPDATE", "E": change.ts_ms, "T": change.ts_ms, "o": body}


def algo_update(desk: Desk, change: ConditionalChanged) -> Message:
    """Return an ALGO_UPDATE."""
    order = change.order
    child = desk.exchange.books.orders.get(order.order_id)
    body = {
        "caid": order.client_id,
        "aid": order.algo_id,
        "at": "CONDITIONAL",
        "o": ALGO_TYPE[order.order_type],
        "s": desk.ids[order.symbol],
        "S": side_text(order.side),
        "ps": "BOTH",
        "f": "GTC",
        "q": decimal_text(order.quantity),
        "X": ALGO_STATUS[order.status],
        "ai": str(order.order_id) if order.order_id else "",
        "ap": decimal_text(child.average_price if child else 0.0),
        "aq": decimal_text(child.filled_quantity if child else 0.0),
        "act": "MARKET" if order.order_id else "0",
        "tp": decimal_text(order.trigger_price),
        "p": "0",
        "V": "EXPIRE_MAKER",
        "wt": WORKING_TYPE[order.trigger_on],
        "pm": "NONE",
        "cp": order.is_close_position,
        "pP": False,
        "R": order.is_reduce_only,
        "tt": order.triggered_ms,
        "gtd": 0,
        "rm": "",
    }
    return {"e": "ALGO_UPDATE", "E": change.ts_ms, "T": change.ts_ms, "o": body}


def account_update(desk: Desk, change: AccountChanged) -> Message:
    """Return an ACCOUNT_UPDATE: balances and the one position concerned."""
    state = desk.exchange.state
    wallet = state.ledger.trader_quote()
    isolated = sum(held.isolated_wallet for held in state.positions.values())
    balance = {
        "a": ASSET,
        "wb": decimal_text(wallet),
        "cw": decimal_text(wallet - isolated),
        "bc": decimal_text(change.change_quote),
    }
    body = {"m": change.cause, "B": [balance], "P": [_position(desk, change)]}
    return {"e": "ACCOUNT_UPDATE", "E": change.ts_ms, "T": change.ts_ms, "a": body}


def _position(desk: Desk, change: AccountChanged) -> Message:
    held, zero = change.position, "0"
    row = {"s": desk.ids[change.symbol], "pa": zero, "ep": zero, "bep": zero, "cr": zero, "up": zero}
    row |= {"mt": "isolated", "iw": zero, "ps": "BOTH", "ma": ASSET}
    if held is None:
        return row
    mark = desk.exchange.prices.of(held.symbol).mark
    entry = decimal_text(held.entry_price)
    row |= {"pa": decimal_text(held.side * held.quantity), "ep": entry, "bep": entry}
    row |= {"iw": decimal_text(held.isolated_wallet)}
    return row | {"up": decimal_text(unrealised_pnl(held, mark, desk.exchange.state.rules[held.symbol]))}


def leverage_update(desk: Desk, change: LeverageChanged) -> Message:
    """Return an ACCOUNT_CONFIG_UPDATE."""
    body = {"s": desk.ids[change.symbol], "l": change.leverage}
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": change.ts_ms, "T": change.ts_ms, "ac": body}


def key_expired(listen_key: str, now_ms: int) -> Message:
    """Return a listenKeyExpired."""
    return {"e": "listenKeyExpired", "E": now_ms, "listenKey": listen_key}
