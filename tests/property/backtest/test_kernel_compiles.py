"""Compiled, the kernel says what it says as plain Python. The first run on a machine compiles for minutes."""

import pytest

from bot.backtest.kernel.machine_code import compiled_play, play_plainly
from bot.backtest.kernel.warming import warm_up
from tests.bench.kernel_year import year_case
from tests.property.backtest.kernel_cases import kernel_case, kernel_run, split_case
from tests.property.backtest.test_kernel_laws import differences


@pytest.mark.timeout(900)
def test_the_machine_code_says_what_the_source_says() -> None:
    warm_up()
    cases = [*map(kernel_case, range(1_000, 1_040)), year_case(3, "stop_anchor", bars=3_000)]
    cases += map(split_case, range(1_000, 1_020))
    for case in cases:
        run = kernel_run(case)
        found = differences(run.run(play_plainly, follows=True), run.run(compiled_play(), follows=True))
        assert not found, f"{case.policy}: {'; '.join(found)[:2_000]}"
