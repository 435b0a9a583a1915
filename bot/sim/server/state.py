"""The state file: one JSON line per acknowledged change, written before the reply.

A line is handed to the operating system in one write, so that it survives the death of this process at
any instant; a line cut short by the host's own death is left out. A full line holds the account and
the rows that changed; a short one only how far the market has come since.
"""

import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from bot.errors import Fatal, UserError
from bot.sim.source import Place

_FORMAT: Final = 1
_LONG_BYTES: Final = 64_000_000


class Record(NamedTuple):
    """What a file knew: every row in order, the last full record, and the place after it."""

    rows: list[list[Any]]
    core: dict[str, Any]
    place: Place


class StateFile:
    """`identity` is what the state belongs to (market, seed, symbols): another one is refused."""

    def __init__(self, path: Path | None, identity: dict[str, Any]) -> None:
        self._path, self._identity = path, identity
        self._descriptor = -1
        self._size = 0

    @property
    def is_long(self) -> bool:
        """Whether the file is worth rewriting."""
        return self._size > _LONG_BYTES

    def load(self) -> Record | None:
        """Return what the file holds, None when there is none. UserError: another market's, or no state."""
        if self._path is None or not self._path.exists():
            return None
        lines = [self._parsed(line) for line in self._read().split(b"\n")[:-1]]
        if not lines:
            return None
        self._check(lines[0])
        rows: list[list[Any]] = []
        core: dict[str, Any] = {}
        place: Place = ()
        for line in lines[1:]:
            rows += line.get("rows", ())
            core = line.get("core", core)
            place = tuple(line["place"])
        return Record(rows, core, place) if core else None

    def append(self, rows: list[list[Any]], core: dict[str, Any], place: Place) -> None:
        """Write a change."""
        self._write({"rows": rows, "core": core, "place": place})

    def append_place(self, place: Place) -> None:
        """Write how far the market has come; nothing else has changed since the last full line."""
        self._write({"place": place})

    def rewrite(self, rows: list[list[Any]], core: dict[str, Any], place: Place) -> None:
        """Replace the file by a short one of the same meaning. UserError: it cannot be written."""
        if self._path is None:
            return
        self.close()
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            self._descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise UserError(
                f"The state file {self._path} cannot be written: {error.strerror}. "
                "Give write access to its folder, or name another file with --state."
            ) from error
        self._size = 0
        self._write({"ringfence_exchange": _FORMAT, "identity": self._identity, "place": place})
        self.append(rows, core, place)
        os.fsync(self._descriptor)
        fresh.replace(self._path)

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, line: dict[str, Any]) -> None:
        if self._path is None:
            return
        data = orjson.dumps(line, default=list, option=orjson.OPT_APPEND_NEWLINE)
        try:
            while data:
                written = os.write(self._descriptor, data)
                self._size += written
                data = data[written:]
        except OSError as error:
            self.close()  # nothing may follow a line that was cut short
            raise Fatal(
                f"The exchange's state file {self._path} cannot be written: {error.strerror}. What was not "
                "acknowledged is lost, nothing else. Free some space."
            ) from error

    def _read(self) -> bytes:
        assert self._path is not None
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise UserError(
                f"The state file {self._path} cannot be read: {error.strerror}. "
                "Give read access to it, or name another file with --state."
            ) from error

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise self._not_ours("a line in it is not JSON") from error

    def _check(self, header: Any) -> None:
        if not isinstance(header, dict) or header.get("ringfence_exchange") != _FORMAT:
            raise self._not_ours("its first line is not the header of one")
        for name, value in orjson.loads(orjson.dumps(self._identity)).items():
            was = header["identity"].get(name)
            if was != value:
                raise UserError(
                    f"The state file {self._path} continues an exchange with {name} {was}, but this start "
                    f"asks for {value}. Its prices would jump. Start with the same flags, or name another "
                    "file with --state."
                )

    def _not_ours(self, why: str) -> UserError:
        return UserError(
            f"{self._path} is no state of an embedded exchange: {why}. "
            "Name another file with --state; this one is left as it is."
        )
