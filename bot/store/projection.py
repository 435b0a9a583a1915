"""Events and notes as rows: one function per type, and a register that says so for every type."""

from collections.abc import Callable, Mapping
from sqlite3 import Connection
from types import MappingProxyType
from typing import Any, Final

from bot.core import event as ev
from bot.core.codec import to_json
from bot.core.instrument import Instrument
from bot.core.position import Position
from bot.core.profile import VenueProfile
from bot.errors import Fatal
from bot.store import statements as sql
from bot.store.types import exact_text, exact_text_or_none, json_text

Projection = Callable[[Connection, Any], None]


def _holding_row(ts_ms: int, position: Position) -> dict[str, Any]:
    return {
        "symbol": position.symbol,
        "side": int(position.side),
        "quantity": exact_text(position.quantity),
        "entry_price": exact_text(position.entry_price),
        "isolated_wallet": exact_text(position.isolated_wallet),
        "leverage": exact_text(position.leverage),
        "opened_ms": position.opened_ms,
        "updated_ms": ts_ms,
    }


def instrument_row(instrument: Instrument, profile: VenueProfile) -> dict[str, Any]:
    """Return the row of the instrument table: numbers as exact text, tiers and profile as JSON."""
    row: dict[str, Any] = {
        name: exact_text(value) if isinstance(value, float) else value
        for name, value in instrument._asdict().items()
    }
    tiers = {name: column.tolist() for name, column in instrument.tiers._asdict().items()}
    texts = {"tiers": json_text(tiers), "profile": json_text(profile._asdict())}
    return row | {"is_inverse": bool(instrument.is_inverse), **texts}


def _journal_only(_connection: Connection, _event: Any) -> None:
    """Nothing beyond the row of the event table."""


def _order_accepted(connection: Connection, event: ev.OrderAccepted) -> None:
    connection.execute(sql.ACCEPT_ORDER, event._asdict())


def _order_cancelled(connection: Connection, event: ev.OrderCancelled) -> None:
    connection.execute(sql.CANCEL_ORDER, event._asdict())


def _refused(connection: Connection, event: ev.Refused) -> None:
    row = {"client_id": event.client_id, "ts_ms": event.ts_ms, "cause": f"{event.code}: {event.message}"}
    connection.execute(sql.REFUSE_ORDER, row)


def _order_filled(connection: Connection, event: ev.OrderFilled) -> None:
    remaining = exact_text(event.remaining_quantity)
    order = {
        "client_id": event.client_id,
        "symbol": event.symbol,
        "leg": event.leg,
        "side": int(event.order_side),
        "status": "partially_filled" if event.remaining_quantity > 0 else "filled",
        "remaining_quantity": remaining,
        "ts_ms": event.ts_ms,
    }
    fill = {
        "symbol": event.symbol,
        "trade_id": event.trade_id,
        "client_id": event.client_id,
        "ts_ms": event.ts_ms,
        "leg": event.leg,
        "side": int(event.order_side),
        "price": exact_text(event.price),
        "quantity": exact_text(event.quantity),
        "fee_quote": exact_text(event.fee_quote),
        "is_maker": bool(event.is_maker),
        "realised_pnl_quote": exact_text(event.realised_pnl_quote),
    }
    if not _insert_fill(connection, fill):
        return
    connection.execute(sql.FILL_ORDER, order)
    if event.position is None:
        connection.execute(sql.DROP_HOLDING, {"symbol": event.symbol})
        return
    holding = _holding_row(event.ts_ms, event.position)
    connection.execute(sql.PUT_HOLDING, holding)
    if event.leg == "entry":
        connection.execute(sql.GROW_POSITION, holding)


def _insert_fill(connection: Connection, fill: Mapping[str, Any]) -> bool:
    """Return False for a fill reported before. Fatal: the same trade id with other contents."""
    if connection.execute(sql.INSERT_FILL, fill).rowcount == 1:
        return True
    stored = connection.execute(sql.SELECT_FILL, fill).fetchone()
    reported = (fill["side"], fill["price"], fill["quantity"])
    if stored != reported:
        raise Fatal(
            f"Trade {fill['trade_id']} of {fill['symbol']} was journalled as {stored} and is now reported as "
            f"{reported}: the venue reused a trade id. Nothing was written; run `ringfence db check`."
        )
    return False


