"""The price path that a what-if walks, from a straight move, from files, or from a folder of candles."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.calc import PathLeg, PathOutcome, straight_path, what_if_path
from bot.cli.calculators import given
from bot.cli.calculators.book import Book, Subject, required_sigma
from bot.cli.calculators.shocks import move_words, shocks_of, symbol_of
from bot.core.margin import liquidation_distance
from bot.core.timeframe import HOUR_MS, MINUTE_MS
from bot.errors import UserError
from bot.plugins import did_you_mean
from bot.risk.limits import MarginLimits
from bot.risk.policies import POLICIES
from bot.risk.view import MarginView

if TYPE_CHECKING:
    from bot.backtest.price_path import PricePath

_MOST_STEPS: Final = 600_000
_FARTHEST_START: Final = 0.05
_STATIC: Final = "static"

Column = NDArray[np.float64]


class AskedPath(NamedTuple):
    """A book and its path; `words` say what it is, `notes` what it lacks. `times_ms`: ms after now."""

    legs: tuple[PathLeg, ...]
    times_ms: Column
    free: float
    policies: Mapping[str, Any]
    limits: MarginLimits
    words: str
    notes: tuple[str, ...] = ()

    @property
    def hours(self) -> float:
        """How long the path is."""
        return float(self.times_ms[-1]) / HOUR_MS

    def outcomes(self) -> tuple[PathOutcome, ...]:
        """Return every way of holding the book along the path."""
        return what_if_path(self.legs, self.free, self.policies, self.limits, self.times_ms)


def asked_path(book: Book, params: Mapping[str, Any]) -> AskedPath:
    """Return the path of --to, --path or --data. UserError: what cannot be read or does not fit the book."""
    if params["to"]:
        symbols = [subject.position.symbol for subject in book.subjects]
        length_ms = given.duration_ms("--over", params["over"] or "24h")
        return straight(book, shocks_of("--to", params["to"], symbols), length_ms, params)
    if params["data"]:
        return _of_folder(book, params)
    return _of_files(book, params)


def straight(book: Book, moves: tuple[float, ...], length_ms: int, params: Mapping[str, Any]) -> AskedPath:
    """Return an even walk of every position to its move, a mark a minute."""
    minutes = length_ms // MINUTE_MS
    _check_length(minutes, "--over")
    marks = [
        straight_path(subject.mark, move, minutes) for subject, move in zip(book.subjects, moves, strict=True)
    ]
    symbols = [subject.position.symbol for subject in book.subjects]
    words = f"A straight walk of {move_words(moves, symbols)} over {length_ms / HOUR_MS:g} h"
    return _asked(book, marks, MINUTE_MS * np.arange(1.0, minutes + 1.0), words, (), params)


def _of_files(book: Book, params: Mapping[str, Any]) -> AskedPath:
    from bot.backtest.price_path import read_price_path

    files = _files_by_symbol(book, params["path"])
    read = {}
    for subject in book.subjects:
        if file := files.get(subject.position.symbol):
            read[subject.position.symbol] = read_price_path(file, subject.position.side)
    return _joined(book, read, ", ".join(str(file) for file in files.values()), params, ())


def _of_folder(book: Book, params: Mapping[str, Any]) -> AskedPath:
    from bot.backtest.history import load_history
    from bot.backtest.price_path import path_of_candles
    from bot.core.timerange import parse_timerange

    try:
        timerange = None if params["timerange"] is None else parse_timerange(params["timerange"])
    except ValueError as error:
        raise UserError(f"--timerange: {error}. Correct it and try again.") from error
    sides = {subject.position.symbol: subject.position.side for subject in book.subjects}
    history = load_history(
        Path(params["data"]), tuple(sides), timerange, HOUR_MS, allow_gaps=True, warmup_ms=0
    )
    read = {
        series.symbol: path_of_candles(
            series.candles if series.mark is None else series.mark, history.timeframe_ms, sides[series.symbol]
        )
        for series in history.series
    }
    source = history.played.removesuffix(".") or params["data"]
    return _joined(book, read, source, params, history.notices)


def _files_by_symbol(book: Book, said: list[str]) -> dict[str, Path]:
    symbols = [subject.position.symbol for subject in book.subjects]
    files: dict[str, Path] = {}
    for text in said:
        name, is_named, file = text.rpartition("=")
        if not is_named and len(symbols) > 1:
            raise given.refused(
                "--path", text, f"there are {len(symbols)} positions; say whose it is, as in BTC={text}"
            )
        symbol = symbol_of("--path", name, symbols) if is_named else symbols[0]
        if symbol in files:
            raise given.refused("--path", text, f"{symbol} has a path already")
        files[symbol] = Path(file)
    return files


def _joined(
    book: Book, read: "dict[str, PricePath]", source: str, params: Mapping[str, Any], notices: tuple[str, ...]
) -> AskedPath:
    """Put the paths of all positions on one clock; a position without one stays at its mark."""
    first = next(iter(read.values()))
    notes = list(notices)
    marks = []
    for subject in book.subjects:
        symbol = subject.position.symbol
        if symbol not in read:
            notes.append(f"{symbol} has no path and stays at its mark {subject.mark:g}.")
            marks.append(np.full(len(first.marks), subject.mark))
            continue
        own = read[symbol]
        if not np.array_equal(own.ts_ms, first.ts_ms):
            raise UserError(
                f"The path of {symbol} has other times than that of {next(iter(read))}, and a book walks on "
                "one clock. Give files of the same range and timeframe."
            )
        marks.append(_begun(subject, own.marks, is_relative=params["relative"]))
    _check_length(len(first.marks), "--path")
    times = (first.ts_ms - first.ts_ms[0]).astype(np.float64) + first.step_ms
    words = f"{source}: {len(times):,} prices over {times[-1] / HOUR_MS:,.1f} h"
    return _asked(book, marks, times, words, tuple(notes), params)


def _begun(subject: Subject, marks: Column, *, is_relative: bool) -> Column:
    """The marks as they are, or scaled to begin at the position's mark."""
    if is_relative:
        return marks * (subject.mark / marks[0])
    if abs(marks[0] / subject.mark - 1.0) > _FARTHEST_START:
        raise UserError(
            f"The path of {subject.position.symbol} begins at {marks[0]:g}, and its mark is {subject.mark:g}"
            ". Give the mark that belongs to the path, or --relative to take only the path's moves."
        )
    return marks


