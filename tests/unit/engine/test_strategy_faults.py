"""A strategy that fails stops entries, never protection, and stays stopped after a restart."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.core.candles import Candles
from bot.core.event import AlertRaised, EntriesHalted, SignalSeen
from bot.engine import halts
from bot.engine.beliefs import failure_text, lift_halt, refuse_broken
from bot.engine.state import restore
from bot.errors import UserError
from bot.plugins import load_strategy
from bot.ports import Command
from bot.strategy import no_signals
from tests.unit.engine.desk_builder import A, B, Bench, kinds


def raises(_candles: Candles) -> Any:
    raise RuntimeError("no idea")


def leaves(_candles: Candles) -> Any:
    sys.exit("enough")


def interrupts(_candles: Candles) -> Any:
    raise KeyboardInterrupt


FAULTS: dict[str, Callable[[Candles], Any]] = {
    "raises": raises,
    "exit": leaves,
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
    assert [note.cause for note in bench.told(AlertRaised)] == ["strategy_failed"]
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


def test_a_strategy_that_hung_is_asked_no_more_until_a_person_resumes() -> None:
    bench, asked = Bench(), list[int]()

    def counted(candles: Candles) -> Any:
        asked.append(len(candles.close))
        return no_signals(len(candles.close))

    bench.strategy.answer = raises
    bench.candle()
    bench.strategy.answer = counted
    halts.obey(bench.engine.desk, Command("1", halts.HUNG_VERB, "NO_ENTRY", "it did not answer for 30 s"))
    lift_halt(bench.engine.desk)
    bench.candle()
    assert asked == []
    assert bench.engine.state.halts["strategy_hung"].is_latched
    halts.obey(bench.engine.desk, Command("2", "resume", "", ""))
    lift_halt(bench.engine.desk)
    bench.candle()
    assert len(asked) > 0


def test_a_question_is_open_while_the_strategy_is_asked() -> None:
    bench, seen = Bench(), list[tuple[int, bool]]()
    question = bench.engine.desk.question

    def looks(candles: Candles) -> Any:
        seen.append((question.number, question.is_open))
        raise RuntimeError("no idea")

    bench.strategy.answer = looks
    bench.candle()
    assert (seen, question.is_open) == ([(1, True)], False)


def test_a_strategy_that_fails_before_the_start_is_bad_input() -> None:
    bench = Bench()
    bench.strategy.answer = raises
    with pytest.raises(UserError, match=r"mine failed on 5 candles .*RuntimeError: no idea"):
        refuse_broken(bench.strategy, "mine", bench.market(A).window)


def test_a_strategy_that_leaves_the_program_before_the_start_is_bad_input() -> None:
    bench = Bench()
    bench.strategy.answer = leaves
    with pytest.raises(UserError, match=r"mine failed on 5 candles .*SystemExit: enough"):
        refuse_broken(bench.strategy, "mine", bench.market(A).window)


def test_the_users_own_interrupt_is_not_caught() -> None:
    bench = Bench()
    bench.strategy.answer = interrupts
    with pytest.raises(KeyboardInterrupt):
        bench.candle()


_DIVIDES = """
from bot.strategy import Strategy, check_signals, no_signals

class Mine(Strategy):
    timeframe = "1m"

    @property
    def warmup(self):
        return 5

    def signals(self, candles):
        return check_signals(
            no_signals(1), len(candles.close))
"""


def test_a_failure_names_the_last_line_of_the_strategys_own_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(_DIVIDES)
    strategy = load_strategy("mine", tmp_path, {})
    window = Bench().market(A).window
    with pytest.raises(ValueError, match="shape") as caught:
        strategy.signals(window.newest(5))
    line = _DIVIDES[: _DIVIDES.index("return check_signals")].count("\n") + 1
    assert failure_text(strategy, caught.value).endswith(f"(mine.py:{line})")
    with pytest.raises(UserError, match=rf"mine failed on 5 candles .*shape.*\(mine\.py:{line}\)"):
        refuse_broken(strategy, "mine", window)
