"""What is said after the live view ends: what happened, where it is kept, what to try next."""

import shlex
from dataclasses import dataclass

from bot.view.board import Mode
from bot.view.figures import counted, money, signed_money, span


@dataclass(frozen=True, slots=True)
class Closing:
    """A run in numbers. `ran_ms`: wall time; `market_ms`: market time passed. Amounts in quote, >= 0.

    `open_positions` stay open with their stops. `database`: its path. `command`: continues the session.
    """

    mode: Mode
    quote: str
    ran_ms: int
    market_ms: int
    trades: int
    liquidations: int
    stops_filled: int
    take_profits_filled: int
    margin_adds: int
    margin_releases: int
    margin_added_quote: float
    margin_released_quote: float
    wallet_start_quote: float
    wallet_end_quote: float
    open_positions: int
    database: str
    command: str


def closing_text(closing: Closing) -> str:
    """Return a few aligned lines, each a fact, ending with the next commands to try."""
    change = closing.wallet_end_quote - closing.wallet_start_quote
    exits = (
        f"{counted(closing.stops_filled, 'stop')}, {counted(closing.take_profits_filled, 'take-profit')}, "
        f"{counted(closing.liquidations, 'liquidation')}"
    )
    start, end = money(closing.wallet_start_quote), money(closing.wallet_end_quote)
    wallet = f"{start} -> {end} {closing.quote} ({signed_money(change)})"
    moved = (
        f"added {money(closing.margin_added_quote)} in {counted(closing.margin_adds, 'move')}, "
        f"released {money(closing.margin_released_quote)} in {counted(closing.margin_releases, 'move')}"
    )
    facts = (
        ("ran", f"{span(closing.ran_ms)} ({span(closing.market_ms)} of market), {closing.mode}"),
        ("trades", f"{counted(closing.trades, 'trade')} closed: {exits}"),
        ("margin", moved),
        ("wallet", wallet),
        ("open", _open(closing)),
        ("database", closing.database),
        ("next", f"ringfence margin history --db {shlex.quote(closing.database)}"),
        ("", f"{closing.command}   (continues where this run ended)"),
    )
    return "".join(f"  {label:<9} {text}\n" for label, text in facts)


def _open(closing: Closing) -> str:
    if closing.open_positions == 0:
        return "no position"
    where = (
        "kept in the database with their stops"
        if closing.mode == "paper"
        else "protected by stops on the venue"
    )
    return f"{counted(closing.open_positions, 'position')}, {where}"
