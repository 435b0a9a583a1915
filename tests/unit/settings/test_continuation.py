"""What a checkpoint keeps for a session of other symbols or candles."""

from typing import Any

import pytest

from bot.continuation import carried_over, unfinished
from bot.core.codec import to_json
from bot.core.intent import CancelOrder, Intent
from bot.errors import UserError

A, B, C, D = "A/USDT:USDT", "B/USDT:USDT", "C/USDT:USDT", "D/USDT:USDT"


def market(**more: Any) -> dict[str, Any]:
    return {"holding": None, "entry": None, "evidence": {"enters": 1}, **more}


def checkpoint() -> dict[str, Any]:
    """Return a cut with a position in A, an entry in B, a request in C, and nothing in D."""
    return {
        "timeframe_ms": 60_000,
        "stale_since_ms": {D: 5},
        "in_flight": {"1": to_json(Intent(1, "1", 0, CancelOrder(C, "x"), "r", {}))},
        "rebalance": {"waiting": {}, "adds": []},
        "markets": {
            A: market(holding={"does_reenter": True}),
            B: market(entry={"plan": {}}),
            C: market(),
            D: market(),
        },
    }


def test_positions_entries_and_requests_are_at_stake() -> None:
    assert unfinished(checkpoint()) == (A, B, C)


def test_a_symbol_without_any_of_them_is_left_behind() -> None:
    kept = carried_over(checkpoint(), (A, B, C), 60_000)
    assert (list(kept["markets"]), kept["stale_since_ms"]) == ([A, B, C], {})
    assert kept["markets"][A] == checkpoint()["markets"][A]


def test_candles_of_another_length_make_no_thesis_of_the_old_ones() -> None:
    kept = carried_over(checkpoint(), (A, B, C, D), 300_000)
    assert kept["timeframe_ms"] == 300_000
    assert kept["markets"][A]["holding"] == {"does_reenter": False}
    assert kept["markets"][D]["evidence"] == {"enters": 0}


def test_a_symbol_at_stake_that_is_not_followed_stops_the_start() -> None:
    with pytest.raises(UserError, match=f"{C} while this start was under way"):
        carried_over(checkpoint(), (A, B, D), 60_000)
