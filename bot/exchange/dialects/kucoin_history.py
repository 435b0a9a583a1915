"""What happened at KuCoin futures: fills of a day at once, older ones by the week, funding with its mark.

No fill says what it realised, and no list what margin was moved: our own ledger counts.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot.errors import Unavailable
from bot.exchange.convert import number, number_or_zero, whole_number
from bot.exchange.dialects.kucoin_orders import LIQUIDATION
from bot.exchange.rows import Payment, Trade

_SETTLE: Final = "USDT"
_HOUR_MS: Final = 3_600_000
_RECENT_MS: Final = 23 * _HOUR_MS  # the quick list holds a day; an hour for clocks
_MOST_RECENT: Final = 1_000
_WEEK_MS: Final = 7 * 24 * _HOUR_MS
_PAGE: Final = 1_000
_PAYMENTS_PAGE: Final = 100  # unasked the venue gives 10
_MOST_PAGES: Final = 100
_MINUTE_MS: Final = 60_000
_NANOSECONDS: Final = 1_000_000
_MOST_MARKS: Final = 1_000
_FORCED: Final = ("liquidation",)


class History:
    """Remembers marks of settlements, and fills older than the quick list: they are asked for once."""

    def __init__(self) -> None:
        self._older: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._read_ms: dict[str, int] = {}
        self._settled: dict[tuple[str, int], tuple[float, float]] = {}

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills, oldest first: the newest from the list without delay, which ccxt does not read."""
        market, now_ms = client.market(symbol), int(client.milliseconds())
        recent = (await client.futuresPrivateGetRecentFills({"symbol": market["id"]}))["data"] or []
        if since_ms is not None:
            await self._read_older(client, symbol, since_ms, now_ms, len(recent) >= _MOST_RECENT)
        rows = {**self._older.get(symbol, {}), **{str(row["tradeId"]): row for row in recent}}
        found = (_trade(market, row) for row in rows.values())
        return tuple(sorted(each for each in found if each.ts_ms >= (since_ms or 0)))

    async def _read_older(self, client: Any, symbol: str, since_ms: int, now_ms: int, is_cut: bool) -> None:
        older = self._older.setdefault(symbol, {})
        for key in [key for key, row in older.items() if _time_ms(row) < since_ms]:
            del older[key]
        begin_ms = max(since_ms, self._read_ms.get(symbol, 0))
        if begin_ms >= now_ms - _RECENT_MS and not is_cut:
            return
        while begin_ms < now_ms:
            end_ms = min(begin_ms + _WEEK_MS, now_ms)
            for row in await _fills(client, symbol, begin_ms, end_ms):
                older[str(row["tradeId"])] = row
            begin_ms = end_ms
        self._read_ms[symbol] = now_ms - _HOUR_MS  # this list lags: its end is read again

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first; received money is positive.

        Times are not sent: a start is ignored beside a count, and without a count ten rows come.
        """
        asked: dict[str, Any] = {"symbol": client.market(symbol)["id"], "maxCount": _PAYMENTS_PAGE}
        found: list[Payment] = []
        for _ in range(_MOST_PAGES):
            data = (await client.futuresPrivateGetFundingHistory(asked))["data"] or {}
            page = data.get("dataList") or []
            found += [self._payment(symbol, row) for row in page]
            oldest_ms = min((int(row["timePoint"]) for row in page), default=0)
            if since_ms is None or oldest_ms < since_ms or not data.get("hasMore"):
                return tuple(sorted(each for each in found if each.ts_ms >= (since_ms or 0)))
            asked["offset"] = page[-1]["id"]
        raise Unavailable(f"the venue's list of payments does not end after {_MOST_PAGES} pages")

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return rate and mark of the settlement at or before `ts_ms`; the mark only of one that we paid."""
        known = self._settled.get((symbol, ts_ms))
        if known is not None:
            return known
        asked = {"symbol": client.market(symbol)["id"], "from": ts_ms - _WEEK_MS, "to": ts_ms + _MINUTE_MS}
        rows = (await client.futuresPublicGetContractFundingRates(asked))["data"] or []
        if not rows:
            return 0.0, 0.0
        return number(max(rows, key=lambda row: int(row["timepoint"])), "fundingRate"), 0.0

    def _payment(self, symbol: str, row: Mapping[str, Any]) -> Payment:
        ts_ms = int(row["timePoint"])
        self._settled[(symbol, ts_ms)] = number(row, "fundingRate"), number(row, "markPrice")
        while len(self._settled) > _MOST_MARKS:
            del self._settled[next(iter(self._settled))]
        return Payment(ts_ms, symbol, str(row["id"]), number(row, "funding"))


async def _fills(client: Any, symbol: str, begin_ms: int, end_ms: int) -> list[Mapping[str, Any]]:
    """Return the fills of at most a week. Unavailable: the list does not end."""
    asked = {"symbol": client.market(symbol)["id"], "startAt": begin_ms, "endAt": end_ms, "pageSize": _PAGE}
    rows: list[Mapping[str, Any]] = []
    for page in range(1, _MOST_PAGES + 1):
        data = (await client.futuresPrivateGetFills({**asked, "currentPage": page}))["data"]
        rows += data["items"] or []
        if page >= int(data.get("totalPage") or 1):
            return rows
    raise Unavailable(f"the venue's list of fills does not end after {_MOST_PAGES} pages")


def _trade(market: Any, row: Mapping[str, Any]) -> Trade:
    order_id = str(row["orderId"])
    is_forced = row.get("tradeType") in _FORCED
    is_settled = row.get("feeCurrency") in (None, "", _SETTLE)
    return Trade(
        _time_ms(row),
        market["symbol"],
        whole_number(str(row["tradeId"])),
        f"{LIQUIDATION}{order_id}" if is_forced else order_id,
        1 if row["side"] == "buy" else -1,
        number(row, "price"),
        number(row, "size") * float(market["contractSize"]),
        number_or_zero(row, "fee") if is_settled else 0.0,
        row.get("liquidity") == "maker",
        None,
    )


def _time_ms(row: Mapping[str, Any]) -> int:
    return int(row["tradeTime"]) // _NANOSECONDS
