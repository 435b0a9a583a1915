"""What a sweep has tried, a line of JSON each, so that it can be interrupted and go on."""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bot.backtest.sweep.search import Tried
from bot.errors import UserError

_FORM: Final = 1


class Record:
    """A file of tries. `fingerprint` says what is swept: a file of another sweep is not gone on with."""

    def __init__(self, path: Path, fingerprint: dict[str, Any], batch: int) -> None:
        self._path, self._fingerprint = path, {"form": _FORM, **fingerprint}
        self._batch = batch

    def read(self) -> list[Tried]:
        """Return the whole batches there are; what a kill left half-written is cut off.

        UserError: the file is another sweep's, a newer version's, or none at all.
        """
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(
                f"{self._path} cannot be read: {error.strerror}. Name another with --record."
            ) from error
        self._check_head(lines[0])
        rows = lines[1:-1]  # the last ends with a line end, or was being written
        whole = len(rows) // self._batch * self._batch
        tried = [self._row(line, number) for number, line in enumerate(rows[:whole])]
        self._cut(sum(len(line) + 1 for line in lines[: whole + 1]))
        return tried

    def append(self, tried: Sequence[Tried]) -> None:
        """Write a batch and sync it."""
        lines = [_dumped(_plain(each)) for each in tried]
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lines.insert(0, _dumped(self._fingerprint))
        with self._path.open("ab") as file:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())

    def _check_head(self, line: bytes) -> None:
        try:
            head = json.loads(line)
            form = head["form"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self._path} is no record of a sweep. Name another file with --record, or delete it."
            ) from error
        if form != _FORM:
            raise UserError(
                f"{self._path} was written by another version (form {form}). Name another with --record."
            )
        mine = json.loads(_dumped(self._fingerprint))
        different = sorted(key for key in mine if head.get(key) != mine[key])
        if different:
            raise UserError(
                f"{self._path} is the record of another sweep: {', '.join(different)} "
                f"{'differs' if len(different) == 1 else 'differ'}. Give the same command to go on, or "
                "name another file with --record."
            )

    def _row(self, line: bytes, number: int) -> Tried:
        try:
            row = json.loads(line)
            figures = {name: math.nan if value is None else value for name, value in row["figures"].items()}
            return Tried(row["number"], tuple(row["values"]), figures, row["refusal"], row["attrs"])
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self._path}, line {number + 2}, is damaged. Delete it, or name another with --record."
            ) from error

    def _cut(self, size: int) -> None:
        if self._path.stat().st_size > size:
            os.truncate(self._path, size)


def _plain(each: Tried) -> dict[str, Any]:
    figures = {name: value if math.isfinite(value) else None for name, value in each.figures.items()}
    return {**each._asdict(), "figures": figures}


def _dumped(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode() + b"\n"
