"""Every fault that can be injected, by its number in the catalogue."""

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from tests.simulation.world import World

Change = Callable[["World"], None]


class Fault(NamedTuple):
    """`plan` is called before the world is built, `install` after."""

    title: str
    install: Change | None = None
    plan: Change | None = None


FAULTS: Final = MappingProxyType[str, Fault]({})
