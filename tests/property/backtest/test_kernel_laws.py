"""The kernel says what the exact engine says, over random backtests that hurt.

It is played here as plain Python, which is what numba compiles; test_kernel_compiles.py compares the two.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backtest.kernel import columns as c
from bot.backtest.kernel.allocation import drop_adds, plan_adds
from bot.backtest.kernel.machine_code import play_plainly
from bot.backtest.kernel.record import books_in, record_of
from bot.backtest.kernel.run import KernelRun
from bot.backtest.kernel.setting_up import limits_of
from bot.backtest.result import Result
from bot.errors import UserError
from bot.risk.limits import HaltLimits
from bot.risk.rebalance import (
    DEADBAND,
    Wallets,
    WalletTarget,
    moves_after_failure,
    moves_between,
    places_by_name,
    rebalance_plan,
)
from bot.sim.series import Funding
from tests.bench.kernel_year import year_case
from tests.property.backtest.kernel_cases import (
    engine_of,
    kernel_case,
    kernel_run,
    played_exactly,
    split_case,
    venue_of,
)

_CHUNK = 25
_CHUNKS = 21
_SPLIT_CHUNKS = 3
_NAMES = {"cause": "causes", "reason": "reasons"}
# What is found of a shadow without every mark.
_FOLLOWED = (
    "closed_ms",
    "cause",
    "is_liquidated",
    "pnl_quote",
    "margin_quote_hours",
    "added_lost_quote",
    "adds_without_reentry",
    "released_redeployed_quote_hours",
    "moves_refused",
)
# Which the kernel does not count, and what the live engine says of itself.
_UNCOUNTED = {"alerts", "invariant_violations"}


def differences(exact: Result, kernel: Result) -> list[str]:
    """Return what differs: names and times exactly, money and prices by more than 1e-9.

    Shadows only where the kernel followed them.
    """
    found = [] if kernel.shadows is None else _shadow_differences(exact, kernel)
    for table in ("trades", "open_trades", "moves", "account"):
        ours, theirs = getattr(kernel, table), getattr(exact, table)
        if len(ours[0]) != len(theirs[0]):
            found.append(f"{table} has {len(ours[0])} rows, not {len(theirs[0])}")
            continue
        found += [
            f"{table}.{name}: {_column(kernel, ours, name)} is not {_column(exact, theirs, name)}"
            for name in ours._fields
            if not _is_same(_column(kernel, ours, name), _column(exact, theirs, name))
        ]
    if not np.isclose(kernel.wallet_quote, exact.wallet_quote, rtol=1e-9, atol=0.0):
        found.append(f"wallet_quote {kernel.wallet_quote} is not {exact.wallet_quote}")
    for name, count in kernel.counts._asdict().items():
        if name not in _UNCOUNTED and count != getattr(exact.counts, name):
            found.append(f"counts.{name} is {count}, not {getattr(exact.counts, name)}")
    return found


def _shadow_differences(exact: Result, kernel: Result) -> list[str]:
    ours, theirs = kernel.shadows, exact.shadows
    return [
        f"shadows.{name}: {_column(kernel, ours, name)} is not {_column(exact, theirs, name)}"
        for name in _FOLLOWED
        if not _is_same(_column(kernel, ours, name), _column(exact, theirs, name))
    ]


def _column(result: Result, table: Any, name: str) -> Any:
    column = getattr(table, name)
    names = getattr(result, _NAMES.get(name, ""), None)
    return [names[index] if index >= 0 else "" for index in column] if names is not None else column


def _is_same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, list) or ours.dtype == np.int64:
        return list(ours) == list(theirs)
    return bool(np.allclose(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True))


@pytest.mark.parametrize("chunk", range(_CHUNKS))
def test_the_kernel_says_what_the_exact_engine_says(chunk: int) -> None:
    for seed in range(chunk * _CHUNK, (chunk + 1) * _CHUNK):
        case = kernel_case(seed)
        found = differences(played_exactly(case), kernel_run(case).run(play_plainly, follows=True))
        assert not found, f"seed {seed} ({case.policy}): {'; '.join(found)[:2_000]}"


@pytest.mark.parametrize("chunk", range(_SPLIT_CHUNKS))
def test_one_margin_budget_is_split_as_the_exact_engine_splits_it(chunk: int) -> None:
    splits = 0
    for seed in range(chunk * _CHUNK, (chunk + 1) * _CHUNK):
        case = split_case(seed)
        exact = played_exactly(case)
        found = differences(exact, kernel_run(case).run(play_plainly, follows=True))
        assert not found, f"seed {seed} ({case.policy}): {'; '.join(found)[:2_000]}"
        splits += sum(exact.reasons[reason] == "allocation" for reason in exact.moves.reason)
    assert splits > _CHUNK


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_a_release_that_fails_drops_the_adds_that_it_was_to_pay_for(seed: int, size: int) -> None:
    draw = np.random.default_rng(seed)
    names = [f"S{row}" for row in draw.permutation(size)]
    rows = zip(names, draw.uniform(1.0, 100.0, size), draw.uniform(1.0, 100.0, size), strict=True)
    wallets = [WalletTarget(name, held, wanted, 0.01) for name, held, wanted in rows]
    free = float(draw.choice([0.0, 20.0]))
    moves = rebalance_plan(wallets, free)
    held, wanted, steps, most, least = (np.array([leg[field] for leg in wallets]) for field in range(1, 6))
    columns = Wallets(held, wanted, steps, most, least, places_by_name(names))
    planned = moves_between(columns, free, DEADBAND)
    b = books_in(record_of(size, 1, limits_of(engine_of(kernel_case(0)))))
    b.m[c.SYMBOLS] = size
    plan_adds(b, np.arange(size), planned)
    for failed in [move.symbol for move in moves if move.kind == "release"][:2]:
        drop_adds(b, names.index(failed))
        moves = moves_after_failure(moves, failed)
        left = [(names[b.n[add, c.PLANNED_FOR]], b.f[add, c.PLANNED]) for add in range(b.m[c.ADDS_PLANNED])]
        assert left == [(move.symbol, move.amount_quote) for move in moves if move.kind == "add"]


def test_what_the_kernel_does_not_do_is_refused_by_name() -> None:
    case = kernel_case(0)._replace(halts=HaltLimits(messages_per_minute=5_000))
    with pytest.raises(UserError, match=r"count to more than 1022 \(halts\.messages_per_minute"):
        KernelRun(engine_of(case), venue_of(case), case.history, case.told)


def test_candles_are_taken_whole_and_nothing_changes() -> None:
    for policy in ("stop_anchor", "volatility", "distance_band", "hurdle", "static"):
        case = year_case(2, policy, bars=1_500)
        found = differences(played_exactly(case), kernel_run(case).run(play_plainly, follows=True))
        assert not found, f"{policy}: {'; '.join(found)[:2_000]}"


@pytest.mark.parametrize("symbols", [1, 2])
def test_a_wish_to_leave_that_lasts_changes_nothing_for_the_other_side(symbols: int) -> None:
    case = year_case(symbols, "stop_anchor", bars=6_000)
    told = {}
    for symbol, each in case.told.items():
        leaves = np.ones(len(each.signals.exits), np.bool_)
        leaves[37::41] = False
        direction = np.where(each.signals.entries, 1, -1).astype(np.int8) * each.signals.direction
        direction[::53] *= np.int8(-1)
        told[symbol] = each._replace(signals=each.signals._replace(exits=leaves, direction=direction))
    case = case._replace(told=told)
    found = differences(played_exactly(case), kernel_run(case).run(play_plainly))
    assert not found, "; ".join(found)[:2_000]


def test_funding_is_settled_between_whole_candles() -> None:
    for symbols in (1, 2):
        case = year_case(symbols, "stop_anchor", bars=3_000)
        due = case.history.start_ms + 1_200_000 * np.arange(1, 140, dtype=np.int64)
        rates = 0.0005 * np.random.default_rng(symbols).standard_normal(due.size)
        series = tuple(each._replace(funding=Funding(due, rates)) for each in case.history.series)
        case = case._replace(history=case.history._replace(series=series))
        found = differences(played_exactly(case), kernel_run(case).run(play_plainly, follows=True))
        assert not found, "; ".join(found)[:2_000]


@pytest.mark.parametrize(("symbols", "day", "drawdown"), [(1, 0.0102, 0.0), (2, 0.0, 0.0246)])
def test_a_loss_that_comes_and_goes_between_looks_still_halts(
    symbols: int, day: float, drawdown: float
) -> None:
    limits = HaltLimits(daily_loss_fraction=day, drawdown_fraction=drawdown)
    case = year_case(symbols, "stop_anchor", bars=6_000)._replace(halts=limits)
    exact = played_exactly(case)
    assert exact.counts.entries_refused > 0  # by the halt
    found = differences(exact, kernel_run(case).run(play_plainly, follows=True))
    assert not found, "; ".join(found)[:2_000]
