"""Cases that once broke an invariant, each with what was wrong; they are run for ever."""

from typing import Final

from tests.simulation.scenario import Case

REGRESSIONS: Final = (
    # The rest of a market order that expired was never told.
    Case(1, "bybit", ("F08",)),
    # Two rungs of a ladder filled at one instant, and the last of them was told to be filled in part.
    Case(1138, "bybit", ("F23", "F26")),
)
