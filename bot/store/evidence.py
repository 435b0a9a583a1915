"""What the database knows of how moving margin turned out. Oldest first, as statistics want it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from bot.store.reader import Reader
from bot.store.rows import EquityPoint, ForecastRow, LedgerMove, TradeEvidenceRow
from bot.store.tables import TABLES


def trade_evidence(reader: Reader, symbol: str | None = None) -> list[TradeEvidenceRow]:
    """Return every position that has ended together with its shadow, of one symbol or of all."""
    table = TABLES["trade_evidence"].c
    query = select(*(table[name] for name in TradeEvidenceRow._fields))
    if symbol is not None:
        query = query.where(table.symbol == symbol)
    ordered = query.order_by(table.closed_ms, table.position_id)
    return [TradeEvidenceRow(**row) for row in reader.execute(ordered).mappings()]


def forecasts(reader: Reader, symbol: str | None = None) -> list[ForecastRow]:
    """Return every forecast whose end is known; those of the last 24 h are still open and not here."""
    table = TABLES["forecast"].c
    query = select(*(table[name] for name in ForecastRow._fields))
    if symbol is not None:
        query = query.where(table.symbol == symbol)
    ordered = query.order_by(table.ts_ms, table.id)
    return [ForecastRow(**row) for row in reader.execute(ordered).mappings()]


def emergencies(reader: Reader, symbol: str | None = None) -> int:
    """Return how many adds were made at once, without waiting, because liquidation was too likely."""
    move = TABLES["margin_adjustment"].c
    query = select(func.count()).select_from(TABLES["margin_adjustment"]).where(move.reason == "emergency")
    if symbol is not None:
        query = query.where(move.symbol == symbol)
    return reader.execute(query).scalar_one()


def wallets(reader: Reader) -> list[EquityPoint]:
    """Return the whole account's wallet over time, oldest first."""
    table = TABLES["equity"].c
    query = select(*(table[name] for name in EquityPoint._fields)).order_by(table.ts_ms)
    return [EquityPoint(**row) for row in reader.execute(query).mappings()]


def ledger_moves(reader: Reader, symbol: str | None = None) -> list[LedgerMove]:
    """Return every explained margin move with the odds before and after it."""
    move, position = TABLES["margin_adjustment"].c, TABLES["position"].c
    taken = [move[name] for name in LedgerMove._fields if name not in ("side", "until_ms")]
    query = (
        select(*taken, position.side, position.closed_ms)
        .join_from(TABLES["margin_adjustment"], TABLES["position"], move.position_id == position.id)
        .where(move.reason.is_not(None))
    )
    if symbol is not None:
        query = query.where(move.symbol == symbol)
    ordered = query.order_by(move.position_id, move.ts_ms, move.id)
    return _with_ends(reader.execute(ordered).mappings())


def _with_ends(rows: Iterable[Mapping[Any, Any]]) -> list[LedgerMove]:
    """Let each move last until the next of its position, the last one until the position ended."""
    moves: list[LedgerMove] = []
    for row in rows:
        values = dict(row)
        closed_ms = values.pop("closed_ms")
        if moves and moves[-1].position_id == values["position_id"]:
            moves[-1] = moves[-1]._replace(until_ms=values["ts_ms"])
        moves.append(LedgerMove(until_ms=closed_ms, **values))
    return sorted(moves, key=lambda move: (move.ts_ms, move.position_id))
