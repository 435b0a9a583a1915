"""`ringfence trade`: what its flags set, what it refuses, and that a refusal writes nothing."""

import asyncio
import gc
import importlib
import json
import math
import os
import signal
import sys
from pathlib import Path

import pytest

from bot.errors import UserError
from tests.unit.cli.conftest import assert_one_paragraph, files_in


def test_without_flags_it_is_paper_on_a_synthetic_market(ringfence, application):
    assert ringfence("trade").code == 0
    run, feed = application.settings.run, application.settings.feed
    assert (run.mode, feed.kind, run.db, run.for_seconds) == ("paper", "synthetic", None, None)
    assert run.speed > 60, "margin moves must be seen within the first minute"


def test_every_flag_reaches_its_setting(ringfence, application, workplace, root):
    (workplace / "candles").mkdir()
    outcome = ringfence(
        *("trade", "--feed", "replay", "--data", "candles", "--symbols", "ETH/USDT:USDT,BTC/USDT:USDT"),
        *("--timerange", "20250128-20250225", "--timeframe", "15m", "--strategy", "rsi_reversion"),
        *("--policy", "volatility", "--speed", "max", "--for", "10m", "--db", "my.db", "--seed", "11"),
        *("--headless", "--summary", "out.json", "--allow-gaps", "--preset", "risk-averse"),
    )
    assert outcome.code == 0
    settings = application.settings
    run, feed = settings.run, settings.feed
    assert feed.symbols == ("ETH/USDT:USDT", "BTC/USDT:USDT")
    assert feed.timerange == (1_738_022_400_000, 1_740_441_600_000)
    assert (feed.kind, feed.data, feed.timeframe, feed.allow_gaps) == ("replay", Path("candles"), "15m", True)
    assert (settings.strategy.name, settings.margin.policy) == ("rsi_reversion", "volatility")
    assert (settings.preset, settings.entry.max_leverage) == ("risk-averse", 5)
    assert (run.speed, run.for_seconds, run.seed, run.headless) == (math.inf, 600.0, 11, True)
    assert (run.db, run.summary) == (Path("my.db"), Path("out.json"))


def test_flags_win_over_the_file_and_leave_the_rest_of_it(ringfence, application, workplace):
    (workplace / "my.toml").write_text("[run]\nseed = 1\nspeed = '2x'\n[entry]\nmax_leverage = 3\n")
    assert ringfence("trade", "--config", "my.toml", "--seed", "2").code == 0
    settings = application.settings
    assert (settings.run.seed, settings.run.speed, settings.entry.max_leverage) == (2, 2.0, 3)


def test_the_exit_code_is_the_applications(ringfence, application):
    application.work = lambda _settings: 1
    assert ringfence("trade").code == 1


def test_the_start_says_mode_database_and_configuration(ringfence, application):
    said = ringfence("trade", "--seed", "3").err
    assert "Paper trading on a synthetic market at 600x" in said
    assert "ema_cross" in said
    assert "stop_anchor" in said
    assert "configuration " in said


def test_headless_the_configuration_and_its_hash_are_the_first_log_line(ringfence, application):
    first = json.loads(ringfence("trade", "--json", "--seed", "3").err.splitlines()[0])
    assert first["event"] == "run.configured"
    assert first["config"]["run"]["seed"] == 3
    assert len(first["config_hash"]) == 12


def test_log_lines_go_to_the_file_that_is_named(ringfence, application, workplace, monkeypatch):
    monkeypatch.setenv("RINGFENCE__LOG__FILE", "my.log")
    assert ringfence("trade", "--headless").err == ""
    assert json.loads((workplace / "my.log").read_text())["event"] == "run.configured"


def test_the_folder_of_the_default_database_stays_when_something_is_in_it(ringfence, application, workplace):
    application.work = lambda _settings: int(Path("var/paper.db").write_text("") and 1)
    assert ringfence("trade").code == 0
    assert files_in(workplace) == ["var", "var/paper.db"]


