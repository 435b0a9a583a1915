"""Bad input in the running bot: margin is held, protection kept, and an alert says so once."""

import json
import math
from typing import Any

import numpy as np
import pytest

from bot.core.codec import from_json, to_json
from bot.core.event import AlertRaised, CandleClosed, FeedGap, FundingDue, MarkPrice, OrderCancelled
from bot.core.intent import AddMargin, PlaceStop
from bot.engine.engine import Engine
from bot.risk.limits import BracketLimits, MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from bot.store.types import json_text
from bot.view.event_words import event_words
from tests.unit.engine.desk_builder import MINUTE_MS, A, B, Bench, kinds

NARROW = DistanceBandParams(low=0.9, high=1.1)
NO_TRAIL = BracketLimits(trail_activate_r=0.0, first_take_profit_r=3.0, second_take_profit_r=6.0)
ADD = 99.3
NOT_PRICES = [math.nan, 0.0, -1.0, math.inf, -math.inf]


def held_bench(**margin: Any) -> Bench:
    """A long at 100 with liquidation 5.67 % below; adds are due below 99.35."""
    bench = Bench(policy="distance_band", params=NARROW, margin=MarginLimits(**margin), bracket=NO_TRAIL)
    bench.enter()
    bench.tick(100.0)
    return bench


def causes(bench: Bench) -> list[str]:
    return [note.cause for note in bench.told(AlertRaised)]


def last(bench: Bench) -> AlertRaised:
    return bench.told(AlertRaised)[-1]


def quote(bench: Bench, mark: float, symbol: str = A) -> list[Any]:
    """Let the engine alone see a mark a second later."""
    bench.ts_ms += 1_000
    return bench.hear(MarkPrice(bench.ts_ms, symbol, mark, mark))


