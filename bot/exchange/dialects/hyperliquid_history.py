"""What happened at Hyperliquid. Histories are of all coins at once and begin at a time that must be said."""

from collections.abc import Mapping
from typing import Any, Final

from bot.exchange.convert import number, number_or_zero, whole_number
from bot.exchange.dialects.hyperliquid_orders import LIQUIDATION
from bot.exchange.dialects.hyperliquid_shared import SharedReplies
from bot.exchange.dialects.hyperliquid_time import VenueTime
from bot.exchange.rows import Payment, Trade

_FILLS_PAGE: Final = 2_000
_PAYMENTS_PAGE: Final = 500
_MOST_PAGES: Final = 10
_LOOK_BACK_MS: Final = 7 * 86_400_000
_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000
_MOST_KNOWN: Final = 200
_MOST_HEARD: Final = 200
_WHOLE: Final = {"tid", "time", "coin", "oid", "side", "px", "sz", "fee", "closedPnl", "crossed"}


class History:
    """Remembers what our own payments tell of their settlements: the price that they were counted at.

    And the fills that the stream tells, whose rows are those of the history: that may show them later.
    """

    def __init__(self, time: VenueTime, shared: SharedReplies) -> None:
        self._time, self._shared = time, shared
        self._prices: dict[tuple[str, int], float] = {}
        self._heard: dict[Any, Mapping[str, Any]] = {}

    def hear(self, message: Mapping[str, Any]) -> None:
        """Keep the fills of a stream's message that are told whole."""
        if message.get("channel") != "userFills":
            return
        rows = message["data"].get("fills") or []
        self._heard |= {row["tid"]: row for row in rows if row.keys() >= _WHOLE}
        while len(self._heard) > _MOST_HEARD:
            del self._heard[next(iter(self._heard))]

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills from `since_ms` on, without it of the last seven days, oldest first.

        There may be some of the hour before. The venue keeps the newest 10 000; closedPnl is without fee.
        """
        asked = {"type": "userFillsByTime", "user": client.walletAddress}
        begin_ms = self._begin(client, since_ms)
        rows = await self._shared.rows(
            client, "fills", symbol, begin_ms, lambda at_ms: _since(client, asked, at_ms, _FILLS_PAGE)
        )
        coin = client.market(symbol)["baseName"]
        known = {row["tid"] for row in rows}
        heard = [row for tid, row in self._heard.items() if tid not in known and int(row["time"]) >= begin_ms]
        return tuple(sorted(_trade(client, symbol, row) for row in (*rows, *heard) if row["coin"] == coin))

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments from `since_ms` on, without it of the last seven days, oldest first."""
        asked = {"type": "userFunding", "user": client.walletAddress}
        begin_ms = self._begin(client, since_ms)
        rows = await self._shared.rows(
            client, "payments", symbol, begin_ms, lambda at_ms: _since(client, asked, at_ms, _PAYMENTS_PAGE)
        )
        coin = client.market(symbol)["baseName"]
        ours = [row for row in rows if row["delta"]["coin"] == coin]
        for row in ours:
            self._learn_price(symbol, row)
        return tuple(sorted(_payment(symbol, row) for row in ours))

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return rate and price of the settlement at or before `ts_ms`; the price only of one that we paid.

        Settlements are every hour, and told some milliseconds late. The price is the oracle's.
        """
        last_ms = ts_ms + _MINUTE_MS
        asked = {"type": "fundingHistory", "coin": client.market(symbol)["baseName"]}
        begin_ms = last_ms - _HOUR_MS - 2 * _MINUTE_MS
        rows = await client.publicPostInfo({**asked, "startTime": begin_ms, "endTime": last_ms})
        rates = {int(row["time"]): number(row, "fundingRate") for row in rows}
        return (rates[max(rates)], self._prices.get((symbol, ts_ms), 0.0)) if rates else (0.0, 0.0)

    def _learn_price(self, symbol: str, row: Mapping[str, Any]) -> None:
        delta = row["delta"]
        counted = abs(number(delta, "szi") * number(delta, "fundingRate"))
        if counted > 0.0:
            self._prices[(symbol, int(row["time"]))] = abs(number(delta, "usdc")) / counted
        while len(self._prices) > _MOST_KNOWN:
            del self._prices[next(iter(self._prices))]

    def _begin(self, client: Any, since_ms: int | None) -> int:
        return self._time.now_ms(client) - _LOOK_BACK_MS if since_ms is None else since_ms


async def _since(client: Any, asked: Mapping[str, Any], begin_ms: int, most: int) -> list[Any]:
    """Return a history's rows, oldest first, page by page; rows of a page's last instant come again."""
    found: list[Any] = []
    for _ in range(_MOST_PAGES):
        page = await client.publicPostInfo({**asked, "startTime": begin_ms})
        found += [row for row in page if row not in found[-most:]]
        last_ms = max((int(row["time"]) for row in page), default=begin_ms)
        if len(page) < most or last_ms == begin_ms:
            break
        begin_ms = last_ms
    return found


def _trade(client: Any, symbol: str, row: Mapping[str, Any]) -> Trade:
    order_id = str(row["oid"])
    return Trade(
        int(row["time"]),
        symbol,
        whole_number(str(row["tid"])),
        f"{LIQUIDATION}{order_id}" if _is_liquidation(client, row) else order_id,
        1 if row["side"] == "B" else -1,
        number(row, "px"),
        number(row, "sz"),
        number_or_zero(row, "fee"),
        row.get("crossed") is False,
        number_or_zero(row, "closedPnl"),
    )


def _is_liquidation(client: Any, row: Mapping[str, Any]) -> bool:
    """Who trades against a liquidation has the same field: it names the one that was liquidated."""
    liquidated = (row.get("liquidation") or {}).get("liquidatedUser")
    return str(liquidated).lower() == str(client.walletAddress).lower()


def _payment(symbol: str, row: Mapping[str, Any]) -> Payment:
    """The hash of a payment is all zeros: its instant names it. Received money is positive."""
    ts_ms = int(row["time"])
    return Payment(ts_ms, symbol, str(ts_ms), number(row["delta"], "usdc"))
