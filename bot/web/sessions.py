"""Who has logged in: sessions kept in this process, each ending when nobody uses it or after half a day."""

import hashlib
import secrets
from collections.abc import Callable
from typing import Final

IDLE_SECONDS: Final = 15 * 60.0
LONGEST_SECONDS: Final = 12 * 3_600.0
_MOST: Final = 100
_BYTES: Final = 32


class _Session:
    __slots__ = ("began", "used")

    def __init__(self, now: float) -> None:
        self.began = self.used = now


class Sessions:
    """`now` is any clock that never goes back, in seconds. Of a session's id only a hash is kept."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._open: dict[str, _Session] = {}

    def begin(self) -> str:
        """Begin a session and return its id; beyond a hundred the one that was used least lately ends."""
        self._forget_ended()
        if len(self._open) >= _MOST:
            del self._open[min(self._open, key=lambda key: self._open[key].used)]
        made = secrets.token_urlsafe(_BYTES)
        self._open[_key(made)] = _Session(self._now())
        return made

    def use(self, session_id: str) -> bool:
        """Return whether the session stands, and count that as its use."""
        found = self.is_open(session_id)
        if found:
            self._open[_key(session_id)].used = self._now()
        return found

    def is_open(self, session_id: str) -> bool:
        """Return whether the session stands; looking is no use of it."""
        found = self._open.get(_key(session_id))
        return found is not None and self._stands(found)

    def end(self, session_id: str) -> None:
        """End a session; one that is not there is no error."""
        self._open.pop(_key(session_id), None)

    def end_all(self) -> None:
        """End every session, as after a new password."""
        self._open.clear()

    def _stands(self, session: _Session) -> bool:
        now = self._now()
        return now - session.used < IDLE_SECONDS and now - session.began < LONGEST_SECONDS

    def _forget_ended(self) -> None:
        self._open = {key: session for key, session in self._open.items() if self._stands(session)}


def _key(session_id: str) -> str:
    return hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()
