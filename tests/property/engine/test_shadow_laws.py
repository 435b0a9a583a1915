"""Laws of the evidence over random markets: it decides nothing, and static is what it says it is."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.event import ForecastResolved, PositionClosed, TradeEvidence
from bot.engine.state import restore
from tests.property.engine.test_session_laws import bench_of, market_of, play
from tests.unit.engine.desk_builder import Bench

seeds = st.integers(0, 2**32 - 1)
depths = st.sampled_from([1e9, 1_500.0])


def wild(seed: int, minutes: int = 40) -> list[Any]:
    """Return the random market with every log return two and a half times as large: it jumps."""
    return [_stretched(event) for event in market_of(seed, minutes)]


def _stretched(event: Any) -> Any:
    names = [name for name in ("mark", "last", "open", "high", "low", "close") if hasattr(event, name)]
    return event._replace(**{name: 100.0 * (getattr(event, name) / 100.0) ** 2.5 for name in names})


def live(policy: str, seed: int, depth: float) -> Bench:
    bench = bench_of(policy, depth)
    play(bench, wild(seed))
    return bench


def test_the_random_markets_cause_rescues_and_liquidations_of_either_and_of_both() -> None:
    rows = [
        row for seed in (76, 124, *range(40)) for row in live("distance_band", seed, 1e9).told(TradeEvidence)
    ]
    kinds = {(row.liquidated, row.shadow_liquidated) for row in rows}
    assert kinds == {(False, False), (False, True), (True, False), (True, True)}
    assert any(row.moves for row in rows)


@settings(max_examples=60)
@given(seeds, depths)
def test_a_position_that_is_left_alone_ends_like_its_shadow(seed: int, depth: float) -> None:
    for row in live("static", seed, depth).told(TradeEvidence):
        assert row.shadow_pnl_quote == pytest.approx(row.pnl_quote, rel=1e-9, abs=1e-9)
        assert row.shadow_margin_quote_hours == pytest.approx(row.margin_quote_hours, rel=1e-9)
        assert (row.shadow_closed_by, row.shadow_closed_ms) == (row.closed_by, row.closed_ms)
        assert row.shadow_liquidated == row.liquidated
        assert (row.moves, row.added_quote, row.added_lost_quote) == (0, 0.0, 0.0)


@settings(max_examples=60)
@given(seeds, depths)
def test_every_closed_position_has_one_row_or_a_shadow_that_still_lives(seed: int, depth: float) -> None:
    bench = live("distance_band", seed, depth)
    rows = {row.position_id: row for row in bench.told(TradeEvidence)}
    orphans = {
        book.position_id for market in bench.engine.state.markets.values() for book in market.evidence.orphans
    }
    closed = {note.position_id: note for note in bench.told(PositionClosed)}
    assert len(rows) == len(bench.told(TradeEvidence))
    assert rows.keys() | orphans == closed.keys()
    assert not rows.keys() & orphans
    for number, row in rows.items():
        note = closed[number]
        net = note.realised_pnl_quote - note.fees_quote + note.funding_quote
        assert row.pnl_quote == pytest.approx(net, rel=1e-12, abs=1e-12)
        assert row.added_quote == pytest.approx(note.margin_added_quote, rel=1e-12)
        assert 0.0 <= row.added_lost_quote <= row.added_quote + 1e-9
        freed = max(row.shadow_margin_quote_hours, 0.0)
        assert 0.0 <= row.released_redeployed_quote_hours <= freed * (1.0 + 1e-9)
        assert row.near_miss_ms <= row.closed_ms - row.opened_ms
        assert row.least_distance is not None


@settings(max_examples=40)
@given(seeds, st.sampled_from(["distance_band", "stop_anchor"]))
def test_evidence_that_wakes_at_every_mark_changes_no_decision_and_finds_nothing_more(
    seed: int, policy: str
) -> None:
    """The twin's evidence sees every mark: the marks that the other slept through had nothing to tell."""
    bench, twin = bench_of(policy, 1e9), bench_of(policy, 1e9)
    for event in wild(seed):
        for each in (bench, twin):
            each.ts_ms = event.ts_ms
        for market in twin.engine.state.markets.values():
            market.evidence.watch_low, market.evidence.watch_high = 1e300, 0.0
            if market.holding is not None:
                market.holding.quiet_low = market.holding.quiet_high = 0.0
        bench.feed(event)
        twin.feed(event)
    assert twin.sent == bench.sent
    assert twin.told(ForecastResolved) == bench.told(ForecastResolved)
    for mine, its in zip(bench.told(TradeEvidence), twin.told(TradeEvidence), strict=True):
        least = "least_distance", "least_distance_sigma_hours"
        assert mine.least_distance - its.least_distance <= 1.1e-4
        assert mine._replace(**dict.fromkeys(least)) == its._replace(**dict.fromkeys(least))


@settings(max_examples=30)
@given(seeds, st.integers(0, 480))
def test_evidence_survives_a_restart_unchanged(seed: int, moment: int) -> None:
    bench, twin = bench_of("distance_band", 3_000.0), bench_of("distance_band", 3_000.0)
    play(bench, wild(seed)[:moment])
    restore(twin.engine.state, bench.engine.snapshot())
    for symbol, market in bench.engine.state.markets.items():
        assert twin.engine.state.markets[symbol].evidence == market.evidence
