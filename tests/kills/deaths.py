"""Which deaths a seed draws: by which signal, at which moment, and what happens to the stops after it."""

from random import Random
from typing import Final, Literal, NamedTuple

Moment = Literal["import", "recovery", "intent", "request", "calm"]

# Where a process is most easily wrong, it is killed most often.
_MOMENTS: Final[dict[Moment, int]] = {"import": 1, "recovery": 3, "intent": 4, "request": 4, "calm": 2}
_AT_ONCE_SECONDS: Final = 0.02
_TERM_TO_KILL_SECONDS: Final = 0.15
_CALM_SECONDS: Final = 2.0
_KILLED_WHILE_ENDING: Final = 0.25
_STOPS_CANCELLED: Final = 0.2


class Death(NamedTuple):
    """One end of the bot. `share`: how far into a start of the usual length, where it dies in one.

    `delay_s` after the moment has come; `kill_after_s` > 0: a SIGKILL follows the SIGTERM so soon.
    """

    number: int
    is_polite: bool
    moment: Moment
    share: float
    delay_s: float
    kill_after_s: float
    are_stops_cancelled: bool

    def words(self) -> str:
        """Return how it comes about."""
        signal = "SIGTERM" if self.is_polite else "SIGKILL"
        after = f", SIGKILL {1000.0 * self.kill_after_s:.0f} ms later" if self.kill_after_s else ""
        return f"{signal} ({self.moment}){after}"


def drawn(seed: int, kills: int, terms: int) -> list[Death]:
    """Return the deaths of a seed in their order."""
    random = Random(f"deaths {seed}")
    polite = [False] * kills + [True] * terms
    random.shuffle(polite)
    return [_death(number, is_polite, random) for number, is_polite in enumerate(polite, 1)]


def _death(number: int, is_polite: bool, random: Random) -> Death:
    moment = random.choices(list(_MOMENTS), list(_MOMENTS.values()))[0]
    longest_s = _CALM_SECONDS if moment == "calm" else _AT_ONCE_SECONDS
    share, delay_s, after_s = random.random(), random.uniform(0.0, longest_s), random.random()
    is_cut_short = is_polite and random.random() < _KILLED_WHILE_ENDING
    kill_after_s = _TERM_TO_KILL_SECONDS * after_s if is_cut_short else 0.0
    return Death(number, is_polite, moment, share, delay_s, kill_after_s, random.random() < _STOPS_CANCELLED)
