"""Imports modules of the bot with a planted bug in them. Nothing is written: no bytecode, no cache."""

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from tests.simulation.planted.bug import ROOT, Bug, module_of


class _Patched(InspectLoader):
    """Loads from text; the bytecode of the sound file is neither read nor replaced."""

    def __init__(self, file: str, source: str) -> None:
        self._file, self._source = file, source

    def get_source(self, fullname: str) -> str:
        del fullname
        return self._source

    def is_package(self, fullname: str) -> bool:
        del fullname
        return False

    def get_filename(self, fullname: str) -> str:
        del fullname
        return str(ROOT / self._file)


class _Finder(MetaPathFinder):
    def __init__(self, patched: Mapping[str, _Patched]) -> None:
        self._patched = patched

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        loader = self._patched.get(fullname)
        return None if loader is None else ModuleSpec(fullname, loader, origin=fullname)


def plant(bug: Bug) -> None:
    """Let the bug's modules be imported with it. RuntimeError: one is imported already."""
    patched = {module_of(file): _Patched(file, source) for file, source in bug.sources().items()}
    for name in patched:
        if name in sys.modules:
            raise RuntimeError(f"{name} is imported already")
    sys.meta_path.insert(0, _Finder(patched))
