"""`ringfence download-data`: candles, mark candles and funding of an exchange into files for a replay."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import options
from bot.cli.output import columns, show_rows
from bot.errors import RingfenceError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID

    from bot.cli.fetching import Fetched
    from bot.core.timerange import TimeRange
    from bot.exchange.histories import Histories
    from bot.exchange.hosts import Access


def download_data(
    *,
    venue: Annotated[str, typer.Option("--venue", metavar="NAME", help="An exchange; see list-exchanges.")],
    timerange: Annotated[
        str, typer.Option("--timerange", metavar="YYYYMMDD-YYYYMMDD", help="UTC days, the last excluded.")
    ],
    data: Annotated[
        Path,
        typer.Option(
            "--data", metavar="DIR", help="Where the exchange's folder of files is; made if missing."
        ),
    ],
    symbols: options.Symbols = None,
    timeframe: Annotated[
        str, typer.Option("--timeframe", help="Candles to fetch; a replay needs 1h or finer.")
    ] = "1m",
    base_url: options.BaseUrl = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> int:
    """Fetch what the files lack and verify them; again after an interruption goes on. Needs no keys.

    Exit 1 when the exchange has no candles or settlements for a part of the range.
    """
    from bot.cli.venue_doctor import access_of
    from bot.clock import WallClock
    from bot.core.timeframe import timeframe_ms
    from bot.core.timerange import parse_timerange

    try:
        span, length_ms = parse_timerange(timerange), timeframe_ms(timeframe)
        span, notice = until_now(span, length_ms, WallClock().now_ms())
    except ValueError as error:
        raise UserError(f"{error}. Nothing was fetched. Correct --timerange or --timeframe.") from None
    if notice:
        print(notice, file=sys.stderr)
    settings = options.settings_of(config, {"feed.symbols": ("--symbols", symbols)})
    access = access_of(False, base_url, settings.exchange.proxy)
    found = asyncio.run(_fetch(venue, access, settings.feed.symbols, span, length_ms, data))
    rows = [each._asdict() for each in found]
    show_rows(rows, columns("file", "rows#", "fetched#", "note"), as_json, empty="Nothing to fetch.")
    return 0 if all(each.is_whole for each in found) else 1


def until_now(span: "TimeRange", length_ms: int, now_ms: int) -> "tuple[TimeRange, str]":
    """Return what of a range has happened, and the words for what has not. ValueError: none of it has."""
    from bot.core.timerange import utc_text

    newest_ms = now_ms - now_ms % length_ms
    if span.start_ms >= newest_ms:
        raise ValueError(f"the range begins at {utc_text(span.start_ms)} UTC, which is not over yet")
    if span.end_ms <= newest_ms:
        return span, ""
    notice = f"The range ends in the future: it is fetched until now, {utc_text(newest_ms)} UTC."
    return span._replace(end_ms=newest_ms), notice


async def _fetch(
    venue_id: str, access: "Access", symbols: tuple[str, ...], span: "TimeRange", length_ms: int, folder: Path
) -> "list[Fetched]":
    from bot.backtest.data_files import holds_files
    from bot.backtest.store_folder import folder_to_fill
    from bot.clock import WallClock
    from bot.exchange.connect import public_link_to, venue_of
    from bot.exchange.histories import Histories
    from bot.exchange.own_machine import check_served, unserved

    venue = venue_of(venue_id)
    check_served(venue, access)
    link, _ = public_link_to(venue, access, WallClock())
    try:
        histories = Histories(link)
        await _check_symbols(histories, symbols)
        folder = folder_to_fill(folder, venue_id, holds_files=holds_files(folder))
        return await fetch_all(histories, symbols, span, length_ms, folder)
    except UserError:
        raise
    except RingfenceError as error:
        fact, step = unserved(venue, access, str(error.args[-1]))
        raise UserError(
            f"{venue.title} cannot be read: {fact or error.args[-1]}. What was fetched is kept. "
            f"{step or 'Check the network and the address.'} Then give the same command again: it goes on."
        ) from error
    finally:
        await link.client.close()


async def fetch_all(
    histories: "Histories", symbols: tuple[str, ...], span: "TimeRange", length_ms: int, folder: Path
) -> "list[Fetched]":
    """Return every file as it stands after fetching, with a progress bar on standard error meanwhile."""
    from bot.cli.fetching import Fetched, Fetcher

    found = []
    with _progress() as progress:
        tell = _teller(progress)
        fetcher = Fetcher(histories, folder, span, tell)
        for symbol in symbols:
            found.append(await fetcher.candles(symbol, length_ms, "last"))
            if histories.has_mark:
                found.append(await fetcher.candles(symbol, length_ms, "mark"))
            else:
                note = "the exchange hands out no mark candles; a replay takes the last price instead"
                found.append(Fetched(f"{symbol} mark", 0, 0, note, True))
            found.append(await fetcher.funding(symbol))
    return found


async def _check_symbols(histories: "Histories", symbols: tuple[str, ...]) -> None:
    from bot.exchange.symbols import symbol_fault

    markets = await histories.markets()
    for symbol in symbols:
        if (fault := symbol_fault(symbol, markets)) is not None:
            raise UserError(f"{fault.fact}. Nothing was fetched. {fault.next_step}")


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _teller(progress: "Progress") -> "Callable[[str, int, int], None]":
    tasks: dict[str, TaskID] = {}

    def tell(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=max(total, 1))
        progress.update(tasks[name], completed=done if total else 1)

    return tell
