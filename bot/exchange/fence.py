"""What became of a margin move whose reply was lost, where the venue keeps no history of them (Bybit).

Positions may be read late, for how long nobody promises: a wallet without the move proves nothing, and sent
again the margin would be moved twice. So such a move is never sent again. After its receive window the least
amount there is follows it. Its reply tells the wallet after both: that reading is newer than the move.
"""

import math
from typing import TYPE_CHECKING, Final

from bot.core.intent import AddMargin, Intent, ReleaseMargin
from bot.core.position import Position
from bot.errors import OutcomeUnknown, Rejected, Transient
from bot.exchange.lane import Urgency

if TYPE_CHECKING:
    from bot.exchange.gateway import CcxtGateway

_WINDOW_MS: Final = 6_000  # the receive window, and a second for what was on its way
_HALF_STEP: Final = 0.5


async def tell_apart(gateway: "CcxtGateway", intent: Intent, action: AddMargin | ReleaseMargin) -> None:
    """Learn the wallet by a request whose reply tells it. Always raises OutcomeUnknown.

    What it learnt is acknowledged in the book, so that the move ends when the position shows it.
    """
    book, symbol = gateway.book, action.symbol
    before = book.positions.get(symbol)
    # Whoever sent it may have been another process, which is dead since before this question at the latest.
    asked_ms = book.asked_ms.setdefault(intent.client_id, gateway.link.clock.now_ms())
    sent_ms = gateway.sent_ms(intent) if intent.client_id in book.written else asked_ms
    if before is None or gateway.link.clock.now_ms() - sent_ms <= _WINDOW_MS:
        raise _unknown(symbol)
    step = gateway.margin_step(symbol)
    after = await _sent(gateway, before, math.copysign(step, 1.0 if isinstance(action, AddMargin) else -1.0))
    change = after.isolated_wallet - before.isolated_wallet
    if after.quantity == before.quantity and abs(change) > _HALF_STEP * step:
        book.acknowledged[intent.client_id] = change
        book.doubt(intent)
    raise _unknown(symbol)


async def _sent(gateway: "CcxtGateway", held: Position, amount_quote: float) -> Position:
    """Return the position of the reply; no sweep may see the amount before it is known what it is."""
    book, link = gateway.book, gateway.link
    book.version += 1
    book.calm.clear()
    try:
        told = await link.write(
            lambda: gateway.dialect.move_margin(link.client, held.symbol, held.side, amount_quote),
            Urgency.URGENT,
        )
    except (Rejected, Transient):
        raise _unknown(held.symbol) from None
    finally:
        book.version += 1
        book.calm.set()
    if told is None:
        raise _unknown(held.symbol)
    return told


def _unknown(symbol: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"a margin move of {symbol} was not answered, and no reading is newer than it: it is not sent again"
    )
