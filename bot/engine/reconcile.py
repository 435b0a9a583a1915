"""Start is recovery: the last cut, then intents left open, then the venue's truth, then protection."""

from collections.abc import Awaitable, Callable, Iterable

from bot.core.event import PositionClosed, Reconciled, VenueEvent
from bot.core.intent import CancelOrder, Fact, OpenPosition, ReducePosition
from bot.core.position import Position
from bot.engine import alerts, breach, conduct, foreign, instruments, ours, shadows
from bot.engine.desk import Desk
from bot.engine.engine import Engine
from bot.engine.fills import complete_entry
from bot.engine.opening import open_holding
from bot.engine.outbox import Decision
from bot.engine.protection import cover, protect
from bot.engine.run import Session
from bot.engine.state import Holding, Market, PendingEntry, RestingStop
from bot.ports import Account, Commit, Exchange, OpenOrder, Recovered

_MONEY_TOLERANCE = 1e-6

Missed = Callable[[], Awaitable[Iterable[VenueEvent]]]


async def resume(session: Session, exchange: Exchange, recovered: Recovered, missed: Missed | None) -> None:
    """Settle what the last process left: pending intents in order, what was missed, then what is held.

    The engine's state must have been restored from `recovered.checkpoint` before. `missed` None: the market
    stood still meanwhile, so that nothing was missed and no entry would be late.
    """
    await session.finish(recovered.pending, is_late=missed is not None)
    if missed is not None:
        await _settle_together(session, tuple(await missed()))
    await adopt_truth(session, await exchange.account())


async def _settle_together(session: Session, events: tuple[VenueEvent, ...]) -> None:
    """Commit all that was missed at once: the exchange counts it as told from the first commit on."""
    decisions = [session.engine.step(event) for event in events]
    intents = tuple(intent for decision in decisions for intent in decision.intents)
    notes = tuple(note for decision in decisions for note in decision.notes)
    if events:
        await session.settle(events, Decision(intents, notes))


async def adopt_truth(session: Session, account: Account) -> None:
    """Replace what we believe by what the venue holds; journal every difference; restore protection."""
    desk = session.engine.desk
    _adopt_free(desk, account)
    positions = {position.symbol: position for position in account.positions}
    for symbol, market in desk.state.markets.items():
        market.leverage = account.leverage.get(symbol, market.leverage)
        orders = tuple(order for order in account.orders if order.symbol == symbol)
        is_settled = _drop_answered(desk, market, orders, session.doubtful_ids())
        _adopt_symbol(desk, market, positions.get(symbol), orders, is_settled)
    check_converged(desk, account)
    conduct.check_intents(desk)
    decision = desk.outbox.take()
    session.commit(Commit(desk.state.now_ms, (), decision.intents, (), decision.notes))
    await session.perform(decision.intents)


def check_converged(desk: Desk, account: Account) -> None:
    """Note I11 where something is still believed that the venue's truth does not say."""
    positions = {position.symbol: position for position in account.positions}
    resting = {order.client_id for order in account.orders}
    for symbol, market in desk.state.markets.items():
        holding, actual = market.holding, positions.get(symbol)
        if holding is None:
            continue
        if holding.position != actual:
            breach.tell(desk, symbol, "I11", f"{holding.position} is believed, the venue holds {actual}")
        believed = {*holding.take_profits, *([holding.stop.client_id] if holding.stop is not None else [])}
        if gone := sorted(believed - resting):
            breach.tell(desk, symbol, "I11", f"{', '.join(gone)} do not rest at the venue")


def begin(engine: Engine, account: Account, now_ms: int) -> None:
    """Take a fresh account as the start of the session at market time `now_ms`."""
    state = engine.state
    state.now_ms = now_ms
    state.free_quote = account.free_quote
    state.wallet_start_quote = account.wallet_quote
    state.day_start_equity_quote = account.wallet_quote
    for symbol, market in state.markets.items():
        market.leverage = account.leverage.get(symbol, 0)


def _adopt_free(desk: Desk, account: Account) -> None:
    """Take the venue's free balance, unless ours differs by what open entries have reserved since.

    An accepted order says nothing of its reserve, so that ours is right until the fill; counting it
    now would size the next entry differently from a process that never stopped.
    """
    wallets = sum(position.isolated_wallet for position in account.positions)
    reserved = max(account.wallet_quote - account.free_quote - wallets, 0.0)
    excess = desk.state.free_quote - account.free_quote
    if not -_MONEY_TOLERANCE <= excess <= reserved + _MONEY_TOLERANCE:
        desk.state.free_quote = account.free_quote


def _adopt_symbol(
    desk: Desk, market: Market, actual: Position | None, orders: tuple[OpenOrder, ...], is_settled: bool
) -> None:
    entry = market.entry
    ours.take_back_entries(desk, orders)
    if market.holding is None and actual is not None:
        _adopt_unknown(desk, market, entry, actual, orders)
    elif market.holding is None:
        foreign.seen(desk, market, None)
    if market.holding is not None and actual is None:
        _closed_while_away(desk, market, market.holding)
    elif market.holding is not None and actual is not None:
        instruments.on_restart(desk, market, market.holding)
        _adopt_position(desk, market.holding, actual)
        _adopt_stop(desk, market, market.holding, orders)
        _adopt_take_profits(desk, market.holding, orders)
        ours.know_take_profits(desk, market.holding, orders)
    if is_settled:
        complete_entry(desk, market)


