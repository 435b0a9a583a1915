"""A trade that is not open yet: side, entry and stop, before leverage or size are known."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bot.cli.calculators import given
from bot.cli.calculators.position_keys import PositionWords, checked, flag_of
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.risk.limits import EntryLimits

_NEEDED: Final = ("side", "entry", "stop")


def trade_words(flags: Mapping[str, Any], verb: str) -> PositionWords:
    """Return the trade that the flags describe. UserError: one is missing, or the stop is misplaced."""
    said = checked({key: None if value is False else value for key, value in flags.items()}, flag_of)
    missing = [flag_of(key) for key in _NEEDED if key not in said]
    if missing:
        raise UserError(
            f"calc {verb} needs {' and '.join(missing)}, which is not given. Give side, entry price "
            "and stop price."
        )
    if said.get("inverse"):
        raise UserError(
            f"--inverse is set, and calc {verb} calculates linear contracts, settled in the quote currency. "
            "Leave it out, or use calc position."
        )
    words = PositionWords(where=flag_of, **{"leverage": 1.0, **said})
    check_loser(words.side, words.entry, words.stop or 0.0)
    return words


def check_loser(side: int, entry: float, stop: float, where_stop: str = "--stop") -> None:
    """Raise UserError unless the stop is on the losing side of the entry."""
    if side * (entry - stop) <= 0.0:
        where = "below" if side > 0 else "above"
        raise given.refused(
            where_stop,
            f"{stop:g}",
            f"the stop of a {'long' if side > 0 else 'short'} lies {where} its entry {entry:g}",
        )


def buffer_of(flags: Mapping[str, Any], sigma_day: float | None, limits: "EntryLimits") -> float:
    """Return the gap wanted between stop and liquidation: --buffer, else what entries use."""
    from bot.risk.sizing import entry_buffer

    if flags.get("buffer") is not None:
        return given.rate("--buffer", flags["buffer"])
    return entry_buffer(sigma_day or 0.0, limits.buffer_min, limits.buffer_sigmas, limits.buffer_horizon_days)


def max_leverage_of(flags: Mapping[str, Any], limits: "EntryLimits") -> float:
    """Return --max-leverage, else the highest that entries use."""
    asked = flags.get("max_leverage")
    return float(limits.max_leverage) if asked is None else given.leverage("--max-leverage", asked)


def entry_limits(flags: Mapping[str, Any]) -> "EntryLimits":
    """Return the limits of entries: of the settings where --config names some, else the defaults."""
    from bot.risk.limits import EntryLimits

    if flags.get("config") is None:
        return EntryLimits()
    from bot.cli.options import settings_of

    return settings_of(flags["config"], {}).entry
