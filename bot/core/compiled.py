"""The register of functions that the backtest kernel compiles with numba.

Registering does not compile and does not import numba: the same function object stays plain
Python for the live loop, and becomes a numba overload when the kernel module is imported.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])

REGISTRY: Final[list[Callable[..., Any]]] = []


def compiled(function: _Function) -> _Function:
    """Return `function` unchanged after listing it for compilation by the kernel."""
    REGISTRY.append(function)
    return function
