"""An instrument whose rules change under a position: they count at once, and a person is told."""

from typing import Any

import numpy as np
import pytest

from bot.core.codec import from_json, to_json
from bot.core.event import AlertRaised, InstrumentChanged, InvariantBroken, Reconciled
from bot.core.instrument import Instrument, is_same_instrument
from bot.core.intent import PlaceStop
from bot.core.margin import liquidation_price
from bot.core.profile import BINANCE_USDM, bybit
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.engine.instruments import on_restart
from bot.engine.outbox import NOTHING
from bot.engine.state import restore
from bot.risk.limits import BracketLimits
from bot.risk.policies.distance_band import DistanceBandParams
from bot.store.types import json_text, json_value
from bot.view.event_words import event_words
from tests.unit.engine.desk_builder import A, Bench, actions, instrument

NO_TRAIL = BracketLimits(trail_activate_r=0.0, first_take_profit_r=3.0, second_take_profit_r=6.0)


def rules(*rows: tuple[float, float, float, float, float], **more: Any) -> Instrument:
    tiers = tiers_from_rows([LeverageTier(*row) for row in rows])
    return instrument(A)._replace(tiers=tiers, max_leverage=rows[0][4], **more)


STRICTER = rules((0.0, 50_000.0, 0.03, 0.0, 8.0), (50_000.0, 1e9, 0.05, 1_000.0, 5.0))
MILDER = rules((0.0, 50_000.0, 0.005, 0.0, 50.0), (50_000.0, 1e9, 0.02, 750.0, 20.0))


def held_bench() -> Bench:
    """A long at 100 with liquidation below 95 and a stop at 98."""
    params = DistanceBandParams(low=0.9, high=1.1)
    bench = Bench(policy="distance_band", params=params, bracket=NO_TRAIL)
    bench.enter()
    bench.tick(100.0)
    return bench


def change(bench: Bench, read: Instrument) -> list[Any]:
    return bench.hear(InstrumentChanged(bench.ts_ms, A, read, BINANCE_USDM))


def causes(bench: Bench) -> list[str]:
    return [note.cause for note in bench.told(AlertRaised)]


def test_new_tiers_move_the_liquidation_price_the_ladder_and_the_sleep_bounds() -> None:
    bench = held_bench()
    market, holding = bench.market(), bench.holding()
    was = market.liquidation_price(holding.position)
    change(bench, rules((0.0, 1e9, 0.012, 0.0, 50.0)))
    now = market.liquidation_price(holding.position)
    assert now == liquidation_price(holding.position, market.rules) > was
    assert (holding.sleep_low, holding.sleep_high) == (0.0, 0.0)
    assert bench.tick(100.0) == []
    assert [rung.price for rung in holding.rungs if rung.kind == "liquidation"] == [now]


def test_margin_is_decided_on_the_new_tiers_at_the_next_mark() -> None:
    changed, same = held_bench(), held_bench()
    change(changed, STRICTER)
    sent = changed.tick(100.0)
    assert [type(each.action).__name__ for each in sent] == ["AddMargin"]
    assert same.tick(100.0) == []


def test_what_changed_is_journalled_once_with_before_and_after() -> None:
    bench = held_bench()
    change(bench, STRICTER._replace(tick_size=0.05))
    (note,) = bench.told(Reconciled)
    assert note.what == "instrument"
    assert note.facts["tick_size"] == "0.01 -> 0.05"
    assert note.facts["max_leverage"] == "50.0 -> 8.0"
    assert "tier 1: to 50000 1 % 50x -> to 50000 3 % 8x" in note.facts["tiers"]
    assert note.facts["liquidation_before"] < note.facts["liquidation"]
    assert "taken over from the venue, instrument" in event_words(to_json(note))


