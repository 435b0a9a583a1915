"""A strategy that fails stops entries, never protection, and stays stopped after a restart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bot.core.candles import Candles
from bot.core.event import EntriesHalted, SignalSeen
from bot.engine.beliefs import refuse_broken
from bot.engine.state import restore
from bot.errors import UserError
from bot.strategy import no_signals
from tests.unit.engine.desk_builder import A, B, Bench, kinds


def raises(_candles: Candles) -> Any:
    raise RuntimeError("no idea")


FAULTS: dict[str, Callable[[Candles], Any]] = {
    "raises": raises,
    "nan": lambda candles: no_signals(len(candles.close))._replace(
        strength=np.full(len(candles.close), np.nan)
    ),
    "shape": lambda candles: no_signals(len(candles.close) - 1),
    "nothing": lambda _candles: None,
    "writes": lambda candles: candles.close.__setitem__(0, 1.0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_strategy_halts_entries_of_every_symbol_once(fault: str) -> None:
    bench = Bench()
    bench.strategy.answer = FAULTS[fault]
    bench.candle()
    bench.strategy.answer = None
    assert kinds(bench.enter(symbol=B)) == []
    assert kinds(bench.enter()) == []
    assert [note.cause for note in bench.told(EntriesHalted)] == ["strategy_error"]
    assert bench.told(SignalSeen) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_strategy_leaves_open_positions_protected(fault: str) -> None:
    bench = Bench()
    bench.enter()
    bench.tick(100.0)
    bench.strategy.answer = FAULTS[fault]
    bench.candle()
    assert kinds(bench.tick(102.5)) == ["PlaceStop", "CancelOrder"]
    assert bench.stops()


def test_a_halt_survives_a_restart() -> None:
    bench, heir = Bench(), Bench()
    bench.strategy.answer = raises
    bench.candle()
    restore(heir.engine.state, bench.engine.snapshot())
    assert kinds(heir.enter()) == []


def test_a_strategy_that_fails_before_the_start_is_bad_input() -> None:
    bench = Bench()
    bench.strategy.answer = raises
    with pytest.raises(UserError, match=r"mine failed on 5 candles .*RuntimeError: no idea"):
        refuse_broken(bench.strategy, "mine", bench.market(A).window)