def candle(bench: Bench, **changed: float) -> list[Any]:
    bench.ts_ms = (bench.ts_ms // MINUTE_MS + 1) * MINUTE_MS
    whole = CandleClosed(bench.ts_ms, A, MINUTE_MS, 100.0, 100.0, 100.0, 100.0, 1.0, 0.0)
    return bench.hear(whole._replace(**changed))


@pytest.mark.parametrize("mark", NOT_PRICES)
@pytest.mark.parametrize("is_held", [True, False])
def test_a_mark_that_is_no_price_is_ignored_alerted_once_and_forgotten_with_the_next(
    mark: float, is_held: bool
) -> None:
    bench = held_bench() if is_held else Bench(policy="distance_band", params=NARROW)
    good = bench.market().mark
    for _ in range(3):
        assert quote(bench, mark) == []
    assert bench.market().mark == good
    assert causes(bench) == ["bad_price"]
    assert last(bench).position_id == (bench.holding().position_id if is_held else 0)
    assert quote(bench, 100.0) == []
    assert bench.market().alerts == {}
    quote(bench, mark)
    assert causes(bench) == ["bad_price", "bad_price"]


@pytest.mark.parametrize("mark", NOT_PRICES)
def test_after_bad_marks_the_engine_goes_on_as_if_they_had_not_come(mark: float) -> None:
    clean, dirty = held_bench(), held_bench()
    for price in (100.2, 99.6, ADD, 99.0, 98.9):
        dirty.ts_ms += 500
        dirty.hear(MarkPrice(dirty.ts_ms, A, mark, mark))
        dirty.ts_ms += 500
        clean.ts_ms += 1_000
        for bench in (clean, dirty):
            bench.feed(MarkPrice(bench.ts_ms, A, price, price))
    assert [intent.action for intent in dirty.sent] == [intent.action for intent in clean.sent]
    assert "AddMargin" in kinds(dirty.sent)
    json.loads(json_text(dirty.engine.snapshot()), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "changed",
    [{"close": math.nan}, {"high": 90.0}, {"low": 0.0}, {"open": math.inf}, {"volume": math.nan}],
)
def test_a_broken_candle_is_left_out_and_nobody_is_asked(changed: dict[str, float]) -> None:
    bench = held_bench()
    bench.candle(100.0, direction=1)
    seen, sigma = len(bench.market().window.closes()), bench.market().sigma_day
    assert bench.holding().does_reenter
    for _ in range(2):
        candle(bench, **changed)
    assert causes(bench).count("bad_candle") == 1
    assert (len(bench.market().window.closes()), bench.market().sigma_day) == (seen, sigma)
    assert np.isfinite(bench.market().window.closes()).all()
    assert not bench.holding().does_reenter
    candle(bench)
    assert "bad_candle" not in bench.market().alerts


@pytest.mark.parametrize("sigma", [math.nan, 0.0, -0.03, math.inf])
def test_without_a_usable_volatility_margin_is_held_and_the_field_is_named(sigma: float) -> None:
    bench = held_bench()
    bench.market().sigma_day = sigma
    bench.holding().wake()
    wallet = bench.holding().position.isolated_wallet
    for mark in (ADD, 98.5, 101.5):
        assert bench.tick(mark) == []
    assert bench.holding().position.isolated_wallet == wallet
    assert causes(bench) == ["unusable_numbers"]
    assert "sigma_day is" in last(bench).message
    assert last(bench).severity == "critical"
    assert bench.stops()
    bench.market().sigma_day = 0.03
    assert kinds(bench.tick(ADD)) == ["AddMargin"]
    assert bench.market().alerts == {}


def test_a_funding_rate_that_is_no_number_is_named_and_healed_by_the_next() -> None:
    bench = held_bench()
    bench.hear(FundingDue(bench.ts_ms, A, math.nan))
    bench.tick(ADD)
    assert "funding_rate is nan" in last(bench).message
    bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    assert kinds(bench.tick(ADD)) == ["AddMargin"]


def test_a_position_past_its_liquidation_is_left_alone_and_alerted() -> None:
    bench = held_bench()
    assert quote(bench, 90.0) == []
    assert causes(bench) == ["past_liquidation"]
    assert "90" in last(bench).message
    assert "the stop at 98" in last(bench).message
    assert quote(bench, 100.0) == []
    assert bench.market().alerts == {}


def test_tiers_with_a_gap_move_no_margin_and_are_named() -> None:
    bench = held_bench()
    market = bench.market()
    tiers = market.rules.tiers._replace(notional_floor=np.array([0.0, 60_000.0]))
    market.rules = market.rules._replace(tiers=tiers)
    bench.engine = Engine(bench.engine.desk)
    assert bench.tick(ADD) == []
    assert bench.stops()
    assert "tiers[1].notional_floor is 60000.0" in last(bench).message


def test_a_gap_is_alerted_with_a_position_only_and_ends_with_the_first_fresh_mark() -> None:
    bench = held_bench()
    for symbol in (A, B):
        bench.feed(FeedGap(bench.ts_ms, symbol, bench.ts_ms + 10_000))
    bench.tick(ADD)
    assert causes(bench) == ["stale"]
    assert last(bench).symbol == A
    bench.tick(ADD, after_ms=10_000)
    assert bench.market().alerts == {}


def test_a_feed_that_falls_silent_is_noticed_by_the_candles_of_another() -> None:
    bench = held_bench()
    for _ in range(3):
        bench.candle(100.0, symbol=B)
    assert causes(bench) == ["stale"]
    assert f"{A} (position 1): its newest mark 100 is" in last(bench).message
    bench.tick(100.0)
    assert bench.market().alerts == {}


def test_an_add_that_a_limit_forbids_says_what_is_short_and_what_was_done() -> None:
    bench = held_bench(max_adds=0)
    for mark in (ADD, 99.0, 98.8):
        bench.tick(mark)
    assert causes(bench) == ["add_forbidden"]
    words = last(bench).message
    assert "max_adds forbids an add" in words
    assert "The margin is left as it is (cheapest; expected cost: hold" in words
    bench.tick(100.0)
    bench.candle(100.0)
    assert bench.market().alerts == {}


def test_an_add_that_the_venue_refuses_is_alerted_until_one_is_taken() -> None:
    bench = held_bench()
    bench.answers[AddMargin] = "insufficient_balance"
    bench.tick(ADD)
    assert causes(bench) == ["add_refused"]
    assert "insufficient_balance" in last(bench).message
    bench.tick(98.7, after_ms=61_000)
    assert causes(bench) == ["add_refused"]
    bench.answers.clear()
    assert kinds(bench.tick(98.7, after_ms=61_000)) == ["AddMargin"]
    assert bench.market().alerts == {}


def test_a_stop_that_vanishes_is_alerted_until_another_rests() -> None:
    bench = held_bench()
    stop = bench.stop()
    bench.is_deaf = True
    bench.hear(OrderCancelled(bench.ts_ms, A, stop.client_id, "stop", "expired"))
    assert causes(bench) == ["stop_missing"]
    assert "placed again at 98" in last(bench).message
    assert bench.market().alerts == {"stop_missing": 1}


def test_a_stop_that_the_venue_refuses_is_alerted_and_the_position_closed() -> None:
    bench = Bench(policy="distance_band", params=NARROW)
    bench.answers[PlaceStop] = "would_trigger_immediately"
    bench.enter()
    assert causes(bench) == ["stop_missing"]
    assert "closed at market" in last(bench).message
    assert bench.market().holding is None


def test_the_next_position_is_alerted_anew() -> None:
    bench = held_bench(max_adds=0)
    bench.tick(ADD)
    bench.tick(97.0)
    assert bench.market().holding is None
    bench.tick(100.0)
    bench.enter()
    bench.tick(100.0)
    bench.tick(ADD)
    assert [note.position_id for note in bench.told(AlertRaised)] == [1, 2]


def test_an_alert_survives_journal_and_snapshot_and_reads_as_words() -> None:
    bench = held_bench(max_adds=0)
    bench.tick(ADD)
    alert = last(bench)
    stored = json.loads(json_text(to_json(alert)), parse_constant=pytest.fail)
    assert from_json(stored) == alert
    assert event_words(stored) == f"ALERT, warning, add forbidden: {alert.message}"
    assert bench.engine.snapshot()["markets"][A]["alerts"] == {"add_forbidden": 1}
