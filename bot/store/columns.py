"""What every table is made of: its base, and the columns of the types that STRICT tables know."""

from typing import Any, ClassVar

from sqlalchemy import REAL, MetaData, Text
from sqlmodel import Field, SQLModel

from bot.store.types import DecimalText, Flag


class Base(SQLModel):
    """A row of this database; only these tables share its metadata."""

    # SQLModel types its own default, not the names that its documentation tells us to give.
    __tablename__: ClassVar[str]  # pyright: ignore[reportIncompatibleVariableOverride]
    metadata = MetaData()


def money(**options: Any) -> Any:
    """Return a column of exact decimal text."""
    return Field(sa_type=DecimalText, **options)


def flag(**options: Any) -> Any:
    """Return a column of 0 or 1."""
    return Field(sa_type=Flag, **options)


def number(**options: Any) -> Any:
    """Return a column of binary floating point, for what is no money."""
    return Field(sa_type=REAL, **options)


def words(**options: Any) -> Any:
    """Return a column of text."""
    return Field(sa_type=Text, **options)
