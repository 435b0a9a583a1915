"""Strategies that cheat are found, whatever way they cheat; honest ones are not accused."""

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from bot.backtest.lookahead import lookahead
from bot.errors import UserError
from bot.strategy import Candles, Signals, Strategy, build_signals
from tests.contract.test_strategy_contract import STRATEGIES, random_walk

CANDLES = random_walk(3, 3_000, 300_000)


class Average(Strategy):
    """Honest: above and below a simple average."""

    timeframe = "5m"

    @property
    def warmup(self) -> int:
        return 22

    def line(self, candles: Candles) -> NDArray[np.float64]:
        return talib.SMA(candles.close, 20)

    def signals(self, candles: Candles) -> Signals:
        above = candles.close > self.line(candles)
        before = np.concatenate(([False], above[:-1]))
        return build_signals(above & ~before, ~above & before, long_exits=~above, short_exits=above)


class NextClose(Average):
    """Knows the next close."""

    def line(self, candles: Candles) -> NDArray[np.float64]:
        return np.concatenate((candles.close[1:], candles.close[-1:]))


class Centred(Average):
    """Its average reaches ten candles into the future, and is right when there is none."""

    def line(self, candles: Candles) -> NDArray[np.float64]:
        return np.convolve(candles.close, np.ones(21) / 21.0, mode="same")


class MeanOfAll(Average):
    """Compares with the mean of everything."""

    def line(self, candles: Candles) -> NDArray[np.float64]:
        return np.full(len(candles.close), candles.close.mean())


class FarStop(Average):
    """Decides honestly and sets its stop by what the market will do."""

    def signals(self, candles: Candles) -> Signals:
        reach = np.maximum.accumulate(candles.high[::-1])[::-1] / candles.close
        return super().signals(candles)._replace(stop_distance=reach)


class Breaks(Average):
    """Fails on short histories."""

    def signals(self, candles: Candles) -> Signals:
        if len(candles.close) < 1_000:
            raise ZeroDivisionError("no range")
        return super().signals(candles)


@pytest.mark.parametrize("kind", [Average, *STRATEGIES], ids=lambda kind: kind.__name__)
def test_an_honest_strategy_is_not_accused(kind: type[Strategy]) -> None:
    found = lookahead(kind(), CANDLES, 60)
    assert found.changes == ()
    assert 40 <= found.cuts <= 60
    assert found.candles == 3_000


@pytest.mark.parametrize("kind", [NextClose, Centred, MeanOfAll], ids=lambda kind: kind.__name__)
def test_a_strategy_that_knows_the_future_is_found(kind: type[Strategy]) -> None:
    columns = {change.column: change for change in lookahead(kind(), CANDLES, 60).changes}
    assert {"entries", "direction"} & set(columns)
    for change in columns.values():
        assert change.rows >= 5
        assert change.with_future != change.without
        assert change.open_ms <= change.cut_ms


def test_a_stop_made_of_the_future_is_found_by_itself() -> None:
    (change,) = lookahead(FarStop(), CANDLES, 60).changes
    assert change.column == "stop_distance"
    assert change.with_future > change.without


def test_where_it_would_act_is_looked_at_first() -> None:
    class Once(Average):
        """Cheats in one candle of three thousand."""

        def signals(self, candles: Candles) -> Signals:
            entries = np.zeros(len(candles.close), dtype=np.bool_)
            if len(entries) > 2_001:
                entries[2_000] = True
            return build_signals(entries, ~entries & False, long_exits=entries, short_exits=entries)

    assert {change.column for change in lookahead(Once(), CANDLES, 10).changes} == {"entries", "direction"}


def test_too_few_candles_and_a_failing_strategy_are_said() -> None:
    with pytest.raises(UserError, match="warms up over 22 candles and there are 23"):
        lookahead(Average(), CANDLES.tail(23), 60)
    with pytest.raises(UserError, match="ZeroDivisionError: no range"):
        lookahead(Breaks(), CANDLES, 60)
