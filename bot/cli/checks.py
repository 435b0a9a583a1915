"""`ringfence doctor`: can this machine run the bot, or an exchange be traded on; `--live`: does a bot run."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import BaseUrl, Config, Database, Json, Symbols, VenueName, settings_of
from bot.errors import UserError


def doctor(
    config: Config = None,
    db: Database = None,
    live: Annotated[
        bool, typer.Option("--live", help="Only: is a bot alive on the database? For health checks.")
    ] = False,
    max_age: Annotated[
        float | None, typer.Option(min=1.0, metavar="SECONDS", help="With --live: oldest sign of life.")
    ] = None,
    venue: VenueName = None,
    testnet: Annotated[
        bool, typer.Option("--testnet", help="With --venue: its test or demo account, not the real one.")
    ] = False,
    base_url: BaseUrl = None,
    symbols: Symbols = None,
    prove_stop: Annotated[
        bool,
        typer.Option(
            "--prove-stop",
            help="With --venue: set isolated one-way mode; rest and cancel a far stop, flat as well.",
        ),
    ] = False,
    as_json: Json = False,
) -> int:
    """Check this machine, or with --venue an exchange, its key and account; exit 1 if something is wrong.

    At an exchange in isolated mode one stop far away is sent: with a position it rests and is cancelled,
    without one it is refused. Nothing else is changed, unless --prove-stop asks for more.
    """
    if venue is not None:
        from bot.cli.venue_doctor import access_of, examine, proving

        settings = settings_of(config, {"feed.symbols": ("--symbols", symbols)})
        command = proving(venue, testnet, base_url, symbols, config)
        access = access_of(testnet, base_url, settings.exchange.proxy)
        return examine(settings, venue, access, as_json, prove_stop=prove_stop, command=command)
    if testnet or base_url is not None or prove_stop:
        raise UserError(
            "--testnet, --base-url and --prove-stop need an exchange. Name one with --venue; see "
            "list-exchanges."
        )
    if live:
        return health(config, db, max_age, as_json=as_json)
    from bot.cli.diagnosis import diagnose
    from bot.cli.output import columns, show_rows

    findings = [finding._asdict() for finding in diagnose(config, db)]
    show_rows(findings, columns("verdict", "check", "finding"), as_json, empty="Nothing to check.")
    return 0 if all(finding["verdict"] != "wrong" for finding in findings) else 1


def health(config: Path | None, db: Path | None, max_age: float | None, *, as_json: bool) -> int:
    """Say whether a bot is alive and return 0 or 1. Standard library only, because it is asked often."""
    import json

    from bot.liveness import FRESH_SECONDS, database_path, liveness

    try:
        database = database_path(db, config)
    except (OSError, ValueError) as error:
        raise UserError(
            f"The configuration file {config} cannot be read: {error}. Check --config."
        ) from error
    found = liveness(database, FRESH_SECONDS if max_age is None else max_age)
    if as_json:
        print(json.dumps(found._asdict()))
    else:
        print(found.words, file=sys.stdout if found.is_alive else sys.stderr)
    return 0 if found.is_alive else 1
