"""What the exchange knows, read from its state file: every acknowledged change is there before its reply."""

import os
from pathlib import Path
from typing import Any, Final

import orjson

from bot.cli.exchange_session import Served, built
from bot.core.position import Position
from bot.ports import OpenOrder
from bot.settings import Flag, load
from bot.sim.server.books import Books
from tests.simulation.invariants import is_covered

_STOPS: Final = ("stop", "trailing")


class Truth:
    """Follows the file as it grows. `embedded` is a copy of the exchange, as of the last `look`."""

    def __init__(self, path: Path, dialect: str, symbols: tuple[str, ...], deposit_quote: float) -> None:
        named = Flag("feed.symbols", "--symbols", ",".join(symbols))
        settings = load(None, (named, Flag("venue.deposit_quote", "--deposit", deposit_quote)))
        served = Served(dialect, "127.0.0.1", 0, None, None, False, True, 1, 1)
        self.embedded = built(settings, served)
        self._path = path
        self._number, self._read = 0, 0

    def look(self) -> None:
        """Take up what was written since; a file that was written anew is read from its beginning."""
        with self._path.open("rb") as file:
            number = os.fstat(file.fileno()).st_ino
            if number != self._number:
                self._number, self._read = number, 0
                self.embedded.books = Books()
            file.seek(self._read)
            written = file.read()
        whole = written[: written.rfind(b"\n") + 1]
        self._read += len(whole)
        self._take(whole)

    def _take(self, lines: bytes) -> None:
        core: dict[str, Any] | None = None
        for line in map(orjson.loads, lines.splitlines()):
            self.embedded.books.load(line.get("rows", ()))
            core = line.get("core", core)
        if core is not None:
            self.embedded.venue.restore(core["venue"])
            self.embedded.market_ms = core["market_ms"]

    def requests(self) -> int:
        """Return how many orders and margin moves were ever accepted."""
        books = self.embedded.books
        return len(books.orders) + len(books.conditionals) + len(books.moves)

    def positions(self) -> list[Position]:
        """Return what is held."""
        return list(self.embedded.state.positions.values())

    def stops(self) -> list[OpenOrder]:
        """Return the stops that rest, by the ids they were sent with."""
        books = self.embedded.books
        return [
            order._replace(client_id=books.by_venue_id[order.client_id].client_id)
            for order in self._orders()
            if order.leg in _STOPS
        ]

    def unprotected(self) -> list[str]:
        """Return the symbols held without a stop short of liquidation, and not being closed."""
        orders, state = self._orders(), self.embedded.state
        return [
            each.symbol
            for each in self.positions()
            if not is_covered(state, each, [order for order in orders if order.symbol == each.symbol])
        ]

    def doubled(self) -> list[str]:
        """Return the client ids that more than one order was accepted under."""
        books, seen, twice = self.embedded.books, set[str](), []
        direct = [order.client_id for order in books.orders.values() if not order.algo_id]
        for client_id in (*direct, *(order.client_id for order in books.conditionals.values())):
            if client_id in seen and client_id:
                twice.append(client_id)
            seen.add(client_id)
        return twice

    def _orders(self) -> list[OpenOrder]:
        return [order.as_open_order() for order in self.embedded.state.orders]
