"""What people ask of the database. Newest first; amounts are exact decimals in quote currency."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, tuple_

from bot.ports import Checkpoint
from bot.store.reader import Reader
from bot.store.rows import (
    EquityPoint,
    EventEntry,
    IntentEntry,
    MarginMove,
    OpenPosition,
    OrderEntry,
    RiskSeen,
    RunInfo,
    SignalEntry,
    Status,
    Totals,
    Trade,
)
from bot.store.statements import RESTING, UNRESOLVED
from bot.store.tables import TABLES
from bot.store.types import json_value

_ZERO: Final = Decimal(0)
_JSON_COLUMNS: Final = frozenset({"body", "facts", "checks", "venue_reply"})
_LIMIT: Final = 50


def status(reader: Reader) -> Status:
    """Return the account at a glance."""
    account = reader.execute(select(TABLES["account"])).mappings().one()
    committed = sum(reader.execute(select(TABLES["holding"].c.isolated_wallet)).scalars(), _ZERO)
    # Until the wallet changes for the first time, all of the deposit is free.
    free = account["deposit_quote"] if account["free_quote"] is None else account["free_quote"]
    newest = runs(reader, limit=1)
    return Status(
        venue=account["venue"],
        mode=account["mode"],
        account=account["name"],
        run=newest[0] if newest else None,
        last_event_ms=reader.execute(select(func.max(TABLES["event"].c.ts_ms))).scalar(),
        deposit_quote=account["deposit_quote"],
        wallet_quote=None if free is None else free + committed,
        free_quote=free,
        committed_quote=committed,
        positions=tuple(positions(reader)),
    )


def runs(reader: Reader, *, limit: int = _LIMIT) -> list[RunInfo]:
    """Return the starts of the program."""
    rows = _rows(reader, "run", RunInfo._fields, order=["id"], limit=limit)
    return [RunInfo(**row) for row in rows]


def run_config(reader: Reader) -> dict[str, Any]:
    """Return the settings of the newest start as they were in force, {} before the first."""
    run = TABLES["run"].c
    found = reader.execute(select(run.config).order_by(run.id.desc()).limit(1)).scalar()
    return {} if found is None else json_value(found)


def positions(reader: Reader) -> list[OpenPosition]:
    """Return every open position that the venue holds, the last opened first."""
    position, holding = TABLES["position"].c, TABLES["holding"].c
    columns = [
        position.id,
        *(holding[name] for name in OpenPosition._fields[1:7]),
        *(position[name] for name in OpenPosition._fields[7:10]),
    ]
    query = (
        select(*columns)
        .join_from(TABLES["position"], TABLES["holding"], position.symbol == holding.symbol)
        .where(position.closed_ms.is_(None))
        .order_by(position.id.desc())
    )
    return [_open_position(reader, row) for row in reader.execute(query).mappings()]


def trades(
    reader: Reader, *, symbol: str | None = None, limit: int = _LIMIT, before: int | None = None
) -> list[Trade]:
    """Return closed positions, the last closed first; with `before` those behind the position of this id.

    Positions close in one millisecond too, so that the time alone is no border between pages.
    """
    position = TABLES["position"].c
    where = [position.closed_ms.is_not(None), *_of_symbol("position", symbol)]
    where += [] if before is None else [_closed_before(before)]
    rows = _rows(reader, "position", Trade._fields, where=where, order=["closed_ms", "id"], limit=limit)
    return [Trade(**row) for row in rows]


def margin_history(
    reader: Reader, *, symbol: str | None = None, limit: int = _LIMIT, before: int | None = None
) -> list[MarginMove]:
    """Return margin adjustments with their reasons; with `before` those of a smaller id."""
    where = [*_of_symbol("margin_adjustment", symbol), *_before("margin_adjustment", before)]
    rows = _rows(reader, "margin_adjustment", MarginMove._fields, where=where, order=["id"], limit=limit)
    return [MarginMove(**row) for row in rows]


def journal(
    reader: Reader,
    *,
    symbol: str | None = None,
    limit: int = _LIMIT,
    before: int | None = None,
    kind: str | None = None,
) -> list[EventEntry]:
    """Return the tail of the append-only journal; `before`: only smaller ids, `kind`: only this event."""
    where = [*_of_symbol("event", symbol), *_before("event", before)]
    where += [] if kind is None else [TABLES["event"].c.kind == kind]
    rows = _rows(reader, "event", EventEntry._fields, where=where, order=["id"], limit=limit)
    return [EventEntry(**row) for row in rows]


def intents(reader: Reader, *, is_unresolved: bool = False, limit: int = _LIMIT) -> list[IntentEntry]:
    """Return intents; with `is_unresolved` only those whose end is not known."""
    where = [TABLES["intent"].c.status.in_(UNRESOLVED)] if is_unresolved else []
    rows = _rows(reader, "intent", IntentEntry._fields, where=where, order=["seq"], limit=limit)
    return [IntentEntry(**row) for row in rows]


def orders(reader: Reader, *, is_resting: bool = False, limit: int = _LIMIT) -> list[OrderEntry]:
    """Return orders; with `is_resting` only those that may still be filled."""
    where = [TABLES["order"].c.status.in_(RESTING)] if is_resting else []
    rows = _rows(reader, "order", OrderEntry._fields, where=where, order=["intent_seq"], limit=limit)
    return [OrderEntry(**row) for row in rows]


def signals(reader: Reader, *, symbol: str | None = None, limit: int = _LIMIT) -> list[SignalEntry]:
    """Return signals with what risk said to them."""
    where = _of_symbol("signal", symbol)
    rows = _rows(reader, "signal", SignalEntry._fields, where=where, order=["id"], limit=limit)
    return [SignalEntry(**row) for row in rows]


def equity(reader: Reader, *, limit: int = 10_000) -> list[EquityPoint]:
    """Return the wallet over time."""
    rows = _rows(reader, "equity", EquityPoint._fields, order=["ts_ms"], limit=limit)
    return [EquityPoint(**row) for row in rows]


def last_checkpoint(reader: Reader) -> Checkpoint | None:
    """Return the cut that a restart would continue from; None when nothing was committed yet."""
    table = TABLES["checkpoint"].c
    row = reader.execute(select(table.engine, table.feed, table.venue)).one_or_none()
    return None if row is None else Checkpoint(*map(json_value, row))


def totals(reader: Reader) -> Totals:
    """Return the counts and sums of a summary."""
    position, fill, event = TABLES["position"].c, TABLES["fill"].c, TABLES["event"].c
    amounts = reader.execute(select(TABLES["margin_adjustment"].c.amount_quote)).scalars().all()
    return Totals(
        trades=_count(reader, "position", position.closed_ms.is_not(None)),
        liquidations=_count(reader, "fill", fill.leg == "liquidation"),
        margin_adds=sum(amount > 0 for amount in amounts),
        margin_releases=sum(amount < 0 for amount in amounts),
        margin_added=sum((amount for amount in amounts if amount > 0), _ZERO),
        margin_released=-sum((amount for amount in amounts if amount < 0), _ZERO),
        stops_filled=_filled(reader, "stop"),
        take_profits_filled=_filled(reader, "take_profit"),
        trailing_stops_filled=_filled(reader, "trailing"),
        invariant_violations=_count(reader, "event", event.kind == "InvariantBroken"),
    )


def _filled(reader: Reader, leg: str) -> int:
    """Return how many orders of the leg were filled, each counted once however many fills it took."""
    order = TABLES["order"].c
    return _count(reader, "order", (order.leg == leg) & (order.status == "filled"))


def _count(reader: Reader, table: str, where: ColumnElement[bool]) -> int:
    return reader.execute(select(func.count()).select_from(TABLES[table]).where(where)).scalar_one()


def _of_symbol(table: str, symbol: str | None) -> list[ColumnElement[bool]]:
    return [] if symbol is None else [TABLES[table].c.symbol == symbol]


def _before(table: str, before: int | None) -> list[ColumnElement[bool]]:
    return [] if before is None else [TABLES[table].c.id < before]


def _closed_before(position_id: int) -> ColumnElement[bool]:
    position = TABLES["position"].c
    closed_ms = select(position.closed_ms).where(position.id == position_id).scalar_subquery()
    return tuple_(position.closed_ms, position.id) < tuple_(closed_ms, position_id)


def _rows(
    reader: Reader,
    table: str,
    names: Sequence[str],
    *,
    where: Sequence[ColumnElement[bool]] = (),
    order: Sequence[str],
    limit: int,
) -> list[dict[str, Any]]:
    columns = TABLES[table].c
    newest_first = [columns[name].desc() for name in order]
    query = select(*(columns[name] for name in names)).where(*where).order_by(*newest_first).limit(limit)
    return [_decoded(row) for row in reader.execute(query).mappings()]


def _decoded(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        name: json_value(value) if name in _JSON_COLUMNS and value is not None else value
        for name, value in row.items()
    }


def _open_position(reader: Reader, row: Mapping[Any, Any]) -> OpenPosition:
    moves = TABLES["margin_adjustment"].c
    amounts = reader.execute(select(moves.amount_quote).where(moves.position_id == row["id"])).scalars().all()
    stops = _resting_triggers(reader, row["symbol"], "stop")
    return OpenPosition(
        **row,
        # While a stop is being replaced two rest; the one nearer the mark triggers first.
        stop_price=max(stops, key=lambda price: price * row["side"], default=None),
        take_profit_prices=_resting_triggers(reader, row["symbol"], "take_profit"),
        margin_added_quote=sum((amount for amount in amounts if amount > 0), _ZERO),
        margin_released_quote=-sum((amount for amount in amounts if amount < 0), _ZERO),
        risk=_risk_seen(reader, row["id"]),
    )


def _resting_triggers(reader: Reader, symbol: str, leg: str) -> tuple[Decimal, ...]:
    order = TABLES["order"].c
    query = select(order.trigger_price).where(
        order.symbol == symbol, order.leg == leg, order.status.in_(("open", "partially_filled"))
    )
    return tuple(sorted(price for price in reader.execute(query).scalars() if price is not None))


def _risk_seen(reader: Reader, position_id: int) -> RiskSeen | None:
    moves = TABLES["margin_adjustment"].c
    where = [moves.position_id == position_id, moves.reason.is_not(None)]
    rows = _rows(reader, "margin_adjustment", RiskSeen._fields, where=where, order=["id"], limit=1)
    return RiskSeen(**rows[0]) if rows else None
