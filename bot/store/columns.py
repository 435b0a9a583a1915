"""What every table is made of: its base, and the columns of money and of words."""

from typing import Any, ClassVar

from sqlalchemy import MetaData, Text
from sqlmodel import Field, SQLModel

from bot.store.types import DecimalText


class Base(SQLModel):
    """A row of this database; only these tables share its metadata."""

    # SQLModel types its own default, not the names that its documentation tells us to give.
    __tablename__: ClassVar[str]  # pyright: ignore[reportIncompatibleVariableOverride]
    metadata = MetaData()


def money(**options: Any) -> Any:
    """Return a column of exact decimal text."""
    return Field(sa_type=DecimalText, **options)


def words(**options: Any) -> Any:
    """Return a column of text."""
    return Field(sa_type=Text, **options)
