"""Protection is a read, not a write: a stop that nobody could read for long is not believed to rest.

Nor does one protect a position that is for less than it.

Source: reliability study, F27 and I1. The exchange is asked every five seconds while something is held. After
six such readings in vain nothing is entered and no margin released, and a person is told, until one succeeds.
The wall clock counts: the exchange may be silent while its market goes on.
"""

from collections.abc import Callable, Iterator
from typing import Final

from bot.core.event import AlertRaised
from bot.core.halt import REDUCE_ONLY
from bot.core.intent import Action, OpenPosition, ReleaseMargin
from bot.engine import halts
from bot.engine.desk import Desk
from bot.ports import Clock

STOP_UNREAD: Final = "stop_unread"
LONGEST_UNREAD_MS: Final = 30_000
# I14. A flat symbol is read every 30 s, and each reading brings the balance of the whole account.
_OLDEST_POSITION_MS: Final = 10_000
_OLDEST_BALANCE_MS: Final = 45_000


class Proof:
    """Watches what is held. `read_ms`: when the clock saw a symbol's orders read last; 0: never.

    `covered_ms`: the same of the last reading in which stops rested over all that is held.
    """

    def __init__(
        self, desk: Desk, clock: Clock, read_ms: Callable[[str], int], covered_ms: Callable[[str], int]
    ) -> None:
        self._desk, self._clock, self._read_ms, self._covered_ms = desk, clock, read_ms, covered_ms
        self._since_ms: dict[str, int] = {}

    def look(self) -> bool:
        """Halt, or end the halt, as is due; return whether something was noted."""
        unread = tuple(self._unread())
        if bool(unread) == (STOP_UNREAD in self._desk.state.halts):
            return False
        if unread:
            self._raise(unread)
        else:
            halts.end(self._desk, STOP_UNREAD)
        return True

    def fault_of(self, action: Action) -> str:
        """Return why the account is known from too long ago for an action that enlarges; "" for nothing."""
        now_ms = self._clock.now_ms()
        if isinstance(action, ReleaseMargin) and now_ms - self._read_ms(action.symbol) > _OLDEST_POSITION_MS:
            return f"the position was not read for {_OLDEST_POSITION_MS // 1000} s"
        newest_ms = max(map(self._read_ms, self._desk.state.markets))
        if isinstance(action, OpenPosition) and now_ms - newest_ms > _OLDEST_BALANCE_MS:
            return f"the balance was not read for {_OLDEST_BALANCE_MS // 1000} s"
        return ""

    def _unread(self) -> Iterator[str]:
        """Yield the symbols that are held and were not read as covered for long, counted from when held."""
        now_ms, markets = self._clock.now_ms(), self._desk.state.markets
        held = [symbol for symbol, market in markets.items() if market.holding is not None]
        self._since_ms = {symbol: self._since_ms.get(symbol, now_ms) for symbol in held}
        for symbol, since_ms in self._since_ms.items():
            if now_ms - max(since_ms, self._covered_ms(symbol)) > LONGEST_UNREAD_MS:
                yield symbol

    def _raise(self, unread: tuple[str, ...]) -> None:
        desk, seconds = self._desk, LONGEST_UNREAD_MS // 1000
        said = f"that a stop over all of {', '.join(unread)} rests could not be read for {seconds} s"
        halts.begin(desk, REDUCE_ONLY, STOP_UNREAD, said)
        desk.state.tally.alerts += 1
        message = (
            f"{said}: the exchange does not answer, or contradicts itself, or shows stops for less than is "
            "held, or the request weight is used up. "
            "Nothing is entered and no margin released until it can be read; adds and exits go on. Look at "
            "the exchange's page whether each position has its stop."
        )
        desk.outbox.note(AlertRaised(desk.state.now_ms, "", 0, "critical", STOP_UNREAD, message, {}))
