"""The exact engine says what the paper session says, tick by tick, over random markets."""

import pytest

from tests.property.backtest.random_backtests import played_by_session, played_exactly, random_case

_SEEDS = range(40)


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
