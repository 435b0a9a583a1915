"""What is installed beside the bot: the ccxt that keys are given to, and files that Python runs by itself.

An inventory, no lock: whoever can write there has run before this is read. It finds a mistake, an upgrade by
hand and a look-alike, and shows what a person did not expect.
"""

import csv
import hashlib
import importlib.util
import re
import site
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple

from bot.errors import UserError

# As requirements/base.lock names it; a test holds them equal.
CCXT_VERSION: Final = "4.5.90"

_OURSELVES: Final = "ringfence"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CUSTOMS: Final = ("sitecustomize", "usercustomize")
_STEP: Final = "Install what the lock names: make setup, or the image."


class StartFile(NamedTuple):
    """A file whose code every Python of this environment runs at its start, and the package it came with."""

    path: Path
    package: str

    @property
    def words(self) -> str:
        """What to say of it."""
        owner = f"it came with {self.package}" if self.package else "no installed package owns it"
        return f"{self.path} is run at every start of Python; {owner}, which the lock does not name"


def check_ccxt() -> None:
    """Return when the ccxt that is imported is the locked one. UserError: another, or not a package's."""
    found = _distribution("ccxt")
    if found is None or found.version != CCXT_VERSION:
        version = "not installed as a package" if found is None else found.version
        raise UserError(
            f"ccxt is {version}, and this program was tested with {CCXT_VERSION}. It gets your keys; nothing "
            f"was started. {_STEP}"
        )
    spec, wanted = importlib.util.find_spec("ccxt"), Path(str(found.locate_file("ccxt/__init__.py")))
    if spec is None or spec.origin is None or Path(spec.origin).resolve() != wanted.resolve():
        where = spec.origin if spec else "nowhere"
        raise UserError(
            f"ccxt would be imported from {where}, which is not the installed package. It gets your keys; "
            f"nothing was started. Remove what stands in front of it on Python's path. {_STEP}"
        )


def changed_files(package: str) -> Iterator[Path]:
    """Yield the Python files of an installed package that are not as they were installed, or are gone."""
    found = _distribution(package)
    record = found.read_text("RECORD") if found is not None else None
    # `Distribution.files` leaves out what is gone, from Python 3.12 on.
    for name, digest, *_size in csv.reader((record or "").splitlines()):
        if found is not None and name.endswith(".py") and digest:
            path = Path(str(found.locate_file(name)))
            if not path.is_file() or _record_hash(path) != digest.partition("=")[2]:
                yield path


def foreign_start_files() -> tuple[StartFile, ...]:
    """Return the files with code that Python runs at every start and that no locked package brought."""
    running = [*_pth_files(), *_customs()]
    if not running:
        return ()
    owners, locked = _owners({path.name for path in running}), _locked()
    files = (StartFile(path, owners.get(path.resolve(), "")) for path in running)
    return tuple(file for file in files if _shape(file.package) not in locked)


def _pth_files() -> Iterator[Path]:
    """Yield those that run code; others only add folders to the end of Python's path."""
    folders = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    for folder in dict.fromkeys(folders):
        for path in sorted(Path(folder).glob("*.pth")):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            if any(line.startswith(("import ", "import\t")) for line in lines):
                yield path


def _customs() -> Iterator[Path]:
    for name in _CUSTOMS:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            yield Path(spec.origin)


def _owners(names: set[str]) -> dict[Path, str]:
    """Return the package of each installed file of one of these names."""
    return {
        Path(str(file.locate())).resolve(): found.name
        for found in metadata.distributions()
        for file in found.files or ()
        if file.name in names
    }


@cache
def _locked() -> frozenset[str]:
    """Return what we need, and what that needs: the lock holds nothing else."""
    known, waiting = set[str](), [_OURSELVES]
    while waiting:
        name = _shape(waiting.pop())
        found = None if name in known else _distribution(name)
        if found is not None:
            known.add(name)
            needed = (_NAME.match(each) for each in found.requires or () if "extra ==" not in each)
            waiting += [each[0] for each in needed if each]
    return frozenset(known)


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _shape(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _record_hash(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
