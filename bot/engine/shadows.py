"""Evidence, always on: what every event says to the shadow of a position. It decides and sends nothing."""

import math
from typing import Final, NamedTuple

from bot.core.event import (
    CandleClosed,
    Event,
    FundingSettled,
    Liquidated,
    MarginAdjusted,
    OrderAccepted,
    OrderFilled,
    Refused,
)
from bot.core.intent import AddMargin, Intent, PlaceStop, ReleaseMargin
from bot.core.position import Position
from bot.core.signal import Signal
from bot.engine import forecasts
from bot.engine.deleverage import BROUGHT_BACK
from bot.engine.desk import Desk
from bot.engine.state import Holding, Market
from bot.evidence import book as books
from bot.evidence.book import TradeBook
from bot.evidence.nearness import NO_PRICE, can_be_reached, hourly, rungs, seen
from bot.evidence.shadow import (
    LIQUIDATION,
    STAYS,
    Exit,
    Orders,
    Shadow,
    closed,
    entered,
    exit_at,
    funded,
    is_liquidated_at,
    is_reached,
    liquidated,
    liquidation_of,
)

_MOST_COST: Final = 0.01  # a fill that looks worse than this was late, not dear
_MONEY: Final = (OrderFilled, MarginAdjusted, FundingSettled, Liquidated)
_WHILE_AWAY: Final = "closed_while_away"


class Before(NamedTuple):
    """What was held and intended before an event was handled."""

    holding: Holding | None
    position: Position | None
    intent: Intent | None


def before(desk: Desk, event: Event) -> Before:
    """Remember what `event` will change, and let time pass before money moves."""
    holding = desk.state.markets[event.symbol].holding
    if isinstance(event, _MONEY):
        _accrue(desk)
    intent = desk.state.in_flight.get(getattr(event, "client_id", ""))
    return Before(holding, holding.position if holding is not None else None, intent)


def after(desk: Desk, event: Event, was: Before) -> None:
    """Book what a handled event means for the evidence of its market."""
    market = desk.state.markets[event.symbol]
    book = market.evidence.book
    if not _is_sound(market):
        return
    if book is not None:
        _book_event(desk, market, book, event, was)
    if isinstance(event, CandleClosed):
        forecasts.tell(desk, market)
        count_blindness(desk, market)
    if book is not None and market.holding is not None:
        book.wallet_quote = market.holding.position.isolated_wallet
        kept = market.holding.stop is None or desk.risk.is_anchor_gap_kept(desk.view(market, market.holding))
        books.watch_gap(book, kept, desk.state.now_ms)
    look(desk, market)
    lay(market)


def begin(desk: Desk, market: Market, holding: Holding) -> None:
    """Open the book of a position that has just been opened, before its fees are known."""
    fee_rate = market.instrument.taker_fee_rate
    market.evidence.book = TradeBook(
        position_id=holding.position_id,
        opened_ms=holding.opened_ms,
        shadow=Shadow(holding.position),
        wallet_quote=holding.position.isolated_wallet,
        seen_ms=desk.state.now_ms,
        orders=Orders(0.0, 0.0, 0.0, fee_rate),
    )


def hear(desk: Desk, market: Market, signal: Signal | None) -> None:
    """Take the strategy's newest word: an exit ends the shadows that have no position any more."""
    market.evidence.enters = signal.direction if signal is not None and signal.is_entry else 0
    if signal is None or not signal.is_exit or not market.evidence.orphans:
        return
    _accrue(desk)
    for book in tuple(market.evidence.orphans):
        side = book.shadow.position.side
        if signal.direction in (0, side):
            price = market.mark * (1.0 - side * book.orders.cost_fraction)
            _end_shadow(desk, market, book, Exit("exit", price))


def ended_while_away(desk: Desk, market: Market, holding: Holding) -> None:
    """The position was found gone: its shadow lives on with the stop that was known last."""
    book = market.evidence.book
    if book is not None:
        _accrue(desk)
        _end_real(desk, market, book, holding, _WHILE_AWAY, desk.state.now_ms)


def look(desk: Desk, market: Market) -> None:
    """See whether the newest mark says something new, and find the marks at which the next one would."""
    evidence = market.evidence
    book, mark, now_ms = evidence.book, market.mark, desk.state.now_ms
    if book is None and not evidence.orphans and not evidence.forecasts:
        evidence.watch_low, evidence.watch_high = 0.0, NO_PRICE
        return
    if not _is_sound(market):
        return
    forecasts.resolve(desk, market)
    for orphan in tuple(evidence.orphans):
        how = exit_at(orphan.shadow, orphan.orders, mark, market.rules)
        if how is not STAYS:
            _accrue(desk)
            _end_shadow(desk, market, orphan, how)
    holding = market.holding
    if book is not None and holding is not None:
        if book.shadow.is_open and is_reached(book.shadow, mark, _liquidation_of(market, book)):
            _accrue(desk)
            book.shadow = liquidated(book.shadow, now_ms)
        _see_nearness(desk, market, book, holding.position, mark)
    evidence.watch_low, evidence.watch_high = _watch(market)