def test_a_nearer_liquidation_and_a_leverage_above_the_tier_raise_alerts() -> None:
    bench = held_bench()
    change(bench, STRICTER)
    assert causes(bench) == ["liquidation_moved", "leverage_above_tier"]
    assert "8x" in bench.told(AlertRaised)[1].message
    change(bench, rules((0.0, 1e9, 0.04, 0.0, 50.0)))
    assert causes(bench)[2:] == ["liquidation_moved"]
    assert list(bench.market().alerts) == ["liquidation_moved"]


def test_milder_rules_raise_nothing() -> None:
    bench = held_bench()
    change(bench, MILDER)
    assert causes(bench) == []


def test_without_a_position_the_rules_are_taken_and_only_noted() -> None:
    bench = Bench()
    change(bench, STRICTER)
    assert bench.market().instrument is STRICTER
    assert bench.market().rules.tiers is STRICTER.tiers
    assert causes(bench) == []
    assert [note.what for note in bench.told(Reconciled)] == ["instrument"]


def test_a_stop_that_liquidation_overtook_is_tightened_at_once() -> None:
    bench = held_bench()
    stop = bench.stop().trigger_price
    sent = change(bench, rules((0.0, 1e9, 0.05, 0.0, 50.0)))
    placed = actions(sent, PlaceStop)
    assert len(placed) == 1
    assert placed[0].trigger_price > stop
    assert bench.market().liquidation_price(bench.holding().position) < bench.stop().trigger_price
    assert bench.told(InvariantBroken) == []


def test_rules_that_are_none_hold_the_margin() -> None:
    bench = held_bench()
    broken = STRICTER._replace(tiers=STRICTER.tiers._replace(maintenance_margin_rate=np.array([np.nan, 0.1])))
    change(bench, broken)
    assert bench.tick(100.0) == []
    assert "unusable_numbers" in causes(bench)


def test_rules_that_changed_while_no_process_ran_wake_the_position_at_the_restart() -> None:
    before, after = held_bench(), Bench()
    before.tick(100.0)
    assert before.holding().sleep_high > 0.0
    market = after.market()
    restore(after.engine.state, before.engine.snapshot())
    on_restart(after.engine.desk, market, after.holding())
    assert after.engine.desk.outbox.take() is NOTHING
    market.instrument, market.rules = STRICTER, market.rules._replace(tiers=STRICTER.tiers)
    market.liquidation_of = (None, 0.0)
    on_restart(after.engine.desk, market, after.holding())
    notes = after.engine.desk.outbox.take().notes
    assert [type(note) for note in notes] == [Reconciled, AlertRaised, AlertRaised]
    assert after.holding().sleep_high == 0.0


def test_the_event_survives_the_journal_as_it_was() -> None:
    event = InstrumentChanged(5, A, STRICTER, bybit(0.00055))
    back = from_json(json_value(json_text(to_json(event))))
    assert (type(back), back.ts_ms, back.profile) == (InstrumentChanged, 5, event.profile)
    assert is_same_instrument(back.instrument, STRICTER, 0.0)
    assert "up to 8x, maintenance from 3.0 %" in event_words(to_json(event))


@pytest.mark.parametrize(
    ("read", "is_same"),
    [
        (rules((0.0, 51_000.0, 0.03, 0.0, 8.0), (51_000.0, 1.01e9, 0.05, 1_020.0, 5.0)), False),
        (rules((0.0, 50_000.0, 0.03, 0.0, 8.0), (50_000.0, 1.04e9, 0.05, 1_000.0, 5.0)), True),
        (rules((0.0, 50_000.0, 0.03, 0.0, 8.0), (50_000.0, 1.10e9, 0.05, 1_000.0, 5.0)), False),
        (STRICTER._replace(taker_fee_rate=0.0004), False),
        (rules((0.0, 50_000.0, 0.03, 0.0, 8.0)), False),
        (rules((0.0, 50_000.0, 0.03, 0.0, 8.0), (50_000.0, 1e9, 0.05, 1_000.0, 5.0)), True),
    ],
)
def test_only_bounds_may_differ_a_little(read: Instrument, is_same: bool) -> None:
    assert is_same_instrument(STRICTER, read, 0.05) is is_same