def _asked(
    book: Book,
    marks: list[Column],
    times_ms: Column,
    words: str,
    notes: tuple[str, ...],
    params: Mapping[str, Any],
) -> AskedPath:
    policies, limits = _policies(params)
    legs = tuple(_leg(subject, own) for subject, own in zip(book.subjects, marks, strict=True))
    return AskedPath(legs, times_ms, book.free or 0.0, policies, limits, words, notes)


def _policies(params: Mapping[str, Any]) -> tuple[dict[str, Any], MarginLimits]:
    """The policies asked for, all without --policy, with their parameters as they are set."""
    from bot.cli.options import settings_of

    for name in params["policy"] or ():
        if name not in POLICIES:
            raise UserError(
                f'--policy is "{name}"; there is no such policy, {did_you_mean(name, POLICIES)} '
                "See list-policies."
            )
    margin = settings_of(params["config"], {}).margin
    # The isolated row is static margin already; who names it gets it.
    chosen = dict.fromkeys(params["policy"] or (name for name in POLICIES if name != _STATIC))
    return {name: getattr(margin.params, name) for name in chosen}, margin.limits


def _leg(subject: Subject, marks: Column) -> PathLeg:
    margin_step = 0.0 if subject.instrument is None else subject.instrument.margin_step_quote
    quantity_step = 0.0 if subject.instrument is None else subject.instrument.quantity_step
    return PathLeg(_view(subject), marks, margin_step, quantity_step, subject.book)


def _view(subject: Subject) -> MarginView:
    """What a policy may know: of a database all the bot knows, else the flags and no trend."""
    if subject.view is not None:
        required_sigma(subject)
        return subject.view
    view = MarginView(
        ts_ms=0,
        mark=subject.mark,
        mark_age_ms=0,
        position=subject.position,
        rules=subject.rules,
        stop_price=subject.stop_price,
        sigma_day=required_sigma(subject),
        funding_rate=subject.funding_rate or 0.0,
        entry_distance=float(liquidation_distance(subject.position, subject.mark, subject.rules)),
    )
    return view if subject.atr is None else view._replace(atr=subject.atr)


def _check_length(steps: int, flag: str) -> None:
    if steps > _MOST_STEPS:
        raise UserError(
            f"{flag} makes a path of {steps:,} steps, and at most {_MOST_STEPS:,} are walked. Choose a "
            "shorter one, or longer candles."
        )