def _drop_answered(
    desk: Desk, market: Market, orders: tuple[OpenOrder, ...], doubtful: frozenset[str]
) -> bool:
    """Forget what is no longer on its way, and return whether an entry is among it.

    Every open intent was settled before or is in doubt, so that only these and orders at the venue can still
    be in flight.
    """
    entry, open_ids = market.entry, {order.client_id for order in orders}
    is_settled = entry is not None and entry.client_id not in {"", *open_ids, *doubtful}
    in_flight = desk.state.in_flight
    for key in [key for key, intent in in_flight.items() if intent.action.symbol == market.instrument.symbol]:
        if key in doubtful:
            continue
        if key in open_ids and isinstance(in_flight[key].action, OpenPosition | ReducePosition):
            continue
        action = in_flight.pop(key).action
        if isinstance(action, ReducePosition) and market.holding is not None:
            market.holding.is_closing = False
    return is_settled


def _adopt_unknown(
    desk: Desk, market: Market, entry: PendingEntry | None, actual: Position, orders: tuple[OpenOrder, ...]
) -> None:
    """A position we did not know: our entry filled while nobody listened, or it is not ours at all."""
    symbol, now_ms = market.instrument.symbol, desk.state.now_ms
    facts: dict[str, Fact] = {"believed": None, "venue": str(actual)}
    if entry is not None and entry.plan.side == actual.side:
        desk.outbox.note(Reconciled(now_ms, symbol, "position", facts))
        open_holding(desk, market, actual, now_ms, entry.plan.stop_price, entry.plan.agreed_loss_quote)
        return
    if not ours.recognise(desk, market, actual, orders):
        foreign.seen(desk, market, actual, orders)


def _adopt_position(desk: Desk, holding: Holding, actual: Position) -> None:
    if actual == holding.position:
        return
    facts: dict[str, Fact] = {"believed": str(holding.position), "venue": str(actual)}
    desk.outbox.note(Reconciled(desk.state.now_ms, holding.position.symbol, "position", facts))
    if actual.quantity == holding.position.quantity:
        holding.gain(by_hand_quote=actual.isolated_wallet - holding.position.isolated_wallet)
    holding.position = actual
    holding.wake()


def _adopt_stop(desk: Desk, market: Market, holding: Holding, orders: tuple[OpenOrder, ...]) -> None:
    symbol, known = market.instrument.symbol, holding.stop.client_id if holding.stop is not None else ""
    stops, holding.elder_stop = _resting_stops(holding, orders), ""
    if stops:
        whole = [each for each in stops if each.covers(holding.position.quantity)]
        kept = (whole or stops)[-1]
        holding.stop = kept
        holding.unprotected_since_ms = 0
        cover(desk, market, holding)
        for stop in stops:
            if stop != kept:
                desk.outbox.intend(CancelOrder(symbol, stop.client_id), "second_stop")
        if kept.client_id == known:
            return
        facts: dict[str, Fact] = {"believed": known, "venue": kept.client_id}
        desk.outbox.note(Reconciled(desk.state.now_ms, symbol, "stop", facts))
    elif not holding.is_closing:  # a stop of unknown fate counts as absent
        price = holding.stop.trigger_price if holding.stop is not None else holding.initial_stop
        holding.stop = None
        holding.unprotected_since_ms = holding.unprotected_since_ms or desk.state.now_ms
        doing = f"One at {price:.10g} is being placed; if the venue refuses it, the position is closed."
        alerts.stop_missing(desk, market, "none was found at the start", doing)
        protect(desk, market, holding, price, "stop_missing")


def _resting_stops(holding: Holding, orders: tuple[OpenOrder, ...]) -> list[RestingStop]:
    """Return the stops at the venue, the tightest last. What a fired one became has no trigger any more."""
    fired_at = holding.stop.trigger_price if holding.stop is not None else holding.initial_stop
    stops = [
        RestingStop(each.client_id, each.trigger_price or fired_at, each.quantity)
        for each in orders
        if each.leg == "stop"
    ]
    return sorted(stops, key=lambda each: holding.position.side * each.trigger_price)


def _adopt_take_profits(desk: Desk, holding: Holding, orders: tuple[OpenOrder, ...]) -> None:
    open_ids = {order.client_id for order in orders}
    gone = [key for key in holding.take_profits if key not in open_ids]
    for key in gone:
        del holding.take_profits[key]
        facts: dict[str, Fact] = {"believed": key, "venue": None}
        desk.outbox.note(Reconciled(desk.state.now_ms, holding.position.symbol, "take_profit", facts))


def _closed_while_away(desk: Desk, market: Market, holding: Holding) -> None:
    desk.state.tally.trades += 1
    market.holding = None
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
    shadows.ended_while_away(desk, market, holding)
