"""`ringfence sweep`: tables, JSON, refusals, and a record that is gone on with."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.unit.backtest.sweep.small_market import TIMERANGE, write_market
from tests.unit.cli.conftest import Outcome

PARAMS = ("fast=2:8:2", "slow=4:20:8")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("market")
    write_market(folder)
    return folder


@pytest.fixture
def ringfence_sweep(ringfence: Callable[..., Outcome], market: Path) -> Callable[..., Outcome]:
    """Run `ringfence sweep` on the small market."""
    own = (
        "--set",
        f"strategy.directory={market / 'own'}",
        "--strategy",
        "pair",
        "--symbols",
        "BTC/USDT:USDT",
    )
    where = ("--data", str(market / "data"), "--timerange", TIMERANGE, "--jobs", "1")

    def command(*more: str) -> Outcome:
        return ringfence("sweep", *own, *where, *more)

    return command


def test_the_command_shows_the_best_and_what_it_is_worth(ringfence_sweep: Callable[..., Outcome]) -> None:
    grid = ("--sampler", "grid", "--param", PARAMS[0], "--param", PARAMS[1])
    told_ = ringfence_sweep(*grid)
    assert told_.code == 0, told_.err
    assert "12 tries, 3 of them impossible; the best in sharpe:" in told_.out
    assert "tries without any skill would show about" in told_.out
    assert told_.err.count("layed by the ") == 1
    found = json.loads(
        ringfence_sweep(*grid, "--objective", "return", "--objective", "margin-hours", "--json").out
    )
    (split,) = found["splits"]
    assert split["tried"] == 12
    assert {"fast", "slow"} == set(split["best"][0]["values"])
    folds = ringfence_sweep(*grid, "--folds", "3", "--purge", "4h", "--engine", "exact")
    assert folds.code == 0, folds.err
    assert "Played by the exact engine.\n" in folds.err
    assert "of 3 parts that it had not been chosen on" in folds.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--param", "fast=2:4", "--objective", "profit"), 'There is no objective "profit"'),
        (("--param", "fast=2:4", "--folds", "2", "--walk-forward", "2"), "two ways to split"),
        (("--param", "fast=2:4", "--walk-forward", "50"), "cannot be split"),
        (("--param", "fast=2:4", "--purge", "soon"), "--purge is"),
        (("--param", "speed=2:4"), 'There is no parameter "speed"'),
        ((), "needs at least one --param"),
    ],
)
def test_bad_input_is_refused_before_anything_is_played(
    ringfence_sweep: Callable[..., Outcome], words: tuple[str, ...], said: str
) -> None:
    told_ = ringfence_sweep(*words)
    assert told_.code == 2
    assert said in told_.err


def test_the_record_of_the_command_is_gone_on_with(
    ringfence_sweep: Callable[..., Outcome], tmp_path: Path
) -> None:
    kept = tmp_path / "kept.jsonl"
    words = (
        "--param",
        "fast=2:8",
        "--sampler",
        "random",
        "--trials",
        "4",
        "--batch",
        "2",
        "--record",
        str(kept),
    )
    first = ringfence_sweep(*words)
    assert first.code == 0, first.err
    rows = kept.read_bytes()
    assert ringfence_sweep(*words).out == first.out
    assert kept.read_bytes() == rows
    other = ringfence_sweep(*words, "--wallet", "77")
    assert other.code == 2
    assert "another sweep: what is played differs" in other.err


def test_an_export_holds_every_try_and_a_page_that_needs_nothing_else(
    ringfence_sweep: Callable[..., Outcome], tmp_path: Path
) -> None:
    folder = tmp_path / "swept"
    words = ("--sampler", "grid", "--param", PARAMS[0], "--param", PARAMS[1], "--export", str(folder))
    told = ringfence_sweep(*words, "--objective", "return", "--objective", "margin-hours")
    assert told.code == 0, told.err
    assert {path.name for path in folder.iterdir()} == {
        "report.html",
        "result.json",
        "tries.parquet",
        "tries.csv",
    }
    tries = pl.read_parquet(folder / "tries.parquet")
    assert tries.height == 12
    assert tries.filter(pl.col("refusal") != "").height == 3
    found = json.loads((folder / "result.json").read_text())
    front = {each["number"] for each in found["splits"][0]["best"]}
    assert set(tries.filter("is_best")["try"].to_list()) == front
    page = (folder / "report.html").read_text()
    assert page.count('class="best"') == 3 * len(front)
    assert page.count('class="point"') == 3 * (9 - len(front))
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="', page)
    (folder / "mine.txt").write_text("")
    refused = ringfence_sweep(*words)
    assert refused.code == 2
    assert "mine.txt" in refused.err
