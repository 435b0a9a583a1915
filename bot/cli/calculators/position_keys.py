"""What can be said of a position, by flag or in a file: the same words, the same checks."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from bot.cli.calculators import given
from bot.errors import UserError

Where = Callable[[str], str]

# The key of a file; its flag has dashes for underscores.
READERS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "symbol": given.text,
    "side": given.side,
    "entry": given.positive,
    "leverage": given.leverage,
    "quantity": given.positive,
    "margin": given.positive,
    "wallet": given.positive,
    "mark": given.positive,
    "stop": given.positive,
    "sigma_day": given.fraction,
    "atr": given.positive,
    "funding_rate": given.signed_fraction,
    "maintenance_rate": given.share,
    "maintenance_amount": given.not_negative,
    "venue": given.text,
    "close_fee_rate": given.rate,
    "inverse": given.switch,
}
REQUIRED: Final = ("side", "entry", "leverage")


class PositionWords(NamedTuple):
    """One position as it was said; None where nothing was. `where(key)` says where a key stands."""

    where: Where
    side: int
    entry: float
    leverage: float
    symbol: str = "BTC/USDT:USDT"
    quantity: float | None = None
    margin: float | None = None
    wallet: float | None = None
    mark: float | None = None
    stop: float | None = None
    sigma_day: float | None = None
    atr: float | None = None
    funding_rate: float | None = None
    maintenance_rate: float | None = None
    maintenance_amount: float = 0.0
    venue: str = "binanceusdm"
    close_fee_rate: float = 0.0
    inverse: bool = False


def flag_of(key: str) -> str:
    """Return the flag of a key: "sigma_day" -> "--sigma-day"."""
    return f"--{key.replace('_', '-')}"


def checked(said: Mapping[str, Any], where: Where) -> dict[str, Any]:
    """Return the values of known keys, read; what is None was not said."""
    return {
        key: READERS[key](where(key), value)
        for key, value in said.items()
        if key in READERS and value is not None
    }


def words_of(said: Mapping[str, Any], where: Where) -> PositionWords:
    """Return the position that `said` (keys of READERS) describes. UserError for what makes none."""
    missing = [key for key in REQUIRED if said.get(key) is None]
    if missing:
        names = " and ".join(where(key) for key in missing)
        raise UserError(
            f"A position needs {names}, which is not given. Give side, entry price, leverage and a quantity "
            "or margin; or read positions with --file, --db or --live."
        )
    words = PositionWords(where=where, **checked(said, where))
    if (words.quantity is None) == (words.margin is None):
        said_of, verb = ("both", "were") if words.quantity is not None else ("neither of", "was")
        raise UserError(
            f"The position has one size, and {said_of} {where('quantity')} and {where('margin')} {verb} "
            "given. Give either quantity or margin."
        )
    return words
