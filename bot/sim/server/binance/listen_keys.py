"""The listen key of the user's stream: one at a time, valid for an hour after it was last renewed."""

import hashlib
from typing import Any, Final

from bot.sim.server.binance.desk import Desk
from bot.sim.server.binance.errors import INVALID_LISTEN_KEY, ApiError
from bot.sim.server.binance.wire import Params

_VALID_MS: Final = 3_600_000


class ListenKeys:
    """Kept in the exchange's settings, so that a restart leaves a client's key valid."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._settings = desk.exchange.settings
        self._settings.setdefault("listen_key", ["", 0, 0])

    def current(self) -> str | None:
        """Return the valid key, or None."""
        key, until_ms, _ = self._settings["listen_key"]
        return key if key and self._desk.clock.now_ms() < until_ms else None

    def last(self) -> str | None:
        """Return the key that was not ended, valid or lapsed."""
        return self._settings["listen_key"][0] or None

    def create(self, _desk: Desk, _params: Params) -> dict[str, Any]:
        """POST listenKey: a new key, or the valid one renewed."""
        _, _, count = self._settings["listen_key"]
        key = self.current()
        if key is None:
            count += 1
            key = hashlib.sha256(f"listen key {count}".encode()).hexdigest()
        self._keep(key, count)
        return {"listenKey": key}

    def renew(self, _desk: Desk, _params: Params) -> dict[str, Any]:
        """PUT listenKey."""
        key = self.current()
        if key is None:
            raise ApiError(INVALID_LISTEN_KEY)
        self._keep(key, self._settings["listen_key"][2])
        return {"listenKey": key}

    def end(self, _desk: Desk, _params: Params) -> dict[str, Any]:
        """DELETE listenKey."""
        self.close()
        return {}

    def close(self) -> None:
        """Make the key invalid."""
        self._settings["listen_key"] = ["", 0, self._settings["listen_key"][2]]
        self._desk.exchange.mark_changed()

    def _keep(self, key: str, count: int) -> None:
        self._settings["listen_key"] = [key, self._desk.clock.now_ms() + _VALID_MS, count]
        self._desk.exchange.mark_changed()
