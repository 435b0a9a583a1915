"""What `backtest` and `sweep` share: the settings of played candles, fees in percent, a progress bar."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bot.cli import options
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.settings import Settings

Wallet = Annotated[float | None, typer.Option("--wallet", help="Balance at the start, quote.")]
Fee = Annotated[
    str | None,
    typer.Option("--fee", metavar="PERCENT", help="Paid per fill (0.05%); default: the instrument's own."),
]
Detail = Annotated[
    str, typer.Option("--detail", help="Candles that are played (1m); default: the finest there are.")
]
EngineName = Annotated[
    str | None,
    typer.Option("--engine", metavar="kernel|exact", help="Default: the fastest that does all of it."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting (strategy.params.ema_cross.fast=20)."),
]

_MOST_FEE: Final = 0.02


def settings_played(
    verb: str, config: Path | None, given: dict[str, tuple[str, Any]], texts: Sequence[str]
) -> "Settings":
    """Return the settings of a verb that plays recorded candles on paper; `texts` are those of --set."""
    fixed = {
        "feed.kind": ("--feed", "replay"),
        "run.mode": (f"ringfence {verb}", "paper"),
        "exchange.name": (f"ringfence {verb}", ""),
    }
    return options.settings_of(config, {**fixed, **given, **_settings_set(texts)})


def fee_rate_of(text: str | None) -> float | None:
    """Return the fraction of "0.05%"; None leaves the instruments' own fees."""
    if text is None:
        return None
    try:
        value = float(text.strip().removesuffix("%")) / 100.0
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= _MOST_FEE:
        raise UserError(f'--fee is "{text}"; give a percentage of 0 to {_MOST_FEE:.0%} such as 0.05%.')
    return value


@contextmanager
def progress(name: str, total: int) -> "Iterator[Callable[[int], None]]":
    """Show how many are done on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=max(total, 1))
        yield lambda done: bar.update(task, completed=done)


def _settings_set(texts: Sequence[str]) -> dict[str, tuple[str, Any]]:
    """Return the settings of --set KEY=VALUE; numbers and true/false are read as such."""
    given: dict[str, tuple[str, Any]] = {}
    for text in texts:
        key, is_there, value = text.partition("=")
        if not (is_there and key.strip()):
            raise UserError(f'--set is "{text}"; give KEY=VALUE such as margin.limits.max_adds=3.')
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        given[key.strip()] = (f"--set {key.strip()}", read)
    return given
