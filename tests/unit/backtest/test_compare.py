"""The same trades in every way: what must agree, what must not look ahead, what is refused."""

from typing import Any

import numpy as np
import pytest

from bot.backtest.bars import bars_of
from bot.backtest.compare import STUDY_LIMITS, compare
from bot.backtest.comparison import Comparison, WayResult
from bot.backtest.compiler import compiler, uncompiled
from bot.backtest.held_trade import LIQUIDATION
from bot.backtest.trade_walk import Rulebook, trade_walk
from bot.backtest.ways import CROSS, LADDER, STATIC, SWITCH, Plan
from bot.errors import UserError
from bot.evidence.paired import week_of
from bot.risk.derisk_case import derisk_limits
from bot.risk.policies import POLICIES
from bot.sim.series import MarketHistory
from tests.unit.backtest.recorded_markets import (
    HOUR_MS,
    RULES,
    START_MS,
    TERMS,
    history,
    without_funding,
)

BARE = Plan(stop_fraction=0.0, target_fraction=0.0, horizon_ms=48 * HOUR_MS)
UNBRACKETED = TERMS._replace(stop_fraction=0.0, target_fraction=0.0)
RULEBOOK = Rulebook(STUDY_LIMITS, derisk_limits(STUDY_LIMITS))
ALL = {name: policy.default for name, policy in POLICIES.items()}


def _compared(
    market: MarketHistory, plan: Plan = BARE, policies: dict[str, Any] | None = None
) -> dict[str, WayResult]:
    return {way.way: way for way in _whole(market, plan, policies).ways}


def _whole(market: MarketHistory, plan: Plan = BARE, policies: dict[str, Any] | None = None) -> Comparison:
    return compare([market], plan, ALL if policies is None else policies, STUDY_LIMITS, lambda _: None)


def test_every_way_holds_the_same_trades_and_static_comes_first() -> None:
    found = _whole(history(days=8))
    names = [way.way for way in found.ways]
    assert names == [STATIC, SWITCH, *(name for name in ALL if name not in (STATIC, SWITCH)), LADDER, CROSS]
    assert {way.trades for way in found.ways} == {found.trades}
    assert all(sum(way.endings.values()) == found.trades for way in found.ways)


def test_static_differs_from_itself_by_nothing() -> None:
    static = _compared(history(days=8), policies={})[STATIC]
    assert (static.difference.mean, static.difference.needed) == (0.0, None)
    assert static.mean_margin == pytest.approx(500.0, rel=0.02)  # funding moves the wallet a little


def test_margin_alone_changes_no_result_while_nothing_is_liquidated() -> None:
    calm = without_funding(history(seed=3, wildness=0.2))
    found = _compared(calm, BARE._replace(leverage=5.0))
    assert all(way.liquidations == 0 for way in found.values())
    assert found["hurdle"].releases_per_day > 0.0
    differences = {name: way.difference.mean for name, way in found.items() if way.cuts_per_day == 0.0}
    assert set(differences.values()) == {0.0}
    assert len(differences) >= 9


def test_wild_market_liquidates_static_most_and_cross_least() -> None:
    found = _compared(history(seed=2))
    assert found[STATIC].liquidations > found["hurdle"].liquidations
    assert found[CROSS].liquidations <= min(way.liquidations for way in found.values())
    assert found[LADDER].endings["derisked"] > 0
    assert found[LADDER].liquidations <= found["stop_anchor"].liquidations
    rescued = found["hurdle"].rescues
    groups = (rescued.rescued_better, rescued.rescued_worse, rescued.still_liquidated)
    assert sum(group.trades for group in groups) == found[STATIC].liquidations
    changed = sum(group.difference_quote for group in (*groups, rescued.only_ours))
    assert changed <= found["hurdle"].difference.mean * found["hurdle"].trades + 1e-6


