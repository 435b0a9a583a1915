"""The version of the tables: made directly for a new database, by Alembic for an older one."""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import StaticPool, create_engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable

from bot.store.tables import APPEND_ONLY, Base

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0006"
APPLICATION_ID: Final = 0x52464E43
MIGRATIONS: Final = Path(__file__).with_name("migrations")

_VERSION_TABLE: Final = (
    "CREATE TABLE alembic_version (version_num TEXT NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)) STRICT"
)


def create_schema(connection: sqlite3.Connection) -> None:
    """Make every table of HEAD. The caller holds the transaction."""
    dialect = sqlite.dialect()
    for table in Base.metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    for trigger in APPEND_ONLY:
        connection.execute(trigger)
    connection.execute(_VERSION_TABLE)
    connection.execute("INSERT INTO alembic_version VALUES (?)", (HEAD,))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def revision_of(connection: sqlite3.Connection) -> str | None:
    """Return the revision of the tables, or None when no migration was ever applied."""
    query = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
    if connection.execute(query).fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else row[0]


def is_known(revision: str | None) -> bool:
    """Return whether this program has the migration `revision` (None, before the first, is known)."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, rarely needed

    revisions = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return revision is None or revision in {script.revision for script in revisions}


def migrate(connection: sqlite3.Connection, revision: str = "head") -> None:
    """Apply every migration up to `revision`, all of them or none. sqlite3.Error when SQLite refuses one."""
    from alembic import command  # noqa: PLC0415 - slow to import, rarely needed

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    with engine.connect() as alembic_connection:
        connection.execute("PRAGMA foreign_keys = OFF")  # a table that is made anew is dropped first
        connection.execute("BEGIN IMMEDIATE")  # neither SQLAlchemy nor Alembic begins one for SQLite
        config = alembic_config()
        config.attributes["connection"] = alembic_connection
        try:
            command.upgrade(config, revision)
        except DBAPIError as error:
            if not isinstance(error.orig, sqlite3.Error):
                raise
            raise error.orig from error
        alembic_connection.commit()


def alembic_config() -> "Config":
    """Return Alembic's configuration; the migrations are found inside the installed package."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import, rarely needed

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
