"""What a compiled backtest costs: CPU time of the run alone, without loading, preparing and compiling."""

import time

import pytest

from bot.backtest.kernel.machine_code import compiled_play
from bot.backtest.kernel.setting_up import tables_for
from tests.bench.conftest import Measure
from tests.bench.kernel_year import YEAR_BARS, year_case
from tests.property.backtest.kernel_cases import kernel_run, venue_of

pytestmark = pytest.mark.bench

_ONE_SYMBOL = 60e6
_THREE_SYMBOLS = 40e6


@pytest.mark.timeout(600)
@pytest.mark.parametrize("policy", ["stop_anchor", "liquidation_probability"])
@pytest.mark.parametrize("symbols", [1, 3])
def test_bench_a_year_of_minutes(measured: Measure, symbols: int, policy: str) -> None:
    case = year_case(symbols, policy)
    run, venue, loop = kernel_run(case), venue_of(case), compiled_play()
    seconds = []
    for _ in range(8):  # the first one loads the machine code, or compiles it
        record, tables = run.start(), tables_for(venue, run.played, 4, follows=False)
        before = time.process_time()
        loop(record, run.played, run.limits, tables)
        seconds.append(time.process_time() - before)
    rate = symbols * YEAR_BARS / min(seconds[1:])
    # The goal is one for a dynamic policy; the others are told beside it.
    goal = (_ONE_SYMBOL if symbols == 1 else _THREE_SYMBOLS) if policy == "stop_anchor" else 0.0
    name = f"kernel: {symbols} symbols, {policy}, candles per CPU s"
    measured(name, rate, "candles/s", at_least=goal)
    measured(f"kernel: {symbols} symbols, {policy}, first run with machine code", seconds[0], "CPU s")