def lay(market: Market) -> None:
    """Let the engine sleep while neither a rung nor the evidence wants to see the mark."""
    holding, evidence = market.holding, market.evidence
    if holding is not None:
        holding.quiet_low = max(holding.sleep_low, evidence.watch_low)
        holding.quiet_high = min(holding.sleep_high, evidence.watch_high)


def count_blindness(desk: Desk, market: Market) -> None:
    """Count the times in which margin was looked at and held because prices were missing or old."""
    book = market.evidence.book
    if book is not None:
        is_blind = desk.is_blind(market)
        book.stale_holds += is_blind and not book.is_blind
        book.is_blind = is_blind


def _book_event(desk: Desk, market: Market, book: TradeBook, event: Event, was: Before) -> None:
    action = was.intent.action if was.intent is not None else None
    if isinstance(event, OrderFilled):
        _on_filled(desk, market, book, event, was)
    elif isinstance(event, MarginAdjusted):
        _on_moved(market, book, event, was.intent)
    elif isinstance(event, FundingSettled) and book.shadow.is_open:
        book.shadow = funded(book.shadow, event.amount_quote, event.position.quantity)
    elif isinstance(event, Liquidated) and was.holding is not None:
        _on_liquidated(desk, market, book, event, was.holding)
    elif isinstance(event, Refused):
        book.moves_refused += isinstance(action, AddMargin | ReleaseMargin)
    elif isinstance(event, OrderAccepted) and isinstance(action, PlaceStop) and was.intent is not None:
        book.is_stop_trailed = was.intent.reason == "trailing"


def _on_moved(market: Market, book: TradeBook, event: MarginAdjusted, intent: Intent | None) -> None:
    if intent is not None and intent.reason == BROUGHT_BACK:
        books.brought_back(book, event.amount_quote)
        return
    books.moved(book, event.amount_quote, market.evidence.enters == event.position.side)


def _on_filled(desk: Desk, market: Market, book: TradeBook, event: OrderFilled, was: Before) -> None:
    if event.leg == "entry" and event.position is not None:
        _on_entry(market, book, event, event.position)
        return
    if was.holding is None or was.position is None:
        return
    cause = _cause(book, event, was.intent)
    share = 1.0 if event.position is None else min(event.quantity / was.position.quantity, 1.0)
    if not _is_policy(cause):
        how, fee_per_unit = Exit(cause, event.price), event.fee_quote / event.quantity
        books.filled(book, was.position, share, how, fee_per_unit, event.ts_ms, market.rules)
    book.net_added_quote *= 1.0 - share
    if event.leg == "stop":
        _see_slippage(book, was.holding, event.price)
        _see_nearness(desk, market, book, was.position, event.price)
    if event.position is None:
        _end_real(desk, market, book, was.holding, cause, event.ts_ms)


def _on_entry(market: Market, book: TradeBook, event: OrderFilled, position: Position) -> None:
    """Follow the entry's fills: until it is complete, nothing was moved, cut or closed."""
    paid = position.side * (event.price - market.last) / market.last
    book.shadow = entered(book.shadow, position, event.fee_quote)
    book.orders = book.orders._replace(cost_fraction=min(max(paid, 0.0), _MOST_COST))


def _on_liquidated(desk: Desk, market: Market, book: TradeBook, event: Liquidated, holding: Holding) -> None:
    if is_liquidated_at(book.shadow, event.mark, market.rules):
        book.shadow = liquidated(book.shadow, event.ts_ms)
    _see_slippage(book, holding, event.mark)
    book.nearness = book.nearness._replace(least_distance=0.0, least_sigmas=0.0)
    _end_real(desk, market, book, holding, LIQUIDATION, event.ts_ms)


def _see_nearness(desk: Desk, market: Market, book: TradeBook, real: Position, mark: float) -> None:
    """Measure the distance at `mark`; for a stop at its fill price: that mark was not heard before it."""
    price, sigma = market.liquidation_price(real), hourly(market.sigma_day)
    book.nearness = seen(book.nearness, real.side, mark, price, sigma, desk.state.now_ms)


def _see_slippage(book: TradeBook, holding: Holding, price: float) -> None:
    if holding.stop is None:
        return
    stop = holding.stop.trigger_price
    beyond = book.shadow.position.side * (stop - price) / stop
    book.beyond_stop_fraction = max(book.beyond_stop_fraction, beyond)


