"""`ringfence status`, `positions`, `trades`, `journal`: what the database knows, read-only."""

from typing import Any

from bot.cli.columns import (
    leverage_column,
    money_column,
    percent_column,
    price_column,
    quantity_column,
    signed_money_column,
    symbol_column,
    time_column,
    with_ticks,
    words_column,
)
from bot.cli.options import Config, Database, Json, Limit, Symbol, database_of, settings_of
from bot.cli.output import columns, show_facts, show_json, show_rows
from bot.view.figures import date_time, money
from bot.view.halt_words import halt_facts, halt_rows, order_facts, order_rows

_POSITIONS = (
    symbol_column(),
    *columns("side"),
    quantity_column("quantity"),
    leverage_column(),
    price_column("entry_price", "entry"),
    price_column("mark"),
    price_column("stop_price", "stop"),
    price_column("liquidation_price", "liquidation"),
    percent_column("distance"),
    money_column("isolated_wallet", "margin"),
    money_column("margin_added_quote", "added"),
    money_column("margin_released_quote", "released"),
    time_column("opened_ms", "opened (UTC)"),
)
_STRANGERS = (
    symbol_column(),
    *columns("side"),
    quantity_column("quantity"),
    leverage_column(),
    price_column("entry_price", "entry"),
    price_column("stop_price", "stop"),
    money_column("isolated_wallet", "margin"),
)
_TRADES = (
    time_column("closed_ms", "closed (UTC)"),
    symbol_column(),
    *columns("side"),
    quantity_column("quantity"),
    price_column("entry_price", "entry"),
    price_column("exit_price", "exit"),
    words_column("cause"),
    signed_money_column("realised_pnl_quote", "gross"),
    money_column("fees_quote", "fees"),
    signed_money_column("funding_quote", "funding"),
    signed_money_column("net_pnl_quote", "net"),
    money_column("margin_added_quote", "added"),
    money_column("margin_released_quote", "released"),
)
_EVENTS = (*columns("id#"), time_column("ts_ms"), symbol_column(), *columns("words:what happened"))
_NO_POSITIONS = "No position is open."
_NONE_OF_OURS = "No position of this bot is open."


def status(config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Show the account at a glance, and whether a bot is running on it."""
    from bot.liveness import liveness
    from bot.outlook import last_state, outlook, strangers
    from bot.store.commands import CommandFiles
    from bot.store.queries import status as account_status
    from bot.store.reader import open_reader

    path = database_of(config, db)
    with open_reader(path) as reader:
        found = account_status(reader)
    alive, waiting = liveness(path), CommandFiles(path).waiting()
    settings = settings_of(config, {})
    rows, halts, others = outlook(path, settings), last_state(path).halts, strangers(path)
    if as_json:
        run = None if found.run is None else found.run._asdict()
        more = {"run": run, "positions": rows, "is_running": alive.is_alive, "halts": halt_rows(halts)}
        more |= {"orders": order_rows(waiting), "strangers": others}
        show_json({**found._asdict(), **more})
        return
    facts = _account_facts(found, alive.words) | halt_facts(halts) | order_facts(waiting)
    show_facts(facts, as_json=False)
    print()
    _show_positions(rows, others)


def _show_positions(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    """Print what the bot holds, and what somebody else does: nobody may think that it is guarded."""
    show_rows(rows, _POSITIONS, as_json=False, empty=_NONE_OF_OURS if others else _NO_POSITIONS)
    if not others:
        return
    naked = ", ".join(each["symbol"] for each in others if each["stop_price"] is None)
    print("\nNot opened by this database, and not managed by the bot:")
    show_rows(others, _STRANGERS, as_json=False, empty="")
    if naked:
        print(f"No stop rests for {naked}, as last read: protect it or close it at the exchange.")


def positions(config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Show open positions, the nearest to liquidation first, as of the last commit."""
    from bot.outlook import outlook, strangers

    path = database_of(config, db)
    rows = outlook(path, settings_of(config, {}))
    if as_json:
        show_json(rows)
        return
    _show_positions(rows, strangers(path))


def trades(
    config: Config = None,
    db: Database = None,
    symbol: Symbol = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show closed positions, the last closed first."""
    from bot.core.position import side_name
    from bot.store.markets import tick_sizes
    from bot.store.queries import trades as closed_positions
    from bot.store.reader import open_reader

    with open_reader(database_of(config, db)) as reader:
        found, ticks = closed_positions(reader, symbol=symbol, limit=limit), tick_sizes(reader)
    rows = [
        {**trade._asdict(), "side": side_name(trade.side), "net_pnl_quote": trade.net_pnl_quote}
        for trade in found
    ]
    shown = rows if as_json else with_ticks(rows, ticks)
    show_rows(shown, _TRADES, as_json, empty="No position was closed yet.")


def journal(
    config: Config = None,
    db: Database = None,
    symbol: Symbol = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show the tail of the append-only journal, newest first."""
    from bot.store.markets import tick_sizes
    from bot.store.queries import journal as events
    from bot.store.reader import open_reader

    with open_reader(database_of(config, db)) as reader:
        rows = [event._asdict() for event in events(reader, symbol=symbol, limit=limit)]
        ticks = tick_sizes(reader)
    if as_json:
        show_json(rows)
        return
    from bot.view.event_words import event_words

    told = [{**row, "words": event_words(row["body"], ticks.get(row["symbol"]))} for row in rows]
    show_rows(told, _EVENTS, as_json=False, empty="The journal is empty.")


def _account_facts(found: Any, bot_words: str) -> dict[str, str | None]:
    amounts = {
        "deposit": found.deposit_quote,
        "wallet": found.wallet_quote,
        "margin free": found.free_quote,
        "margin committed": found.committed_quote,
    }
    facts = {
        "mode": found.mode,
        "venue": found.venue,
        "bot": bot_words,
        "last event": None if found.last_event_ms is None else date_time(found.last_event_ms),
        **{name: None if amount is None else money(float(amount)) for name, amount in amounts.items()},
    }
    if found.run is None:
        return facts
    return facts | {"strategy": found.run.strategy, "policy": found.run.policy, "feed": found.run.feed}
