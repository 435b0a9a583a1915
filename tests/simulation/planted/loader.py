"""Imports one module of the bot with a planted bug in it. Nothing is written: no bytecode, no cache."""

import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from tests.simulation.planted.bug import ROOT, Bug


class _Patched(InspectLoader):
    """Loads from text; the bytecode of the sound file is neither read nor replaced."""

    def __init__(self, bug: Bug) -> None:
        self._bug = bug

    def get_source(self, fullname: str) -> str:
        del fullname
        return self._bug.source()

    def is_package(self, fullname: str) -> bool:
        del fullname
        return False

    def get_filename(self, fullname: str) -> str:
        del fullname
        return str(ROOT / self._bug.file)


class _Finder(MetaPathFinder):
    def __init__(self, bug: Bug) -> None:
        self._bug = bug

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._bug.module:
            return None
        return ModuleSpec(fullname, _Patched(self._bug), origin=self._bug.file)


def plant(bug: Bug) -> None:
    """Let the bug's module be imported with it. RuntimeError: it is imported already."""
    if bug.module in sys.modules:
        raise RuntimeError(f"{bug.module} is imported already")
    sys.meta_path.insert(0, _Finder(bug))
