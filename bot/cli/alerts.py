"""`ringfence alerts`: what was told and what is open; acknowledging it; trying every route."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bot.cli.columns import time_column, words_column
from bot.cli.options import Config, Database, Json, Limit, database_of, settings_with
from bot.cli.output import Column, columns, show_json, show_rows
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.store.alerts import ToldAlert

app = typer.Typer(
    help="What is told to a person: listed, acknowledged, tried out.",
    rich_markup_mode=None,
    invoke_without_command=True,
)

_FAILED: Final = 1
_WAIT_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.1


@app.callback()
def alerts(
    context: typer.Context,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only warnings and worse, neither over nor acknowledged.")
    ] = False,
    config: Config = None,
    db: Database = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show what was found worth telling, newest first, and where it was delivered."""
    if context.invoked_subcommand is not None:
        return
    from bot.store.alerts import told_alerts
    from bot.store.reader import open_reader

    with open_reader(database_of(config, db)) as reader:
        found = told_alerts(reader, limit=limit, only_open=only_open)
    rows = [{**each._asdict(), "state": _state(each), "told": list(each.told)} for each in found]
    shown = rows if as_json else [{**row, "where": _where(row["told"])} for row in rows]
    empty = "No alert is open." if only_open else "Nothing was worth telling yet."
    show_rows(shown, _columns(), as_json, empty=empty)


@app.command("ack")
def ack(
    alert_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of the alert, or how it begins; without: all.")
    ] = None,
    config: Config = None,
    db: Database = None,
    as_json: Json = False,
) -> None:
    """Acknowledge an alert, or all that are open: it is told again no more. Also without a running bot."""
    from bot.alerts.acknowledging import acknowledge

    path = database_of(config, db)
    ids = _meant(path, alert_id)
    is_written = acknowledge(path, ids)
    is_taken = is_written or _is_taken(path, ids)
    if as_json:
        show_json({"database": str(path), "acknowledged": list(ids), "is_taken": is_taken})
    else:
        print(_said(ids, is_taken=is_taken))
    if not is_taken:
        raise typer.Exit(_FAILED)


@app.command("test")
def try_routes(config: Config = None, as_json: Json = False) -> None:
    """Send one message on every route and say what came of each; exit code 1 when one was not taken."""
    from bot.alerts.sinks import sinks_of
    from bot.alerts.trial import tried

    routes = settings_with(config, None).alerts.routes
    if not routes:
        raise UserError(
            "No route is set, so there is nothing to try. Give one the Apprise URL of a service, as in "
            "RINGFENCE__ALERTS__ROUTES__PHONE__APPRISE_URL=ntfys://ntfy.sh/TOPIC; bot/ALERTS.md shows more."
        )
    results = tried(sinks_of(routes))
    if as_json:
        show_json([result._asdict() for result in results])
    else:
        for result in results:
            print(f"{result.route}: {result.words}")
    if any(result.reason for result in results):
        raise typer.Exit(_FAILED)


def _columns() -> tuple[Column, ...]:
    return (
        time_column("raised_ms"),
        *columns("alert_id:id", "grade", "state"),
        words_column("kind"),
        *columns("title", "where:told"),
    )


def _state(alert: "ToldAlert") -> str:
    if alert.over_ms is not None:
        return "over"
    if alert.acknowledged_ms is not None:
        return "acknowledged"
    return "open" if alert.is_open else "told"


def _where(told: list[dict[str, Any]]) -> str:
    """Return each route with its worst news: a message that waits, or was given up."""
    routes: dict[str, str] = {}
    for each in told:
        if each["status"] != "delivered" or each["route"] not in routes:
            routes[each["route"]] = each["status"]
    return ", ".join(f"{route} {status.replace('_', ' ')}" for route, status in routes.items())


def _meant(path: Path, begin: str | None) -> tuple[str, ...]:
    """Return the ids of the open alerts that are meant. UserError: none is."""
    from bot.store.alerts import told_alerts
    from bot.store.reader import open_reader

    with open_reader(path) as reader:
        known = told_alerts(reader, limit=100_000, only_open=begin is None)
    ids = tuple(each.alert_id for each in known if each.alert_id.startswith(begin or ""))
    if begin is None:
        return ids
    if len(ids) != 1:
        found = "no alert" if not ids else f"{len(ids)} alerts"
        raise UserError(
            f'{found.capitalize()} of {path} begin with "{begin}". Nothing was acknowledged: '
            "ringfence alerts lists their ids."
        )
    return ids


def _is_taken(path: Path, ids: tuple[str, ...]) -> bool:
    """Wait until the running bot has written it down; False when it has not within seconds."""
    from bot.store.acknowledgements import AcknowledgementFiles

    files, until = AcknowledgementFiles(path), time.monotonic() + _WAIT_SECONDS
    while set(files.waiting()) & set(ids):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _said(ids: tuple[str, ...], *, is_taken: bool) -> str:
    if not ids:
        return "No alert is open."
    told = f"{len(ids)} alerts" if len(ids) > 1 else f"alert {''.join(ids)}"
    if is_taken:
        return f"Acknowledged: {told}. It is told again no more; what it was about goes on until it is over."
    return (
        f"Left for the bot: {told}. Its process is there and has not taken it yet; it does as soon as it "
        "goes on, or at the next start."
    )
