"""Stream subscriptions of Hyperliquid's dialect: their names and their messages. All are on one socket."""

from typing import Any, Final, NamedTuple

from bot.errors import RingfenceError
from bot.sim.server.changes import (
    AccountChanged,
    ConditionalChanged,
    OrderChanged,
)
from bot.sim.server.hyperliquid import market
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.history import payment_of
from bot.sim.server.hyperliquid.order_rows import fills_of, short_row, status_of
from bot.sim.server.hyperliquid.wire import Body, checked, text

Row = dict[str, Any]
Told = tuple[str, Any]
_USER: Final = frozenset({"orderUpdates", "userFills", "userFundings"})
_SNAPSHOT_ROWS: Final = 2_000


class Topic(NamedTuple):
    """One subscription. `symbol` "" of the account's; `interval` of candles."""

    kind: str
    symbol: str = ""
    interval: str = ""

    @property
    def is_user(self) -> bool:
        return self.kind in _USER


def parsed(desk: Desk, subscription: Any) -> Topic | None:
    """Return what is subscribed to; None for what this exchange does not send."""
    try:
        body: Body = checked(subscription)
        kind = text(body, "type")
        if kind in _USER:
            text(body, "user")
            return Topic(kind)
        if kind == "activeAssetCtx":
            return Topic(kind, desk.symbol(body))
        if kind == "candle":
            market.interval_ms(text(body, "interval"))
            return Topic(kind, desk.symbol(body), text(body, "interval"))
    except RingfenceError:
        return None
    return None


def message(desk: Desk, topic: Topic) -> Row | None:
    """Return the newest message of a market topic; None when there is nothing to say."""
    if topic.kind == "activeAssetCtx":
        data = {"coin": desk.coins[topic.symbol], "ctx": market.context(desk, topic.symbol)}
        return {"channel": topic.kind, "data": data}
    bar = desk.exchange.prices.forming(topic.symbol, market.INTERVALS[topic.interval])
    if topic.kind != "candle" or bar is None:
        return None
    return {"channel": "candle", "data": market.candle(desk, topic.symbol, topic.interval, bar)}


def snapshot(desk: Desk, topic: Topic) -> Row | None:
    """Return what a subscription begins with: the account's fills and payments so far."""
    if topic.kind == "userFills":
        return _of_user(desk, "userFills", "fills", fills_of(desk)[-_SNAPSHOT_ROWS:], is_snapshot=True)
    if topic.kind == "userFundings":
        paid = [each for each in desk.exchange.books.incomes if each.kind == "funding"]
        rows = [{"time": each.ts_ms, **payment_of(desk, each)} for each in paid[-_SNAPSHOT_ROWS:]]
        return _of_user(desk, "userFundings", "fundings", rows, is_snapshot=True)
    return None if topic.is_user else message(desk, topic)


def told(desk: Desk, change: Any) -> list[Told]:
    """Return what the account's topics say of a change; leverage and margin are told by none."""
    if isinstance(change, ConditionalChanged):
        return [] if change.order.status in ("triggered", "finished") else [_order(desk, change.order)]
    if isinstance(change, OrderChanged):
        said = [_order(desk, change.order)]
        if change.trade is not None:
            rows = fills_of(desk)[-1:]
            said.append(("userFills", _of_user(desk, "userFills", "fills", rows)))
        return said
    if isinstance(change, AccountChanged) and change.cause == "FUNDING_FEE":
        paid = desk.exchange.books.incomes[-1]
        rows = [{"time": paid.ts_ms, **payment_of(desk, paid)}]
        return [("userFundings", _of_user(desk, "userFundings", "fundings", rows))]
    return []


def _order(desk: Desk, order: Any) -> Told:
    status = status_of(desk.exchange.books, order)
    row = {"order": short_row(desk, order), "status": status, "statusTimestamp": order.updated_ms}
    return ("orderUpdates", {"channel": "orderUpdates", "data": [row]})


def _of_user(desk: Desk, channel: str, name: str, rows: list[Row], *, is_snapshot: bool = False) -> Row:
    data: Row = {"user": desk.wallet, name: rows}
    if is_snapshot:
        data["isSnapshot"] = True
    return {"channel": channel, "data": data}
