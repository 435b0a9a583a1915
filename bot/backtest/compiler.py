"""Compiles functions of the core with numba where it is installed; the results are the same without it."""

import importlib.util
from collections.abc import Callable
from typing import Any

from bot.core.compiled import REGISTRY


def can_compile() -> bool:
    """Return whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def compiler() -> Callable[..., Any]:
    """Return what compiles one function; everything in the register is then callable from it.

    `cache=True` keeps the machine code of a function that is written at the top of its file.
    ImportError: numba is not installed.
    """
    from numba import njit  # noqa: PLC0415 - takes a second, and is not always there
    from numba.extending import register_jitable  # noqa: PLC0415

    for function in REGISTRY:
        register_jitable(function)
    return njit


def uncompiled(function: Any) -> Any:
    """Return the function as it is."""
    return function
