"""A warm-up that is too short is found, and so is the one that would do."""

import numpy as np
import pytest
import talib

from bot.backtest.recursive import recursive
from bot.errors import UserError
from bot.strategy import Candles, Parameter, Signals, Strategy, build_signals
from tests.contract.test_strategy_contract import STRATEGIES, random_walk

CANDLES = random_walk(5, 6_000, 300_000)


class Slow(Strategy):
    """An exponential average of 50 candles, with a warm-up as short as one likes."""

    timeframe = "5m"
    asked = Parameter(60, 10, 2_000, "candles it asks for")

    @property
    def warmup(self) -> int:
        return self.asked

    def signals(self, candles: Candles) -> Signals:
        gap = candles.close / talib.EMA(candles.close, 50) - 1.0
        above, below = gap > 0.0, gap < 0.0
        return build_signals(
            above & ~np.concatenate(([False], above[:-1])),
            below & ~np.concatenate(([False], below[:-1])),
            long_exits=below,
            short_exits=above,
            strength=np.nan_to_num(np.minimum(np.abs(gap), 1.0)),
        )


class Unreadable(Slow):
    """Refuses histories shorter than it asks for."""

    def signals(self, candles: Candles) -> Signals:
        if len(candles.close) < self.warmup:
            raise ValueError("too short")
        return super().signals(candles)


def test_a_warmup_that_is_too_short_is_found_with_one_that_is_not() -> None:
    found = recursive(Slow(asked=60), CANDLES, 200)
    assert not found.is_warmup_enough
    assert [window.candles for window in found.windows] == [15, 30, 60, 120, 240, 480]
    assert found.windows[2].decisions > 0
    assert found.enough == 480  # ten times its period, less a little
    shares = [window.decisions for window in found.windows]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)
def test_the_examples_ask_for_enough(kind: type[Strategy]) -> None:
    found = recursive(kind(), CANDLES, 40)
    assert found.is_warmup_enough
    assert 0 < found.enough <= found.warmup


def test_a_window_that_a_strategy_cannot_read_is_left_out_below_its_warmup_only() -> None:
    found = recursive(Unreadable(asked=600), CANDLES, 40)
    assert [window.candles for window in found.windows] == [600, 1_200, 2_400]
    assert found.is_warmup_enough
    with pytest.raises(UserError, match="more than 2000 are needed"):
        recursive(Slow(asked=1_000), CANDLES.tail(2_000), 40)
