"""What may be varied goes by its name, stays within its declared bounds, and lands where it belongs."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.backtest.sweep.axes import Axis, axes_of, declared_by, with_values
from bot.errors import UserError
from bot.plugins import load_strategy
from bot.settings import Settings
from bot.strategy import Strategy
from tests.unit.backtest.sweep.small_market import settings_in, write_market


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Strategy]:
    folder = tmp_path_factory.mktemp("axes")
    write_market(folder)
    settings = settings_in(folder, **{"margin.policy": "volatility"})
    return settings, load_strategy("pair", Path(settings.strategy.directory), {})


def axes(subject: tuple[Settings, Strategy], *texts: str) -> Sequence[Axis]:
    return axes_of(texts, *subject)


def test_names_bounds_steps_and_lists_are_read(subject: tuple[Settings, Strategy]) -> None:
    fast, slow, stop, sigmas, adds = axes(
        subject, "fast=2:10:2", "slow", "stop=0.01,0.02", "policy.sigmas=2:6", "margin.limits.max_adds=0:6:3"
    )
    assert fast.grid() == (2, 4, 6, 8, 10)
    assert (slow.low, slow.high, slow.is_integer) == (3, 60, True)
    assert stop.grid() == (0.01, 0.02)
    assert (sigmas.key, sigmas.low, sigmas.high) == ("margin.params.volatility.sigmas", 2.0, 6.0)
    assert adds.grid() == (0, 3, 6)
    assert adds.is_integer


def test_values_land_in_strategy_policy_and_limits(subject: tuple[Settings, Strategy]) -> None:
    settings, _ = subject
    chosen = axes(subject, "fast", "sigmas", "entry.risk_fraction", "brackets.first_take_profit_r")
    changed = with_values(settings, chosen, (7, 3.5, 0.02, 2.0))
    assert changed.strategy.params["pair"] == {"fast": 7}
    assert changed.margin.policy_params.sigmas == 3.5
    assert changed.entry.risk_fraction == 0.02
    assert changed.brackets.first_take_profit_r == 2.0
    assert settings.entry.risk_fraction == 0.01
    assert changed.margin.limits == settings.margin.limits


def test_everything_declared_can_be_set_where_it_says(subject: tuple[Settings, Strategy]) -> None:
    settings, strategy = subject
    known = declared_by(settings, strategy)
    assert {"fast", "strategy.fast", "sigmas", "policy.sigmas", "entry.risk_fraction"} <= set(known)
    for name, declared in known.items():
        axis = Axis(name, *declared)
        ends = (axis.whole(declared.low), axis.whole(declared.high))
        low, high = (with_values(settings, (axis,), (end,)) for end in ends)
        assert (low == high) == (declared.low == declared.high), name


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ((), "needs at least one --param"),
        (("fasst",), 'did you mean "fast"'),
        (("fast", "strategy.fast"), "twice"),
        (("fast=2:99",), "may lie within 2 and 30"),
        (("fast=10:2",), "low end comes first"),
        (("fast=2:10:20",), "a step fits between"),
        (("fast=2.5:10",), "is not whole"),
        (("fast=a:b",), "could not convert"),
        (("fast=1:2:3:4",), "has 4 numbers"),
        (("stop=nan:1",), "is no number"),
    ],
)
def test_what_cannot_be_varied_is_refused(
    subject: tuple[Settings, Strategy], texts: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        axes(subject, *texts)
