"""What the database holds of the past, as screens show it."""

from collections.abc import Iterable
from typing import Any, Final

from bot.core.event import MarginMoved
from bot.core.note import PositionRisk
from bot.core.position import side_name
from bot.store.alerts import ToldAlert
from bot.store.markets import tick_sizes
from bot.store.queries import intents, journal
from bot.store.reader import Reader
from bot.store.rows import EventEntry, MarginMove, Trade
from bot.view.event_words import event_words

ROWS_SHOWN: Final = 200


def moved_of(row: MarginMove) -> MarginMoved | None:
    """Return a stored margin move as the note it was told by; None: somebody else moved it, unexplained."""
    if row.reason is None or row.policy is None or row.position_id is None:
        return None
    before, after = _risk(row, "before"), _risk(row, "after")
    if before is None or after is None:
        return None
    return MarginMoved(
        row.ts_ms,
        row.symbol,
        row.position_id,
        row.client_id,
        float(row.amount_quote),
        row.policy,
        row.reason,
        before,
        after,
    )


def _risk(row: MarginMove, when: str) -> PositionRisk | None:
    """The risk before or after the move. A liquidation price that is not kept is none: infinity."""
    values = row._asdict()
    mark, wallet, ratio = (values[f"{name}_{when}"] for name in ("mark", "isolated_wallet", "margin_ratio"))
    if mark is None or wallet is None or ratio is None:
        return None
    price, away = values[f"liquidation_price_{when}"], values[f"distance_{when}"]
    never = float("inf")
    return PositionRisk(
        float(mark),
        float(wallet),
        float(ratio),
        never if price is None else float(price),
        never if away is None else float(away),
    )


def told_trade(row: Trade) -> dict[str, Any]:
    """Return a closed position with its side in words and its net result."""
    return {**row._asdict(), "side": side_name(row.side), "net_pnl_quote": row.net_pnl_quote}


def told_event(reader: Reader, rows: Iterable[EventEntry]) -> list[dict[str, Any]]:
    """Return rows of the journal, each with its line for people in `words`."""
    ticks = tick_sizes(reader)
    return [{**row._asdict(), "words": event_words(row.body, ticks.get(row.symbol))} for row in rows]


def journal_rows(reader: Reader, symbol: str, since_ms: int) -> list[dict[str, Any]]:
    """Return what happened to a symbol since a time, newest first, at most the last 200 rows."""
    found = journal(reader, symbol=symbol, limit=ROWS_SHOWN)
    return told_event(reader, (row for row in found if row.ts_ms >= since_ms))


def request_rows(reader: Reader, symbol: str, since_ms: int) -> list[dict[str, Any]]:
    """Return what the bot asked the venue for since a time, newest first: trigger, facts and end."""
    found = intents(reader, limit=ROWS_SHOWN)
    return [row._asdict() for row in found if row.symbol == symbol and row.ts_ms >= since_ms]


def told_alert(row: ToldAlert) -> dict[str, Any]:
    """Return an alert with its state in a word."""
    state = "open" if row.is_open else "told"
    if row.acknowledged_ms is not None:
        state = "acknowledged"
    return {**row._asdict(), "state": "over" if row.over_ms is not None else state}
