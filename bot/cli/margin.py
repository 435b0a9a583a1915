"""`ringfence margin`: what was moved and why, what would be now, whether it helped; and moves by hand."""

import typer

from bot.cli import ordering
from bot.cli.columns import (
    money_column,
    percent_change_column,
    percent_column,
    price_change_column,
    price_column,
    signed_money_column,
    symbol_column,
    time_column,
    with_ticks,
    words_column,
)
from bot.cli.options import Config, Database, Json, Limit, PresetName, Symbol, database_of, settings_with
from bot.cli.output import columns, show_json, show_rows

app = typer.Typer(
    help="Isolated margin: what was moved, what would be, whether it helped; and moves by hand.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

_HISTORY = (
    time_column("ts_ms"),
    symbol_column(),
    signed_money_column("amount_quote", "moved"),
    money_column("isolated_wallet_after", "margin"),
    price_column("mark_before", "mark"),
    price_change_column("liquidation_price_before", "liquidation_price_after", "liquidation"),
    percent_change_column("distance_before", "distance_after", "distance"),
    percent_change_column("margin_ratio_before", "margin_ratio_after", "margin ratio"),
    *columns("policy"),
    words_column("reason"),
)
_PLAN = (
    symbol_column(),
    *columns("side"),
    price_column("mark"),
    price_column("liquidation_price", "liquidation"),
    percent_column("distance"),
    money_column("isolated_wallet", "margin"),
    *columns("action"),
    money_column("amount_quote", "amount"),
    money_column("target_wallet_quote", "margin then"),
    words_column("reason"),
)


app.command("add")(ordering.add)
app.command("release")(ordering.release)


@app.command("history")
def history(
    config: Config = None,
    db: Database = None,
    symbol: Symbol = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show margin moves with their reasons and the risk before and after, newest first."""
    from bot.store.markets import tick_sizes
    from bot.store.queries import margin_history
    from bot.store.reader import open_reader

    with open_reader(database_of(config, db)) as reader:
        found, ticks = margin_history(reader, symbol=symbol, limit=limit), tick_sizes(reader)
    rows = [move._asdict() for move in found]
    show_rows(
        rows if as_json else with_ticks(rows, ticks), _HISTORY, as_json, empty="No margin was moved yet."
    )


@app.command("plan")
def plan(
    config: Config = None, db: Database = None, preset: PresetName = None, as_json: Json = False
) -> None:
    """Show what the policy would do now with each open position, the nearest to liquidation first."""
    from bot.outlook import outlook

    rows = outlook(database_of(config, db), settings_with(config, preset))
    show_rows(rows, _PLAN, as_json, empty="No position is open.")


@app.command("report")
def report(config: Config = None, db: Database = None, symbol: Symbol = None, as_json: Json = False) -> None:
    """Show whether moving margin helped: every ended position against the same one left alone."""
    from bot.cli.evidence_lines import evidence_lines
    from bot.evidence.named import named
    from bot.findings import findings

    found = findings(database_of(config, db), symbol)
    if as_json:
        show_json(named(found))
    else:
        print("\n".join(evidence_lines(found)))
