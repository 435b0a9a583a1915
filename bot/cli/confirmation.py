"""Before real money is traded: what is at stake, and a word that nobody types by accident."""

import sys
from typing import TYPE_CHECKING, Final

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.app import Application
    from bot.ports import Account

_WORD: Final = "trade live"


async def confirm(application: "Application", *, is_confirmed: bool) -> None:
    """Return when trading may begin: at once unless it is live and nobody said so yet.

    UserError: the answer was another, or there is nobody to ask.
    """
    settings = application.settings
    if settings.run.mode != "live":
        return
    account = await application.edges.exchange.account()
    print(stakes(application, account), file=sys.stderr)
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise UserError(
            "Live trading was asked for and nobody can confirm it: standard input is no terminal. "
            "Nothing was started. Add --yes if that is what you want."
        )
    print(f"Type '{_WORD}' to begin: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != _WORD:
        raise UserError("Live trading was not confirmed. Nothing was started and nothing was sent.")


def stakes(application: "Application", account: "Account") -> str:
    """Return the account, the leverage cap and the margin budget in words."""
    settings = application.settings
    budget = settings.entry.portfolio_cap_fraction * account.wallet_quote
    held = ", ".join(position.symbol for position in account.positions) or "none"
    return (
        f"REAL MONEY on {settings.exchange.name}: wallet {account.wallet_quote:,.2f}, free "
        f"{account.free_quote:,.2f}; open positions: {held}; resting orders: {len(account.orders)}. "
        f"Strategy {settings.strategy.name} on {', '.join(settings.feed.symbols)}; leverage at most "
        f"{settings.entry.max_leverage}x; margin of all positions at most {budget:,.2f}; at most "
        f"{settings.entry.risk_fraction:.2%} of equity at risk per entry."
    )