_GOOD_STRATEGY = """
from bot.strategy import Strategy, no_signals
class Mine(Strategy):
    timeframe = "5m"
    warmup = 10
    def signals(self, candles):
        return no_signals(len(candles.close))
"""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--feed", "replays"], "'replay'"),
        (["--feed", "replay"], "--data"),
        (["--feed", "replay", "--data", "nowhere"], "nowhere"),
        (["--data", "nowhere"], "--feed replay"),
        (["--timerange", "20250128-20250225"], "--feed replay"),
        (["--allow-gaps"], "--feed replay"),
        (["--feed", "replay", "--data", ".", "--timerange", "20250225-20250128"], "later day"),
        (["--feed", "replay", "--data", ".", "--timerange", "2025"], "--timerange"),
        (["--symbols", "BTCUSDT"], "--symbols"),
        (["--symbols", ""], "--symbols"),
        (["--symbols", "btc/usdt:usdt"], 'did you mean "BTC/USDT:USDT"?'),
        (["--symbols", "BTC/USDT:USDT,BTC/USDT:USDT"], "named twice"),
        (["--timeframe", "7m"], "--timeframe"),
        (["--strategy", "ema_crss"], '"ema_cross"'),
        (["--strategy", "nowhere/mine.py"], "nowhere/mine.py"),
        (["--strategy", ""], "ema_cross"),
        (["--policy", "stop_ancor"], '"stop_anchor"'),
        (["--policy", ""], "stop_anchor"),
        (["--preset", "agressive"], '"aggressive"'),
        (["--preset", ""], "balanced"),
        (["--speed", "0"], "--speed"),
        (["--speed", "-1"], "--speed"),
        (["--speed", "fast"], "--speed"),
        (["--for", "soon"], "--for"),
        (["--for", "0"], "--for"),
        (["--seed", "1.5"], "--seed"),
        (["--seed", "-1"], "--seed"),
        (["--summary", "nowhere/out.json"], "--summary"),
        (["--summary", "."], "it is a folder"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_a_bad_flag_is_one_paragraph_exit_2_and_nothing_written(
    ringfence, application, workplace, arguments, says
):
    outcome = ringfence("trade", *arguments)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err
    assert application.settings is None, "nothing was started"
    assert files_in(workplace) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[entry]\nmax_leverge = 3", '"max_leverage"'),
        ("[entry]\nmax_leverage = 0", "at least 1"),
        ("[entry]\nrisk_fraction = -0.01", "entry.risk_fraction"),
        ("[entry]\nmax_stop_distance = 0.9\nbuffer_min = 0.2", "beyond liquidation"),
        ("[margin.params.stop_anchor]\nlow = 1.2\nhigh = 1.1", "margin.params.stop_anchor.low"),
        ("[run]\nmode = 'live'", "exchange.allow_live"),
        ("[strategy.params.ema_cross]\nfast = 60", "fast must be below slow"),
        ("[strategy.params.ema_cross]\nfst = 6", "fst"),
        ("[strategy.params.ema_crss]\nfast = 6", '"ema_cross"'),
        ("[log]\nfile = 'nowhere/x.log'", "log.file"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_bad_file_is_one_paragraph_exit_2_and_nothing_written(
    ringfence, application, workplace, text, says
):
    (workplace / "my.toml").write_text(text)
    outcome = ringfence("trade", "--config", "my.toml")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err
    assert application.settings is None, "nothing was started"
    assert files_in(workplace) == ["my.toml"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--symbols", "XXX/USDT:USDT"], "BTC/USDT:USDT"),
        (["--db", "candles"], "candles"),
        (["--db", ""], "--db"),
        (["--db", "nowhere/my.db"], "nowhere"),
        (["--feed", "replay", "--data", "candles"], "candles"),
    ],
)
def test_what_only_the_session_can_refuse_is_one_paragraph_too(ringfence, workplace, arguments, says):
    (workplace / "candles").mkdir()
    outcome = ringfence("trade", "--headless", *arguments)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err
    assert files_in(workplace) == ["candles"]


def test_a_bad_variable_is_one_paragraph_exit_2_and_nothing_written(
    ringfence, application, workplace, monkeypatch
):
    monkeypatch.setenv("RINGFENCE__ENTRY__MAX_LEVERGE", "3")
    outcome = ringfence("trade")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert "RINGFENCE__ENTRY__MAX_LEVERGE" in outcome.err
    assert files_in(workplace) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("raise RuntimeError('no data')", "no data"),
        ("answer = 42", "holds none"),
        (_GOOD_STRATEGY.replace('"5m"', '"5x"'), "timeframe"),
        (_GOOD_STRATEGY.replace("= 10", "= 0"), "warmup"),
    ],
)
def test_a_bad_strategy_is_one_paragraph_exit_2_and_no_database(
    ringfence, application, workplace, content, says
):
    (workplace / "mine.py").write_text(content)
    outcome = ringfence("trade", "--strategy", "mine.py")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err
    assert application.settings is None, "nothing was started"
    assert not (workplace / "var").exists()


def test_a_strategy_of_ones_own_trades(ringfence, application, workplace):
    (workplace / "mine.py").write_text(_GOOD_STRATEGY)
    assert ringfence("trade", "--strategy", "mine.py").code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_working_directory_is_refused(ringfence, application, workplace):
    workplace.chmod(0o500)
    try:
        outcome = ringfence("trade")
    finally:
        workplace.chmod(0o700)
    assert outcome.code == 2
    assert "cannot be created" in outcome.err


