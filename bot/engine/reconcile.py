"""Start is recovery: the last cut, then intents left open, then the venue's truth, then protection."""

from bot.core.event import PositionClosed, Reconciled
from bot.core.intent import AddMargin, Fact, OpenPosition, PlaceStop, ReleaseMargin
from bot.engine.desk import Desk
from bot.engine.engine import Engine
from bot.engine.protection import protect
from bot.engine.run import Session
from bot.engine.state import Holding, Market, RestingStop
from bot.ports import Account, Commit, Exchange, OpenOrder, Recovered


async def resume(session: Session, exchange: Exchange, recovered: Recovered) -> None:
    """Settle what the last process left: pending intents in order, then positions, stops and margin.

    The engine's state must have been restored from `recovered.checkpoint` before.
    """
    await session.finish(recovered.pending)
    await adopt_truth(session, await exchange.account())


async def adopt_truth(session: Session, account: Account) -> None:
    """Replace what we believe by what the venue holds; journal every difference; restore protection."""
    desk = session.engine.desk
    desk.state.free_quote = account.free_quote
    positions = {position.symbol: position for position in account.positions}
    for symbol, market in desk.state.markets.items():
        market.leverage = account.leverage.get(symbol, market.leverage)
        if market.holding is None:
            continue
        actual = positions.get(symbol)
        if actual is None:
            _closed_while_away(desk, market, market.holding)
        else:
            _adopt_position(desk, market.holding, actual)
            _adopt_stop(desk, market, market.holding, account.orders)
    decision = desk.outbox.take()
    session.commit(Commit(desk.state.now_ms, (), decision.intents, (), decision.notes))
    await session.perform(decision.intents)


def begin(engine: Engine, account: Account, now_ms: int) -> None:
    """Take a fresh account as the start of the session at market time `now_ms`."""
    state = engine.state
    state.now_ms = now_ms
    state.free_quote = account.free_quote
    state.wallet_start_quote = account.wallet_quote
    state.day_start_equity_quote = account.wallet_quote
    for symbol, market in state.markets.items():
        market.leverage = account.leverage.get(symbol, 0)


def _adopt_position(desk: Desk, holding: Holding, actual: tuple) -> None:
    if actual == holding.position:
        return
    facts: dict[str, Fact] = {"believed": str(holding.position), "venue": str(actual)}
    desk.outbox.note(Reconciled(desk.state.now_ms, holding.position.symbol, "position", facts))
    holding.position = actual  # pyright: ignore[reportAttributeAccessIssue]
    holding.wake()


def _adopt_stop(desk: Desk, market: Market, holding: Holding, orders: tuple[OpenOrder, ...]) -> None:
    symbol = market.instrument.symbol
    stops = [order for order in orders if order.symbol == symbol and order.leg == "stop"]
    known = holding.stop.client_id if holding.stop is not None else ""
    if any(order.client_id == known for order in stops):
        return
    if stops:
        nearest = stops[-1]
        holding.stop = RestingStop(nearest.client_id, nearest.trigger_price)
        facts: dict[str, Fact] = {"believed": known, "venue": nearest.client_id}
        desk.outbox.note(Reconciled(desk.state.now_ms, symbol, "stop", facts))
    elif not holding.is_closing and not desk.is_in_flight(symbol, PlaceStop):
        price = holding.stop.trigger_price if holding.stop is not None else holding.initial_stop
        holding.stop = None
        holding.unprotected_since_ms = holding.unprotected_since_ms or desk.state.now_ms
        protect(desk, market, holding, price, "stop_missing")


def _closed_while_away(desk: Desk, market: Market, holding: Holding) -> None:
    desk.state.tally.trades += 1
    market.holding = None
    for key in [
        key
        for key, intent in desk.state.in_flight.items()
        if intent.action.symbol == market.instrument.symbol
        and not isinstance(intent.action, OpenPosition | AddMargin | ReleaseMargin)
    ]:
        del desk.state.in_flight[key]
    desk.outbox.note(
        PositionClosed(
            desk.state.now_ms,
            market.instrument.symbol,
            holding.position_id,
            holding.position.side,
            "closed_while_away",
            market.mark,
            holding.realised_pnl_quote,
            holding.fees_quote,
            holding.funding_quote,
            holding.added_quote,
            holding.released_quote,
        )
    )
