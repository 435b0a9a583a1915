"""`ringfence doctor --venue`: whether an exchange, a key and an account are fit to be traded on."""

import asyncio
from typing import TYPE_CHECKING

from bot.cli.output import columns, show_rows
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.exchange.connect import Credentials
    from bot.exchange.examination import Line
    from bot.exchange.hosts import Access
    from bot.settings import Settings


def examine(settings: "Settings", venue: str, testnet: bool, base_url: str | None, as_json: bool) -> int:
    """Show one line per check and return 0, or 1 when something is wrong."""
    from bot.real import credentials

    found = asyncio.run(
        lines_of(venue, access_of(testnet, base_url), credentials(settings), settings.feed.symbols)
    )
    rows = [line._asdict() for line in found]
    show_rows(rows, columns("verdict", "check", "fact", "next_step"), as_json, empty="Nothing to check.")
    return 0 if all(line.verdict != "wrong" for line in found) else 1


def access_of(testnet: bool, base_url: str | None) -> "Access":
    """Return where to go: this machine, the test environment, or production. UserError: two of them."""
    from bot.exchange.hosts import Access, checked_base

    if testnet and base_url is not None:
        raise UserError(
            "--testnet and --base-url were both given. One is the exchange's test environment, the other an "
            "exchange on this machine: give one."
        )
    if base_url is not None:
        return Access("loopback", checked_base(base_url))
    return Access("testnet" if testnet else "live")


async def lines_of(
    venue_id: str, access: "Access", credentials: "Credentials", symbols: tuple[str, ...]
) -> "list[Line]":
    """Return what was found. UserError: no such venue, no test environment, missing keys."""
    from bot.clock import WallClock
    from bot.exchange.connect import DIALECTS, link_to, venue_of
    from bot.exchange.examination import Examination
    from bot.exchange.own_machine import check_served

    venue = venue_of(venue_id)
    check_served(venue, access)
    link, _ = link_to(venue, access, credentials, WallClock())
    try:
        dialect = DIALECTS[venue.ccxt_id]()
        return [line async for line in Examination(link, venue, dialect, access, symbols).lines()]
    finally:
        await link.client.close()
