"""What a world is made of. Runs of the same sources speak of the same bot, whatever its commit."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_FOLDERS: Final = (
    *(
        f"bot/{name}"
        for name in ("core", "engine", "evidence", "exchange", "risk", "settings", "sim", "store")
    ),
    "tests/simulation",
)
_FILES: Final = ("bot/cli/__init__.py", "bot/cli/exchange_dialects.py")
_LOCK: Final = "requirements/dev.lock"
_NO_PART: Final = ("test_*.py", "planted/*.py", "page.py", "kept.py", "sources.py")


def sources() -> Iterator[Path]:
    """Yield every file of ours that a world may run, and the lock of all that is not ours, in one order."""
    found = {path for folder in _FOLDERS for path in (_ROOT / folder).rglob("*.py")}
    found -= {path for pattern in _NO_PART for path in (_ROOT / "tests/simulation").glob(pattern)}
    found |= set((_ROOT / "bot").glob("*.py")) | {_ROOT / name for name in _FILES}
    yield from (*sorted(found), _ROOT / _LOCK)


def described_sources() -> str:
    """Return 12 hexadecimal digits that change with any of them."""
    told = hashlib.sha256()
    for path in sources():
        held = path.read_bytes()
        told.update(f"{path.relative_to(_ROOT).as_posix()} {len(held)}\n".encode() + held)
    return told.hexdigest()[:12]
