"""The same trades by other backtesters, in the same run: how many, and what is left at the end.

backtesting.py and vectorbt know neither tiers nor funding nor isolated margin: here none of them matters, as
at 5x a stop of 2 % comes long before liquidation. They are told when to enter and how much, and find by
themselves when the stop, the target or the other cross ends a trade, at which price and for which fee.
"""

import time
import warnings
from typing import Any, Final, NamedTuple

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from bot.backtest.kernel.machine_code import compiled_play
from bot.backtest.recital import Told
from bot.backtest.result import Result
from bot.core.candles import Candles
from bot.core.timeframe import MINUTE_MS
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.series import NO_FUNDING
from bot.strategy import build_signals
from tests.bench.conftest import Measure
from tests.bench.kernel_year import YEAR_BARS, year_case
from tests.property.backtest.kernel_cases import KernelCase, kernel_run

pytestmark = pytest.mark.bench

_SYMBOL: Final = "BTC/USDT:USDT"
_CANDLE: Final = 5  # minutes
_DEPOSIT: Final = 100_000.0
_STOP, _TARGET = 0.02, 0.04
_LEAST: Final = 0.001  # BTC; backtesting.py trades whole units


class _Year(NamedTuple):
    """One-minute candles of the year, and what is said at the close of some of them: 1 long, -1 short."""

    candles: Candles
    enters: NDArray[np.int8]
    leaves: NDArray[np.int8]
    quantity: NDArray[np.float64]


def _case() -> KernelCase:
    """Enter one candle after a cross of EMA 20 and 100, leave at the other cross; 1,434 trades or so."""
    case = year_case(1, "static")
    (series,), told = case.history.series, case.told[_SYMBOL]
    above = talib.EMA(told.candles.close, 20) > talib.EMA(told.candles.close, 100)
    one_ago, two_ago = (np.concatenate((above[:ago], above[:-ago])) for ago in (1, 2))
    signals = build_signals(
        above & one_ago & ~two_ago,
        ~above & ~one_ago & two_ago,
        long_exits=~above,
        short_exits=above,
        stop_distance=_STOP,
    )
    instrument = instrument_for(_SYMBOL)._replace(maker_fee_rate=0.0005, taker_fee_rate=0.0005)
    return case._replace(
        history=case.history._replace(series=(series._replace(funding=NO_FUNDING),)),
        told={_SYMBOL: Told(told.candles, signals, None)},
        instruments={_SYMBOL: instrument},
        entry=case.entry._replace(risk_fraction=0.001),
        config=VenueConfig(0.0, 0.0, {_SYMBOL: 1e12}),
        deposit_quote=_DEPOSIT,
    )


def _year(case: KernelCase, result: Result) -> _Year:
    """What the others are told: signals at the minute whose close is the candle's, and our quantities."""
    (series,), told = case.history.series, case.told[_SYMBOL]
    first = len(series.candles.close) - YEAR_BARS
    candles = Candles._make(column[first:] for column in series.candles)
    at = (told.candles.open_ms - case.history.start_ms) // MINUTE_MS + _CANDLE - 1
    inside = (at >= 0) & (at < YEAR_BARS)
    said, minutes = told.signals, at[inside]
    enters, leaves = np.zeros(YEAR_BARS, np.int8), np.zeros(YEAR_BARS, np.int8)
    enters[minutes] = (said.direction * said.entries)[inside]
    leaves[minutes] = (said.direction * said.exits)[inside]
    quantity = np.full(YEAR_BARS, _LEAST)
    opened = (result.trades.opened_ms - case.history.start_ms) // MINUTE_MS - 1
    quantity[opened] = result.trades.quantity
    return _Year(candles, enters, leaves, quantity)


@pytest.fixture(scope="module")
def played() -> tuple[Result, _Year]:
    case = _case()
    result = kernel_run(case).run(compiled_play())
    return result, _year(case, result)


def _compare(measured: Measure, name: str, result: Result, trades: int, balance: float) -> None:
    ours, rest = len(result.trades.side), result.wallet_quote
    measured(f"trades of the year by {name}; ours: {ours}", trades, "trades")
    measured(f"end balance by {name}; ours: {rest:,.2f}", balance, "USDT")
    assert abs(trades - ours) <= 0.002 * ours
    assert balance == pytest.approx(rest, abs=0.0003 * _DEPOSIT)


@pytest.mark.timeout(900)
def test_bench_backtesting_py_finds_the_same_trades(measured: Measure, played: tuple[Result, _Year]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backtesting = pytest.importorskip("backtesting", reason="backtesting.py is not installed")
        import pandas

    result, year = played
    units = year.candles.open_ms, year.candles
    frame = pandas.DataFrame(
        {name.capitalize(): getattr(units[1], name) * _LEAST for name in ("open", "high", "low", "close")},
        index=pandas.to_datetime(units[0], unit="ms"),
    )

    class Crosses(backtesting.Strategy):  # pyright: ignore[reportGeneralTypeIssues, reportUntypedBaseClass]
        def init(self) -> None:
            pass

        def next(self) -> None:
            bar = len(self.data) - 1
            side, price = int(year.enters[bar]), self.data.Close[-1]
            if self.position:
                if year.leaves[bar] == (1 if self.position.is_long else -1):
                    self.position.close()
            elif side:
                order = self.buy if side > 0 else self.sell
                stop, target = price * (1.0 - side * _STOP), price * (1.0 + side * _TARGET)
                order(size=round(year.quantity[bar] / _LEAST), sl=stop, tp=target)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = time.process_time()
        found = backtesting.Backtest(frame, Crosses, cash=_DEPOSIT, commission=0.0005, margin=0.2).run()
        measured("backtesting.py over the year", YEAR_BARS / (time.process_time() - began), "candles/CPU s")
    _compare(measured, "backtesting.py", result, int(found["# Trades"]), float(found["Equity Final [$]"]))


@pytest.mark.timeout(900)
def test_bench_vectorbt_finds_the_same_trades(measured: Measure, played: tuple[Result, _Year]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vectorbt: Any = pytest.importorskip("vectorbt", reason="vectorbt is not installed")
        import pandas

    result, year = played
    candles = {name: pandas.Series(getattr(year.candles, name)) for name in ("open", "high", "low", "close")}

    def run() -> Any:
        return vectorbt.Portfolio.from_signals(
            candles["close"],
            year.enters > 0,
            (year.leaves > 0) | (year.enters < 0),
            year.enters < 0,
            (year.leaves < 0) | (year.enters > 0),
            open=candles["open"],
            high=candles["high"],
            low=candles["low"],
            size=year.quantity,
            size_type="amount",
            fees=0.0005,
            sl_stop=_STOP,
            tp_stop=_TARGET,
            init_cash=_DEPOSIT,
            upon_opposite_entry="ignore",
            freq="1min",
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run()  # compiles
        began = time.process_time()
        found = run()
        measured("vectorbt over the year", YEAR_BARS / (time.process_time() - began), "candles/CPU s")
        trades, balance = int(found.trades.closed.count()), float(found.final_value())
    _compare(measured, "vectorbt", result, trades, balance)
