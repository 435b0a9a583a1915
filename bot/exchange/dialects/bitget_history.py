"""What happened at Bitget: fills with the venue's realised PnL, and bills of funding and margin.

Lists are newest first and go on behind `endId`; a start time would need an end time of at most 30 days later.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bot.errors import Unavailable
from bot.exchange.convert import number, number_or_zero, whole_number
from bot.exchange.dialects.bitget_orders import BURST, PRODUCT, SETTLE, named
from bot.exchange.rows import MarginMove, Payment, Trade

_FUNDING: Final = "contract_settle_fee"
# What a request of the user moves; the amount's sign is not documented, the type is.
_MARGIN: Final = {"append_margin": 1.0, "reduce_margin": -1.0}
# The venue took the position, or a part of it, by force.
_FORCED: Final = ("burst_", "reduce_")
_PAGE: Final = 100
_MOST_PAGES: Final = 100
_MINUTE_MS: Final = 60_000

Call = Callable[[Any], Awaitable[Any]]


async def trades(client: Any, symbol: str, since_ms: int | None) -> tuple[Trade, ...]:
    """Return fills, oldest first. `profit` is realised PnL without the fee."""
    asked = {**named(client, symbol), "limit": str(_PAGE)}
    rows = await _since(client.privateMixGetV2MixOrderFills, asked, "fillList", since_ms)
    return tuple(sorted(_trade(symbol, row) for row in rows))


async def funding(client: Any, symbol: str, since_ms: int | None) -> tuple[Payment, ...]:
    """Return funding payments, oldest first; what was paid is negative."""
    rows = await _bills(client, symbol, _FUNDING, since_ms)
    paid = (Payment(int(row["cTime"]), symbol, str(row["billId"]), number(row, "amount")) for row in rows)
    return tuple(sorted(paid))


async def funding_rate_at(client: Any, symbol: str, ts_ms: int) -> tuple[float, float]:
    """Return the rate of the settlement at or before `ts_ms`. No list of the venue holds its mark: 0.0."""
    asked = {**named(client, symbol), "pageSize": str(_PAGE)}
    rows = (await client.publicMixGetV2MixMarketHistoryFundRate(asked))["data"] or ()
    settled = [row for row in rows if int(row["fundingTime"]) <= ts_ms + _MINUTE_MS]
    if not settled:
        return 0.0, 0.0
    return number(max(settled, key=lambda row: int(row["fundingTime"])), "fundingRate"), 0.0


async def margin_moves(client: Any, symbol: str, since_ms: int | None) -> tuple[MarginMove, ...]:
    """Return margin added and released by request, oldest first."""
    found = []
    for kind, sign in _MARGIN.items():
        for row in await _bills(client, symbol, kind, since_ms):
            found.append(MarginMove(int(row["cTime"]), symbol, sign * abs(number(row, "amount"))))
    return tuple(sorted(found))


async def _bills(client: Any, symbol: str, kind: str, since_ms: int | None) -> list[Mapping[str, Any]]:
    """Return the account's bills of one kind that are the symbol's: the list is not asked by symbol."""
    asked = {"productType": PRODUCT, "businessType": kind, "limit": str(_PAGE)}
    name = client.market(symbol)["id"]
    rows = await _since(client.privateMixGetV2MixAccountBill, asked, "bills", since_ms)
    return [row for row in rows if row["symbol"] == name]


async def _since(
    call: Call, asked: Mapping[str, Any], field: str, since_ms: int | None
) -> list[Mapping[str, Any]]:
    """Return rows from `since_ms` on; without it the newest page. Unavailable: the list does not end."""
    rows: list[Mapping[str, Any]] = []
    more: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        data = (await call({**asked, **more}))["data"] or {}
        page: list[Mapping[str, Any]] = data.get(field) or []
        rows += [row for row in page if int(row["cTime"]) >= (since_ms or 0)]
        is_enough = since_ms is None or len(page) < _PAGE or int(page[-1]["cTime"]) < since_ms
        if is_enough or not data.get("endId"):
            return rows
        more = {"idLessThan": str(data["endId"])}
    raise Unavailable(f"the venue's list {field} does not end after {_MOST_PAGES} pages")


def _trade(symbol: str, row: Mapping[str, Any]) -> Trade:
    """A fill. `totalFee` is below zero when it was paid; a fee in another coin is not the wallet's."""
    order_id = str(row["orderId"])
    is_forced = str(row.get("tradeSide")).startswith(_FORCED)
    fees = [fee for fee in row.get("feeDetail") or () if fee.get("feeCoin") == SETTLE]
    return Trade(
        int(row["cTime"]),
        symbol,
        whole_number(str(row["tradeId"])),
        f"{BURST}{order_id}" if is_forced else order_id,
        1 if row["side"] == "buy" else -1,
        number(row, "price"),
        number(row, "baseVolume"),
        -sum(number_or_zero(fee, "totalFee") for fee in fees),
        row.get("tradeScope") == "maker",
        number_or_zero(row, "profit"),
    )
