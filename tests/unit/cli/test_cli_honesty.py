"""`ringfence lookahead` and `recursive`: words, JSON and exit codes on the made-up market."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Outcome

CHEAT = '''"""Knows the next close."""

import numpy as np

from bot.strategy import Candles, Signals, Strategy, build_signals


class Cheat(Strategy):
    """Long before it rises."""

    timeframe = "1h"

    @property
    def warmup(self) -> int:
        return 5

    def signals(self, candles: Candles) -> Signals:
        rises = np.concatenate((np.diff(candles.close) > 0.0, [False]))
        return build_signals(rises, ~rises, long_exits=~rises, short_exits=rises)
'''


@pytest.fixture
def cheat(tmp_path: Path) -> Path:
    file = tmp_path / "cheat.py"
    file.write_text(CHEAT)
    return file


def test_a_cheat_is_named_with_exit_code_one(ringfence: Callable[..., Outcome], cheat: Path) -> None:
    told = ringfence("lookahead", str(cheat), "--rows", "20")
    assert told.code == 1
    assert "it LOOKS AHEAD" in told.out
    assert "direction" in told.out
    found = json.loads(ringfence("lookahead", str(cheat), "--rows", "20", "--json").out)
    assert "direction" in {change["column"] for change in found["changes"]}


def test_an_example_is_cleared(ringfence: Callable[..., Outcome]) -> None:
    words = ("donchian_breakout", "--timeframe", "1h", "--rows", "20")
    told = ringfence("lookahead", *words)
    assert told.code == 0
    assert "it does not look ahead" in told.out
    told = ringfence("recursive", *words)
    assert told.code == 0
    assert "(asked for)" in told.out
    assert "are enough" in told.out


def test_what_cannot_be_tried_is_refused(ringfence: Callable[..., Outcome], cheat: Path) -> None:
    told = ringfence("recursive", str(cheat), "--timerange", "20250101-20250102", "--data", "nowhere")
    assert told.code == 2
    assert "nowhere" in told.err
    told = ringfence("lookahead", "ema_cros")
    assert told.code == 2
    assert 'did you mean "ema_cross"' in told.err
