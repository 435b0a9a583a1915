"""`ringfence db`: upgrade, copy, restore and check the database."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import Config, Database, Json, database_of
from bot.cli.output import columns, show_json, show_rows

app = typer.Typer(
    help="Upgrade, copy, restore and check the database.", rich_markup_mode=None, no_args_is_help=True
)


@app.command("upgrade")
def upgrade(config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Bring the tables up to date, after a backup beside the file. The bot must not be running."""
    from bot.store.maintenance import upgrade as bring_up_to_date

    path = database_of(config, db)
    copy = bring_up_to_date(path)
    if as_json:
        show_json({"database": str(path), "is_upgraded": copy is not None, "backup": copy and str(copy)})
    else:
        print(f"{path} is up to date." if copy is None else f"{path} was upgraded; the backup is {copy}.")


@app.command("backup")
def backup(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The copy; it must not exist yet.")],
    config: Config = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Write a consistent copy, also while the bot trades."""
    from bot.store.maintenance import backup as copy

    path = database_of(config, db)
    copy(path, to)
    if as_json:
        show_json({"database": str(path), "backup": str(to)})
    else:
        print(f"{path} was copied to {to}.")


@app.command("restore")
def restore(
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="The copy; it stays where it is.")],
    config: Config = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Put a copy in the place of the database, which is kept. The bot must not be running."""
    from bot.clock import WallClock
    from bot.store.restore import restore as put_in_place

    path = database_of(config, db)
    kept = put_in_place(copy, path, WallClock().now_ms() / 1000)
    if as_json:
        show_json({"database": str(path), "restored_from": str(copy), "kept": kept and str(kept)})
        return
    before = "" if kept is None else f" The file before is kept as {kept}."
    print(
        f"{path} was restored from {copy}.{before} On an exchange the next start reads what has happened "
        "since; paper trading goes on from the copy."
    )


@app.command("check")
def check(
    config: Config = None,
    db: Database = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="COPY", help="A copy whose journal must still stand in this one."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Check every page, key, sum and link of the journal's chain; exit 1 when something is wrong."""
    from bot.store.maintenance import check as find
    from bot.store.maintenance import head

    path = database_of(config, db)
    findings = [finding._asdict() for finding in find(path, head(against) if against else None)]
    if findings or as_json:
        show_rows(findings, columns("subject", "message"), as_json, empty="")
    else:
        end = head(path)
        print(f"{path} is sound. Its journal ends with row {end.last_id}, link {end.link[:16] or 'none'}.")
    return 1 if findings else 0
