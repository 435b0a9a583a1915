"""`ringfence backtest`: what it prints and writes, and what it refuses, on made-up candles in a folder."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bot.backtest import engines, kernel_engine
from bot.backtest import plan as plans
from bot.backtest.export import FILES
from bot.core.timeframe import MINUTE_MS
from tests.unit.cli.conftest import assert_one_paragraph

START_MS = 1_738_540_800_000  # 2025-02-03
BTC = "BTC/USDT:USDT"
PLAYED = ("backtest", "--data", "candles", "--symbols", BTC, "--timerange", "20250205-20250207")


@pytest.fixture(autouse=True)
def _cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine code of the kernel, so that the engine chosen does not hang on what ran here before."""
    monkeypatch.setattr(kernel_engine, "is_warm", lambda: False)


@pytest.fixture
def candles(workplace: Path) -> Path:
    """Four days of one-minute candles of a lively market, with funding and without mark candles."""
    folder = workplace / "candles"
    folder.mkdir()
    random = np.random.default_rng(5)
    count = 4 * 1_440
    close = 60_000.0 * np.exp(np.cumsum(0.0012 * random.standard_t(4, count)))
    open_ = np.concatenate((close[:1], close[:-1]))
    frame = {
        "timestamp": START_MS + MINUTE_MS * np.arange(count, dtype=np.int64),
        "open": open_,
        "high": np.maximum(open_, close) * (1.0 + 0.0005 * random.random(count)),
        "low": np.minimum(open_, close) * (1.0 - 0.0005 * random.random(count)),
        "close": close,
        "volume": np.ones(count),
    }
    pl.DataFrame(frame).write_parquet(folder / "BTCUSDT_1m.parquet")
    due = START_MS + 8 * 3_600_000 * np.arange(12, dtype=np.int64)
    funding = {"timestamp": due, "funding_rate": np.full(12, 0.0001)}
    pl.DataFrame(funding).write_parquet(folder / "BTCUSDT_funding.parquet")
    return folder


def test_it_prints_totals_groups_and_what_the_margin_did(ringfence, candles):
    outcome = ringfence(*PLAYED)
    assert outcome.code == 0
    for said in ("by the exact engine", "Sharpe, Sortino, Calmar", "closed by", "margin-hours", "2025-02"):
        assert said in outcome.out
    assert "Against the same trades left alone" in outcome.out
    assert "the last price stands in for the mark" in outcome.err
    assert "too few" in outcome.err


def test_the_same_command_gives_the_same_document(ringfence, candles):
    first, again = (json.loads(ringfence(*PLAYED, "--json").out) for _ in range(2))
    for document in (first, again):
        del document["cpu_seconds"]
    assert first == again
    assert first["totals"]["trades"] == sum(group["trades"] for group in first["by_symbol"])
    assert first["totals"]["trades"] > 3
    earned = sum(group["net_quote"] for group in first["by_cause"])
    is_flat = first["totals"]["open_trades"] == 0
    assert first["totals"]["wallet_quote"] == pytest.approx(10_000.0 + earned) or not is_flat


def test_flags_reach_wallet_fee_policy_and_any_setting(ringfence, candles):
    document = json.loads(
        ringfence(
            *(*PLAYED, "--wallet", "500", "--fee", "0%", "--policy", "static", "--json"),
            *("--set", "strategy.params.ema_cross.fast=5", "--set", "margin.limits.max_adds=1"),
        ).out
    )
    assert document["totals"]["deposit_quote"] == 500.0
    assert document["totals"]["fees_quote"] == 0.0
    assert (document["policy"], document["evidence"]["moves"]) == ("static", 0)
    assert document["parameters"]["fast"] == 5
    assert document["settings"]["margin"]["limits"]["max_adds"] == 1