def _instrument_changed(connection: Connection, event: ev.InstrumentChanged) -> None:
    connection.execute(sql.PUT_INSTRUMENT, instrument_row(event.instrument, event.profile))


def _liquidated(connection: Connection, event: ev.Liquidated) -> None:
    fill = {
        "symbol": event.symbol,
        "trade_id": event.trade_id,
        "client_id": None,
        "ts_ms": event.ts_ms,
        "leg": "liquidation",
        "side": -int(event.side),
        "price": exact_text(event.bankruptcy_price),
        "quantity": exact_text(event.quantity),
        "fee_quote": "0",  # the clearance fee is part of the lost margin
        "is_maker": False,
        "realised_pnl_quote": exact_text(-event.loss_quote),
    }
    if not _insert_fill(connection, fill):
        return
    row = {
        "symbol": event.symbol,
        "liquidation_loss_quote": exact_text(event.loss_quote),
        "clearance_fee_quote": exact_text(event.clearance_fee_quote),
        "insurance_quote": exact_text(event.insurance_quote),
    }
    connection.execute(sql.LIQUIDATE_POSITION, row)
    connection.execute(sql.DROP_HOLDING, {"symbol": event.symbol})


def _margin_adjusted(connection: Connection, event: ev.MarginAdjusted) -> None:
    # A move by hand has no id of ours; two of them are two rows.
    by_hand = f"by-hand:{event.symbol}:{event.ts_ms}:{exact_text(event.position.isolated_wallet)}"
    row = {
        "client_id": event.client_id or by_hand,
        "symbol": event.symbol,
        "ts_ms": event.ts_ms,
        "amount_quote": exact_text(event.amount_quote),
        "venue_reply": json_text(to_json(event)),
    }
    connection.execute(sql.PUT_ADJUSTMENT, row)
    connection.execute(sql.PUT_HOLDING, _holding_row(event.ts_ms, event.position))


def _funding_settled(connection: Connection, event: ev.FundingSettled) -> None:
    row = {
        "symbol": event.symbol,
        "ts_ms": event.ts_ms,
        "rate": exact_text(event.rate),
        "mark": exact_text(event.mark),
        "amount_quote": exact_text(event.amount_quote),
    }
    if connection.execute(sql.INSERT_FUNDING, row).rowcount == 1:
        connection.execute(sql.PUT_HOLDING, _holding_row(event.ts_ms, event.position))


def _signal_seen(connection: Connection, note: ev.SignalSeen) -> None:
    row = note._asdict() | {
        "direction": int(note.direction),
        "is_entry": bool(note.is_entry),
        "strength": float(note.strength),
        "is_approved": bool(note.is_approved),
        "checks": json_text(note.checks),
        "facts": json_text(note.facts),
    }
    connection.execute(sql.INSERT_SIGNAL, row)


def _position_opened(connection: Connection, note: ev.PositionOpened) -> None:
    row = {
        "id": note.position_id,
        "symbol": note.symbol,
        "side": int(note.side),
        "opened_ms": note.ts_ms,
        "quantity": exact_text(note.quantity),
        "entry_price": exact_text(note.entry_price),
        "initial_margin_quote": exact_text(note.isolated_wallet),
        "leverage": exact_text(note.leverage),
        "stop_price": exact_text(note.stop_price),
        "agreed_loss_quote": exact_text(note.agreed_loss_quote),
    }
    connection.execute(sql.OPEN_POSITION, row)
    connection.execute(sql.CLAIM_FILLS, row)


