"""What a backtest plays: settings, strategy and candles, checked before anything large is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bot.backtest.history import DEFAULT_WARMUP_MS, Playable, load_playable, playable
from bot.core.instrument import Instrument
from bot.core.timeframe import timeframe_ms, timeframe_text
from bot.core.timerange import timerange_text
from bot.errors import UserError
from bot.plugins import check_pinned, load_strategy, strategy_key
from bot.settings import Settings
from bot.sim.embedded import instrument_for
from bot.sim.series import MarketHistory
from bot.strategy import Strategy

# Measured: 310 for a year of one-minute candles of a symbol without mark candles, and what those would add.
BYTES_PER_BAR: Final = 500
_BASE_BYTES: Final = 300 * 2**20
_USABLE_SHARE: Final = 0.8
_CGROUP: Final = Path("/sys/fs/cgroup")
_MEMINFO: Final = Path("/proc/meminfo")


class Plan(NamedTuple):
    """What is simulated: the settings, the strategy they name, its candles' length, and the recorded bars.

    `fee_rate`: paid per fill instead of the instruments' own rates; None leaves them.
    """

    settings: Settings
    strategy: Strategy
    timeframe_ms: int
    history: MarketHistory
    fee_rate: float | None = None


def instruments_of(plan: Plan) -> dict[str, Instrument]:
    """Return the instrument of each symbol, its fees replaced where the plan says so. UserError: unknown."""
    fees = {} if plan.fee_rate is None else {"maker_fee_rate": plan.fee_rate, "taker_fee_rate": plan.fee_rate}
    return {symbol: instrument_for(symbol)._replace(**fees) for symbol in plan.settings.feed.symbols}


def plan_of(settings: Settings, detail: str = "", fee_rate: float | None = None) -> Plan:
    """Return the plan of some settings; `detail`: the candles to play, "" for the finest there are.

    UserError: a strategy, symbol, range or data that cannot be used, or more memory than there is.
    """
    if settings.feed.data is None:
        raise UserError("A backtest needs candles: name their folder with --data (feed.data).")
    strategy = _strategy_of(settings)
    name = settings.feed.timeframe or strategy.timeframe
    step_ms, detail_ms = timeframe_ms(name), _detail_ms(detail, name)
    for symbol in settings.feed.symbols:
        instrument_for(symbol)
    feed = settings.feed
    found = playable(settings.feed.data, feed.symbols, feed.timerange, step_ms, detail_ms)
    check_memory(found, available_bytes())
    history = load_playable(found, allow_gaps=feed.allow_gaps)
    _check_warm(strategy, history, step_ms)
    return Plan(settings, strategy, step_ms, history, fee_rate)


def plan_on(history: MarketHistory, timeframe_ms: int, settings: Settings, fee_rate: float | None) -> Plan:
    """Return the plan of some settings on a history that was loaded for them. UserError: of the strategy."""
    return Plan(settings, _strategy_of(settings), timeframe_ms, history, fee_rate)


def needed_bytes(found: Playable) -> int:
    """Return about how much memory it takes to load and play candles, the warm-up before them included."""
    start_ms, end_ms = found.timerange
    bars = (end_ms - start_ms + DEFAULT_WARMUP_MS) // found.choice.timeframe_ms
    return _BASE_BYTES + BYTES_PER_BAR * bars * len(found.files)


def check_memory(found: Playable, available: int | None) -> None:
    """Raise UserError when the candles would not fit into `available` bytes; None: not known."""
    needed = needed_bytes(found)
    if available is None or needed <= _USABLE_SHARE * available:
        return
    raise UserError(
        f"{len(found.files)} symbols on {timeframe_text(found.choice.timeframe_ms)} candles over "
        f"{timerange_text(found.timerange)} need about {needed / 2**20:,.0f} MB of memory, and "
        f"{available / 2**20:,.0f} MB are free. Nothing was loaded. Choose a shorter --timerange, fewer "
        "--symbols or a coarser --detail."
    )


def available_bytes(root: Mapping[str, Path] | None = None) -> int | None:
    """Return how much memory this process may still take, of the machine or its container; None: not told."""
    paths = root or {"meminfo": _MEMINFO, "cgroup": _CGROUP}
    told = [each for each in (_free_of_machine(paths["meminfo"]), _free_of_group(paths["cgroup"])) if each]
    return min(told, default=None)


def _strategy_of(settings: Settings) -> Strategy:
    choice = settings.strategy
    check_pinned(choice.name, choice.directory, choice.sha256)
    return load_strategy(choice.name, choice.directory, choice.params.get(strategy_key(choice.name), {}))


def _free_of_machine(meminfo: Path) -> int | None:
    try:
        rows = dict(line.split(":", 1) for line in meminfo.read_text("ascii").splitlines())
        return int(rows["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def _free_of_group(cgroup: Path) -> int | None:
    try:
        limit, used = ((cgroup / f"memory.{name}").read_text("ascii").strip() for name in ("max", "current"))
        return None if limit == "max" else int(limit) - int(used)
    except (OSError, ValueError):
        return None


def _detail_ms(detail: str, timeframe: str) -> int | None:
    if not detail:
        return None
    try:
        detail_ms = timeframe_ms(detail)
    except ValueError as error:
        raise UserError(f'--detail is "{detail}": {error}. Give candles such as 1m.') from error
    if timeframe_ms(timeframe) % detail_ms:
        raise UserError(
            f"The strategy sees candles of {timeframe}, and --detail {detail} does not divide them. Choose a "
            "finer --detail, or leave it out for the finest candles there are."
        )
    return detail_ms


def _check_warm(strategy: Strategy, history: MarketHistory, step_ms: int) -> None:
    """Refuse a range in which the strategy would never be asked."""
    bars = step_ms // history.timeframe_ms
    short = [each for each in history.series if len(each.candles.open_ms) // bars < strategy.warmup]
    if short:
        raise UserError(
            f"The strategy needs {strategy.warmup} closed {timeframe_text(step_ms)} candles before its first "
            f"word, and {short[0].symbol} has {len(short[0].candles.open_ms) // bars} up to the end of the "
            "range. Choose a longer --timerange or data that begins earlier."
        )
