"""The strategy, asked once per closed candle, and contained: its error stops entries, nothing else."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot.core.halt import NO_ENTRY
from bot.core.signal import Signal
from bot.engine import alerts, halts
from bot.engine.desk import Desk
from bot.engine.state import Market
from bot.engine.window import CandleWindow
from bot.errors import UserError
from bot.strategy import Strategy, check_signals

STRATEGY_HALT = "strategy_error"

# A user's code may raise anything, also by sys.exit(). KeyboardInterrupt is the user's own wish to stop.
_FAILURES: Final = (Exception, SystemExit)


def newest_signal(desk: Desk, market: Market) -> Signal | None:
    """Return what the strategy says after the newest candle; None while warming up or when it failed."""
    strategy, symbol, standing = desk.strategy, market.instrument.symbol, desk.state.halts
    if STRATEGY_HALT in standing or halts.STRATEGY_HUNG in standing:
        return None
    try:
        with desk.question:
            return desk.readings.signal(strategy, market, desk.state.now_ms)
    except _FAILURES as error:
        said = desk.shown(failure_text(strategy, error))
        halts.begin(desk, NO_ENTRY, STRATEGY_HALT, said, symbol=symbol)
        alerts.strategy_failed(desk, market, said)
        return None


def halt_for(desk: Desk, why: str) -> None:
    """Halt entries at a start that has no strategy and must guard what is open; told once while it lasts."""
    if STRATEGY_HALT in desk.state.halts:
        return
    said = f"there is no strategy to ask: {why}"
    halts.begin(desk, NO_ENTRY, STRATEGY_HALT, said)
    for market in desk.state.markets.values():
        if market.holding is not None:
            alerts.strategy_failed(desk, market, said)


def lift_halt(desk: Desk) -> None:
    """Let entries go on after a restart, if the strategy can read every market's candles again."""
    if STRATEGY_HALT not in desk.state.halts or halts.STRATEGY_HUNG in desk.state.halts:
        return
    try:
        for market in desk.state.markets.values():
            with desk.question:
                refuse_broken(desk.strategy, desk.strategy_name, market.window)
    except UserError as error:
        known = desk.state.halts[STRATEGY_HALT]
        desk.state.halts[STRATEGY_HALT] = known._replace(message=desk.shown(str(error)))
        return
    halts.end(desk, STRATEGY_HALT)
    for market in desk.state.markets.values():
        alerts.clear(market, alerts.STRATEGY_FAILED)


def refuse_broken(strategy: Strategy, name: str, window: CandleWindow) -> None:
    """Raise UserError when the strategy cannot read the candles that a session would begin with."""
    candles = window.newest(strategy.warmup)
    try:
        check_signals(strategy.signals(candles), len(candles.close))
    except _FAILURES as error:
        raise UserError(
            f"The strategy {name} failed on {len(candles.close)} candles before the start "
            f"({failure_text(strategy, error)}). Nothing was started. Correct the strategy, or choose "
            'another ("ringfence list-strategies").'
        ) from error


def failure_text(strategy: Strategy, error: BaseException) -> str:
    """Return "Kind: message (file.py:line)"; the place is the last one inside the strategy's own file."""
    text = f"{type(error).__name__}: {error}"
    try:
        path = inspect.getfile(type(strategy))
    except (OSError, TypeError):  # its class was made without a file
        return text
    lines = [number for file, number in _places(error) if file == path]
    return f"{text} ({Path(path).name}:{lines[-1]})" if lines else text


def _places(error: BaseException) -> Iterator[tuple[str, int]]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
