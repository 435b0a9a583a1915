"""Positions from a file: TOML or JSON, one position at the top or many under `positions`.

    free = 1000                 # free balance, quote; only what-if uses it

    [[positions]]
    symbol = "BTC/USDT:USDT"
    side = "long"
    entry = 60000
    leverage = 10
    margin = 500                # or quantity

The keys are the flags of `ringfence calc position` with underscores; a percentage is a text ("3%") or a
fraction (0.03).
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from bot.cli.calculators import given
from bot.cli.calculators.position_keys import READERS, PositionWords, words_of
from bot.errors import UserError

_ACCOUNT_KEYS: Final = ("free", "positions")
_SUFFIXES: Final = (".toml", ".json")


class PositionFile(NamedTuple):
    """Every position of a file in its order, and the free balance it names; None: it names none."""

    positions: tuple[PositionWords, ...]
    free: float | None


def read_positions(path: Path) -> PositionFile:
    """Return what the file says. UserError naming the file, the key and its value for anything else."""
    table = _table(path)
    rows, prefix = table.get("positions"), "positions[{}]."
    if rows is None:
        rows = [{key: value for key, value in table.items() if key != "free"}]
        prefix = ""
    elif extra := [key for key in table if key not in _ACCOUNT_KEYS]:
        raise _unknown(path, "", extra[0], _ACCOUNT_KEYS)
    if not isinstance(rows, list) or not rows or rows == [{}]:
        raise UserError(
            f"{path} holds no position. Write one with side, entry, leverage and margin, or a list of them "
            "under positions."
        )
    found = tuple(_position(path, prefix.format(index), row) for index, row in enumerate(rows))
    free = table.get("free")
    return PositionFile(found, None if free is None else given.not_negative(f"{path}: free", free))


def _position(path: Path, prefix: str, row: Any) -> PositionWords:
    if not isinstance(row, Mapping):
        raise UserError(
            f"{path}: {prefix.rstrip('.')} is {row!r}, which is no table. Write a position as keys "
            "and values."
        )
    for key in row:
        if key not in READERS:
            raise _unknown(path, prefix, key, READERS)
    return words_of(row, lambda key: f"{path}: {prefix}{key}")


def _unknown(path: Path, prefix: str, key: str, known: Any) -> UserError:
    from bot.plugins import did_you_mean

    return UserError(
        f'{path}: there is no key "{prefix}{key}", {did_you_mean(key, known)} Correct or remove it.'
    )


def _table(path: Path) -> Mapping[str, Any]:
    if path.suffix.lower() not in _SUFFIXES:
        raise UserError(f"{path} is neither a .toml nor a .json file. Give --file one of these.")
    try:
        content = path.read_text(encoding="utf-8")
        table = tomllib.loads(content) if path.suffix.lower() == ".toml" else json.loads(content)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}. Check --file.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {error}. Correct the file given with --file.") from error
    if isinstance(table, list):
        return {"positions": table}
    if not isinstance(table, Mapping):
        raise UserError(f"{path} holds {table!r} instead of positions. Write a table or a list of them.")
    return table
