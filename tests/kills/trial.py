"""One death after another: a life up to its moment, its end, and what the next life finds."""

import signal
import time
from collections.abc import Callable
from typing import Final

from tests.kills import figures
from tests.kills.deaths import Death
from tests.kills.rig import Rig
from tests.kills.verdict import faults
from tests.simulation.storage import rows

_RECOVERED_WITHIN_SECONDS: Final = 60.0
_AGREED_WITHIN_SECONDS: Final = 20.0
_ENDED_WITHIN_SECONDS: Final = 15.0  # what compose.yaml gives it
_PATIENCE_SECONDS: Final = 3.0
_USUAL_START_SECONDS: Final = 2.5
_USUAL_RECOVERY_SECONDS: Final = 0.5
_ACTIVITY: Final = "SELECT kind, count(*) FROM intent WHERE status = 'done' GROUP BY kind ORDER BY kind"


class Failed(Exception):
    """Something does not hold, or does not happen in time."""


class Trial:
    """Brings deaths about and measures; `held` counts the recoveries that found a position."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.figures = figures.no_figures()
        self.held = 0
        self._began = 0.0
        self._naked: list[float] | None = None
        self._are_cancelled = False

    def suffer(self, death: Death) -> str:
        """Live up to the moment, die, look. Return what happened in words. Failed: what is wrong."""
        told = self._live_until(death)
        self._end(death)
        if death.are_stops_cancelled and self.rig.cancel_stops():
            self._are_cancelled = True
            told += ", then its stops were cancelled"
        return told

    def live(self) -> str:
        """Start, recover and agree with the exchange, whose market then stands still. Failed: why."""
        self._start()
        self._wait(lambda: self.rig.has_said("run.recovered"), _RECOVERED_WITHIN_SECONDS, "did not recover")
        recovered_s = time.monotonic() - self._began
        self.figures.recovered.append(recovered_s)
        self.figures.processor_until_then.append(self.rig.bot.processor_seconds())
        agreed_s = self._agree()
        held = len(self.rig.truth.positions())
        self.held += bool(held)
        return f"recovered in {recovered_s:.2f} s, agreed {agreed_s:.2f} s later, {held} held"

    def activity(self) -> str:
        """Return what was done in all lives."""
        told = ", ".join(f"{count} {kind}" for kind, count in rows(self.rig.bot.database, _ACTIVITY))
        return told or "nothing was done"

    # --- a life -----------------------------------------------------------------------------------

    def _live_until(self, death: Death) -> str:
        if death.moment in ("import", "recovery"):
            self._start()
            self._starting(death)
            return f"died {time.monotonic() - self._began:.2f} s after its start"
        told = self.live()
        self.rig.exchange.order("resume")
        self._reach(death)
        return told

    def _start(self) -> None:
        self.rig.truth.look()
        is_naked = bool(self.rig.truth.unprotected())
        kinds = (self.figures.protected_after_death, self.figures.protected_after_cancel)
        self._naked = kinds[self._are_cancelled] if is_naked else None
        self._are_cancelled = self._are_cancelled and is_naked
        self._began = time.monotonic()
        self.rig.start()

    def _starting(self, death: Death) -> None:
        """Reach a moment of the start: somewhere in all of it, or in the part that asks the exchange."""
        if death.moment == "import":
            known = self.figures.recovered
            usual_s = figures.share_of(known, 0.5) if known else _USUAL_START_SECONDS
            self._watch(death.share * usual_s)
            return
        said = "run.configured"
        self._wait(lambda: self.rig.has_said(said), _RECOVERED_WITHIN_SECONDS, "did not begin")
        self._watch(death.share * _USUAL_RECOVERY_SECONDS)

    def _reach(self, death: Death) -> None:
        """Reach the moment: an intent is on disk and not yet sent, a request was taken, or nothing at all."""
        count = {"intent": self._intents, "request": self._requests}.get(death.moment)
        if count is not None:
            before, until = count(), time.monotonic() + _PATIENCE_SECONDS
            while count() == before and time.monotonic() < until:
                self._look()
        self._watch(death.delay_s)

    def _intents(self) -> int:
        return rows(self.rig.bot.database, "SELECT count(*) FROM intent")[0][0]

    def _requests(self) -> int:
        return self.rig.truth.requests()

    # --- its end ----------------------------------------------------------------------------------

    def _end(self, death: Death) -> None:
        bot = self.rig.bot
        if not bot.is_alive():
            raise Failed(f"it ended by itself: {self.rig.last_words()}")
        if not death.is_polite:
            bot.die()
            return
        if death.kill_after_s:
            bot.send(signal.SIGTERM)
            time.sleep(death.kill_after_s)
            bot.die()
            return
        began = time.monotonic()
        bot.send(signal.SIGTERM)
        self._wait(lambda: not bot.is_alive(), _ENDED_WITHIN_SECONDS, "did not end", is_ending=True)
        self.figures.ended.append(time.monotonic() - began)
        if (code := bot.wait_for_end()) != 0:
            raise Failed(f"SIGTERM: exit code {code}: {self.rig.last_words()}")
        self._must_be_protected(death)

    def _must_be_protected(self, death: Death) -> None:
        """An orderly end of a bot that had begun to trade leaves every position with its stop."""
        if death.moment in ("import", "recovery"):
            return
        self.rig.truth.look()
        if naked := self.rig.truth.unprotected():
            raise Failed(f"SIGTERM left {', '.join(naked)} without a stop")

    # --- what is so then --------------------------------------------------------------------------

    def _agree(self) -> float:
        """Let the market stand still until nothing is on its way; return how long that took."""
        self.rig.exchange.order("pause")
        began = time.monotonic()
        while True:
            self._look()
            found = faults(self.rig.truth, self.rig.bot.database)
            if not found:
                break
            if time.monotonic() > began + _AGREED_WITHIN_SECONDS:
                raise Failed("; ".join(found))
            time.sleep(0.03)
        return time.monotonic() - began

    def _wait(
        self, is_so: Callable[[], bool], seconds: float, otherwise: str, is_ending: bool = False
    ) -> None:
        until = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > until:
                raise Failed(f"it {otherwise} within {seconds:g} s: {self.rig.last_words()}")
            if not is_ending and not self.rig.bot.is_alive():
                raise Failed(f"it ended by itself: {self.rig.last_words()}")
            self._look()

    def _watch(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0.0:
            self._look(min(left, 0.004))

    def _look(self, seconds: float = 0.004) -> None:
        """Look at the exchange, and note the instant at which everything is protected."""
        time.sleep(seconds)
        self.rig.truth.look()
        if self._naked is not None and not self.rig.truth.unprotected():
            self._naked.append(time.monotonic() - self._began)
            self._naked, self._are_cancelled = None, False
