"""The door of bot.calc, and what the calculators gained for the command line, by hand."""

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.calc
from bot.calc import (
    PathLeg,
    highest_leverage,
    highest_leverage_for_margin,
    leverage_points,
    liquidation_by_wallet,
    new_position,
    path_traces,
    portfolio_legs,
    position_report,
    top_up,
    what_if_path,
)
from bot.calc.topup import distance_of_chance
from bot.core.margin import liquidation_distance, liquidation_price
from bot.core.probability import liquidation_probability
from bot.core.profile import BINANCE_USDM, MarginRules
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.risk.limits import MarginLimits
from bot.risk.policies import POLICIES
from bot.risk.regime import VOLATILE
from bot.risk.view import MarginBook, MarginView

TIERS = tiers_from_rows(
    [LeverageTier(0.0, 50_000.0, 0.004, 0.0, 125.0), LeverageTier(50_000.0, 1e6, 0.005, 50.0, 20.0)]
)
RULES = MarginRules(TIERS, BINANCE_USDM, False, 0.0)
BTC = portfolio_legs()[0]
TREND = POLICIES["trend_regime"].params_type
HOUR_MS = 3_600_000


def test_every_name_of_the_door_leads_somewhere_and_any_other_is_refused() -> None:
    homes = [name for names in bot.calc._HOMES.values() for name in names]
    assert sorted(homes) == sorted(bot.calc.__all__)
    assert all(getattr(bot.calc, name) is not None for name in bot.calc.__all__)
    with pytest.raises(AttributeError, match="no attribute 'positon_report'"):
        getattr(bot.calc, "positon_report")  # noqa: B009  the point is a name that is not there


def test_one_calculator_does_not_load_the_policies(root: Any) -> None:
    code = "import sys\nfrom bot.calc import position_report\nprint('bot.risk.policies' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_distance_counts_in_true_ranges() -> None:
    report = position_report(BTC.position, 57_000.0, BTC.rules, atr=500.0)
    assert report.liquidation_distance_atr == pytest.approx((57_000.0 - 54_000.0 / 0.996) / 500.0)
    assert position_report(BTC.position, 57_000.0, BTC.rules).liquidation_distance_atr is None
    with pytest.raises(ValueError, match="atr is nan"):
        position_report(BTC.position, 57_000.0, BTC.rules, atr=math.nan)


@given(st.sampled_from([1, -1]), st.floats(1.0, 40_000.0), st.floats(0.002, 0.2), st.integers(1, 125))
def test_the_leverage_for_a_margin_is_the_highest_one_for_the_quantity_it_opens(
    side: int, margin: float, stop_distance: float, most: int
) -> None:
    asked: dict[str, Any] = {
        "entry_price": 60_000.0,
        "stop_price": 60_000.0 * (1.0 - side * stop_distance),
        "buffer": 0.01,
        "rules": RULES,
    }
    quantity, answer = highest_leverage_for_margin(side, margin=margin, max_leverage=float(most), **asked)
    assert answer.required_margin == pytest.approx(margin)
    assert answer.leverage <= most
    same = highest_leverage(side, quantity=quantity, max_leverage=float(answer.leverage), **asked)
    assert same.leverage == answer.leverage


def test_a_margin_that_reaches_another_tier_is_bounded_there() -> None:
    asked: dict[str, Any] = {"entry_price": 6e4, "stop_price": 59_400.0, "buffer": 0.0, "rules": RULES}
    quantity, answer = highest_leverage_for_margin(1, margin=10_000.0, max_leverage=100.0, **asked)
    assert (answer.leverage, answer.limit) == (20, "venue")
    assert quantity == pytest.approx(10_000.0 * 20 / 6e4)
    with pytest.raises(ValueError, match=r"margin is 0\.0"):
        highest_leverage_for_margin(1, margin=0.0, max_leverage=100.0, **asked)


def test_more_leverage_never_moves_liquidation_away() -> None:
    points = leverage_points(1, quantity=0.1, entry_price=6e4, max_leverage=200.0, rules=RULES)
    assert [point.leverage for point in points] == list(range(1, 126))
    prices = [point.liquidation_price for point in points]
    assert prices == sorted(prices)
    assert points[9].required_margin == pytest.approx(600.0)
    assert len(leverage_points(1, quantity=1.0, entry_price=6e4, max_leverage=200.0, rules=RULES)) == 20
    with pytest.raises(ValueError, match=r"max_leverage is 0\.5"):
        leverage_points(1, quantity=0.1, entry_price=6e4, max_leverage=0.5, rules=RULES)


@given(st.sampled_from([1, -1]), st.floats(0.0005, 0.5), st.floats(0.005, 0.1), st.floats(0.04, 3.0))
def test_a_distance_of_a_chance_has_that_chance(side: int, chance: float, sigma: float, days: float) -> None:
    away = distance_of_chance(side, chance, sigma, days)
    barrier = 100.0 * (1.0 - side * away)
    assert liquidation_probability(100.0, barrier, sigma, days) == pytest.approx(chance, rel=1e-6)


