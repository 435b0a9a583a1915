"""What happened at Bybit: fills, liquidations and funding are one list of executions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.errors import Transient
from bot.exchange.convert import number, number_or_zero, whole_number
from bot.exchange.dialects.bybit_orders import FORCED
from bot.exchange.dialects.bybit_rows import CATEGORY, SETTLE, pages
from bot.exchange.dialects.windows import WEEK_MS, Quiet, in_windows, reaches
from bot.exchange.rows import Payment, Trade

_FILLS: Final = ("Trade", "AdlTrade", "BustTrade", "Delivery", "Settle")
_FUNDING: Final = "Funding"
_MOST_KNOWN: Final = 2_000
_SECOND_MS: Final = 1_000
_MINUTE_MS: Final = 60_000


class History:
    """Reads executions. Realised PnL is in the transaction log only; what was read is remembered."""

    def __init__(self) -> None:
        self._pnl: dict[str, float] = {}
        self._quiet = Quiet()

    async def trades(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
        """Return fills from `since_ms` on, oldest first; without it those of the last seven days.

        ccxt asks for execType Trade: a liquidation (BustTrade) and deleveraging (AdlTrade) are not that.
        """
        rows = await self._executions(client, symbol, since_ms, _FILLS)
        await self._learn_pnl(client, [row for row in rows if self._is_unknown(row)])
        return tuple(sorted(self._trade(symbol, row) for row in rows))

    async def funding(self, client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
        """Return funding payments, oldest first. execFee is what was paid: received money is negative."""
        rows = await self._executions(client, symbol, since_ms, (_FUNDING,))
        paid = [
            Payment(int(row["execTime"]), symbol, str(row["execId"]), -number(row, "execFee")) for row in rows
        ]
        return tuple(sorted(paid))

    async def funding_rate_at(self, client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
        """Return the market's rate of the settlement at or before `ts_ms`, and the mark that we paid at."""
        params = {**_of(client, symbol), "endTime": ts_ms + _MINUTE_MS, "limit": 1}
        rows = (await client.publicGetV5MarketFundingHistory(params))["result"]["list"]
        if not rows:
            return 0.0, 0.0
        settled_ms = int(rows[0]["fundingRateTimestamp"])
        if abs(settled_ms - ts_ms) > _MINUTE_MS:
            return number(rows[0], "fundingRate"), 0.0
        around = {"startTime": settled_ms - _MINUTE_MS, "endTime": settled_ms + _MINUTE_MS}
        params = {**_of(client, symbol), **around, "execType": _FUNDING}
        paid = (await client.privateGetV5ExecutionList(params))["result"]["list"]
        return number(rows[0], "fundingRate"), number_or_zero(paid[0], "execPrice") if paid else 0.0

    async def _executions(
        self, client: Any, symbol: str, since_ms: int | None, kinds: Sequence[str]
    ) -> list[Mapping[str, Any]]:
        """Return executions: unasked the venue lists seven days, and with startTime the seven after it."""
        oldest_ms = since_ms or 0
        call, asked = client.privateGetV5ExecutionList, {**_of(client, symbol), "limit": 100}
        rows = await pages(call, asked, lambda page: int(page[-1]["execTime"]) < oldest_ms)
        if since_ms is not None and not reaches(map(_time, rows), since_ms):
            rows += await self._further(client, symbol, since_ms, kinds)
        found = {row["execId"]: row for row in rows if row["execType"] in kinds and _time(row) >= oldest_ms}
        return list(found.values())

    async def _further(
        self, client: Any, symbol: str, since_ms: int, kinds: Sequence[str]
    ) -> list[Mapping[str, Any]]:
        name, now_ms = f"{symbol} {kinds[0]}", client.milliseconds()
        if self._quiet.is_known(name, since_ms, now_ms):
            return []
        call, asked = client.privateGetV5ExecutionList, {**_of(client, symbol), "limit": 100}
        rows = await in_windows(
            lambda first_ms, last_ms: pages(call, {**asked, "startTime": first_ms, "endTime": last_ms}),
            since_ms,
            await _market_ms(client, symbol),
        )
        self._quiet.learn(name, since_ms, now_ms, (_time(row) for row in rows if row["execType"] in kinds))
        return rows

    def _is_unknown(self, row: Mapping[str, Any]) -> bool:
        if row.get("execPnl") not in (None, ""):
            self._remember(str(row["execId"]), number(row, "execPnl"))
        is_closing = number_or_zero(row, "closedSize") > 0.0
        return is_closing and str(row["execId"]) not in self._pnl

    async def _learn_pnl(self, client: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Read the transaction log around these fills. Transient: it does not have one of them yet."""
        missing = {str(row["execId"]): int(row["execTime"]) for row in rows}
        while missing:
            begin_ms = min(missing.values()) - _SECOND_MS
            end_ms = min(max(missing.values()) + _SECOND_MS, begin_ms + WEEK_MS)
            found = await _log(client, begin_ms, end_ms)
            wanted = [key for key, ts_ms in missing.items() if ts_ms <= end_ms]
            for key in wanted:
                if key not in found:
                    raise Transient(f"the transaction log does not show execution {key} yet")
                self._remember(key, found[key])
                del missing[key]

    def _remember(self, key: str, pnl_quote: float) -> None:
        self._pnl[key] = pnl_quote
        while len(self._pnl) > _MOST_KNOWN:
            del self._pnl[next(iter(self._pnl))]

    def _trade(self, symbol: str, row: Mapping[str, Any]) -> Trade:
        return Trade(
            int(row["execTime"]),
            symbol,
            whole_number(str(row["execId"])),
            f"{FORCED.get(row['execType'], '')}{row['orderId']}",
            1 if row["side"] == "Buy" else -1,
            number(row, "execPrice"),
            number(row, "execQty"),
            number_or_zero(row, "execFee") if row.get("feeCurrency") in (None, "", SETTLE) else 0.0,
            bool(row.get("isMaker")),
            self._pnl.get(str(row["execId"]), 0.0),
        )


def _time(row: Mapping[str, Any]) -> int:
    return int(row["execTime"])


async def _market_ms(client: Any, symbol: str) -> int:
    """Return the market's time, which at an exchange on this machine is not the host's."""
    return int((await client.publicGetV5MarketOrderbook({**_of(client, symbol), "limit": 1}))["result"]["ts"])


async def _log(client: Any, begin_ms: int, end_ms: int) -> dict[str, float]:
    """Return realised PnL by execution: cashFlow, which holds neither fee nor funding."""
    params = {
        "accountType": "UNIFIED",
        "category": CATEGORY,
        "currency": SETTLE,
        "startTime": begin_ms,
        "endTime": end_ms,
        "limit": 50,
    }
    rows = await pages(client.privateGetV5AccountTransactionLog, params)
    return {str(row["tradeId"]): number_or_zero(row, "cashFlow") for row in rows if row.get("tradeId")}


def _of(client: Any, symbol: str) -> dict[str, Any]:
    return {"category": CATEGORY, "symbol": client.market(symbol)["id"]}
