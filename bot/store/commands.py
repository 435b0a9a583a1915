"""A person's orders to a bot: one small file each beside the database, taken and removed by the bot.

Not rows of the database: it has one writer, and a second one would risk the log of SQLite itself.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot.errors import UserError
from bot.ports import Command

_SUFFIX: Final = ".command"
_COMMAND_ID: Final = re.compile(r"\d{15}-\d+")
_DRAFT: Final = ".draft"
_FIELDS: Final = ("verb", "level", "message")
_DEFAULTS: Final = Command._field_defaults  # absent where an order is not about a position


class CommandFiles:
    """`ports.Commands` of the database at `path`. Whoever may write there may give orders."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def waiting(self) -> tuple[Command, ...]:
        """Return the orders nobody has taken yet, the oldest first; what is none of ours is left alone."""
        return tuple(self._read())

    def send(self, command: Command) -> None:
        """Leave an order for the bot, whole or not at all. UserError: it cannot be written."""
        file = self._file(command.command_id)
        draft = file.with_name(file.name + _DRAFT)
        body = {name: getattr(command, name) for name in _FIELDS}
        body |= {
            name: given for name, usual in _DEFAULTS.items() if (given := getattr(command, name)) != usual
        }
        try:
            with draft.open("w", encoding="utf-8") as stream:
                json.dump(body, stream)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(file)
        except OSError as error:
            raise UserError(
                f"The order cannot be left beside {self._path}: {error.strerror}. Nothing was ordered. "
                "Give write access to its folder, or close positions at the exchange itself."
            ) from error

    def done(self, command_id: str) -> None:
        """Remove an order that is in the database now."""
        self._file(command_id).unlink(missing_ok=True)

    def is_waiting(self, command_id: str) -> bool:
        """Return whether nobody has taken the order yet."""
        return self._file(command_id).exists()

    def _read(self) -> Iterator[Command]:
        begin = f"{self._path.name}."
        for file in sorted(self._path.parent.glob(f"{begin}*{_SUFFIX}")):
            command_id = file.name.removeprefix(begin).removesuffix(_SUFFIX)
            command = _command(command_id, file) if _COMMAND_ID.fullmatch(command_id) else None
            if command is not None:
                yield command

    def _file(self, command_id: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{command_id}{_SUFFIX}")


def _command(command_id: str, file: Path) -> Command | None:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        verb, level, message = (str(body[name]) for name in _FIELDS)
        about = {name: type(usual)(body.get(name, usual)) for name, usual in _DEFAULTS.items()}
        f"{verb}{level}{message}{about['symbol']}".encode()  # no half of a surrogate: no database takes it
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
    return Command(command_id, verb, level, message, **about)
