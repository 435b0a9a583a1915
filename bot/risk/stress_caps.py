"""The numbers that the caps on the whole book are counted with; margin-science 3.8 (i) to (iii)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


class StressCaps(NamedTuple):
    """Fractions of equity, and how far the market moves in the two stresses (daily sigmas)."""

    margin_cap_fraction: float = 0.60
    risk_cap_fraction: float = 0.25
    cascade_cap_fraction: float = 0.50
    risk_sigmas: float = 4.19
    cascade_sigmas: float = 5.0


class Legs(NamedTuple):
    """The legs of a book as columns of numbers."""

    side: Column
    notional_quote: Column
    margin_quote: Column
    sigma_day: Column
