"""What a strategy believes, as columns aligned with the candles it was given."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Signals(NamedTuple):
    """One element per candle; element i uses candles up to and including i, acted on after its close.

    `entries`: open a position in `direction` (+1 long, -1 short). `exits`: close a position whose
    side is `direction` (0 closes either side). `strength` in [0, 1]; 0 is one that the strategy does not
    give. `stop_distance` is the fraction of price between entry and stop, above 0 and finite on every entry
    row; a column of nothing but NaN leaves every stop to the risk manager.
    """

    entries: NDArray[np.bool_]
    exits: NDArray[np.bool_]
    direction: NDArray[np.int8]
    strength: NDArray[np.float64]
    stop_distance: NDArray[np.float64]


class Signal(NamedTuple):
    """The last row of `Signals`, for one symbol: what the engine acts on."""

    symbol: str
    ts_ms: int
    is_entry: bool
    is_exit: bool
    direction: int
    strength: float
    stop_distance: float
