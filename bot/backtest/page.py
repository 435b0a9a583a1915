"""The page of a backtest."""

from bot.backtest.backtest import Backtest


def page_of(found: Backtest) -> str:
    """Return it."""
    return "<!doctype html>"