def test_a_folder_that_cannot_be_made_is_refused(ringfence, application, workplace, monkeypatch):
    def refuse(*_arguments, **_named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    outcome = ringfence("trade")
    assert outcome.code == 2
    assert "cannot be created: Permission denied" in outcome.err
    assert application.settings is None, "nothing was started"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--data", "candles"), "--data is for candles from files"),
        (("--data", "candles", "--allow-gaps"), "--data and --allow-gaps are for candles from files"),
    ],
)
def test_flags_of_files_are_refused_for_a_synthetic_feed(ringfence, application, flags, said):
    outcome = ringfence("trade", *flags)
    assert outcome.code != 0
    assert_one_paragraph(outcome)
    assert said in outcome.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_trading_began_is_one_line_and_exit_0(ringfence, application, workplace, number):
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    application.work = lambda _settings: signal.raise_signal(number)
    outcome = ringfence("trade", "--headless")
    assert outcome.code == 0
    assert outcome.err.endswith("ringfence: stopped before trading began; nothing was sent.\n")
    assert "Traceback" not in outcome.err
    assert files_in(workplace) == []
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_signal_while_a_strategy_loads_is_no_fault_of_the_strategy(ringfence, workplace):
    (workplace / "slow.py").write_text("import signal\nsignal.raise_signal(signal.SIGTERM)\n")
    outcome = ringfence("trade", "--headless", "--strategy", "slow.py")
    assert outcome.code == 0
    assert outcome.err == "ringfence: stopped before trading began; nothing was sent.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_trading_reaches_the_loop_and_not_the_start(ringfence, application, number):
    stopped = []

    async def follow():
        asyncio.get_running_loop().add_signal_handler(number, stopped.append, number)
        signal.raise_signal(number)
        while not stopped:
            await asyncio.sleep(0)
        return 0

    application.work = lambda _settings: asyncio.run(follow())
    outcome = ringfence("trade", "--headless")
    assert outcome.code == 0
    assert stopped == [number]
    assert "before trading began" not in outcome.err


def test_a_database_in_a_folder_that_takes_no_files_is_refused(ringfence):
    if not Path("/proc/self").exists():
        pytest.skip("needs a folder that takes no new files: no /proc here")
    outcome = ringfence("trade", "--headless", "--db", "/proc/ringfence-test.db")
    assert outcome.code == 2, outcome.err
    assert "/proc" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--venue", "binanceusdm"), "--testnet"),
        (("--venue", "binance", "--testnet"), "binanceusdm"),
        (("--testnet",), "--venue"),
        (("--venue", "okx", "--live"), "exchange.allow_live"),
        (("--venue", "okx", "--live", "--testnet"), "play money"),
        (("--venue", "binanceusdm", "--testnet", "--feed", "replay", "--data", "."), "prices of its own"),
        (("--venue", "okx", "--live", "--base-url", "http://127.0.0.1:1"), "this machine"),
        (("--paper", "--live"), "were given together"),
        (("--paper", "--venue", "okx"), "add --feed live"),
        (("--feed", "live", "--base-url", "http://127.0.0.1:1", "--venue", "okx"), "add --paper"),
        (("--feed", "live", "--speed", "60x"), "the speed of the clock"),
        (("--feed", "live", "--data", "candles"), "--data is for candles from files"),
    ],
)
def test_a_mode_that_does_not_fit_is_refused_before_anything(ringfence, application, workplace, flags, says):
    before = files_in(workplace)
    outcome = ringfence("trade", *flags)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err
    assert application.settings is None
    assert files_in(workplace) == before


def test_a_venue_and_an_address_reach_the_settings(ringfence, application):
    assert ringfence("trade", "--venue", "binanceusdm", "--base-url", "http://127.0.0.1:9").code == 0
    settings = application.settings
    assert (settings.run.mode, settings.exchange.name) == ("testnet", "binanceusdm")
    assert settings.exchange.base_url == "http://127.0.0.1:9"


def test_paper_money_on_live_prices_is_paper_also_at_an_address(ringfence, application):
    flags = ("--paper", "--feed", "live", "--venue", "bybit", "--base-url", "http://127.0.0.1:9")
    outcome = ringfence("trade", *flags)
    assert outcome.code == 0
    settings = application.settings
    assert (settings.run.mode, settings.feed.kind, settings.exchange.name) == ("paper", "live", "bybit")
    assert "Paper trading on the live prices of bybit" in outcome.err


def test_garbage_waits_while_modules_are_imported_and_not_while_trading(ringfence, application, monkeypatch):
    seen = []
    application.work = lambda _settings: seen.append(gc.isenabled()) or 0
    assert ringfence("trade", "--headless").code == 0
    monkeypatch.delitem(sys.modules, "bot.cli.session")
    session = importlib.import_module("bot.cli.session")

    async def follow(*_):
        seen.append(gc.isenabled())
        raise UserError("enough")

    monkeypatch.setattr(session, "_follow", follow)
    ringfence("trade", "--headless")
    assert [*seen, gc.isenabled()] == [False, True, True]