def _end_real(desk: Desk, market: Market, book: TradeBook, holding: Holding, cause: str, ts_ms: int) -> None:
    pnl = holding.realised_pnl_quote - holding.fees_quote + holding.funding_quote
    side = book.shadow.position.side
    targets = [rung.price for rung in holding.take_profits.values()]
    orders = book.orders._replace(
        stop_price=holding.stop.trigger_price if holding.stop is not None else holding.initial_stop,
        take_profit_price=max(targets, key=lambda price: side * price, default=0.0),
    )
    books.ended(book, "derisk" if cause.startswith("derisk") else cause, ts_ms, pnl, orders)
    market.evidence.book = None
    market.evidence.orphans.append(book)
    _write_complete(desk, market)


def _end_shadow(desk: Desk, market: Market, book: TradeBook, how: Exit) -> None:
    unit = 1.0 / how.price if market.rules.is_inverse else how.price
    fee_per_unit = book.orders.fee_rate * unit
    book.shadow = closed(book.shadow, how, fee_per_unit, desk.state.now_ms, market.rules)
    _write_complete(desk, market)


def _write_complete(desk: Desk, market: Market) -> None:
    for book in [book for book in market.evidence.orphans if books.is_complete(book)]:
        market.evidence.orphans.remove(book)
        symbol, now_ms = market.instrument.symbol, desk.state.now_ms
        desk.outbox.note(books.evidence_of(book, symbol, desk.risk.policy, now_ms))


def _cause(book: TradeBook, event: OrderFilled, intent: Intent | None) -> str:
    """Which line of defence closed: a stop that last moved with the best mark is a trailing one."""
    if event.leg == "stop":
        return "trailing" if book.is_stop_trailed else "stop"
    if event.leg != "exit":
        return event.leg
    return intent.reason if intent is not None else "exit"


def _is_sound(market: Market) -> bool:
    """Whether prices follow from the position's numbers; invariant I9 tells when they do not."""
    if market.holding is None:
        return True
    position = market.holding.position
    return 0.0 < position.quantity < math.inf and math.isfinite(position.isolated_wallet)


def _is_policy(cause: str) -> bool:
    """Whether a policy, not the trade, wanted this cut: it does not happen to the shadow."""
    return cause == "volatility_cut" or cause.startswith("derisk")


def _accrue(desk: Desk) -> None:
    open_books = [book for market in desk.state.markets.values() for book in market.evidence.books()]
    books.accrue(open_books, desk.state.now_ms)


def _watch(market: Market) -> tuple[float, float]:
    """Return the marks between which no shadow ends, no forecast comes true, no distance is a new least."""
    evidence, holding, book = market.evidence, market.holding, market.evidence.book
    low, high = _watch_books(market)
    for forecast in evidence.forecasts:
        low, high = _nearer(low, high, -forecast.side, forecast.liquidation_price)
    for orphan in evidence.orphans:
        side, orders = orphan.shadow.position.side, orphan.orders
        if orders.stop_price > 0.0:
            low, high = _nearer(low, high, -side, orders.stop_price)
        if orders.take_profit_price > 0.0:
            low, high = _nearer(low, high, side, orders.take_profit_price)
    if book is None or holding is None:
        return low, high
    side, price = holding.position.side, market.liquidation_price(holding.position)
    adverse, favourable = rungs(book.nearness, side, price, hourly(market.sigma_day))
    if adverse > 0.0:
        low, high = _nearer(low, high, -side, adverse)
    return _nearer(low, high, side, favourable) if favourable > 0.0 else (low, high)


def _watch_books(market: Market) -> tuple[float, float]:
    """Return the marks between which no shadow is liquidated."""
    low, high = 0.0, NO_PRICE
    for book in market.evidence.books():
        price = _liquidation_of(market, book)
        if can_be_reached(price):
            low, high = _nearer(low, high, -book.shadow.position.side, price)
    return low, high


def _nearer(low: float, high: float, direction: int, price: float) -> tuple[float, float]:
    """Return the bounds with a mark that is reached going up (+1) or down (-1)."""
    return (low, min(high, price)) if direction > 0 else (max(low, price), high)


def _liquidation_of(market: Market, book: TradeBook) -> float:
    """Return the mark that liquidates a book's shadow; the answer for the open position's is kept."""
    evidence, shadow = market.evidence, book.shadow
    if book is not evidence.book:
        return liquidation_of(shadow, market.rules)
    known, price = evidence.liquidation_known
    if known is not shadow.position:
        price = liquidation_of(shadow, market.rules)
        evidence.liquidation_known = (shadow.position, price)
    return price
