"""The strategy, asked once per closed candle, and contained: its error stops entries, nothing else."""

from bot.core.event import EntriesHalted, EntriesResumed
from bot.core.signal import Signal
from bot.engine.desk import Desk
from bot.engine.state import Market
from bot.engine.window import CandleWindow
from bot.errors import UserError
from bot.strategy import Strategy, check_signals

STRATEGY_HALT = "strategy_error"


def newest_signal(desk: Desk, market: Market) -> Signal | None:
    """Return what the strategy says after the newest candle; None while warming up or when it failed."""
    strategy, symbol = desk.strategy, market.instrument.symbol
    if STRATEGY_HALT in desk.state.halts or len(market.window) < strategy.warmup:
        return None
    candles = market.window.newest(strategy.warmup)
    try:
        signals = strategy.signals(candles)
        check_signals(signals, len(candles.close))
    except Exception as error:  # noqa: BLE001  A user's code may raise anything; positions stay guarded.
        _halt(desk, symbol, error)
        return None
    return Signal(
        symbol=symbol,
        ts_ms=desk.state.now_ms,
        is_entry=bool(signals.entries[-1]),
        is_exit=bool(signals.exits[-1]),
        direction=int(signals.direction[-1]),
        strength=float(signals.strength[-1]),
        stop_distance=float(signals.stop_distance[-1]),
    )


def lift_halt(desk: Desk, name: str) -> None:
    """Let entries go on after a restart, if the strategy can read every market's candles again."""
    if STRATEGY_HALT not in desk.state.halts:
        return
    try:
        for market in desk.state.markets.values():
            refuse_broken(desk.strategy, name, market.window)
    except UserError as error:
        desk.state.halts[STRATEGY_HALT] = str(error)
        return
    del desk.state.halts[STRATEGY_HALT]
    desk.outbox.note(EntriesResumed(desk.state.now_ms, "", STRATEGY_HALT))


def refuse_broken(strategy: Strategy, name: str, window: CandleWindow) -> None:
    """Raise UserError when the strategy cannot read the candles that a session would begin with."""
    candles = window.newest(strategy.warmup)
    try:
        check_signals(strategy.signals(candles), len(candles.close))
    except Exception as error:
        raise UserError(
            f"The strategy {name} failed on {len(candles.close)} candles before the start "
            f"({type(error).__name__}: {error}). Nothing was started. Correct the strategy, or choose "
            'another ("ringfence list-strategies").'
        ) from error


def _halt(desk: Desk, symbol: str, error: Exception) -> None:
    message = f"{type(error).__name__}: {error}"
    desk.state.halts[STRATEGY_HALT] = message
    desk.outbox.note(EntriesHalted(desk.state.now_ms, symbol, STRATEGY_HALT, message))
