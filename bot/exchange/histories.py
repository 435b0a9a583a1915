"""Pages of recorded market data from a venue: candles, mark candles, funding. Public, so without keys."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from bot.core.timeframe import DAY_MS, HOUR_MS, timeframe_text
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.venues import WITHOUT_MARK

CandleKind = Literal["last", "mark"]
Row = tuple[float, ...]

# Candles in one reply, as ccxt 4.5.90 and the venues allow; only Binance's was tried.
PAGE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "binanceusdm": 1_000,
        "bybit": 1_000,
        "okx": 100,
        "bitget": 200,
        "gate": 1_000,
        "kucoinfutures": 200,
        "hyperliquid": 500,
    }
)
_FUNDING_PAGE: Final = 100
FUNDING_WINDOW_MS: Final = _FUNDING_PAGE * HOUR_MS  # no venue settles more often than hourly


class Histories:
    """Reads through a link; every method may raise what Link.read does."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.page = PAGE[link.ccxt_id]

    @property
    def has_mark(self) -> bool:
        """Whether the venue hands out mark candles."""
        return self._link.ccxt_id not in WITHOUT_MARK

    async def markets(self) -> Mapping[str, Any]:
        """Return what the venue trades, by symbol."""
        client = self._link.client
        params = {"marginables": False} if self._link.ccxt_id == "kucoinfutures" else {}
        return await self._link.read(lambda: client.load_markets(False, params), Urgency.NORMAL)

    async def candles(self, symbol: str, length_ms: int, kind: CandleKind, since_ms: int) -> list[Row]:
        """Return up to a page of (open_ms, o, h, l, c, v) from `since_ms` on; the newest may be forming."""
        return await self._page(symbol, length_ms, kind, since_ms)

    async def first_from(self, symbol: str, kind: CandleKind, since_ms: int, until_ms: int) -> int:
        """Return when the first day with a candle begins, `since_ms` within one; `until_ms`: there is none.

        Days, because a symbol that is listed years later would be asked for a thousand minutes at a time.
        """
        day_ms = since_ms - DAY_MS  # venues begin their days where they like
        while day_ms < until_ms:
            rows = await self._page(symbol, DAY_MS, kind, day_ms)
            found = [int(row[0]) for row in rows if row[0] + DAY_MS > since_ms]
            if found:
                return min(max(found[0], since_ms), until_ms)
            day_ms += self.page * DAY_MS
        return until_ms

    async def _page(self, symbol: str, length_ms: int, kind: CandleKind, since_ms: int) -> list[Row]:
        client, until_ms = self._link.client, since_ms + self.page * length_ms - 1
        params: dict[str, Any] = {"until": until_ms}
        if kind == "mark":
            params["price"] = "mark"
        rows = await self._link.read(
            lambda: client.fetch_ohlcv(symbol, timeframe_text(length_ms), since_ms, self.page, dict(params)),
            Urgency.NORMAL,
        )
        return sorted({row[0]: _numbers(row) for row in rows if since_ms <= row[0] <= until_ms}.values())

    async def funding(self, symbol: str, since_ms: int) -> list[Row]:
        """Return (ts_ms, rate) of the FUNDING_WINDOW_MS from `since_ms` on, oldest first.

        With a beginning alone OKX answers with its newest page: what lies between would be left out.
        """
        client, end_ms = self._link.client, since_ms + FUNDING_WINDOW_MS
        params = {"after": end_ms} if self._link.ccxt_id == "okx" else {"until": end_ms - 1}
        rows = await self._link.read(
            lambda: client.fetch_funding_rate_history(symbol, since_ms, _FUNDING_PAGE, dict(params)),
            Urgency.NORMAL,
        )
        found = {int(row["timestamp"]): float(row["fundingRate"]) for row in rows}
        return sorted((ts_ms, rate) for ts_ms, rate in found.items() if since_ms <= ts_ms < end_ms)


def _numbers(row: Any) -> Row:
    """Mark candles have no volume: some venues leave it out, some say nothing."""
    return (int(row[0]), *(float(value or 0.0) for value in (*row[1:6], 0.0)[:5]))
