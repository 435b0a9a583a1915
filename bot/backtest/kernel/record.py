"""The record in which the kernel's books lie, with limits and rules beside them.

Compiled code gets it as one pointer, and a NamedTuple in it as another: passed by value, the hundred numbers
of the limits would be copied at every call.
"""

from functools import lru_cache
from typing import Any, Final, get_type_hints

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.books import Books, Limits
from bot.core.profile import MarginRules, VenueProfile
from bot.core.tiers import Tiers
from bot.risk.derisk import DeriskLimits
from bot.risk.entry_judgement import stress_caps
from bot.risk.limits import AllocationLimits, BracketLimits, EntryLimits, MarginLimits

_FLOATS: Final = np.float64
_WHOLES: Final = np.int64
_SHAPES: Final = (
    ("a", _FLOATS, (c.ACCOUNT_FLOATS,)),
    ("m", _WHOLES, (c.ACCOUNT_WHOLES,)),
    ("intents", _WHOLES, (c.QUEUE_SLOTS, c.INTENT_WHOLES)),
    ("intent_floats", _FLOATS, (c.QUEUE_SLOTS, c.INTENT_FLOATS)),
    ("events", _WHOLES, (c.EVENT_SLOTS, c.EVENT_WHOLES)),
    ("event_floats", _FLOATS, (c.EVENT_SLOTS, c.EVENT_FLOATS)),
    ("times", _WHOLES, (3, c.TIME_SLOTS)),
    ("latencies", _WHOLES, (c.LATENCY_SLOTS,)),
    ("move_after", _FLOATS, (5,)),
    ("trades", _FLOATS, (c.ROW_SLOTS, c.TRADE_COLUMNS)),
    ("moves", _FLOATS, (c.ROW_SLOTS, c.MOVE_COLUMNS)),
    ("accounts", _FLOATS, (c.ACCOUNT_SLOTS, c.ACCOUNT_COLUMNS)),
    ("story", _FLOATS, (c.STORY_SLOTS, c.STORY_COLUMNS)),
)
_BY_SYMBOL: Final = (
    ("f", _FLOATS, (c.FLOATS,)),
    ("n", _WHOLES, (c.WHOLES,)),
    ("orders", _WHOLES, (c.ORDER_SLOTS, c.ORDER_WHOLES)),
    ("order_floats", _FLOATS, (c.ORDER_SLOTS, c.ORDER_FLOATS)),
    ("cursors", _WHOLES, (2,)),
    ("tick_ms", _WHOLES, (c.TICK_SLOTS,)),
    ("tick_marks", _FLOATS, (c.TICK_SLOTS,)),
    ("tick_lasts", _FLOATS, (c.TICK_SLOTS,)),
)


def record_of(symbols: int, tier_rows: int, limits: Limits) -> NDArray[np.void]:
    """Return a record for at most so many symbols and rows of a tier table, empty but for the limits."""
    record = np.zeros(1, _form(symbols, tier_rows, len(limits.params)))
    fill(record["limits"][0], limits)
    return record


def books_in(record: NDArray[np.void]) -> Books:
    """Return the books that lie in a record: views, not copies, but for the rules."""
    arrays = {name: record[name][0] for name in Books._fields if name != "rules"}
    return Books(**arrays, rules=tuple(_rules_in(each) for each in record["rules"][0]))


def fill(place: Any, value: Any) -> None:
    """Write a NamedTuple into the part of a record that was made for it."""
    for name, each in zip(value._fields, value, strict=True):
        if hasattr(each, "_fields"):
            fill(place[name], each)
        else:
            place[name] = each


@lru_cache(maxsize=8)
def _form(symbols: int, tier_rows: int, params: int) -> np.dtype[np.void]:
    """What such a record is made of."""
    empty = np.zeros(tier_rows)
    tiers = Tiers(empty, empty, empty, empty, empty)
    rules = MarginRules(tiers, VenueProfile(0, 0, 0.0, 0, 0), False, 0.0)
    caps = stress_caps(EntryLimits())
    limits = Limits(
        0,
        np.zeros(params),
        MarginLimits(),
        EntryLimits(),
        BracketLimits(),
        DeriskLimits(),
        caps,
        AllocationLimits(),
    )
    by_symbol = [(name, kind, (symbols, *shape)) for name, kind, shape in _BY_SYMBOL]
    fields: list[Any] = [*_SHAPES, *by_symbol, ("tiers", _FLOATS, (symbols, 5, tier_rows))]
    fields.append(("rules", _fields_of(rules), (symbols,)))
    return np.dtype([*fields, ("limits", _fields_of(limits))])


def _rules_in(place: Any) -> MarginRules:
    tiers, profile = place["tiers"], place["profile"]
    return MarginRules(
        Tiers(*(tiers[name] for name in Tiers._fields)),
        VenueProfile(*(profile[name].item() for name in VenueProfile._fields)),
        bool(place["is_inverse"]),
        float(place["tick_size"]),
    )


def _fields_of(value: Any) -> list[Any]:
    """What a record needs to hold a NamedTuple: numbers as they are declared, not as they are now."""
    hints, fields = get_type_hints(type(value)), []
    for name, each in zip(value._fields, value, strict=True):
        if hasattr(each, "_fields"):
            fields.append((name, _fields_of(each)))
        elif isinstance(each, np.ndarray):
            fields.append((name, each.dtype, each.shape))
        else:
            fields.append((name, {float: _FLOATS, int: _WHOLES, bool: np.bool_}[hints[name]]))
    return fields
