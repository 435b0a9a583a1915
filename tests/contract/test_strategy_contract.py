"""What every file in strategies/ must keep, whoever wrote it."""

import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.core.timeframe import DAY_MS, timeframe_ms
from bot.strategy import Candles, Signals, Strategy, build_signals, check_signals

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "strategies").glob("[!_]*.py"))


def classes_in(path: Path) -> Iterator[type[Strategy]]:
    spec = importlib.util.spec_from_file_location(f"contract_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for _, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, Strategy) and found.__module__ == module.__name__:
            yield found


STRATEGIES = [found for path in FILES for found in classes_in(path)]
every_strategy = pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)


def test_every_file_holds_exactly_one_documented_strategy() -> None:
    assert len(FILES) >= 4
    for path in FILES:
        found = list(classes_in(path))
        assert len(found) == 1, path.name
        assert found[0].__doc__, path.name


def read_only(candles: Candles) -> Candles:
    columns = [np.array(column) for column in candles]
    for column in columns:
        column.flags.writeable = False
    return Candles._make(columns)


def random_walk(seed: int, count: int, step_ms: int) -> Candles:
    """Return a market with fat tails and changing volatility, funding that settles every 8 hours."""
    generator = np.random.default_rng(seed)
    sigma = 0.002 * np.exp(0.5 * np.sin(np.arange(count) / 97.0))
    close = 100.0 * np.exp(np.cumsum(sigma * generator.standard_t(4, count)))
    opened = np.concatenate(([100.0], close[:-1]))
    reach = sigma * close
    high = np.maximum(opened, close) + reach * generator.random(count)
    low = np.minimum(opened, close) - reach * generator.random(count)
    settlement = np.arange(count) * step_ms // (8 * 3_600_000)
    funding = generator.normal(0.0, 0.0001, int(settlement[-1]) + 1)[settlement]
    open_ms = np.arange(count, dtype=np.int64) * step_ms
    return read_only(Candles(open_ms, opened, high, low, close, generator.random(count) * 50.0, funding))


def quiet(candles: Candles) -> Candles:
    """Return the same candles with a stretch where nothing trades and nothing moves."""
    middle = len(candles.close) // 2
    columns = [np.array(column) for column in candles]
    for column in columns[1:5]:
        column[middle : middle + 120] = candles.close[middle]
    columns[5][middle : middle + 120] = 0.0
    return read_only(Candles._make(columns))


def first(candles: Candles, count: int) -> Candles:
    return Candles._make(column[:count] for column in candles)


def markets(kind: type[Strategy]) -> Iterator[Candles]:
    count = 2 * kind().warmup + 600
    for seed in (1, 2, 3):
        yield random_walk(seed, count, timeframe_ms(kind.timeframe))
    yield quiet(random_walk(4, count, timeframe_ms(kind.timeframe)))


