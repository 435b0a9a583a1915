"""Whoever sent a request, and what they may."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """`is_valid`: whether they still may, asked again by open streams."""

    name: str
    scopes: frozenset[str]
    is_valid: Callable[[], bool]
