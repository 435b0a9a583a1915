"""What happened at Gate: fills from the list of trades, payments and realised PnL from the account book."""

from collections.abc import Mapping
from typing import Any, Final

from bot.exchange.convert import number, number_or_zero, whole_number
from bot.exchange.dialects.gate_lists import SETTLE, pages
from bot.exchange.dialects.gate_orders import DELEVERAGING, LIQUIDATION, is_liquidation_text
from bot.exchange.rows import Payment, Trade

_PNL, _FUNDING = "pnl", "fund"
_MOST_KNOWN: Final = 2_000
_SECOND_MS: Final = 1_000
_DAY_SECONDS: Final = 86_400
_MINUTE_SECONDS: Final = 60
_RATES: Final = 100
_SHOWN_WITHIN_MS: Final = 10_000


class History:
    """Reads histories. Realised PnL is in the account book only; what was read is remembered.

    The book is asked once for each fill: None is for what it did not show.
    """

    def __init__(self) -> None:
        self._pnl: dict[int, float | None] = {}
        self._taken: dict[str, Trade] = {}

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills from `since_ms` on, oldest first; without it the newest page."""
        market = client.market(symbol)
        oldest_ms = since_ms or 0
        rows = await pages(
            client.privateFuturesGetSettleMyTrades,
            {"contract": market["id"]},
            lambda page: since_ms is None or _time_ms(page[-1]) < oldest_ms,
        )
        found = [
            row for row in rows if _time_ms(row) >= oldest_ms and str(row["order_id"]) not in self._taken
        ]
        await self._learn_pnl(client, market, [row for row in found if self._is_unknown(row)])
        trades = [self._trade(market, row) for row in found]
        shown_ms = client.milliseconds() - _SHOWN_WITHIN_MS
        # A fill of now explains what is looked for; nothing waits for a second request then.
        if since_ms is not None and all(trade.ts_ms <= max(since_ms, shown_ms) for trade in trades):
            trades += await self._taken_by_force(client, market, since_ms, rows)
        return tuple(sorted(trades))

    async def _taken_by_force(self, client: Any, market: Any, since_ms: int, rows: list[Any]) -> list[Trade]:
        """Return liquidations and auto-deleveragings that the trades have not shown for ten seconds.

        No document says that they are shown. What is told once is told again until it is older than asked.
        """
        asked = {"settle": SETTLE, "contract": market["id"], "from": since_ms // _SECOND_MS, "limit": _RATES}
        found = [_liquidated(market, row) for row in await client.privateFuturesGetSettleLiquidates(asked)]
        deleveraged = await client.privateFuturesGetSettleAutoDeleverages(asked)
        found += [_deleveraged(market, row) for row in deleveraged]
        shown = {str(row["order_id"]) for row in rows}
        latest_ms = client.milliseconds() - _SHOWN_WITHIN_MS
        for trade in found:
            order_id = trade.venue_order_id.rpartition("-")[2]
            if order_id not in shown and trade.ts_ms < latest_ms + _SECOND_MS:
                self._taken[order_id] = trade
        while len(self._taken) > _MOST_KNOWN:
            del self._taken[next(iter(self._taken))]
        known = self._taken.values()
        return [each for each in known if each.symbol == market["symbol"] and each.ts_ms >= since_ms]

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first. A change below 0 was paid."""
        rows = await _book(client, client.market(symbol), _FUNDING, since_ms)
        paid = [
            Payment(_book_ms(row), symbol, str(row.get("id") or row.get("text")), number(row, "change"))
            for row in rows
        ]
        return tuple(sorted(row for row in paid if row.ts_ms >= (since_ms or 0)))

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return the rate of the settlement at or before `ts_ms`. The venue keeps no mark of it: 0.0."""
        last = ts_ms // _SECOND_MS + _MINUTE_SECONDS
        asked = {"contract": client.market(symbol)["id"], "from": last - _DAY_SECONDS, "to": last}
        rows = await client.publicFuturesGetSettleFundingRate({"settle": SETTLE, **asked, "limit": _RATES})
        rates = {int(row["t"]): number(row, "r") for row in rows if int(row["t"]) <= last}
        return (rates[max(rates)], 0.0) if rates else (0.0, 0.0)

    def _is_unknown(self, row: Mapping[str, Any]) -> bool:
        return number_or_zero(row, "close_size") != 0.0 and _trade_id(row) not in self._pnl

    async def _learn_pnl(self, client: Any, market: Any, rows: list[Any]) -> None:
        """Read the account book around these fills; it may not show them yet."""
        if not rows:
            return
        times = [_time_ms(row) for row in rows]
        booked = await _book(client, market, _PNL, min(times) - _SECOND_MS, max(times) + _SECOND_MS)
        told = {str(row["trade_id"]): number(row, "change") for row in booked if row.get("trade_id")}
        for row in rows:
            self._pnl[_trade_id(row)] = told.get(str(row["id"]))
        while len(self._pnl) > _MOST_KNOWN:
            del self._pnl[next(iter(self._pnl))]

    def _trade(self, market: Any, row: Mapping[str, Any]) -> Trade:
        order_id = str(row["order_id"])
        is_liquidation = is_liquidation_text(str(row.get("text") or ""))
        signed = number(row, "size")
        return Trade(
            _time_ms(row),
            market["symbol"],
            _trade_id(row),
            f"{LIQUIDATION}{order_id}" if is_liquidation else order_id,
            1 if signed > 0.0 else -1,
            number(row, "price"),
            abs(signed) * float(market["contractSize"]),
            number_or_zero(row, "fee"),
            row.get("role") == "maker",
            self._pnl.get(_trade_id(row), 0.0),
        )


def _liquidated(market: Any, row: Mapping[str, Any]) -> Trade:
    """Return a liquidation as one fill of the whole: what the market did not take, the venue took over.

    `size` is the position's.
    """
    signed = number(row, "size")
    prices = (number_or_zero(row, name) for name in ("fill_price", "order_price", "liq_price"))
    price = next((price for price in prices if price > 0.0), 0.0)
    return _taken(market, row, LIQUIDATION, -1 if signed > 0.0 else 1, price, abs(signed))


def _deleveraged(market: Any, row: Mapping[str, Any]) -> Trade:
    """Return an auto-deleveraging as a fill of what was taken.

    `position_size` is what is left. No document says what the sign of `trade_size` means: where nothing is
    left, the side follows from the profit, for positions in profit alone are deleveraged.
    """
    left, price = number_or_zero(row, "position_size"), number(row, "fill_price")
    was_long = left > 0.0 if left else price > number(row, "entry_price")
    return _taken(market, row, DELEVERAGING, -1 if was_long else 1, price, abs(number(row, "trade_size")))


def _taken(
    market: Any, row: Mapping[str, Any], kind: str, order_side: int, price: float, contracts: float
) -> Trade:
    """Return a fill that the venue forced. It counts at the end of its second, after any of its order."""
    name = f"{kind}{row['order_id']}"
    return Trade(
        _SECOND_MS * (int(number(row, "time")) + 1) - 1,
        market["symbol"],
        whole_number(name),
        name,
        order_side,
        price,
        contracts * float(market["contractSize"]),
        0.0,
        False,
        None,
    )


async def _book(
    client: Any, market: Any, kind: str, since_ms: int | None, until_ms: int | None = None
) -> list[Any]:
    """Return rows of the account book of one kind; without a beginning the newest page."""
    asked: dict[str, Any] = {"contract": market["id"], "type": kind}
    if since_ms is not None:
        asked["from"] = since_ms // _SECOND_MS
    if until_ms is not None:
        asked["to"] = until_ms // _SECOND_MS
    return await pages(client.privateFuturesGetSettleAccountBook, asked, lambda _: since_ms is None)


def _time_ms(row: Mapping[str, Any]) -> int:
    return round(_SECOND_MS * number(row, "create_time"))


def _book_ms(row: Mapping[str, Any]) -> int:
    return round(_SECOND_MS * number(row, "time"))


def _trade_id(row: Mapping[str, Any]) -> int:
    return whole_number(str(row["id"]))
