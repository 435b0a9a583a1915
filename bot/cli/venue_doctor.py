"""`ringfence doctor --venue`: whether an exchange, a key and an account are fit to be traded on."""

import asyncio
import shlex
import sys
from typing import TYPE_CHECKING, Final

from bot.cli.output import columns, show_rows
from bot.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from bot.exchange.connect import Credentials
    from bot.exchange.examination import Line, Proof
    from bot.exchange.hosts import Access
    from bot.settings import Settings


_BEFORE: Final = (
    "--prove-stop: {symbol} is set to isolated margin and the account to one-way mode if they are not, and "
    "stays so; then a stop at half the price is placed and cancelled at once. Without a position it may be "
    "an order of the least size that would open a short if the price halved before the cancel arrives."
)


def examine(
    settings: "Settings", venue: str, access: "Access", as_json: bool, *, prove_stop: bool, command: str
) -> int:
    """Show one line per check and return 0, or 1 when something is wrong. `command` proves a stop."""
    from bot.exchange.examination import Proof
    from bot.real import credentials

    symbols = settings.feed.symbols
    if prove_stop:
        print(_BEFORE.format(symbol=symbols[0]), file=sys.stderr)
    proof = Proof(prove_stop, command)
    found = asyncio.run(lines_of(venue, access, credentials(settings), symbols, proof))
    rows = [line._asdict() for line in found]
    show_rows(rows, columns("verdict", "check", "fact", "next_step"), as_json, empty="Nothing to check.")
    return 0 if all(line.verdict != "wrong" for line in found) else 1


def access_of(testnet: bool, base_url: str | None, proxy: str) -> "Access":
    """Return where to go: this machine, the test environment, or production. UserError: two of them."""
    from bot.exchange.hosts import Access, checked_base

    if testnet and base_url is not None:
        raise UserError(
            "--testnet and --base-url were both given. One is the exchange's test environment, the other an "
            "exchange on this machine: give one."
        )
    if base_url is not None:
        return Access("loopback", checked_base(base_url), proxy)
    return Access("testnet" if testnet else "live", proxy=proxy)


def proving(
    venue: str, testnet: bool, base_url: str | None, symbols: str | None, config: "Path | None"
) -> str:
    """Return the command that asks for a proof of the same account."""
    words = ["ringfence", "doctor"]
    words += ["--config", str(config)] if config is not None else []
    words += ["--venue", venue]
    words += ["--testnet"] if testnet else []
    words += ["--base-url", base_url] if base_url is not None else []
    words += ["--symbols", symbols] if symbols is not None else []
    return shlex.join([*words, "--prove-stop"])


async def lines_of(
    venue_id: str,
    access: "Access",
    credentials: "Credentials",
    symbols: tuple[str, ...],
    proof: "Proof | None" = None,
) -> "list[Line]":
    """Return what was found. UserError: no such venue, no test environment, missing keys."""
    from bot import logs
    from bot.clock import WallClock
    from bot.exchange.connect import DIALECTS, link_to, venue_of
    from bot.exchange.examination import Examination, Proof
    from bot.exchange.own_machine import check_served

    logs.tell_of_the_loop()
    venue = venue_of(venue_id)
    check_served(venue, access)
    link, _ = link_to(venue, access, credentials, WallClock())
    try:
        dialect = DIALECTS[venue.ccxt_id]()
        wanted = proof or Proof(False, f"ringfence doctor --venue {venue_id} --prove-stop")
        return [line async for line in Examination(link, venue, dialect, access, symbols, wanted).lines()]
    finally:
        await link.client.close()
