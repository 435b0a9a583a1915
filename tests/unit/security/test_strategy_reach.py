"""What SECURITY.md says that a strategy file can and cannot reach: a claim that turns false fails here."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bot.core.candles import Candles
from bot.core.signal import Signal
from bot.engine.window import CandleWindow
from bot.exchange.connect import Credentials
from bot.plugins import load_strategy

PAGE = (Path(__file__).resolve().parents[3] / "SECURITY.md").read_text(encoding="utf-8")

_NOSY = """
import gc
import os
from pathlib import Path
from bot.strategy import Strategy, no_signals

found = {"variable": os.environ.get("RINGFENCE__EXCHANGE__SECRET"),
         "file": Path(os.environ["RINGFENCE_SECRETS_DIR"], "exchange__secret").read_text(),
         "object": [each.secret for each in gc.get_objects() if type(each).__name__ == "Credentials"]}

class Nosy(Strategy):
    timeframe = "5m"
    warmup = 3

    def signals(self, candles):
        candles.close[-1] = 1.0
        return no_signals(len(candles.close))
"""


@pytest.fixture
def nosy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "exchange__secret").write_text("CANARY-FILE")
    (tmp_path / "nosy.py").write_text(_NOSY)
    monkeypatch.setenv("RINGFENCE_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("RINGFENCE__EXCHANGE__SECRET", "CANARY-VARIABLE")
    return tmp_path


def loaded(folder: Path) -> tuple[Any, ModuleType]:
    import sys

    strategy = load_strategy("nosy", folder, {})
    return strategy, sys.modules[type(strategy).__module__]


def section() -> str:
    return PAGE.split("## What a strategy file reaches")[1].split("\n## ")[0]


def test_a_strategy_can_read_the_keys_and_the_page_says_so(nosy: Path) -> None:
    held = Credentials(secret="CANARY-OBJECT")
    _, module = loaded(nosy)
    assert module.found["variable"] == "CANARY-VARIABLE"
    assert module.found["file"] == "CANARY-FILE"
    assert held.secret in module.found["object"]
    for words in ("files of the secrets folder", "the environment", "the objects of the bot"):
        assert words in section().split("**It can**")[1].split("**It is not handed**")[0]


def test_candles_are_handed_out_read_only(nosy: Path) -> None:
    strategy, _ = loaded(nosy)
    window = CandleWindow(5)
    window.load(Candles(np.arange(5, dtype=np.int64), *(np.full(5, 2.0) for _ in range(6))))
    with pytest.raises(ValueError, match="read-only"):
        strategy.signals(window.newest(strategy.warmup))
    assert list(window.closes()) == [2.0] * 5
    assert "read-only" in section()


def test_a_signal_names_no_quantity_no_leverage_and_no_margin() -> None:
    said = ("symbol", "ts_ms", "is_entry", "is_exit", "direction", "strength", "stop_distance")
    assert Signal._fields == said
    assert "names no quantity, no leverage and no margin" in section()
