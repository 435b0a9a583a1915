"""How a holding begins: its books are opened with the position, whoever opened that."""

from bot.core.event import PositionOpened
from bot.core.margin import liquidation_distance
from bot.core.position import Position
from bot.engine import shadows
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market


def open_holding(
    desk: Desk, market: Market, position: Position, ts_ms: int, stop_price: float, agreed_loss_quote: float
) -> Holding:
    """Begin the books of a position that has no stop yet, and return them.

    `stop_price`: where its stop belongs first. `agreed_loss_quote`: what it may lose there.
    """
    state = desk.state
    holding = Holding(
        position=position,
        position_id=state.next_position_id,
        opened_ms=ts_ms,
        initial_wallet_quote=position.isolated_wallet,
        initial_stop=stop_price,
        entry_distance=liquidation_distance(position, position.entry_price, market.rules),
        agreed_loss_quote=agreed_loss_quote,
        best_mark=position.entry_price,
        unprotected_since_ms=ts_ms,
    )
    state.next_position_id += 1
    market.holding = holding
    shadows.begin(desk, market, holding)
    desk.outbox.note(_opened_note(holding))
    return holding


def _opened_note(holding: Holding) -> PositionOpened:
    position = holding.position
    return PositionOpened(
        holding.opened_ms,
        position.symbol,
        holding.position_id,
        position.side,
        position.quantity,
        position.entry_price,
        position.isolated_wallet,
        position.leverage,
        holding.initial_stop,
        holding.agreed_loss_quote,
    )
