"""A whole sweep: the same for any number of workers and any interruption, judged on what it did not see."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.backtest import kernel_engine
from bot.backtest.engines import ENGINES
from bot.backtest.exact_setup import engine_and_venue
from bot.backtest.kernel.machine_code import play_plainly
from bot.backtest.kernel.run import KernelRun
from bot.backtest.plan import Plan, plan_of
from bot.backtest.result import Result
from bot.backtest.stage import Stage, stage_of
from bot.backtest.summary import summary_of
from bot.backtest.sweep.axes import axes_of, with_values
from bot.backtest.sweep.crew import Alone, Crew, crew_of
from bot.backtest.sweep.objectives import OBJECTIVES
from bot.backtest.sweep.record import Record
from bot.backtest.sweep.search import Search
from bot.backtest.sweep.splits import undivided, walk_forward
from bot.backtest.sweep.sweep import Chosen, sweep
from bot.backtest.sweep.trial import Base
from bot.errors import UserError
from bot.settings import Settings
from tests.unit.backtest.sweep.small_market import SYMBOL, settings_in, write_market

PARAMS = ("fast=2:8:2", "slow=4:20:8")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("market")
    write_market(folder)
    return folder


def subject(settings: Settings, *params: str) -> Base:
    return Base(f"{params}", settings, axes_of(params, settings, plan_of(settings).strategy))


def swept(base: Base, sampler: str, tries: int, crew: Crew | Alone, record: Record | None = None) -> Chosen:
    timerange = base.settings.feed.timerange
    assert timerange is not None
    search = Search(sampler, base.axes, (OBJECTIVES["return"],), 5, 4)
    return sweep(base, search, undivided(timerange)[0], tries, crew, record, lambda _done: None)


def told(found: Chosen) -> list[tuple[Any, ...]]:
    return [(each.values, each.figures, each.refusal) for each in found.tried]


def test_each_try_is_the_backtest_of_its_values(market: Path) -> None:
    base = subject(settings_in(market), *PARAMS)
    found = swept(base, "grid", 12, Alone())
    assert len(found.tried) == 12
    refused = [each for each in found.tried if each.refusal]
    assert [each.values for each in refused] == [(4, 4), (6, 4), (8, 4)]
    assert "fast must be below slow" in refused[0].refusal
    one = found.tried[-1]
    plan = plan_of(with_values(base.settings, base.axes, one.values))
    totals = summary_of(ENGINES["exact"].play(plan, lambda _bars: None)).totals
    assert one.figures["return"] == pytest.approx(totals.total_return, rel=1e-12)
    assert one.figures["trades"] == totals.trades > 10
    assert one.figures["sharpe"] == pytest.approx(totals.sharpe, rel=1e-12)
    assert found.best[0].figures["return"] == max(
        each.figures["return"] for each in found.tried if each.figures
    )
    assert found.deflated.tries == 12


@pytest.mark.timeout(180)
def test_two_processes_and_an_interruption_find_the_same(market: Path, tmp_path: Path) -> None:
    base = subject(settings_in(market), "fast=2:8", "slow=9:20", "stop=0.004:0.03")
    alone = swept(base, "tpe", 8, Alone())
    with crew_of(2, "") as crew:
        assert told(swept(base, "tpe", 8, crew)) == told(alone)
    record = Record(tmp_path / "kept.jsonl", {}, 4)
    swept(base, "tpe", 4, Alone(), record)
    played: list[int] = []
    resumed = sweep(
        base,
        Search("tpe", base.axes, (OBJECTIVES["return"],), 5, 4),
        alone.split,
        8,
        Alone(),
        record,
        played.append,
    )
    assert told(resumed) == told(alone)
    assert played == [4, 8]


def test_what_is_judged_was_not_seen(market: Path) -> None:
    base = subject(settings_in(market), *PARAMS)
    timerange = base.settings.feed.timerange
    assert timerange is not None
    (split,) = walk_forward(timerange, 1, 0)
    search = Search("grid", base.axes, (OBJECTIVES["return"],), 5, 4)
    found = sweep(base, search, split, 12, Alone(), None, lambda _done: None)
    assert split.test is not None
    feed = base.settings.feed.model_copy(update={"timerange": split.test})
    settings = with_values(base.settings.model_copy(update={"feed": feed}), base.axes, found.best[0].values)
    totals = summary_of(ENGINES["exact"].play(plan_of(settings), lambda _bars: None)).totals
    assert found.judged["return"] == pytest.approx(totals.total_return, rel=1e-12)
    assert found.judged["return"] != found.best[0].figures["return"]


def test_a_sweep_in_which_nothing_can_be_judged_says_why(market: Path) -> None:
    base = subject(settings_in(market), "fast=20,25", "slow=5,6")
    with pytest.raises(UserError, match="Of 4 tries not one can be judged: fast must be below slow"):
        swept(base, "grid", 4, Alone())


def test_every_worker_plays_by_the_engine_that_was_chosen_once(
    market: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("bot.backtest.kernel_engine.is_warm", lambda: asked.append("warm") or True)
    monkeypatch.setattr("bot.backtest.kernel_engine.play", lambda *_: asked.append("kernel"))
    swept(subject(settings_in(market), *PARAMS), "grid", 4, Alone())
    assert asked == []


def test_the_kernel_needs_no_bars_once_its_market_is_laid_out(
    market: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(settings_in(market))
    bare = stage_of(plan)
    light = bare.let_bars_go(plan)
    assert len(light.history.series[0].candles.close) == 0
    for slow, window in ((12, 100), (40, 300)):
        monkeypatch.setattr("bot.backtest.stage.candles_kept", lambda *_, window=window: window)
        whole = stage_of(plan)
        strategy = type(plan.strategy)(slow=slow)
        one, other = (
            kernel_run(each._replace(strategy=strategy), stage)
            for each, stage in ((plan, whole), (light, bare))
        )
        assert repr(one) == repr(other)
        assert len(one.trades.side) > 5


def kernel_run(plan: Plan, stage: Stage) -> Result:
    told = stage.told(plan)
    return KernelRun(*engine_and_venue(plan, told), plan.history, told, stage.market(plan)).run(play_plainly)


def test_the_kernel_is_set_up_once_for_all_strategies_and_anew_for_other_rules(
    market: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up: list[Plan] = []

    def counted(plan: Plan, told: Any) -> Any:
        set_up.append(plan)
        return engine_and_venue(plan, told)

    monkeypatch.setattr("bot.backtest.kernel.run.compiled_play", lambda: play_plainly)
    monkeypatch.setattr("bot.backtest.kernel_engine._note_warm", lambda: None)
    monkeypatch.setattr("bot.backtest.kernel_engine.engine_and_venue", counted)
    plan = plan_of(settings_in(market))
    entry = plan.settings.entry._replace(risk_fraction=0.5 * plan.settings.entry.risk_fraction)
    careful = plan._replace(settings=plan.settings.model_copy(update={"entry": entry}))
    stage, wallets = stage_of(plan), []
    for each in (plan, careful, plan._replace(fee_rate=0.001)):
        for fast in (3, 8):
            varied = each._replace(strategy=type(plan.strategy)(fast=fast))
            shared, alone = kernel_engine.play(varied, stage), kernel_engine.play(varied, stage_of(plan))
            assert repr(shared) == repr(alone)
            wallets.append(shared.wallet_quote)
    assert len(set(wallets)) == 6
    assert len(set_up) == 3 + 6


def test_a_try_that_the_kernel_refuses_is_played_exactly_or_says_so(
    market: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(plan: Plan, _stage: Stage) -> None:
        raise UserError(f"The kernel does not do {plan.settings.strategy.params}.")

    monkeypatch.setattr("bot.backtest.kernel_engine.play", refusing)
    exact = subject(settings_in(market), *PARAMS)
    found = told(swept(exact._replace(engine="kernel", falls_back=True), "grid", 12, Alone()))
    assert found == told(swept(exact, "grid", 12, Alone()))
    with pytest.raises(UserError, match="not one can be judged: The kernel does not do"):
        swept(exact._replace(engine="kernel"), "grid", 12, Alone())


def test_tries_share_what_parameters_do_not_change_and_say_the_same(market: Path) -> None:
    settings = settings_in(market)
    plan = plan_of(settings)
    stage = stage_of(plan)
    for values in ({"fast": 4}, {"fast": 8, "slow": 20}, {"stop": 0.02}, {"fast": 4}):
        varied = plan._replace(strategy=type(plan.strategy)(**values))
        alone, shared = (ENGINES["exact"].play(varied, lambda _bars: None, each) for each in (None, stage))
        assert repr(alone) == repr(shared)
    ours, theirs = stage.told(plan)[SYMBOL], stage.told(plan)[SYMBOL]
    assert ours.estimates is not None
    assert theirs.estimates is not None
    assert np.shares_memory(ours.estimates, theirs.estimates)
    assert ours.signals is theirs.signals
