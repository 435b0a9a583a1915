"""`ringfence status`, `positions`, `trades`, `journal`: what the database knows, read-only."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.cli.options import Config, Database, Json, Limit, Symbol, database_of, settings_of
from bot.cli.output import columns, show_facts, show_json, show_rows

_POSITIONS = columns(
    "symbol",
    "side",
    "quantity#",
    "entry_price#:entry",
    "mark#",
    "leverage#",
    "isolated_wallet#:margin",
    "stop_price#:stop",
    "liquidation_price#:liquidation",
    "distance#",
    "margin_added_quote#:added",
    "margin_released_quote#:released",
    "opened",
)
_TRADES = columns(
    "closed",
    "symbol",
    "side",
    "quantity#",
    "entry_price#:entry",
    "exit_price#:exit",
    "cause",
    "realised_pnl_quote#:PnL",
    "fees_quote#:fees",
    "funding_quote#:funding",
    "margin_added_quote#:added",
    "margin_released_quote#:released",
)
_EVENTS = columns("id#", "time", "kind", "symbol", "body:facts")
_NO_POSITIONS = "No position is open."


def status(config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Show the account at a glance, and whether a bot is running on it."""
    from bot.liveness import liveness
    from bot.store.queries import status as account_status
    from bot.store.reader import open_reader

    path = database_of(config, db)
    with open_reader(path) as reader:
        found = account_status(reader)
    alive = liveness(path)
    rows = _open_positions(config, path)
    if as_json:
        run = None if found.run is None else found.run._asdict()
        show_json({**found._asdict(), "run": run, "positions": rows, "is_running": alive.is_alive})
        return
    facts = {
        "mode": found.mode,
        "venue": found.venue,
        "bot": alive.words,
        "last_event": None if found.last_event_ms is None else time_text(found.last_event_ms),
        "deposit": found.deposit_quote,
        "wallet": found.wallet_quote,
        "margin_free": found.free_quote,
        "margin_committed": found.committed_quote,
    }
    if found.run is not None:
        facts |= {"strategy": found.run.strategy, "policy": found.run.policy, "feed": found.run.feed}
    show_facts(facts, as_json=False)
    print()
    show_rows(rows, _POSITIONS, as_json=False, empty=_NO_POSITIONS)


def positions(config: Config = None, db: Database = None, as_json: Json = False) -> None:
    """Show open positions, the nearest to liquidation first, as of the last commit."""
    rows = _open_positions(config, database_of(config, db))
    show_rows(rows, _POSITIONS, as_json, empty=_NO_POSITIONS)


def trades(
    config: Config = None,
    db: Database = None,
    symbol: Symbol = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show closed positions, the last closed first."""
    from bot.store.queries import trades as closed_positions
    from bot.store.reader import open_reader

    with open_reader(database_of(config, db)) as reader:
        found = closed_positions(reader, symbol=symbol, limit=limit)
    rows = [
        {**trade._asdict(), "side": _side(trade.side), "closed": time_text(trade.closed_ms)}
        for trade in found
    ]
    show_rows(rows, _TRADES, as_json, empty="No position was closed yet.")


def journal(
    config: Config = None,
    db: Database = None,
    symbol: Symbol = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show the tail of the append-only journal, newest first."""
    from bot.store.queries import journal as events
    from bot.store.reader import open_reader

    with open_reader(database_of(config, db)) as reader:
        found = events(reader, symbol=symbol, limit=limit)
    rows = [{**event._asdict(), "time": time_text(event.ts_ms)} for event in found]
    show_rows(rows, _EVENTS, as_json, empty="The journal is empty.")


def time_text(ts_ms: int) -> str:
    """Return a UTC time for people, to the second."""
    return datetime.fromtimestamp(ts_ms / 1_000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def _open_positions(config: Path | None, database: Path) -> list[dict[str, Any]]:
    from bot.outlook import outlook

    rows = outlook(database, settings_of(config, {}))
    return [{**row, "opened": time_text(row["opened_ms"])} for row in rows]


def _side(side: int) -> str:
    return "long" if side > 0 else "short"
