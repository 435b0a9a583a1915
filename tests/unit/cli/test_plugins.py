"""Strategies found by name, path and module:Class, and what is said of one that cannot be used."""

import hashlib
import sys
from pathlib import Path

import pytest

from bot.app import Application
from bot.errors import UserError
from bot.plugins import (
    check_confined,
    check_pinned,
    did_you_mean,
    load_strategy,
    source_of,
    strategy_class,
    strategy_files,
    strategy_key,
)
from bot.settings.model import Run, Settings, StrategyChoice

_GOOD = """
from bot.strategy import Parameter, Strategy, no_signals

class Mine(Strategy):
    timeframe = "5m"
    period = Parameter(10, 2, 50, "period", "candles")

    @property
    def warmup(self):
        return self.period

    def signals(self, candles):
        return no_signals(len(candles.close))
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "mine.py").write_text(_GOOD)
    return tmp_path


def _refusal(name: str, folder: Path, **parameters) -> str:
    with pytest.raises(UserError) as caught:
        load_strategy(name, folder, parameters)
    assert "\n" not in str(caught.value), "an error is one paragraph"
    return str(caught.value)


def test_a_strategy_is_found_by_the_name_of_its_file(folder):
    strategy = load_strategy("mine", folder, {"period": 12})
    assert (type(strategy).__name__, strategy.warmup) == ("Mine", 12)


def test_a_strategy_is_found_by_a_path(folder):
    assert strategy_class(str(folder / "mine.py"), Path("nowhere")).__name__ == "Mine"


def test_a_strategy_is_found_by_module_and_class(folder):
    (folder / "mine.py").write_text(_GOOD + _GOOD.replace("Mine", "Other"))
    assert strategy_class("mine:Mine", folder).__name__ == "Mine"
    assert strategy_class(f"{folder.name}.mine:Other", folder).__name__ == "Other"


@pytest.mark.parametrize(
    "name", ["evil:Foo", "strategies.evil:Foo", "..evil:Foo", "os:system", "this:s", ":Foo"]
)
def test_no_module_from_outside_the_folder_is_imported(folder, monkeypatch, name):
    own = folder / "strategies"
    own.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(folder)
    (folder / "evil.py").write_text("from pathlib import Path\nPath('was_here').touch()\n")
    assert "Nothing of it was run" in _refusal(name, own)
    assert not (folder / "was_here").exists()
    assert "evil" not in sys.modules
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    ("name", "key"), [("ema_cross", "ema_cross"), ("my/own.py", "own"), ("package.module:Own", "Own")]
)
def test_parameters_stand_under_the_last_word_of_a_strategy_name(name, key):
    assert strategy_key(name) == key


def test_files_that_begin_with_an_underscore_are_no_strategies(folder):
    (folder / "_shared.py").write_text("")
    assert list(strategy_files(folder)) == ["mine"]


def test_a_folder_that_is_not_there_holds_no_strategy(tmp_path):
    assert strategy_files(tmp_path / "nowhere") == {}
    refusal = _refusal("mine", tmp_path / "nowhere")
    assert f"The folder {tmp_path / 'nowhere'} does not exist" in refusal
    assert "run from the checkout, or set strategy.directory" in refusal


def test_a_folder_named_relative_is_said_with_its_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert f"The folder {tmp_path / 'strategies'} does not exist" in _refusal("mine", Path("strategies"))


@pytest.mark.parametrize("name", ["mnie", "Mine", "MINE", "mine_"])
def test_a_misspelt_name_is_refused_with_the_nearest(folder, name):
    assert 'did you mean "mine"?' in _refusal(name, folder)


def test_a_name_near_to_nothing_is_refused_with_the_known_ones():
    assert did_you_mean("xyz", ["static", "volatility"]) == "known: static, volatility."


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("def broken(:", "SyntaxError"),
        ("import a_module_that_is_nowhere", "ModuleNotFoundError"),
        ("raise RuntimeError('no\\ndata')", "RuntimeError: no data"),
        ("import sys\nsys.exit('enough')", "SystemExit: enough (bad.py:2)"),
        (_GOOD.replace("return self.period", "raise SystemExit"), "SystemExit: no message (bad.py:10)"),
        ("answer = 42", "holds none"),
        (_GOOD + "\nclass Second(Mine):\n    pass\n", "holds 2 (Mine, Second)"),
        (_GOOD.replace('"5m"', '"5x"'), "timeframe"),
        (_GOOD.replace('    timeframe = "5m"\n', ""), "timeframe"),
        (_GOOD.replace("return self.period", "return 0"), "warmup = 0"),
        (_GOOD.replace("return self.period", "return 1.5"), "warmup = 1.5"),
        (_GOOD.replace("return self.period", "return 1 / 0"), "ZeroDivisionError"),
        (_GOOD.replace("def signals", "def signal"), "signals"),
    ],
)
def test_a_file_that_holds_no_usable_strategy_is_refused(tmp_path, content, says):
    (tmp_path / "bad.py").write_text(content)
    refusal = _refusal("bad", tmp_path)
    assert says in refusal
    assert '"bad"' in refusal


def test_a_strategy_is_importable_again_after_it_was_corrected(tmp_path):
    (tmp_path / "bad.py").write_text("def broken(:")
    _refusal("bad", tmp_path)
    (tmp_path / "bad.py").write_text(_GOOD)
    assert load_strategy("bad", tmp_path, {}).timeframe == "5m"


@pytest.mark.parametrize(
    ("parameters", "says"),
    [({"perod": 5}, "'period'"), ({"period": 1}, "at least 2"), ({"period": 2.5}, "whole number")],
)
def test_impossible_parameters_are_refused_with_the_table_they_stand_in(folder, parameters, says):
    refusal = _refusal("mine", folder, **parameters)
    assert says in refusal
    assert "[strategy.params.mine]" in refusal


@pytest.mark.parametrize("name", ["nowhere/mine.py", "no_such_module:Mine", "json:Mine"])
def test_a_path_or_module_that_is_not_there_is_refused(tmp_path, name):
    assert name.partition(":")[0].removesuffix(".py") in _refusal(name, tmp_path)


def test_outside_of_paper_a_strategy_is_a_file_of_the_configured_folder(folder, tmp_path_factory):
    assert check_confined("mine", folder) == folder / "mine.py"
    assert check_confined(str(folder / "mine.py"), folder) == folder / "mine.py"
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "other.py"
    elsewhere.write_text(_GOOD)
    (folder / "linked.py").symlink_to(elsewhere)
    for name in (
        str(elsewhere),
        "linked",
        "mine:Mine",
        str(folder / ".." / elsewhere.parent.name / "other.py"),
    ):
        with pytest.raises(UserError, match="is not a file of the folder"):
            check_confined(name, folder)


def test_the_file_of_a_strategy_is_named_with_its_sum(folder):
    content = (folder / "mine.py").read_bytes()
    strategy = load_strategy("mine", folder, {})
    assert source_of(strategy) == ((folder / "mine.py").resolve(), hashlib.sha256(content).hexdigest())
    (folder / "mine.py").write_bytes(content + b"# another\n")
    assert source_of(load_strategy("mine", folder, {}))[1] != hashlib.sha256(content).hexdigest()


def test_a_pinned_strategy_that_was_changed_is_refused_before_it_runs_a_line(folder):
    file = folder / "mine.py"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    check_pinned("mine", folder, digest)
    check_pinned("mine", folder, "")
    file.write_text("raise SystemExit('it ran')\n")
    choice = StrategyChoice(name="mine", directory=folder, sha256=digest)
    settings = Settings.model_construct(
        **{**{name: getattr(Settings(), name) for name in Settings.model_fields}, "strategy": choice}
    )
    with pytest.raises(UserError, match="is not the file whose SHA-256"):
        Application(settings, lambda _: None)


def test_outside_of_paper_a_strategy_that_anybody_may_change_is_refused(folder):
    (folder / "mine.py").chmod(0o666)
    with pytest.raises(UserError, match="chmod o-w"):
        check_confined("mine", folder)
    (folder / "mine.py").chmod(0o644)
    folder.chmod(0o777)
    with pytest.raises(UserError, match="chmod o-w"):
        check_confined("mine", folder)
    folder.chmod(0o755)


@pytest.mark.parametrize("mode", ["testnet", "live"])
def test_a_session_with_keys_refuses_a_strategy_from_elsewhere_before_it_runs_a_line(tmp_path, mode):
    (tmp_path / "spy.py").write_text("raise SystemExit('it ran')")
    settings = Settings.model_construct(
        **{
            **{name: getattr(Settings(), name) for name in Settings.model_fields},
            "run": Run(mode=mode),
            "strategy": StrategyChoice(name=str(tmp_path / "spy.py")),
        }
    )
    with pytest.raises(UserError, match="runs with your keys"):
        Application(settings, lambda _: None)
