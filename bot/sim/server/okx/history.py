"""Bills: funding, margin moved by hand, trades. Newest first, 100 a page."""

from typing import Any, Final

from bot.core.timeframe import DAY_MS
from bot.sim.server.books import IncomeRow, MarginMove
from bot.sim.server.decimals import decimal_text
from bot.sim.server.okx.desk import COIN, Desk
from bot.sim.server.okx.wire import ARCHIVE_MS, Params, page, span

Row = dict[str, Any]
_TRADE, _MARGIN, _FUNDING, _TRANSFER = "2", "6", "8", "1"
_IDS_AN_INSTANT: Final = 5_000


def bills(desk: Desk, params: Params) -> list[Row]:
    """GET account/bills: the last seven days."""
    return _bills(desk, params, 7 * DAY_MS)


def archived_bills(desk: Desk, params: Params) -> list[Row]:
    """GET account/bills-archive: the last three months."""
    return _bills(desk, params, ARCHIVE_MS)


def _bills(desk: Desk, params: Params, kept_ms: int) -> list[Row]:
    begin_ms, end_ms = span(params)
    begin_ms = max(begin_ms, desk.exchange.market_ms - kept_ms)
    wanted = {name: params.get(name, "") for name in ("type", "subType", "instId", "mgnMode")}
    rows = [
        row
        for row in _all(desk)
        if begin_ms <= int(row["ts"]) <= end_ms
        and all(value in ("", row[name]) for name, value in wanted.items())
    ]
    return page(rows, params, "billId")


def _all(desk: Desk) -> list[Row]:
    incomes = [_income_row(desk, each) for each in desk.exchange.books.incomes]
    moves = [
        _move_row(desk, index, each)
        for index, each in enumerate(desk.exchange.books.moves)
        if each.is_requested
    ]
    return sorted(incomes + moves, key=lambda row: (int(row["ts"]), int(row["billId"])))


def _income_row(desk: Desk, income: IncomeRow) -> Row:
    """Money of an isolated position moves at the position: posBalChg."""
    amount = decimal_text(income.amount_quote)
    is_funding, is_deposit = income.kind == "funding", income.kind == "deposit"
    sub_type = "174" if income.amount_quote > 0.0 else "173"
    row = _bill(desk, income.income_id % _IDS_AN_INSTANT, income.symbol, income.ts_ms)
    if is_deposit:
        return {**row, "type": _TRANSFER, "subType": "11", "mgnMode": "", "balChg": amount, "sz": amount}
    mark = _mark_at(desk, income.symbol, income.ts_ms) if is_funding else ""
    return {
        **row,
        "type": _FUNDING if is_funding else _TRADE,
        "subType": sub_type if is_funding else "1",
        "posBalChg": amount,
        "pnl": amount if income.kind != "fee" else "0",
        "fee": amount if income.kind == "fee" else "0",
        "px": mark,
        "tradeId": str(income.trade_id or ""),
    }


def _move_row(desk: Desk, index: int, move: MarginMove) -> Row:
    is_added = move.amount_quote > 0.0
    return {
        **_bill(desk, _IDS_AN_INSTANT + index % _IDS_AN_INSTANT, move.symbol, move.ts_ms),
        "type": _MARGIN,
        "subType": "160" if is_added else "161",
        "balChg": decimal_text(-move.amount_quote),
        "posBalChg": decimal_text(move.amount_quote),
        "sz": decimal_text(abs(move.amount_quote)),
    }


def _bill(desk: Desk, number: int, symbol: str, ts_ms: int) -> Row:
    return {
        "instType": "SWAP",
        "instId": desk.ids.get(symbol, ""),
        "billId": str(2 * _IDS_AN_INSTANT * ts_ms + number),  # later bills have larger ids
        "ccy": COIN,
        "mgnMode": "isolated",
        "bal": "",
        "balChg": "0",
        "posBal": "",
        "posBalChg": "0",
        "pnl": "0",
        "fee": "0",
        "sz": "0",
        "px": "",
        "ordId": "",
        "tradeId": "",
        "ts": str(ts_ms),
    }


def _mark_at(desk: Desk, symbol: str, ts_ms: int) -> str:
    for settled in reversed(desk.exchange.books.settlements):
        if settled.symbol == symbol and settled.ts_ms <= ts_ms:
            return decimal_text(settled.mark)
    return ""
