"""Intents as rows and back, and the order that an intent asks for."""

from typing import Any, Final

from bot.core import intent as actions
from bot.core.codec import from_json, to_json
from bot.core.intent import Intent
from bot.store.types import exact_text, json_text, json_value


def intent_row(intent: Intent) -> dict[str, Any]:
    """Return the columns of a new intent, without its run."""
    return {
        "seq": intent.seq,
        "client_id": intent.client_id,
        "ts_ms": intent.ts_ms,
        "kind": type(intent.action).__name__,
        "symbol": intent.action.symbol,
        "body": json_text(to_json(intent.action)),
        "reason": intent.reason,
        "facts": json_text(intent.facts),
    }


def intent_of(row: tuple[Any, ...]) -> Intent:
    """Return the intent stored as (seq, client_id, ts_ms, body, reason, facts)."""
    seq, client_id, ts_ms, body, reason, facts = row
    return Intent(seq, client_id, ts_ms, from_json(json_value(body)), reason, json_value(facts))


_LEGS: Final = {
    actions.OpenPosition: "entry",
    actions.PlaceStop: "stop",
    actions.PlaceTakeProfit: "take_profit",
    actions.PlaceTrailingStop: "trailing",
    actions.ReducePosition: "exit",
}
_KINDS: Final = {
    actions.PlaceStop: "stop_market",
    actions.PlaceTakeProfit: "take_profit_market",
    actions.PlaceTrailingStop: "trailing_stop",
    actions.ReducePosition: "market",
}


def order_row(intent: Intent) -> dict[str, Any] | None:
    """Return the order that `intent` asks for, or None when its action is not an order."""
    action = intent.action
    leg = _LEGS.get(type(action))
    if leg is None:
        return None
    is_entry = isinstance(action, actions.OpenPosition)
    side: int = getattr(action, "side")  # noqa: B009 - every action with a leg has one
    return {
        "client_id": intent.client_id,
        "intent_seq": intent.seq,
        "symbol": action.symbol,
        "leg": leg,
        "kind": action.order if is_entry else _KINDS[type(action)],
        "side": int(side if is_entry else -side),
        "quantity": _amount(action, "quantity"),
        "limit_price": _amount(action, "limit_price"),
        "trigger_price": _amount(action, "trigger_price"),
        "trigger_on": getattr(action, "trigger_on", None),
        "callback_rate": _amount(action, "callback_rate"),
        "is_reduce_only": not is_entry,
        "status": "pending",
        "remaining_quantity": _amount(action, "quantity"),
        "created_ms": intent.ts_ms,
        "updated_ms": intent.ts_ms,
    }


def _amount(action: actions.Action, name: str) -> str | None:
    value = getattr(action, name, None)
    return None if value is None else exact_text(value)
