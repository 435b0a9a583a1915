"""`ringfence warmup`: makes what is missing, says when it is there, and what it needs."""

from collections.abc import Callable

import pytest

from tests.unit.cli.conftest import Outcome


def test_it_makes_the_code_once(ringfence: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []
    monkeypatch.setattr("bot.backtest.kernel_engine.can_compile", lambda: True)
    monkeypatch.setattr("bot.backtest.kernel_engine.is_warm", lambda: bool(made))
    monkeypatch.setattr("bot.backtest.kernel_engine.warm_up", lambda: made.append(True))
    first = ringfence("warmup")
    assert first.code == 0
    assert "machine code is made, in 0 s" in first.out
    assert "machine code is there" in ringfence("warmup").out
    assert made == [True]


def test_without_numba_it_says_what_to_install(
    ringfence: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.backtest.kernel_engine.can_compile", lambda: False)
    told = ringfence("warmup")
    assert told.code == 2
    assert "make research" in told.err
    assert "Making" not in told.err
