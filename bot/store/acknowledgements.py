"""A person's acknowledgements: an empty file each beside the database, named by the alert."""

import re
from pathlib import Path
from typing import Final

from bot.errors import UserError

_SUFFIX: Final = ".acknowledged"
_ID: Final = re.compile(r"[0-9a-f]{8}")


class AcknowledgementFiles:
    """What was acknowledged beside the database at `path` and not written down yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def waiting(self) -> tuple[str, ...]:
        """Return the ids of alerts; files of another form are left alone."""
        begin = f"{self._path.name}."
        found = sorted(self._path.parent.glob(f"{begin}*{_SUFFIX}"))
        ids = (file.name.removeprefix(begin).removesuffix(_SUFFIX) for file in found)
        return tuple(alert_id for alert_id in ids if _ID.fullmatch(alert_id))

    def leave(self, alert_id: str) -> None:
        """Leave one for the running bot. UserError: it cannot be written."""
        try:
            self._file(alert_id).touch()
        except OSError as error:
            raise UserError(
                f"The acknowledgement cannot be left beside {self._path}: {error.strerror}. Nothing was "
                "acknowledged. Give write access to its folder."
            ) from error

    def done(self, alert_id: str) -> None:
        """Remove one that is in the database now."""
        self._file(alert_id).unlink(missing_ok=True)

    def _file(self, alert_id: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{alert_id}{_SUFFIX}")