@pytest.mark.parametrize(
    ("chance", "sigma", "days", "words"),
    [(0.0, 0.03, 1.0, "probability is 0.0"), (0.1, math.nan, 1.0, "sigma_day"), (0.1, 0.03, 0.0, "days")],
)
def test_a_chance_that_is_none_is_named(chance: float, sigma: float, days: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        distance_of_chance(1, chance, sigma, days)


def test_liquidation_by_wallet_meets_the_top_up() -> None:
    answer = top_up(BTC.position, 57_000.0, 0.10, BTC.rules)
    now, then = liquidation_by_wallet(BTC.position, [500.0, answer.target_wallet], BTC.rules)
    assert (now, then) == (answer.liquidation_price, answer.liquidation_price_after)


def path_of(marks: list[float], book: MarginBook | None = None, **changed: Any) -> PathLeg:
    away = liquidation_distance(BTC.position, BTC.mark, BTC.rules)
    view = MarginView(HOUR_MS * 100, BTC.mark, 0, BTC.position, BTC.rules, 0.0, 0.03, 0.0, away)
    return PathLeg(view._replace(**changed), np.array(marks, dtype=np.float64), 0.01, 0.0001, book)


def walked(path: PathLeg, policies: Any, free: float = 10_000.0, times: Any = None) -> Any:
    return {row.way: row for row in what_if_path([path], free, policies, MarginLimits(), times)}


def test_a_volatility_cut_is_obeyed_once_due_and_pays_back_its_share() -> None:
    row = walked(path_of([60_000.0, 59_000.0], regime=VOLATILE), {"trend_regime": TREND(max_cuts=1)})
    cut = row["trend_regime"]
    assert (cut.cuts, cut.adds) == (1, 0)
    closed = math.floor(0.5 * BTC.position.quantity / 0.0001) * 0.0001
    kept = BTC.position.quantity - closed
    assert cut.pnl == pytest.approx(-1_000.0 * kept)
    assert row["isolated"].pnl == pytest.approx(-1_000.0 * BTC.position.quantity)
    assert cut.left == pytest.approx(10_500.0 + cut.pnl)


def test_a_cut_of_less_than_a_step_is_not_made() -> None:
    path = path_of([60_000.0], regime=VOLATILE)._replace(quantity_step=1.0)
    assert walked(path, {"trend_regime": None})["trend_regime"].cuts == 0


def test_what_was_added_before_counts_against_the_limits() -> None:
    book = MarginBook(500.0, 900.0, 0.0, 6, 0, 0, 1_500.0, 10_000.0, 10_500.0, 0.01)
    fresh = walked(path_of([57_000.0]), {"volatility": None})["volatility"]
    spent = walked(path_of([57_000.0], book), {"volatility": None})["volatility"]
    assert fresh.adds == 1
    assert (spent.adds, spent.derisk_asks) == (0, 1)


def test_a_path_keeps_its_own_times() -> None:
    minute = walked(path_of([60_000.0] * 4), {})["isolated"]
    hourly = walked(path_of([60_000.0] * 4), {}, times=HOUR_MS * np.arange(1.0, 5.0))["isolated"]
    assert minute.margin_hours == pytest.approx(500.0 * 4 / 60)
    assert hourly.margin_hours == pytest.approx(500.0 * 4)


@pytest.mark.parametrize("times", [[1.0], [2.0, 1.0], [0.0, 1.0], [1.0, math.nan]])
def test_times_that_do_not_rise_are_refused(times: list[float]) -> None:
    with pytest.raises(ValueError, match="times_ms has"):
        walked(path_of([60_000.0] * 2), {}, times=np.array(times))


@pytest.mark.parametrize("way", ["isolated", "exchange_auto_add", "volatility"])
def test_a_trace_follows_the_leg_until_its_end(way: str) -> None:
    path = path_of([57_000.0, 53_000.0, 40_000.0])
    (trace,) = path_traces([path], 300.0, way, None, MarginLimits())
    (row,) = [
        row for row in what_if_path([path], 300.0, {"volatility": None}, MarginLimits()) if row.way == way
    ]
    alive = np.isfinite(trace.wallet)
    assert alive.tolist() == np.isfinite(trace.liquidation).tolist()
    assert not alive[-1]
    assert row.margin_hours == pytest.approx(float(np.nansum(trace.wallet)) / 60.0)
    assert trace.liquidation[0] == pytest.approx(
        liquidation_price(BTC.position._replace(isolated_wallet=float(trace.wallet[0])), BTC.rules)
    )
    with pytest.raises(ValueError, match="policies has 'hope'"):
        path_traces([path], 300.0, "hope", None, MarginLimits())


def test_a_negative_quantity_step_is_named() -> None:
    with pytest.raises(ValueError, match=r"BTC\.quantity_step is -1\.0"):
        walked(path_of([6e4])._replace(quantity_step=-1.0), {})


def test_a_new_position_of_the_door_is_that_of_the_module() -> None:
    made = new_position("X", 1, quantity=1.0, entry_price=100.0, leverage=4.0, rules=RULES)
    assert made.isolated_wallet == 25.0
