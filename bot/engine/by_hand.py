"""A person's orders about one open position: taken at once, decided between two events, told when they end.

The engine answers them with the rules of bot/risk/by_hand.py, sends what follows through the ordinary write
protocol, and says in the journal what became of each (`CommandDone`). What was taken is in the checkpoint, so
that each is carried out once, whenever the process dies. While another request of the position waits for its
outcome it waits too; after a minute it is refused as late, because it was decided on other prices.
"""

import math
from typing import Final, Protocol

from bot.core.event import CommandDone, Event, MarginAdjusted, OrderCancelled, OrderFilled, Refused
from bot.core.intent import (
    Action,
    AddMargin,
    Fact,
    OpenPosition,
    PlaceStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.core.position import Position, side_name
from bot.engine import halts
from bot.engine.desk import Desk
from bot.engine.errand import DONE, REFUSED, Errand
from bot.engine.outbox import Outbox
from bot.engine.state import Holding, Market, State
from bot.engine.transitions import Before
from bot.ports import Command
from bot.risk.by_hand import ADD, CLOSE, REDUCE, RELEASE, VERBS, Answer, Preview, Wish
from bot.risk.manager import RiskManager

REASON: Final = "by_hand"
LEFT_ALONE_MS: Final = 60_000  # the margin engine takes nothing of a person's add away for so long
_LATEST_MS: Final = 60_000
_KEPT: Final = 50
_LONGEST_SYMBOL: Final = 64
_MOST_POSITIONS: Final = 2**53
_NO_POSITION: Final = -1

_MOVES: Final = (AddMargin, ReleaseMargin)

# An add may come beside a stop on its way; a release counts on the stop that rests.
_BEFORE_ADD: Final = (OpenPosition, SetLeverage, ReducePosition, AddMargin, ReleaseMargin)
_GOES_AFTER: Final[dict[str, tuple[type[Action], ...]]] = {
    ADD: _BEFORE_ADD,
    RELEASE: (*_BEFORE_ADD, PlaceStop),
    REDUCE: (OpenPosition, SetLeverage, ReducePosition),
    CLOSE: (OpenPosition, SetLeverage, ReducePosition),
}


class Ledger(Protocol):
    """Where an order is taken: a desk, or a state and its outbox."""

    @property
    def state(self) -> State: ...

    @property
    def outbox(self) -> Outbox: ...


def is_one(verb: str) -> bool:
    """Return whether an order of this kind is about one position."""
    return verb in VERBS


def take(desk: Ledger, command: Command) -> None:
    """Remember an order until it is decided; the same one again changes nothing."""
    state = desk.state
    if any(errand.command_id == command.command_id for errand in state.errands):
        return
    errand = Errand(
        command.command_id,
        command.verb,
        command.symbol[:_LONGEST_SYMBOL],
        _written(command.amount_quote),
        _written(command.fraction),
        command.position_id if 0 <= command.position_id < _MOST_POSITIONS else _NO_POSITION,
        state.now_ms,
    )
    ended = [each for each in state.errands if not each.is_open]
    dropped = set(ended[: max(len(ended) - _KEPT + 1, 0)])
    state.errands = [*(each for each in state.errands if each not in dropped), errand]


def _written(number: float) -> float:
    """A checkpoint holds finite numbers only; 0.0 is refused in words."""
    return number if math.isfinite(number) else 0.0


def is_any_due(state: State) -> bool:
    """Return whether an order waits to be decided, or for somebody to tell what came of it."""
    return any(errand.is_open and errand.client_id not in state.in_flight for errand in state.errands)


def is_left_alone(state: State, symbol: str) -> bool:
    """Return whether a person added margin to the position of `symbol` within the last minute."""
    return any(
        errand.verb == ADD
        and errand.symbol == symbol
        and errand.state == DONE
        and state.now_ms < errand.ended_ms + LEFT_ALONE_MS
        for errand in state.errands
    )


def pursue(desk: Desk) -> None:
    """Decide what can be decided now, in the order in which it was ordered."""
    for errand in [each for each in desk.state.errands if each.is_open]:
        if not errand.client_id:
            _decide(desk, errand)
        elif errand.client_id not in desk.state.in_flight:
            _conclude(desk, errand)


def follow(desk: Desk, event: Event, was: Before) -> None:
    """Tell what an event means for an order that was sent; `was`: what was held and on its way before it."""
    client_id = getattr(event, "client_id", "")
    for errand in desk.state.errands if client_id else ():
        if errand.is_open and errand.client_id == client_id:
            _hear(desk, errand, event, was)
            return


def preview(state: State, risk: RiskManager, symbol: str, wish: Wish, *, is_blind: bool = False) -> Preview:
    """Return what a wish would come to now; `is_blind`: prices are missing or too old."""
    market = state.markets.get(symbol)
    if market is None or market.holding is None:
        return Preview(_nothing_held(state, symbol), None, None)
    holding = market.holding
    view, book = state.view(market, holding), state.book(market, holding)
    found = risk.preview(wish, view, book, market.instrument)
    if found.after is None and wish.verb != CLOSE:
        return found  # the wish has no meaning, whatever stands against it
    stands = _obstacle(state, market, holding, wish.verb, is_blind=is_blind)
    return found._replace(refusal=stands or found.refusal)


def _decide(desk: Desk, errand: Errand) -> None:
    state = desk.state
    if not desk.began_ms:  # what was believed before the start may be of another time
        return
    market = state.markets.get(errand.symbol)
    holding = market.holding if market is not None else None
    if market is None or holding is None:
        _end(desk, errand, REFUSED, _nothing_held(state, errand.symbol))
        return
    if errand.position_id not in (0, holding.position_id):
        message = (
            f"It was ordered for position {errand.position_id}, and what is open in {errand.symbol} now is "
            f"{_named(holding)}. Look at it, and order again."
        )
        _end(desk, errand, REFUSED, message)
        return
    waits_for = _what_comes_first(desk, market, holding, errand.verb)
    if state.now_ms - errand.taken_ms > _LATEST_MS * desk.pace:
        late_s = (state.now_ms - errand.taken_ms) / 1000.0
        because = waits_for or "the bot was not there to carry it out"
        message = (
            f"It is {late_s:.0f} s old, {because}, and prices have moved on. Look at it, and order again."
        )
        _end(desk, errand, REFUSED, message)
    elif not waits_for:
        _carry_out(desk, errand, market, holding)


def _what_comes_first(desk: Desk, market: Market, holding: Holding, verb: str) -> str:
    """Return in words what an order has to wait for; "" for nothing."""
    if market.mark_ms < desk.began_ms:
        return f"no mark of {market.instrument.symbol} has come since the start"
    if not holding.is_filled:
        return "its entry is being filled still"
    symbol = market.instrument.symbol
    if desk.is_in_flight(symbol, *_GOES_AFTER[verb]) or (symbol in desk.doubtful and verb != CLOSE):
        return "another request for the position has had no answer"
    return ""


def _carry_out(desk: Desk, errand: Errand, market: Market, holding: Holding) -> None:
    wish = Wish(errand.verb, errand.amount_quote, errand.fraction)
    view, book = desk.view(market, holding), desk.book(market, holding)
    answer = desk.risk.judge_by_hand(wish, view, book, market.instrument)
    stands = _obstacle(desk.state, market, holding, errand.verb, is_blind=desk.is_blind(market))
    if refusal := stands or answer.refusal:
        _end(desk, errand, REFUSED, refusal)
        return
    facts: dict[str, Fact] = {
        "command_id": errand.command_id,
        "mark": market.mark,
        "mark_age_ms": view.mark_age_ms,
        "stop_price": view.stop_price,
        "free_quote": book.free_quote,
        **desk.risk_before(market, holding),
    }
    if errand.verb == RELEASE:
        facts["band_low"] = desk.risk.band(view).low
    intent = desk.outbox.intend(_action(errand, holding, answer), REASON, facts)
    holding.is_closing = holding.is_closing or errand.verb == CLOSE
    _put(desk.state, errand._replace(client_id=intent.client_id))


def _action(errand: Errand, holding: Holding, answer: Answer) -> Action:
    symbol, side = errand.symbol, holding.position.side
    if errand.verb == CLOSE:
        return ReducePosition(symbol, side, 0.0)
    if errand.verb == REDUCE:
        return ReducePosition(symbol, side, answer.quantity)
    wallet = holding.position.isolated_wallet
    if errand.verb == ADD:
        return AddMargin(symbol, wallet + answer.amount_quote)
    return ReleaseMargin(symbol, wallet - answer.amount_quote)


def _obstacle(state: State, market: Market, holding: Holding, verb: str, *, is_blind: bool) -> str:
    """Return why nothing of the kind may be done to the position now, whatever the amount."""
    if holding.is_closing:
        return f"{_named(holding)} is being closed. Wait for its end."
    if verb in (REDUCE, CLOSE):
        return ""
    if market.fault:
        return (
            f"Its margin rules are unusable, {market.fault}, so that no liquidation price is known. Reduce "
            "or close it, or move its margin at the exchange."
        )
    if verb == ADD:
        return ""
    if not halts.may_release(state):
        causes = ", ".join(halt.message for halt in state.halts.values())
        return f"{state.halt_level()} stands ({causes}): no margin is released. First: ringfence resume."
    if is_blind:
        age_s = (state.now_ms - market.mark_ms) / 1000.0
        return (
            f"The newest mark of {market.instrument.symbol} is {age_s:.0f} s old or in a gap of the feed, "
            "and margin is released on fresh prices only. Order again when they are back."
        )
    return ""


def _hear(desk: Desk, errand: Errand, event: Event, was: Before) -> None:
    market = desk.state.markets[errand.symbol]
    if isinstance(event, MarginAdjusted):
        _hear_of_margin(desk, errand, event, was)
    elif isinstance(event, OrderFilled) and event.remaining_quantity <= 0.0:
        _end(desk, errand, DONE, _reduced(market, event))
    elif isinstance(event, Refused) and event.code == halts.HALTED and not desk.began_ms:
        # A start found it written and never sent, and does not know enough yet: it is decided anew.
        _put(desk.state, errand._replace(client_id=""))
    elif isinstance(event, Refused | OrderCancelled):
        if errand.verb == CLOSE and market.holding is None:
            _end(desk, errand, DONE, f"The position in {errand.symbol} has ended meanwhile.")
            return
        why = f"{event.code}: {event.message}" if isinstance(event, Refused) else event.cause
        _end(
            desk,
            errand,
            REFUSED,
            f"It was not carried out ({why}). {_as_it_is(market)} Look, then order again.",
        )


def _hear_of_margin(desk: Desk, errand: Errand, event: MarginAdjusted, was: Before) -> None:
    """It is done where the wallet has come to its target, whoever brought it there.

    Where it has not, the move was lost, and a least one has shown the wallet (Bybit): what is left of the
    order is decided anew.
    """
    intent = was.in_flight.get(event.client_id)
    target = intent.action.target_wallet if intent and isinstance(intent.action, _MOVES) else None
    missing = 0.0 if target is None else abs(target - event.position.isolated_wallet)
    if missing > 0.5 * errand.amount_quote:
        _put(desk.state, errand._replace(client_id="", amount_quote=missing))
    else:
        _end(desk, errand, DONE, _moved(desk.state.markets[errand.symbol], event, was.position))


def _conclude(desk: Desk, errand: Errand) -> None:
    """Nobody told what came of it, and it is not on its way any more: a start has asked the exchange."""
    market = desk.state.markets[errand.symbol]
    if errand.verb == CLOSE and market.holding is None:
        _end(desk, errand, DONE, f"The position in {errand.symbol} is closed.")
        return
    message = f"What came of it was not told. {_as_it_is(market)} Look at the exchange before ordering again."
    _end(desk, errand, REFUSED, message)


def _moved(market: Market, event: MarginAdjusted, was: Position | None) -> str:
    now, amount = event.position, event.amount_quote
    verb = "added to" if amount >= 0.0 else "released from"
    before = "" if was is None else f"{was.isolated_wallet:,.2f} -> "
    liquidation = "" if was is None else f"{market.liquidation_price(was):.10g} -> "
    return (
        f"{abs(amount):,.2f} was {verb} {_shown(now)}: margin {before}{now.isolated_wallet:,.2f}, "
        f"liquidation {liquidation}{market.liquidation_price(now):.10g}."
    )


def _reduced(market: Market, event: OrderFilled) -> str:
    if event.position is None:
        return f"The position in {event.symbol} was closed at {event.price:.10g}."
    return (
        f"{event.quantity:.10g} was closed at {event.price:.10g}, {_shown(event.position)} is left: margin "
        f"{event.position.isolated_wallet:,.2f}, liquidation {market.liquidation_price(event.position):.10g}."
    )


def _as_it_is(market: Market) -> str:
    holding = market.holding
    if holding is None:
        return f"No position is open in {market.instrument.symbol}."
    return (
        f"{_shown(holding.position)} has the margin {holding.position.isolated_wallet:,.2f}, liquidation at "
        f"{market.liquidation_price(holding.position):.10g}."
    )


def _nothing_held(state: State, symbol: str) -> str:
    held = ", ".join(position.symbol for position in state.positions())
    open_ones = f"Open are: {held}." if held else "Nothing is open."
    return f'No position of this bot is open in "{symbol}". {open_ones}'


def _named(holding: Holding) -> str:
    return f"{_shown(holding.position)} (position {holding.position_id})"


def _shown(position: Position) -> str:
    return f"{side_name(position.side)} {position.quantity:.10g} {position.symbol}"


def _put(state: State, errand: Errand) -> None:
    state.errands = [errand if each.command_id == errand.command_id else each for each in state.errands]


def _end(desk: Desk, errand: Errand, state: str, message: str) -> None:
    now_ms = desk.state.now_ms
    _put(desk.state, errand._replace(state=state, message=message, ended_ms=now_ms))
    desk.outbox.note(CommandDone(now_ms, errand.symbol, errand.command_id, errand.verb, state, message))
