"""Private stream rows that differ from REST."""

from typing import Any

from bot.sim.server.changes import AccountChanged, OrderChanged
from bot.sim.server.okx.account import balance_row, position_row
from bot.sim.server.okx.desk import COIN, Desk
from bot.sim.server.okx.order_rows import order_row

Row = dict[str, Any]


def order_message(desk: Desk, change: OrderChanged) -> Row:
    """Return a row of the orders channel."""
    row = order_row(desk, change.order, change.trade)
    more = {"code": "0", "msg": "", "amendResult": "0" if change.execution == "AMENDMENT" else ""}
    return {**row, **more, "reqId": "", "notionalUsd": "", "fillNotionalUsd": "", "uTime": str(change.ts_ms)}


def position_message(desk: Desk, change: AccountChanged) -> Row:
    """Return a row of the positions channel; a closed position has pos 0."""
    if change.position is not None:
        return {**position_row(desk, change.position), "pTime": str(change.ts_ms)}
    empty = "avgPx upl uplRatio liqPx imr margin mgnRatio mmr notionalUsd lever interest liab availPos"
    return {
        "instType": "SWAP",
        "instId": desk.ids[change.symbol],
        "mgnMode": "isolated",
        "posId": str(change.ts_ms),
        "posSide": "net",
        "pos": "0",
        **dict.fromkeys(empty.split(), ""),
        "ccy": COIN,
        "cTime": str(change.ts_ms),
        "uTime": str(change.ts_ms),
        "pTime": str(change.ts_ms),
    }


def account_message(desk: Desk) -> Row:
    """Return a row of the account channel."""
    row = balance_row(desk)
    return {"uTime": row["uTime"], "totalEq": row["eq"], "isoEq": row["isoEq"], "details": [row]}
