"""`ringfence web`: who may see and order what over the pages and the API of a running bot."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.columns import time_column
from bot.cli.options import Config, Database, Json, database_of
from bot.cli.output import columns, show_json, show_rows
from bot.errors import UserError

app = typer.Typer(
    help="The pages of a running bot: their password, and tokens for programs.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

_TOKENS = (*columns("name", "scopes"), time_column("created_ms", "made (UTC)"))


@app.command("password")
def password(config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Make a new password for the pages, shown once; a running bot takes it at once."""
    from bot.web.vault import Vault

    vault = Vault(_existing(database_of(config, db)))
    made = vault.new_password()
    if as_json:
        show_json({"password": made, "file": str(vault.file)})
    else:
        print(f"The password, shown this once: {made}\nIts hash is kept in {vault.file}.")


@app.command("token")
def token(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Whom it is for; without it all are listed.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="read|guard|trade",
            help="See; also halt and acknowledge; also move money and resume. May be repeated.",
        ),
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take it back.")] = False,
    config: Config = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Make a bearer token for a program, shown once; list them, or take one back."""
    from bot.clock import WallClock
    from bot.web.vault import Vault

    vault = Vault(_existing(database_of(config, db)))
    if name is None:
        rows = [
            {"name": each.name, "scopes": ", ".join(each.scopes), "created_ms": each.created_ms}
            for each in vault.tokens
        ]
        show_rows(rows, _TOKENS, as_json, empty="There is no token.")
        return
    if revoke:
        vault.revoke(name)
        print(f"The token {name} is worth nothing any more.")
        return
    made = vault.new_token(_sound(name), tuple(scope or ("read",)), WallClock().now_ms())
    if as_json:
        show_json({"name": name, "token": made, "scopes": scope or ["read"]})
    else:
        print(f"The token {name}, shown this once: {made}\nSend it as `Authorization: Bearer ...`.")


def _existing(path: Path) -> Path:
    if not path.exists():
        raise UserError(f"There is no database {path}. Start `ringfence trade` once, or name one with --db.")
    return path


def _sound(name: str) -> str:
    if not (0 < len(name) <= 40 and name.isprintable()):
        raise UserError("The name of a token has 1 to 40 signs. Choose another one.")
    return name
