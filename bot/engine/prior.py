"""What was told of a position before it is taken over: its fees, PnL and funding, where all of it was told.

The fills since this process started add up to the position exactly if it began with the first of them.
Otherwise something of it was never told, and nothing is booked.
"""

from bot.core.event import FundingSettled, OrderFilled
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market
from bot.engine.witness import Prior

_ROUNDING = 1e-9


def hear(desk: Desk, event: OrderFilled | FundingSettled) -> None:
    """Add what is told of a position that this database does not manage."""
    told = desk.witness.priors.setdefault(event.symbol, Prior())
    if isinstance(event, FundingSettled):
        told.funding_quote += event.amount_quote
        return
    before = told.quantity
    told.quantity += event.order_side * event.quantity
    told.fees_quote += event.fee_quote
    told.realised_pnl_quote += event.realised_pnl_quote
    if abs(told.quantity) <= _ROUNDING * max(abs(before), event.quantity):
        forget(desk, event.symbol)


def forget(desk: Desk, symbol: str) -> None:
    """Begin anew: nothing is held, or this database manages what is."""
    desk.witness.priors.pop(symbol, None)


def book(desk: Desk, market: Market, holding: Holding) -> bool:
    """Give a holding that was just opened what was told of it; False: that is not all of it.

    Its shadow gets the same, so that what moving margin did is measured from the takeover on.
    """
    position, told = holding.position, desk.witness.priors.pop(holding.position.symbol, Prior())
    held = position.side * position.quantity
    if abs(told.quantity - held) > _ROUNDING * position.quantity:
        return False
    holding.fees_quote, holding.realised_pnl_quote = told.fees_quote, told.realised_pnl_quote
    # The wallet that it was taken over with holds that funding already.
    holding.funding_quote = holding.drained_quote = told.funding_quote
    kept = market.evidence.book
    if kept is not None:
        kept.shadow = kept.shadow._replace(
            fees_quote=told.fees_quote,
            realised_pnl_quote=told.realised_pnl_quote,
            funding_quote=told.funding_quote,
        )
    return True
