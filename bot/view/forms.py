"""A question with fields, as a page shows it: what may be asked, and whoever answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `metavar`: what it takes (PRICE, PERCENT, ...); `choices`: all it takes, () for anything."""

    name: str
    kind: Literal["text", "list", "switch"]
    metavar: str
    choices: tuple[str, ...]
    is_required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Form:
    """One question and its fields."""

    name: str
    meaning: str
    fields: tuple[Field, ...]


class Calculators(Protocol):
    """Whoever calculates; an answer may take a second."""

    def forms(self) -> tuple[Form, ...]:
        """Return every calculator with its fields."""
        ...

    def answer(self, name: str, given: Mapping[str, Any]) -> Any:
        """Return what the calculator says. KeyError: there is none of this name. UserError: bad input."""
        ...
