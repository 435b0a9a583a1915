"""Which files of a folder hold a symbol's market data, by their names.

Two layouts are known. Ours: BTCUSDT_1m.parquet, BTCUSDT_1m_2025-02.parquet (any tag), and beside them
BTCUSDT_1h_mark.parquet, BTCUSDT_funding.parquet. Freqtrade's: BTC_USDT_USDT-1m-futures.feather and
-1h-mark, -8h-funding_rate, also in a folder `futures` below. Either may be Parquet, feather or CSV. A
folder above those of venues (store_folder) stands for the only one in it.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final, Literal, NamedTuple

from bot.backtest.store_folder import folder_to_read
from bot.core.timeframe import timeframe_ms
from bot.errors import UserError

Kind = Literal["last", "mark", "funding"]

SUFFIXES: Final = (".parquet", ".feather", ".ipc", ".arrow", ".csv")
_OURS: Final = re.compile(r"(?P<stem>[A-Z0-9]+)_(?:(?P<timeframe>\d+[mhd])|funding)(?P<tags>(?:_[\w.-]+)?)")
_FREQTRADE: Final = re.compile(r"(?P<stem>\w+)-(?P<timeframe>\d+[mhd])-(?P<kind>futures|mark|funding_rate)")
_FREQTRADE_FOLDER: Final = "futures"
_FREQTRADE_KINDS: Final[dict[str, Kind]] = {"futures": "last", "mark": "mark", "funding_rate": "funding"}


class DataFile(NamedTuple):
    """`timeframe_ms` is 0 for funding."""

    path: Path
    stem: str
    kind: Kind
    timeframe_ms: int


def files_of(directory: Path, symbol: str) -> list[DataFile]:
    """Return the files of a unified symbol such as "BTC/USDT:USDT", by name.

    UserError: the folder cannot be listed, or holds no candles of the symbol.
    """
    directory = folder_to_read(directory, holds_files=bool(_listed(directory)))
    everything = _listed(directory)
    stems = stems_of(symbol)
    mine = [file for file in everything if file.stem in stems]
    if any(file.kind == "last" for file in mine):
        return mine
    there = sorted({file.stem for file in everything if file.kind == "last"})
    below = [folder.name for folder in sorted(directory.iterdir()) if _is_one(folder) and _has(folder, stems)]
    if below:
        raise UserError(
            f"The data folder {directory} has no candle file for {symbol} itself; these folders in it have: "
            f"{', '.join(below)}. Name the one you mean with --data (feed.data)."
        )
    raise UserError(
        f"The data folder {directory} has no candle file for {symbol}; it has "
        f"{', '.join(there) or 'none at all'}. A file is named like {stems[0]}_1m.parquet or "
        f"{stems[1]}-1m-futures.feather. Choose other symbols or another folder."
    )


def _has(directory: Path, stems: Collection[str]) -> bool:
    return any(file.stem in stems and file.kind == "last" for file in _listed(directory))


def holds_files(directory: Path) -> bool:
    """Return whether market data lies in this folder itself, not in one below it."""
    return directory.is_dir() and bool(_listed(directory))


def folders_of_files(directory: Path, stems: Collection[str] | None) -> list[list[DataFile]]:
    """Return the files of a folder and of the folders in it, of all symbols or of those with these stems.

    UserError: it cannot be listed, or there are none.
    """
    folders = [
        _listed(directory),
        *(_listed(below) for below in sorted(directory.iterdir()) if _is_one(below)),
    ]
    wanted = [[file for file in files if stems is None or file.stem in stems] for files in folders]
    if not any(wanted):
        raise UserError(
            f"{directory} holds no file of market data{' of these symbols' if stems else ''}. A file is "
            "named like BTCUSDT_1m.parquet or BTC_USDT_USDT-1m-futures.feather."
        )
    return [files for files in wanted if files]


def _is_one(below: Path) -> bool:
    return below.is_dir() and below.name != _FREQTRADE_FOLDER


def stems_of(symbol: str) -> tuple[str, str]:
    """Return how names of files begin that hold this unified symbol: in our layout and in freqtrade's."""
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    return base + quote, "_".join((base, quote, settle))


def _listed(directory: Path) -> list[DataFile]:
    try:
        paths = sorted([*directory.iterdir(), *_children(directory / _FREQTRADE_FOLDER)])
    except OSError as error:
        raise UserError(
            f"The data folder {directory} cannot be listed: {error.strerror}. Name an existing folder of "
            "candle files with --data."
        ) from error
    return [file for path in paths if path.suffix in SUFFIXES and (file := _parsed(path)) is not None]


def _children(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.is_dir() else []


def _parsed(path: Path) -> DataFile | None:
    if (match := _FREQTRADE.fullmatch(path.stem)) is not None:
        kind = _FREQTRADE_KINDS[match["kind"]]
        return _file(path, match["stem"], kind, match["timeframe"])
    if (match := _OURS.fullmatch(path.stem)) is None:
        return None
    if match["timeframe"] is None:
        return DataFile(path, match["stem"], "funding", 0)
    kind = "mark" if "mark" in match["tags"].split("_") else "last"
    return _file(path, match["stem"], kind, match["timeframe"])


def _file(path: Path, stem: str, kind: Kind, timeframe: str) -> DataFile | None:
    if kind == "funding":
        return DataFile(path, stem, kind, 0)
    try:
        return DataFile(path, stem, kind, timeframe_ms(timeframe))
    except ValueError:
        return None
