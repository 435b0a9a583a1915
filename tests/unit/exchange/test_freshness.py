"""Rules are read hourly, and after refusals at most once in five minutes for a symbol."""

from bot.exchange.freshness import Freshness

A, B = "AAA/USDT:USDT", "BBB/USDT:USDT"
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
START_MS = 1_700_000_000_000


def fresh() -> Freshness:
    freshness = Freshness((A, B))
    assert freshness.due(START_MS) == (A, B)
    freshness.read((A, B), START_MS)
    return freshness


def test_rules_are_due_an_hour_after_they_were_read() -> None:
    freshness = fresh()
    assert freshness.due(START_MS + HOUR_MS - 1) == ()
    assert freshness.due(START_MS + HOUR_MS) == (A, B)


def test_a_reading_that_failed_waits_a_minute() -> None:
    freshness = fresh()
    assert freshness.due(START_MS + HOUR_MS) == (A, B)
    assert freshness.due(START_MS + HOUR_MS + MINUTE_MS - 1) == ()
    assert freshness.due(START_MS + HOUR_MS + MINUTE_MS) == (A, B)


def test_a_refusal_makes_its_own_symbol_due_at_once_and_then_not_for_five_minutes() -> None:
    freshness = fresh()
    now_ms = START_MS + MINUTE_MS
    freshness.suspect(A)
    assert freshness.due(now_ms) == (A,)
    freshness.read((A,), now_ms)
    freshness.suspect(A)
    freshness.suspect(B)
    assert freshness.due(now_ms + 1) == (B,)
    freshness.read((B,), now_ms + 1)
    assert freshness.due(now_ms + 5 * MINUTE_MS - 1) == ()
    assert freshness.due(now_ms + 5 * MINUTE_MS) == (A,)
