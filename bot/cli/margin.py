"""`ringfence margin`: what was moved and why, and what would be moved now."""

import typer

from bot.cli.options import Config, Database, Json, Limit, Symbol, database_of, settings_of
from bot.cli.output import columns, show_rows
from bot.cli.reading import time_text

app = typer.Typer(
    help="Isolated margin: what was moved, and what would be.", rich_markup_mode=None, no_args_is_help=True
)

_HISTORY = columns(
    "time",
    "symbol",
    "amount_quote#:amount",
    "policy",
    "reason",
    "mark_before#:mark",
    "isolated_wallet_after#:margin",
    "margin_ratio_before#:ratio before",
    "margin_ratio_after#:after",
    "liquidation_price_before#:liquidation before",
    "liquidation_price_after#:after",
    "distance_before#:distance before",
    "distance_after#:after",
)
_PLAN = columns(
    "symbol",
    "side",
    "mark#",
    "liquidation_price#:liquidation",
    "distance#",
    "action",
    "amount_quote#:amount",
    "target_wallet_quote#:target",
    "reason",
)


@app.command("history")
def history(
    config: Config = None,
    db: Database = None,
    symbol: Symbol = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show margin moves with their reasons and the risk before and after, newest first."""
    from bot.store.queries import margin_history
    from bot.store.reader import open_reader

    with open_reader(database_of(config, db)) as reader:
        found = margin_history(reader, symbol=symbol, limit=limit)
    rows = [{**move._asdict(), "time": time_text(move.ts_ms)} for move in found]
    show_rows(rows, _HISTORY, as_json, empty="No margin was moved yet.")


@app.command("plan")
def plan(config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Show what the policy would do now with each open position, the nearest to liquidation first."""
    from bot.outlook import outlook

    rows = outlook(database_of(config, db), settings_of(config, {}))
    show_rows(rows, _PLAN, as_json, empty="No position is open.")