class _Page(HTMLParser):
    """Counts open elements and notes every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_an_export_is_whole_and_its_page_needs_nothing(ringfence, candles, workplace):
    assert ringfence(*PLAYED, "--export", "out/first").code == 0
    folder = workplace / "out" / "first"
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["first"]
    document = json.loads((folder / "result.json").read_text())
    trades = pl.read_parquet(folder / "trades.parquet")
    assert trades.height == document["totals"]["trades"] + document["totals"]["open_trades"]
    assert trades["net_quote"].sum() == pytest.approx(document["totals"]["net_quote"])
    assert pl.read_csv(folder / "moves.csv").height == document["evidence"]["moves"]
    page = _Page()
    text = (folder / "report.html").read_text()
    page.feed(text)
    assert page.open == []
    assert page.addresses == []
    assert "http:" not in text
    assert "https:" not in text


def test_an_export_replaces_an_earlier_one_and_nothing_else(ringfence, candles, workplace):
    assert ringfence(*PLAYED, "--export", "out").code == 0
    assert ringfence(*PLAYED, "--export", "out", "--policy", "static").code == 0
    assert json.loads((workplace / "out" / "result.json").read_text())["policy"] == "static"
    (workplace / "mine").mkdir()
    (workplace / "mine" / "thesis.txt").write_text("mine")
    outcome = ringfence(*PLAYED, "--export", "mine")
    assert_one_paragraph(outcome)
    assert "thesis.txt" in outcome.err
    assert (workplace / "mine" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--timerange", "20250205-20250205"), "empty"),
        (("--timerange", "20240101-20240201"), "cover the timerange"),
        (("--timeframe", "7m", "--detail", "2m"), "does not divide"),
        (("--timeframe", "15m", "--detail", "5m"), "has no 5m candles of BTC/USDT:USDT; it has 1m"),
        (("--timeframe", "30s"), "timeframe"),
        (("--strategy", "ema_crosss"), "ema_cross"),
        (("--policy", "stop_ancho"), "stop_anchor"),
        (("--set", "strategy.params.ema_cross.fast=1000"), "at most 200"),
        (("--set", "strategy.params.ema_cross.fats=10"), "fast"),
        (("--set", "margin.limits.max_addz=1"), "max_adds"),
        (("--set", "margin.limits.max_adds"), "KEY=VALUE"),
        (("--fee", "5%"), "--fee"),
        (("--wallet", "-1"), "deposit_quote"),
        (("--engine", "quick"), "exact"),
        (("--symbols", "ETH/USDT:USDT"), "no candle file"),
        (("--symbols", "WIF/USDT:USDT"), "does not know"),
        (("--export", "candles"), "no such export wrote"),
    ],
)
def test_bad_input_is_refused_in_one_paragraph(ringfence, candles, workplace, flags, said):
    outcome = ringfence(*PLAYED, *flags)
    assert_one_paragraph(outcome)
    assert said in outcome.err
    assert sorted(path.name for path in workplace.iterdir()) == ["candles"]


def test_ranges_that_overlap_are_not_pooled_by_compare(ringfence, candles):
    base = ("compare", "--data", "candles", "--symbols", BTC, "--horizon", "12h")
    outcome = ringfence(*base, "--timerange", "20250204-20250206,20250205-20250207")
    assert outcome.code == 2
    assert "20250204-20250206 and 20250205-20250207, which overlap" in outcome.err
    assert outcome.out == ""


def test_more_memory_than_there_is_is_refused_before_loading(ringfence, candles, monkeypatch):
    monkeypatch.setattr(plans, "available_bytes", lambda: 10 * 2**20)
    outcome = ringfence(*PLAYED)
    assert_one_paragraph(outcome)
    assert "10 MB are free" in outcome.err


def test_a_container_with_less_memory_than_the_machine_counts(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   2048 kB\n")
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    paths = {"meminfo": tmp_path / "meminfo", "cgroup": tmp_path}
    assert plans.available_bytes(paths) == 2_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert plans.available_bytes(paths) == 2048 * 1024


def test_a_strategy_that_warms_up_within_the_range_is_told(ringfence, candles):
    assert "silent until" not in ringfence(*PLAYED).err
    early = [*PLAYED[:-1], "20250203-20250207"]
    assert (
        "ema_cross needs 480 candles before its first word, and is silent until 2025-02-04"
        in ringfence(*early).err
    )


def test_an_engine_that_follows_no_shadows_says_so(ringfence, candles, monkeypatch):
    def bare(plan, say, _stage):
        return engines.play_exactly(plan, say)._replace(engine="kernel", shadows=None)

    bare_kernel = engines.BacktestEngine("kernel", lambda _plan: "", bare)
    monkeypatch.setitem(engines.ENGINES, "kernel", bare_kernel)
    outcome = ringfence(*PLAYED, "--engine", "kernel", "--export", "out")
    assert outcome.code == 0
    assert "The kernel engine follows no shadows" in outcome.out
    assert "Making the kernel's machine code, once" in outcome.err
    assert "left alone" not in Path("out/report.html").read_text()


def test_a_latched_halt_is_told_because_nobody_resumes(ringfence, candles):
    outcome = ringfence(*PLAYED, "--set", "halts.daily_loss_fraction=0.001")
    assert outcome.code == 0
    assert "Entries were halted" in outcome.err


def test_a_range_a_day_short_of_the_warmup_is_refused(ringfence, candles):
    outcome = ringfence(*PLAYED, "--timeframe", "1h", "--set", "strategy.params.ema_cross.slow=400")
    assert_one_paragraph(outcome)
    assert "4000 closed 1h candles" in outcome.err


LOOKS_AHEAD = """
import numpy as np
from bot.strategy import Candles, Signals, Strategy, build_signals


class Oracle(Strategy):
    timeframe = "5m"

    @property
    def warmup(self) -> int:
        return 5

    def signals(self, candles: Candles) -> Signals:
        rises = np.append(candles.close[1:] > candles.close[:-1], False)
        no = np.zeros(len(rises), np.bool_)
        return build_signals(rises, no, long_exits=~rises, short_exits=no, stop_distance=0.01)
"""


def test_a_strategy_that_looks_ahead_is_told(ringfence, candles, workplace):
    (workplace / "oracle.py").write_text(LOOKS_AHEAD)
    outcome = ringfence(*PLAYED, "--strategy", "./oracle.py")
    assert outcome.code == 0
    assert "looks ahead, or its warmup is too short" in outcome.err
