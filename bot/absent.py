"""What stands for a strategy that cannot be used while its positions are open: it says nothing and fails.

The engine treats it as any strategy that fails: entries are halted, everything else goes on.
"""

from bot.core.candles import Candles
from bot.core.signal import Signals
from bot.errors import UserError
from bot.strategy import Strategy


class Absent(Strategy):
    """Is never asked while the halt stands that a start with it begins; asked all the same it says why."""

    timeframe = "1m"  # of the class; each stands for one on the candles that the database has

    def __init__(self, timeframe: str, why: str) -> None:
        super().__init__()
        self.timeframe, self.why = timeframe, why

    @property
    def warmup(self) -> int:
        return 1

    def signals(self, candles: Candles) -> Signals:
        raise UserError(f"{self.why} What is open is guarded; start again when that is mended.")
