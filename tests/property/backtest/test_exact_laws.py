"""The exact engine says what the paper session says, tick by tick, over random markets."""

import numpy as np
import pytest

from tests.property.backtest.random_backtests import calm_case, played_by_session, played_exactly, random_case

_SEEDS = range(40)
_CALM = range(8)
_TABLES = ("trades", "open_trades", "moves", "account", "shadows")


@pytest.mark.parametrize("seed", _SEEDS)
def test_the_jumps_of_the_exact_engine_change_no_event(seed: int) -> None:
    case = random_case(seed)
    wanted, (got, run) = played_by_session(case), played_exactly(case)
    for name in ("events", "intents", "notes"):
        ours, theirs = getattr(got, name), getattr(wanted, name)
        for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            assert repr(one) == repr(other), f"{name} {number}"
        assert len(ours) == len(theirs), name
    assert got.free_quote == wanted.free_quote
    assert len(run.result("exact").trades.pnl_quote) == got.engine.state.tally.trades


@pytest.mark.parametrize("seed", _CALM)
def test_candles_that_pass_change_no_event_and_no_row(seed: int) -> None:
    case = calm_case(seed)
    (wanted, by_candle), (got, passing) = (
        played_exactly(case, passes_candles=each) for each in (False, True)
    )
    assert repr((got.events, got.intents, got.notes)) == repr((wanted.events, wanted.intents, wanted.notes))
    for name in _TABLES:
        theirs, ours = getattr(by_candle.result("exact"), name), getattr(passing.result("exact"), name)
        for column, one, other in zip(theirs._fields, ours, theirs, strict=True):
            assert np.array_equal(one, other, equal_nan=True), f"{name}.{column}"