def _position_closed(connection: Connection, note: ev.PositionClosed) -> None:
    amounts = {name: exact_text(value) for name, value in zip(note._fields[5:], note[5:], strict=True)}
    row = {"id": note.position_id, "closed_ms": note.ts_ms, "cause": note.cause, **amounts}
    if connection.execute(sql.CLOSE_POSITION, row).rowcount != 1:
        raise Fatal(
            f"Position {note.position_id} of {note.symbol} is closed but was not open in the journal. This "
            "is a defect of the program; nothing was written, a restart continues from the last commit."
        )
    connection.execute(sql.DROP_OLDER_HOLDING, {"symbol": note.symbol, "closed_ms": note.ts_ms})


def _risk(risk: ev.PositionRisk, when: str) -> dict[str, str | float | None]:
    figures = {f"{name}_{when}": exact_text_or_none(value) for name, value in risk._asdict().items()}
    return figures | {f"liquidation_probability_{when}": risk.liquidation_probability}


def _margin_moved(connection: Connection, note: ev.MarginMoved) -> None:
    row = {
        "client_id": note.client_id,
        "position_id": note.position_id,
        "symbol": note.symbol,
        "ts_ms": note.ts_ms,
        "amount_quote": exact_text(note.amount_quote),
        "policy": note.policy,
        "reason": note.reason,
        **_risk(note.before, "before"),
        **_risk(note.after, "after"),
    }
    connection.execute(sql.EXPLAIN_ADJUSTMENT, row)


def _equity_marked(connection: Connection, note: ev.EquityMarked) -> None:
    row = {
        "ts_ms": note.ts_ms,
        "free_quote": exact_text(note.free_quote),
        "committed_quote": exact_text(note.margin_committed_quote),
        "wallet_quote": exact_text(note.equity_quote),
        "unrealised_pnl_quote": exact_text(note.unrealised_pnl_quote),
    }
    connection.execute(sql.PUT_EQUITY, row)


def _trade_evidence(connection: Connection, note: ev.TradeEvidence) -> None:
    amounts = {
        name: exact_text(value)
        for name, value in note._asdict().items()
        if name.endswith(("_quote", "_quote_hours"))
    }
    row = note._asdict() | amounts
    connection.execute(sql.INSERT_TRADE_EVIDENCE, row)


def _forecast_resolved(connection: Connection, note: ev.ForecastResolved) -> None:
    row = note._asdict() | {
        "ts_ms": note.forecast_ms,
        "resolved_ms": note.ts_ms,
        "liquidation_price": exact_text(note.liquidation_price),
    }
    connection.execute(sql.INSERT_FORECAST, row)


_PROJECTIONS: dict[type, Projection] = {
    ev.LeverageSet: _journal_only,
    ev.OrderAccepted: _order_accepted,
    ev.OrderFilled: _order_filled,
    ev.OrderCancelled: _order_cancelled,
    ev.Refused: _refused,
    ev.MarginAdjusted: _margin_adjusted,
    ev.FundingSettled: _funding_settled,
    ev.Liquidated: _liquidated,
    ev.InstrumentChanged: _instrument_changed,
    ev.AutoAddSwitched: _journal_only,
    ev.VenueDiffers: _journal_only,
    ev.SignalSeen: _signal_seen,
    ev.PositionOpened: _position_opened,
    ev.PositionClosed: _position_closed,
    ev.MarginMoved: _margin_moved,
    ev.MarginHeld: _journal_only,
    ev.BookRebalanced: _journal_only,
    ev.CapBreached: _journal_only,
    ev.AlertRaised: _journal_only,
    ev.EquityMarked: _equity_marked,
    ev.Reconciled: _journal_only,
    ev.EntriesHalted: _journal_only,
    ev.EntriesResumed: _journal_only,
    ev.CommandDone: _journal_only,
    ev.InvariantBroken: _journal_only,
    ev.TradeEvidence: _trade_evidence,
    ev.ForecastResolved: _forecast_resolved,
}
PROJECTIONS: Final = MappingProxyType(_PROJECTIONS)


def project(connection: Connection, event: ev.VenueEvent | ev.Note) -> None:
    """Write what `event` says into the tables. Fatal: it contradicts what is stored."""
    PROJECTIONS[type(event)](connection, event)
