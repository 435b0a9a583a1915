"""What a backtest found, in columns: trades, margin moves, the account over time. Every engine returns this.

Money is in quote currency, times are UTC milliseconds, fractions are of the price. Names that repeat
(symbols, causes, reasons) are kept once and the columns hold their index.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]

UNKNOWN: Final = -1


class Trades(NamedTuple):
    """One row per position, in the order they closed.

    `symbol` and `cause` index the result's names. `quantity`: the most that was held. `exit_price`: of the
    last fill, or the mark of the liquidation. `pnl_quote` is realised, without fees (paid: > 0) and funding
    (received: > 0); of a liquidation it is minus the wallet that was lost. `margin_quote_hours`: the isolated
    wallet summed over the time it was locked. A row of a position still open is valued at the last mark.
    """

    position_id: Whole
    symbol: Whole
    side: Whole
    opened_ms: Whole
    closed_ms: Whole
    cause: Whole
    entry_price: Floats
    exit_price: Floats
    quantity: Floats
    leverage: Floats
    stop_price: Floats
    agreed_loss_quote: Floats
    initial_wallet_quote: Floats
    max_wallet_quote: Floats
    pnl_quote: Floats
    fees_quote: Floats
    funding_quote: Floats
    added_quote: Floats
    released_quote: Floats
    adds: Whole
    releases: Whole
    cuts: Whole
    margin_quote_hours: Floats

    def net_quote(self) -> Floats:
        """Return what each trade left in the wallet: PnL less fees, with funding."""
        return self.pnl_quote - self.fees_quote + self.funding_quote


class Shadows(NamedTuple):
    """The same trades left alone: the first margin kept, nothing cut. One row per trade, in their order.

    NaN, and -1 in whole columns, where it is not known: the shadow was still open at the end.
    Every other column is defined in bot/evidence/book.py.
    """

    closed_ms: Whole
    cause: Whole
    is_liquidated: Whole
    pnl_quote: Floats
    margin_quote_hours: Floats
    added_lost_quote: Floats
    adds_without_reentry: Whole
    released_redeployed_quote_hours: Floats
    least_distance: Floats
    least_distance_sigma_hours: Floats
    near_miss_ms: Whole
    stop_beyond_liquidation_ms: Whole
    loss_beyond_stop_fraction: Floats
    moves_refused: Whole
    stale_holds: Whole


class Moves(NamedTuple):
    """One row per completed margin move, in time order. `amount_quote` > 0: added, < 0: released.

    Wallet, margin ratio, liquidation price, distance to it and the chance of liquidation within 24 hours,
    before and after; NaN where it is not known. `reason` and `symbol` index the result's names.
    """

    ts_ms: Whole
    symbol: Whole
    position_id: Whole
    reason: Whole
    amount_quote: Floats
    mark: Floats
    wallet_before_quote: Floats
    wallet_after_quote: Floats
    ratio_before: Floats
    ratio_after: Floats
    liquidation_before: Floats
    liquidation_after: Floats
    distance_before: Floats
    distance_after: Floats
    probability_before: Floats
    probability_after: Floats


class Account(NamedTuple):
    """The account at the first closed candle of each hour, and at the end.

    `wallet_quote` is free balance plus isolated wallets, without the unrealised PnL beside it.
    `distance`: of the open position nearest to its liquidation, a fraction of the mark; NaN while flat.
    """

    ts_ms: Whole
    wallet_quote: Floats
    unrealised_quote: Floats
    committed_quote: Floats
    distance: Floats

    def equity_quote(self) -> Floats:
        """Return wallet and unrealised PnL together."""
        return self.wallet_quote + self.unrealised_quote


class Counts(NamedTuple):
    """What happened how often. `bars`: recorded candles played, of every symbol."""

    bars: int = 0
    liquidations: int = 0
    stops_filled: int = 0
    take_profits_filled: int = 0
    volatility_cuts: int = 0
    derisk_cuts: int = 0
    derisk_closes: int = 0
    entries_refused: int = 0
    alerts: int = 0
    invariant_violations: int = 0


class Halted(NamedTuple):
    """Entries stopped: by what and why. Latched: until a person lifts it, which in a backtest is nobody."""

    ts_ms: int
    symbol: str
    cause: str
    message: str
    is_latched: bool


class Result(NamedTuple):
    """One backtest over [start_ms, end_ms). `wallet_quote`: free balance plus isolated wallets at the end.

    `open_trades` were still open then. `shadows` is None where an engine does not follow them.
    """

    engine: str
    symbols: tuple[str, ...]
    causes: tuple[str, ...]
    reasons: tuple[str, ...]
    timeframe_ms: int
    detail_ms: int
    start_ms: int
    end_ms: int
    deposit_quote: float
    wallet_quote: float
    trades: Trades
    open_trades: Trades
    moves: Moves
    account: Account
    counts: Counts
    shadows: Shadows | None = None
    halts: tuple[Halted, ...] = ()


_WHOLE: Final = frozenset(
    name
    for table in (Trades, Shadows, Moves, Account)
    for name, kind in table.__annotations__.items()
    if kind is Whole
)
_Table = TypeVar("_Table", Trades, Shadows, Moves, Account)


def table_of(kind: type[_Table], rows: Iterable[Sequence[Any]]) -> _Table:
    """Return the columns of `rows`, each a sequence in the order of the table's fields."""
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(kind._fields)
    return kind(*map(_column, kind._fields, columns))


def _column(name: str, values: Sequence[Any]) -> NDArray[Any]:
    return np.array(values, np.int64 if name in _WHOLE else np.float64)


class Names:
    """Numbers names in the order they are first met."""

    def __init__(self, *known: str) -> None:
        self._index = {name: index for index, name in enumerate(known)}

    def __getitem__(self, name: str) -> int:
        return self._index.setdefault(name, len(self._index))

    def seen(self) -> tuple[str, ...]:
        """Return every name by its number."""
        return tuple(self._index)
