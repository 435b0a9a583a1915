"""Which engine plays a backtest, and what is said of it."""

from pathlib import Path

import pytest

from bot.backtest import engines, kernel_engine
from bot.backtest.engines import choose_engine, play_fast
from bot.backtest.plan import Plan
from bot.backtest.stage import Stage
from bot.errors import UserError
from bot.plugins import load_strategy
from bot.settings import load
from tests.unit.backtest.recorded_markets import HOUR_MS, history


@pytest.fixture
def plan(root: Path) -> Plan:
    """A plan over made-up hours."""
    return Plan(load(), load_strategy("ema_cross", root / "strategies", {}), HOUR_MS, history())


def ready(monkeypatch: pytest.MonkeyPatch, *, warm: bool = True, refusal: str = "") -> None:
    """Let the kernel be installed, made or not, and refuse what it is said to."""
    monkeypatch.setattr(engines, "can_compile", lambda: True)
    monkeypatch.setattr(kernel_engine, "is_warm", lambda: warm)
    monkeypatch.setattr(kernel_engine, "refusal", lambda _plan: refusal)


def test_the_kernel_plays_where_it_is_made_and_does_all_of_it(plan, monkeypatch) -> None:
    ready(monkeypatch)
    assert (choose_engine(None, plan).engine.name, choose_engine(None, plan).notice) == ("kernel", "")


def test_a_kernel_that_is_not_made_is_told_and_left_to_who_asks_for_it(plan, monkeypatch) -> None:
    ready(monkeypatch, warm=False)
    chosen = choose_engine(None, plan)
    assert chosen.engine.name == "exact"
    assert "--engine kernel makes it" in chosen.notice
    monkeypatch.setattr(engines, "can_compile", lambda: False)
    assert choose_engine(None, plan).notice == ""


def test_what_the_kernel_does_not_do_goes_to_the_exact_engine_by_name(plan, monkeypatch) -> None:
    ready(monkeypatch, refusal="The kernel does not do tides")
    chosen = choose_engine(None, plan)
    assert chosen.engine.name == "exact"
    assert chosen.notice == "Played by the exact engine: The kernel does not do tides."


def test_an_engine_asked_for_by_name_refuses_what_it_does_not_do(plan) -> None:
    halts = plan.settings.halts._replace(messages_per_minute=5_000)
    busy = plan._replace(settings=plan.settings.model_copy(update={"halts": halts}))
    with pytest.raises(UserError, match=r"count to more than .*Use --engine exact"):
        choose_engine("kernel", busy)
    with pytest.raises(UserError, match="no engine"):
        choose_engine("quick", plan)


def test_what_the_kernel_cannot_finish_is_played_exactly(plan, monkeypatch) -> None:
    def unfinished(_plan: Plan, _stage: Stage) -> None:
        raise UserError("The kernel cannot finish this backtest: its tables are full.")

    monkeypatch.setattr(kernel_engine, "play", unfinished)
    monkeypatch.setattr(engines, "play_exactly", lambda _plan, _say, _stage: "exactly")
    assert play_fast(plan, lambda _bars: None) == "exactly"


def test_machine_code_is_remembered_by_the_sources_it_was_made_of(tmp_path, monkeypatch) -> None:
    marker = tmp_path / "cache" / "kernel-new.made"
    monkeypatch.setattr(kernel_engine, "_marker", lambda: marker)
    assert not kernel_engine.is_warm()
    marker.parent.mkdir()
    (marker.parent / "kernel-old.made").touch()
    kernel_engine._note_warm()
    assert kernel_engine.is_warm()
    assert [path.name for path in marker.parent.iterdir()] == ["kernel-new.made"]