def test_weeks_of_entry_are_the_clusters() -> None:
    found = _whole(history(days=16))
    last_entry_ms = START_MS + 14 * 24 * HOUR_MS
    assert found.weeks == week_of(last_entry_ms) - week_of(START_MS) + 1
    assert found.ways[0].difference.clusters == found.weeks


def test_every_trade_fits_its_horizon_into_the_range() -> None:
    market = history(days=6)
    plan = BARE._replace(every_ms=24 * HOUR_MS, sides=(1,))
    assert _whole(market, plan).trades == 5  # the 3rd to the 7th at midnight, held two days, until the 9th


def test_several_ranges_are_pooled() -> None:
    one, other = history(seed=1, days=6), history(seed=2, days=6)
    both = compare([one, other], BARE, {}, STUDY_LIMITS, lambda _: None)
    apart = [_whole(market, policies={}).ways[0] for market in (one, other)]
    assert both.trades == sum(way.trades for way in apart)
    assert both.ways[0].mean_pnl == pytest.approx(np.mean([way.mean_pnl for way in apart]))
    assert len(both.spans) == 2


def test_estimates_do_not_look_ahead() -> None:
    market = history(seed=4, days=6)
    series = market.series[0]
    half = len(series.candles.close) // 2
    columns = {name: getattr(series.candles, name).copy() for name in ("open", "high", "low", "close")}
    for values in columns.values():
        values[half:] *= 1.5
    changed = series._replace(candles=series.candles._replace(**columns))
    before, after = (bars_of(item, HOUR_MS, START_MS) for item in (series, changed))
    assert np.array_equal(before.estimates[:half], after.estimates[:half], equal_nan=True)
    assert not np.array_equal(before.estimates[half:], after.estimates[half:], equal_nan=True)


def test_funding_is_paid_in_the_bar_that_it_falls_into() -> None:
    market = history(days=3)
    bars = bars_of(market.series[0], HOUR_MS, START_MS)
    assert np.array_equal(bars.rates[::8, 0], market.series[0].funding.rate)
    assert not bars.rates[np.arange(len(bars.rates)) % 8 != 0, 0].any()


def test_compiled_walk_equals_plain_python() -> None:
    bars = bars_of(history(seed=2).series[0], HOUR_MS, START_MS)
    policy, terms = POLICIES["trend_regime"], UNBRACKETED._replace(is_derisking=True)
    walks = [trade_walk(policy, compile_) for compile_ in (uncompiled, compiler())]
    first = int(np.searchsorted(bars.close_ms, START_MS))
    for row in range(first, first + 200, 40):
        for side in (1, -1):
            plain, fast = (walk(bars, row, side, terms, RULES, RULEBOOK, policy.default) for walk in walks)
            assert fast == pytest.approx(plain, rel=1e-12)


def test_adds_that_a_liquidation_took_are_counted_as_lost() -> None:
    bars = bars_of(history(seed=2, wildness=1.5).series[0], HOUR_MS, START_MS)
    policy = POLICIES["distance_band"]
    walk = trade_walk(policy, uncompiled)
    first = int(np.searchsorted(bars.close_ms, START_MS))
    found = [
        walk(bars, row, side, UNBRACKETED, RULES, RULEBOOK, policy.default)
        for row in range(first, first + 400, 4)
        for side in (1, -1)
    ]
    fed = [trade for trade in found if trade.ending == LIQUIDATION and trade.adds and not trade.releases]
    assert fed
    assert all(0.0 < trade.added_lost <= trade.added for trade in fed)
    assert all(trade.added_lost == 0.0 for trade in found if trade.ending != LIQUIDATION)


def test_impossible_plans_are_refused_in_words() -> None:
    market = history(days=3)
    with pytest.raises(UserError, match="No trade fits into the range"):
        _whole(market, BARE._replace(horizon_ms=200 * HOUR_MS))
    with pytest.raises(UserError, match="needs 5000 of margin"):
        _whole(market, BARE._replace(leverage=1.0))
    with pytest.raises(UserError, match="The candles last 1h"):
        _whole(market, BARE._replace(every_ms=60_000))
