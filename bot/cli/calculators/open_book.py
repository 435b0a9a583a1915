"""The open positions of a database as of its last commit; a bot that runs on it notices nothing."""

from pathlib import Path
from typing import Any

from bot.cli.calculators.book import Book, Known, Subject, named_market
from bot.cli.options import database_of
from bot.engine.state import Holding, Market, State
from bot.errors import UserError
from bot.outlook import last_state


def open_book(config: Path | None, database: Path | None) -> Book:
    """Return the open positions with what the bot knows of them. UserError: no database, none open."""
    path = database_of(config, database)
    state = last_state(path)
    subjects = tuple(
        _subject(state, market, market.holding, path)
        for market in state.markets.values()
        if market.holding is not None
    )
    if not subjects:
        raise UserError(
            f"No position is open in {path} as of its last commit. Wait for one, or describe a position with "
            "flags or --file."
        )
    return Book(subjects, state.free_quote, True, f"{path}, as of its last commit")


def _subject(state: State, market: Market, holding: Holding, path: Path) -> Subject:
    view, symbol = state.view(market, holding), holding.position.symbol
    return Subject(
        holding.position,
        market.mark,
        market.rules,
        f"{symbol} as the session last traded it",
        f"{path}: {symbol}",
        market.instrument,
        view.stop_price,
        _known(market.sigma_day),
        _known(view.atr),
        market.funding_rate,
        view,
        state.book(market, holding),
    )


def _known(value: float) -> float | None:
    """The value, None where it is not known (NaN) or not yet (0.0)."""
    return value if 0.0 < value < float("inf") else None


def with_account(params: dict[str, Any]) -> tuple[dict[str, Any], Known]:
    """Return the flags of a trade with what the database knows and they do not say, and its market.

    That is the account's equity and, for the symbol, the mark as entry and the volatility. UserError: no
    database, or no such market in it.
    """
    path = database_of(params["config"], params["db"])
    state = last_state(path)
    asked = params["symbol"] or "BTC/USDT:USDT"
    symbol = named_market(asked, state.markets)
    if symbol is None:
        raise UserError(
            f"{path} has no market {asked}; it has {', '.join(state.markets) or 'none yet'}. Choose one of "
            "these with --symbol."
        )
    market = state.markets[symbol]
    known = {
        "equity": state.equity_quote(),
        "entry": _known(market.mark),
        "sigma_day": _known(market.sigma_day),
    }
    told = {name: value for name, value in known.items() if params.get(name) is None}
    return {**params, **told, "symbol": symbol}, (market.instrument, market.rules)
