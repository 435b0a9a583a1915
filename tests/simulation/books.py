"""The end of a world: what the bot has written must be what the exchange has done, to the last digit."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from bot.sim.server.auth import PAPER_AGENT_KEY, PAPER_KEY, PAPER_PASSPHRASE, PAPER_SECRET
from bot.sim.server.exchange import EmbeddedExchange
from tests.simulation.calls import readable
from tests.simulation.storage import log_of, rows

if TYPE_CHECKING:
    from tests.simulation.world import World

_DIGITS: Final = 7
_MONEY: Final = 1e-6
_PROBED: Final = ("bybit",)
_CONSERVED: Final = 1e-8
_SECRETS: Final = (PAPER_KEY, PAPER_SECRET, PAPER_PASSPHRASE, PAPER_AGENT_KEY)

Known = dict[str, Any]


def known_to_exchange(embedded: EmbeddedExchange) -> Known:
    """Return positions, resting orders, fills, margin moves, funding and money of the venue."""
    state, books = embedded.state, embedded.books
    ours = (order for order in state.orders)
    return {
        "positions": sorted(
            (each.symbol, each.side, _n(each.quantity), _n(each.entry_price), _n(each.isolated_wallet))
            for each in state.positions.values()
        ),
        "orders": sorted(books_id(embedded, order.client_id) for order in ours),
        "fills": Counter(
            (each.symbol, each.side, _n(each.price), _n(each.quantity), _n(each.fee_quote))
            for each in books.trades
            if books.orders[each.order_id].order_type != "liquidation"
        ),
        "liquidations": Counter(
            (each.symbol, each.side, _n(each.quantity))
            for each in books.trades
            if books.orders[each.order_id].order_type == "liquidation"
        ),
        "margin": Counter((each.symbol, _n(each.amount_quote)) for each in books.moves if each.is_requested),
        "funding": Counter(
            (each.symbol, each.ts_ms, _n(each.amount_quote))
            for each in books.incomes
            if each.kind == "funding"
        ),
        "free": state.free_quote,
    }


def books_id(embedded: EmbeddedExchange, venue_id: str) -> str:
    """Return the client's id of an order that the venue knows by its own."""
    known = embedded.books.by_venue_id.get(venue_id)
    return readable(known.client_id) if known is not None else venue_id


def known_to_bot(database: Path) -> Known:
    """Return the same from a database."""
    holding = rows(database, "SELECT symbol, side, quantity, entry_price, isolated_wallet FROM holding")
    orders = rows(
        database,
        "SELECT client_id FROM \"order\" WHERE status IN ('pending', 'open', 'partially_filled')",
    )
    fills = rows(
        database, "SELECT symbol, side, price, quantity, fee_quote FROM fill WHERE leg <> 'liquidation'"
    )
    liquidations = rows(database, "SELECT symbol, side, quantity FROM fill WHERE leg = 'liquidation'")
    margin = rows(database, "SELECT symbol, amount_quote FROM margin_adjustment")
    funding = rows(database, "SELECT symbol, ts_ms, amount_quote FROM funding")
    free = rows(database, "SELECT free_quote FROM account")
    return {
        "positions": sorted((symbol, side, *map(_n, numbers)) for symbol, side, *numbers in holding),
        "orders": sorted(row[0] for row in orders),
        "fills": Counter((symbol, side, *map(_n, numbers)) for symbol, side, *numbers in fills),
        "liquidations": Counter((symbol, side, _n(quantity)) for symbol, side, quantity in liquidations),
        "margin": Counter((symbol, _n(amount)) for symbol, amount in margin),
        "funding": Counter((symbol, ts_ms, _n(amount)) for symbol, ts_ms, amount in funding),
        "free": None if free[0][0] is None else float(free[0][0]),
    }


def compare(world: "World", database: Path, skipped: Iterable[str] = ()) -> list[str]:
    """Return every difference in words, and every secret that was written; none is right."""
    embedded = world.exchange.embedded
    probes = _least_moves(embedded) if world.dialect in _PROBED else {}
    return [*differences(embedded, database, skipped, probes), *secrets_in(world, database)]


def differences(
    embedded: EmbeddedExchange,
    database: Path,
    skipped: Iterable[str] = (),
    probes: Mapping[str, float] = MappingProxyType({}),
) -> list[str]:
    """Return in words where a database differs from the exchange.

    `probes`: by symbol the margin that may follow a request of unknown fate, and is booked with it.
    """
    venue, bot = known_to_exchange(embedded), known_to_bot(database)
    found = []
    for name in venue:
        if name in skipped:
            continue
        if name == "free":
            # Nothing is written of the money before the first change of it.
            if bot[name] is not None and abs(venue[name] - bot[name]) > _MONEY:
                found.append(f"free: the exchange says {venue[name]!r}, the database {bot[name]!r}")
        elif isinstance(venue[name], Counter):
            missing, extra = venue[name] - bot[name], bot[name] - venue[name]
            if name == "margin" and probes:
                missing, extra = without_probed(missing, extra, probes)
            if missing or extra:
                found.append(f"{name}: lost {dict(missing)}, invented {dict(extra)}")
        elif venue[name] != bot[name]:
            found.append(f"{name}: the exchange says {venue[name]}, the database {bot[name]}")
    error = embedded.venue.conservation_error()
    if error > _CONSERVED:
        found.append(f"money: the venue's ledger is off by {error}")
    return found


def without_probed(
    missing: Counter[Any], extra: Counter[Any], probes: Mapping[str, float]
) -> tuple[Counter[Any], Counter[Any]]:
    """Return what is left when a move and the least amounts sent after it are the one row that is their sum.

    Where there is no history the reply to the least amount tells the wallet after both (`exchange/fence.py`):
    one request, one row, and to the last digit what the venue moved for it.
    """
    for symbol, total in tuple(extra):
        least = math.copysign(probes[symbol], total)
        for _, amount in [each for each in missing if each[0] == symbol]:
            count = round((total - amount) / least)
            parts = Counter({(symbol, amount): 1}) + Counter({(symbol, _n(least)): max(count, 0)})
            if count > 0 and parts <= missing and _n(amount + count * least) == total:
                missing, extra = missing - parts, extra - Counter({(symbol, total): 1})
                break
    return missing, extra


def _least_moves(embedded: EmbeddedExchange) -> dict[str, float]:
    return {symbol: each.margin_step_quote for symbol, each in embedded.state.instruments.items()}


def secrets_in(world: "World", database: Path) -> list[str]:
    """Return where a secret of the world stands: in the database, or in what the bots said at their end."""
    files = (database, log_of(database))
    written = {path.name: path.read_bytes() for path in files if path.exists()}
    written["the errors"] = "\n".join(world.errors).encode()
    return [
        f"secrets: {name} holds a secret"
        for name, content in written.items()
        if any(secret.encode() in content for secret in _SECRETS)
    ]


def _n(value: Any) -> float:
    return round(float(value), _DIGITS) + 0.0
