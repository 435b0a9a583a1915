"""Every table is made anew as STRICT, with every row: a value that is not of its column's type is refused."""

import re

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# STRICT knows INTEGER, REAL, TEXT, BLOB and ANY; these three were names for what SQLite stored anyway.
_TYPES = {"BOOLEAN": "INTEGER", "FLOAT": "REAL", "VARCHAR(32)": "TEXT"}
_OF_TABLES = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
_OF_OTHERS = "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"


def _strict(name: str, text: str) -> str:
    """Return the CREATE TABLE statement `text` as one that makes `name` a STRICT table."""
    _, bracket, columns = text.partition("(")
    for loose, exact in _TYPES.items():
        columns = re.sub(rf"(?<=\s){re.escape(loose)}(?=[\s,])", exact, columns)
    return f'CREATE TABLE "{name}" {bracket}{columns} STRICT'


def upgrade() -> None:
    """Copy every table; indexes and triggers go with the old one and are made again.

    No row is looked at by a foreign key meanwhile: they are off until the migrations are done.
    """
    connection = op.get_bind()
    tables = connection.exec_driver_sql(_OF_TABLES).fetchall()
    others = connection.exec_driver_sql(_OF_OTHERS).fetchall()
    for name, text in tables:
        connection.exec_driver_sql(_strict(f"new_{name}", text))
        connection.exec_driver_sql(f'INSERT INTO "new_{name}" SELECT * FROM "{name}"')
        connection.exec_driver_sql(f'DROP TABLE "{name}"')
        connection.exec_driver_sql(f'ALTER TABLE "new_{name}" RENAME TO "{name}"')
    for (text,) in others:
        connection.exec_driver_sql(text)
