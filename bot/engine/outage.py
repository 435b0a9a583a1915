"""A feed that says nothing at all: no event wakes the engine then, so the wall clock has to.

Nothing is sent. Entries are halted and a person is told, once, until market data comes back.
"""

from typing import Final

from bot.core.event import AlertRaised
from bot.core.halt import DISCONNECTED
from bot.core.intent import Fact
from bot.core.timerange import utc_text
from bot.engine import alerts, halts
from bot.engine.desk import Desk
from bot.engine.proof import Proof
from bot.engine.state import Holding, Market
from bot.ports import Clock

FEED_SILENT: Final = "feed_silent"
LASTING: Final = "disconnected"
_LOOK_SECONDS: Final = 1.0


class Outage:
    """Watches one feed. `heard` counts market events; whoever hands them on counts them up.

    `limit_ms` of wall time without any is an outage. `proof` is looked at while there is none.
    """

    def __init__(self, desk: Desk, clock: Clock, limit_ms: int, proof: Proof | None = None) -> None:
        self._desk, self._clock, self._limit_ms, self.proof = desk, clock, limit_ms, proof
        self.heard = self._seen = 0
        self._since_ms = clock.now_ms()

    @property
    def silent_ms(self) -> int:
        """For how long nothing was heard, by the wall clock."""
        return 0 if self.heard != self._seen else max(self._clock.now_ms() - self._since_ms, 0)

    @property
    def words(self) -> str:
        """What to say of an outage that stands; "" while there is none."""
        halt = self._desk.state.halts.get(FEED_SILENT)
        return halt.message if halt is not None else ""

    def begin(self) -> None:
        """Count from now on: a session begins to follow its feed."""
        self._since_ms = self._clock.now_ms()

    async def pause(self) -> None:
        """Wait until it is time to look again."""
        await self._clock.sleep(_LOOK_SECONDS)

    def look(self) -> bool:
        """Halt entries or let them go on, as is due; return whether something was noted."""
        is_over = self.heard != self._seen
        if is_over:
            self._seen, self._since_ms = self.heard, self._clock.now_ms()
        if is_over and self.words:
            self._end()
            return True
        if self.silent_ms >= self._limit_ms and not self.words:
            self._raise()
            return True
        is_news = self.proof is not None and not self.words and self.proof.look()
        return self._is_lasting() or is_news

    def _is_lasting(self) -> bool:
        """Latch an outage that lasts: who comes back after so long must be looked at by a person."""
        longest_ms = self._desk.limits.disconnected_ms
        if longest_ms == 0 or self.silent_ms < longest_ms:
            return False
        message = f"no market data of any kind for {longest_ms / 1000:g} s"
        return halts.latch(self._desk, DISCONNECTED, LASTING, message)

    def _raise(self) -> None:
        desk, since = self._desk, utc_text(self._since_ms)
        halted = f"no market data of any kind since {since} UTC by this machine's clock"
        halts.begin(desk, DISCONNECTED, FEED_SILENT, halted)
        desk.state.tally.alerts += 1
        held = _held(desk)
        for market, holding in held:
            market.alerts[FEED_SILENT] = holding.position_id
            holding.wake()
        facts: dict[str, Fact] = {"silent_ms": self.silent_ms, "limit_ms": self._limit_ms}
        message = (
            f"{halted}. The connection to the exchange is down, or the exchange is; streams and requests "
            f"are tried again by themselves. Nothing is entered and no margin moves; {_protection(held)}. "
            "Check the network and the exchange's status page; if it lasts, look after positions there."
        )
        now_ms = desk.state.now_ms
        severity = "critical" if held else "warning"
        desk.outbox.note(AlertRaised(now_ms, "", 0, severity, FEED_SILENT, message, facts))

    def _end(self) -> None:
        desk = self._desk
        for market in desk.state.markets.values():
            alerts.clear(market, FEED_SILENT)
        halts.end(desk, FEED_SILENT)


def _held(desk: Desk) -> list[tuple[Market, Holding]]:
    return [(each, each.holding) for each in desk.state.markets.values() if each.holding is not None]


def _protection(held: list[tuple[Market, Holding]]) -> str:
    if not held:
        return "no position is open"
    return "open: " + ", ".join(_stop_words(holding) for _, holding in held)


def _stop_words(holding: Holding) -> str:
    symbol = holding.position.symbol
    if holding.stop is None:
        return f"{symbol} WITHOUT a stop at the exchange"
    return f"{symbol} with its stop at {holding.stop.trigger_price:.10g} resting at the exchange"