def assert_rows_equal(first: Signals, second: Signals) -> None:
    np.testing.assert_array_equal(first.entries, second.entries)
    np.testing.assert_array_equal(first.exits, second.exits)
    np.testing.assert_array_equal(first.direction, second.direction)
    # A recursive average forgets its start only gradually: 1e-6 of the value is what may remain.
    np.testing.assert_allclose(first.strength, second.strength, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(first.stop_distance, second.stop_distance, rtol=1e-6, atol=1e-9)


def assert_no_look_ahead(strategy: Strategy, candles: Candles, cuts: NDArray[np.int64]) -> None:
    """The first rows over all candles must equal, to the bit, the rows over the first candles."""
    whole = strategy.signals(candles)
    for cut in cuts.tolist():
        past = strategy.signals(first(candles, cut))
        check_signals(past, cut)
        for name, then, now in zip(Signals._fields, past, whole, strict=True):
            np.testing.assert_array_equal(then, now[:cut], err_msg=f"{name} changed after candle {cut}")


def assert_window_is_enough(strategy: Strategy, candles: Candles, ends: NDArray[np.int64]) -> None:
    whole = strategy.signals(candles)
    for end in ends.tolist():
        window = strategy.signals(first(candles, end).tail(strategy.warmup))
        assert_rows_equal(
            Signals._make(column[-1:] for column in window),
            Signals._make(column[end - 1 : end] for column in whole),
        )


def cut_points(strategy: Strategy, candles: Candles, count: int) -> NDArray[np.int64]:
    """Return `count` spread lengths, and the lengths around the first entries, where cheating pays."""
    entries = np.flatnonzero(strategy.signals(candles).entries)
    total = len(candles.close)
    around = np.concatenate([entries[:20] + 1, entries[:20] + 2])
    return np.unique(np.concatenate([np.linspace(1, total, count, dtype=np.int64), around]).clip(1, total))


@every_strategy
def test_timeframe_is_known_and_warmup_is_practical(kind: type[Strategy]) -> None:
    """Warm-up is fetched from the venue before the first signal: a request of 1500 candles is the limit."""
    assert timeframe_ms(kind.timeframe) > 0
    assert 1 <= kind().warmup <= 1500


@every_strategy
def test_signals_have_the_promised_columns_and_are_worth_having(kind: type[Strategy]) -> None:
    for candles in markets(kind):
        signals = kind().signals(candles)
        check_signals(signals, len(candles.close))
        assert set(signals.direction[signals.entries].tolist()) == {1, -1}
        assert signals.exits.any()


@every_strategy
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_too_few_candles_give_no_entry(kind: type[Strategy], count: int) -> None:
    candles = first(random_walk(5, 60, timeframe_ms(kind.timeframe)), count)
    signals = kind().signals(candles)
    check_signals(signals, count)
    assert not signals.entries[: min(count, 5)].any()


@every_strategy
def test_signals_are_deterministic_and_keep_no_state(kind: type[Strategy]) -> None:
    used = kind()
    for candles in markets(kind):
        used.signals(first(candles, 300))
        for again, fresh in zip(used.signals(candles), kind().signals(candles), strict=True):
            np.testing.assert_array_equal(again, fresh)


@every_strategy
def test_signals_do_not_write_into_the_candles(kind: type[Strategy]) -> None:
    candles = random_walk(6, 800, timeframe_ms(kind.timeframe))
    before = [column.copy() for column in candles]
    writable = Candles._make(np.array(column) for column in candles)
    kind().signals(writable)
    for column, expected in zip(writable, before, strict=True):
        np.testing.assert_array_equal(column, expected)


@every_strategy
def test_later_candles_change_no_past_signal(kind: type[Strategy]) -> None:
    for candles in markets(kind):
        assert_no_look_ahead(kind(), candles, cut_points(kind(), candles, 60))


@every_strategy
def test_window_of_warmup_candles_gives_the_last_signal_of_all_history(kind: type[Strategy]) -> None:
    for candles in markets(kind):
        strategy = kind()
        ends = cut_points(strategy, candles, 150)
        assert_window_is_enough(strategy, candles, ends[ends >= strategy.warmup])


@every_strategy
@pytest.mark.parametrize("bound", ["low", "high"])
def test_contract_holds_at_the_bounds_of_every_parameter(kind: type[Strategy], bound: str) -> None:
    for name, parameter in kind.parameters().items():
        strategy = _at_bound(kind, name, getattr(parameter, bound))
        if strategy is None:
            continue
        candles = random_walk(7, strategy.warmup + 300, timeframe_ms(kind.timeframe))
        check_signals(strategy.signals(candles), len(candles.close))
        ends = np.linspace(strategy.warmup, len(candles.close), 12, dtype=np.int64)
        assert_window_is_enough(strategy, candles, ends)
        assert_no_look_ahead(strategy, candles, ends)


def _at_bound(kind: type[Strategy], name: str, value: float) -> Strategy | None:
    try:
        return kind(**{name: value})
    except ValueError:
        # Impossible together with the defaults of the others; the class says so itself.
        return None


@every_strategy
def test_values_beyond_a_bound_are_refused_with_name_and_bound(kind: type[Strategy]) -> None:
    assert kind.parameters()
    for name, parameter in kind.parameters().items():
        with pytest.raises(ValueError, match=rf"{name} must be at least {parameter.low}, was"):
            kind(**{name: parameter.low - 1})
        with pytest.raises(ValueError, match=rf"{name} must be at most {parameter.high}, was"):
            kind(**{name: parameter.high + 1})


@every_strategy
def test_every_parameter_is_explained(kind: type[Strategy]) -> None:
    for parameter in kind.parameters().values():
        assert parameter.doc
        assert parameter.unit


@every_strategy
@pytest.mark.parametrize("symbol", ["BTC", "ETH", "SOL"])
def test_contract_holds_on_real_candles(kind: type[Strategy], symbol: str, shared: Path) -> None:
    candles = _real_candles(shared / "data" / "binance_usdm_perp", symbol, timeframe_ms(kind.timeframe))
    strategy = kind()
    cuts = cut_points(strategy, candles, 40)
    assert_no_look_ahead(strategy, candles, cuts)
    assert_window_is_enough(strategy, candles, cuts[cuts >= strategy.warmup])
    days = len(candles.close) * timeframe_ms(kind.timeframe) / DAY_MS
    entries_a_day = float(np.count_nonzero(strategy.signals(candles).entries)) / days
    assert 0.3 <= entries_a_day <= 30.0


def _real_candles(folder: Path, symbol: str, step_ms: int) -> Candles:
    polars = pytest.importorskip("polars")
    minutes = polars.read_parquet(folder / f"{symbol}USDT_1m_2025-02.parquet")
    column = polars.col
    bars = (
        minutes.with_columns(bar=column("timestamp") // step_ms * step_ms)
        .group_by("bar", maintain_order=True)
        .agg(
            column("open").first(),
            column("high").max(),
            column("low").min(),
            column("close").last(),
            column("volume").sum(),
        )
    )
    funding = polars.read_parquet(folder / f"{symbol}USDT_funding.parquet")
    open_ms = bars["bar"].to_numpy()
    known = np.searchsorted(funding["timestamp"].to_numpy(), open_ms + step_ms, side="right") - 1
    prices = [bars[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    return read_only(Candles._make([open_ms, *prices, funding["funding_rate"].to_numpy()[known]]))


def test_the_example_of_the_readme_keeps_the_contract(tmp_path: Path) -> None:
    text = (ROOT / "strategies" / "README.md").read_text(encoding="utf-8")
    file = tmp_path / "above_average.py"
    file.write_text(text.split("```python\n")[1].split("```")[0], encoding="utf-8")
    (kind,) = classes_in(file)
    candles = random_walk(9, 800, timeframe_ms(kind.timeframe))
    assert kind().signals(candles).entries.sum() >= 10
    assert_no_look_ahead(kind(), candles, cut_points(kind(), candles, 20))
    assert_window_is_enough(kind(), candles, np.arange(kind().warmup, 800))


class _SeesTomorrow(Strategy):
    """A cheat, to prove that the contract catches one."""

    timeframe = "5m"

    @property
    def warmup(self) -> int:
        return 10

    def signals(self, candles: Candles) -> Signals:
        rises = np.concatenate((np.diff(candles.close) > 0.0, [False]))
        return build_signals(rises, ~rises, long_exits=~rises, short_exits=rises)


class _NeedsAllHistory(_SeesTomorrow):
    """Compares with the mean of everything seen so far, which no window of ten candles knows."""

    def signals(self, candles: Candles) -> Signals:
        mean = np.cumsum(candles.close) / np.arange(1, len(candles.close) + 1)
        above = candles.close > mean
        return build_signals(above, ~above, long_exits=~above, short_exits=above)


def test_contract_catches_look_ahead_and_a_warmup_that_is_too_short() -> None:
    candles = random_walk(8, 3000, 300_000)
    with pytest.raises(AssertionError, match="changed after candle"):
        assert_no_look_ahead(_SeesTomorrow(), candles, cut_points(_SeesTomorrow(), candles, 60))
    with pytest.raises(AssertionError):
        assert_window_is_enough(_NeedsAllHistory(), candles, np.arange(10, 3000))
