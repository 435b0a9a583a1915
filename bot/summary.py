"""What a run came to, in numbers: the content of `--summary`."""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.app import Application
from bot.engine.entries import unrealised_quote
from bot.errors import UserError
from bot.evidence.named import named
from bot.findings import findings_of
from bot.settings import config_hash
from bot.store.books import books_error


def summary(application: Application) -> dict[str, Any]:
    """Return totals since the database began; wall_seconds is this process alone, from when it trades.

    conservation_error is the larger of two relative errors: of the venue's double-entry accounts,
    and of the wallet recomputed from the journal's fills, fees and funding.
    """
    state = application.engine.state
    wallet = state.equity_quote()
    # Through the writer's own connection: closing the file here would drop the locks that protect it.
    with application.journal.read() as reader:
        evidence = named(findings_of(reader))
        error = max(
            books_error(reader, state.wallet_start_quote, wallet), application.edges.conservation_error()
        )
    return {
        **asdict(state.tally),
        "wallet_start": state.wallet_start_quote,
        "wallet_end": wallet,
        "unrealised_pnl": unrealised_quote(application.engine.desk),
        "open_positions": len(state.positions()),
        "conservation_error": error,
        "market_ms": state.now_ms - application.started_market_ms,
        "wall_seconds": round(application.wall_seconds(), 3),
        "strategy": application.strategy_name,
        "policy": application.engine.desk.risk.policy,
        "config_hash": config_hash(application.settings),
        "evidence": evidence,
        "database": str(application.path),
    }


def write_summary(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as JSON, whole or not at all. UserError: the file cannot be written."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise UserError(
            f"The summary {path} cannot be written: {error.strerror}. The run itself ended well and is whole "
            "in its database; free some space or name another file with --summary."
        ) from error
