"""What a person orders about one open position, and what may come of it.

The policy's own limits (its budget, its steps, its cooldowns, the agreed loss, the position cap) bind the
bot, not the person who set them. The account's reserve, the venue's rules and the stop bind both: an add
comes out of what is free beyond the reserve; a release leaves what the venue keeps, liquidation behind the
stop by the least part of the anchor's buffer, and the least distance of the policy's band, below which the
bot would add again at the next mark.
"""

import math
from typing import Final, NamedTuple

from bot.core.instrument import Instrument, quantity_down
from bot.core.margin import liquidation_price, notional
from bot.core.note import PositionRisk
from bot.core.position import Position
from bot.core.profile import KEEP_ALL
from bot.core.steps import step_down, step_up
from bot.risk.limits import MarginLimits
from bot.risk.release import anchor_floor, spare_at_venue
from bot.risk.view import MarginBook, MarginView
from bot.risk.wallet import target_wallet, with_wallet

ADD: Final = "add"
RELEASE: Final = "release"
REDUCE: Final = "reduce"
CLOSE: Final = "close"
VERBS: Final = (ADD, RELEASE, REDUCE, CLOSE)

_CENT: Final = 0.01
_NOISE: Final = 1e-9  # of a wallet: what float arithmetic may differ by


class Wish(NamedTuple):
    """`amount_quote` > 0 of an add or a release, `fraction` of the quantity of a reduction, in (0, 1)."""

    verb: str
    amount_quote: float = 0.0
    fraction: float = 0.0


class Case(NamedTuple):
    """What a wish is judged by. `band_low`: the policy's least distance now, NaN where it has none."""

    view: MarginView
    book: MarginBook
    instrument: Instrument
    limits: MarginLimits
    band_low: float


class Answer(NamedTuple):
    """`refusal` "": it may be done. Else fact, cause and next step in words; nothing is done then.

    `position`: as it would be, also where it is refused; None when closed or when the wish has no meaning.
    `amount_quote`, `quantity` (base units): rounded as they would be sent; a close has the whole quantity.
    """

    refusal: str
    position: Position | None
    amount_quote: float = 0.0
    quantity: float = 0.0


class Preview(NamedTuple):
    """A wish before it is ordered. `after` None: nothing is left, or the wish has no meaning."""

    refusal: str
    before: PositionRisk | None
    after: PositionRisk | None
    amount_quote: float = 0.0
    quantity: float = 0.0


def answer(wish: Wish, case: Case) -> Answer:
    """Return what comes of a wish; every number of the case is of one instant."""
    judge = {ADD: _add, RELEASE: _release, REDUCE: _reduce, CLOSE: _close}.get(wish.verb)
    if judge is None:
        return Answer(f'There is no order "{wish.verb}". Give one of {", ".join(VERBS)}.', None)
    return judge(wish, case)


def _add(wish: Wish, case: Case) -> Answer:
    view, book = case.view, case.book
    if fault := _amount_fault(wish):
        return Answer(fault, None)
    position = view.position
    amount = step_up(wish.amount_quote, book.margin_step_quote)
    if amount <= 0.0:
        return Answer(_less_than_a_step(wish, book), None)
    after = with_wallet(position, position.isolated_wallet + amount)
    reserve = case.limits.reserve_fraction * book.equity_quote
    room = book.free_quote - reserve
    if not amount <= room:
        refusal = (
            f"{amount:,.2f} is more than may leave the free balance: {book.free_quote:,.2f} is free and "
            f"{reserve:,.2f} of it stays in reserve (margin.limits.reserve_fraction). {_most(room, 'added')}"
        )
        return Answer(refusal, after, amount)
    if _is_past_liquidation(view):
        return Answer(_PAST_LIQUIDATION, after, amount)
    return Answer("", after, amount)


def _release(wish: Wish, case: Case) -> Answer:
    view, book = case.view, case.book
    if fault := _amount_fault(wish):
        return Answer(fault, None)
    position = view.position
    amount = step_down(wish.amount_quote, book.margin_step_quote)
    after = with_wallet(position, position.isolated_wallet - amount)
    if amount <= 0.0:
        return Answer(_less_than_a_step(wish, book), None)
    if refusal := _kept_whole(case):
        return Answer(refusal, after, amount)
    floor, why = _floor(case)
    if after.isolated_wallet < floor - _NOISE * position.isolated_wallet:
        room = position.isolated_wallet - floor
        refusal = f"Releasing {amount:,.2f} is too much: {why}. {_most(room, 'released')}"
        return Answer(refusal, after, amount)
    return Answer("", after, amount)


def _reduce(wish: Wish, case: Case) -> Answer:
    view, instrument = case.view, case.instrument
    held, fraction = view.position.quantity, wish.fraction
    if not 0.0 < fraction < 1.0:
        refusal = (
            f"The fraction is {fraction:.10g}; it must be above 0 and below 1. Close it to end all of it."
        )
        return Answer(refusal, None)
    quantity = quantity_down(held * fraction, instrument)
    least = max(instrument.min_quantity, instrument.quantity_step)
    after = _with_quantity(view.position, held - quantity)
    if quantity < least or _value(view, quantity) < instrument.min_notional_quote:
        refusal = (
            f"{fraction:.10g} of {held:.10g} is {quantity:.10g}, less than the exchange's smallest order "
            f"({least:.10g}, worth {instrument.min_notional_quote:.10g}). Reduce by more, or close it."
        )
        return Answer(refusal, after, 0.0, quantity)
    if held - quantity < least or _value(view, held - quantity) < instrument.min_notional_quote:
        refusal = (
            f"Reducing by {quantity:.10g} would leave {held - quantity:.10g}, less than the exchange's "
            f"smallest order ({least:.10g}, worth {instrument.min_notional_quote:.10g}). Reduce by less, or "
            "close it."
        )
        return Answer(refusal, after, 0.0, quantity)
    return Answer("", after, 0.0, quantity)


def _close(_: Wish, case: Case) -> Answer:
    return Answer("", None, 0.0, case.view.position.quantity)


_PAST_LIQUIDATION: Final = (
    "The mark is past the liquidation price: the exchange liquidates the position or is about to, and takes "
    "no margin for it. Look at the exchange."
)


def _amount_fault(wish: Wish) -> str:
    if 0.0 < wish.amount_quote < math.inf:
        return ""
    return f"The amount is {wish.amount_quote!r}; it must be a number above 0, in quote currency."


def _less_than_a_step(wish: Wish, book: MarginBook) -> str:
    step = book.margin_step_quote
    return f"{wish.amount_quote:.10g} is less than the exchange's step of {step:.10g}. Order at least that."


def _kept_whole(case: Case) -> str:
    """Return why nothing at all may be released; "" where something may."""
    view = case.view
    side, stop, liquidation = view.position.side, view.stop_price, _liquidation(view)
    if not (0.0 < view.sigma_day < math.inf and 0.0 < view.mark < math.inf):
        return (
            f"The mark is {view.mark!r} and the volatility {view.sigma_day!r}: how much margin the stop "
            "needs is not known. Wait for sound prices."
        )
    if view.rules.profile.removal_rule == KEEP_ALL:
        return "The exchange lets no margin out of this position. Reduce it instead: that pays a share out."
    if not stop > 0.0:
        return "No stop rests at the exchange, so nothing is released. Wait until one does."
    if side * (stop - liquidation) <= 0.0:
        return (
            f"Liquidation at {liquidation:.10g} comes before the stop at {stop:.10g} as it is. Add margin, "
            "or reduce it."
        )
    if side * (view.mark - stop) <= 0.0:
        return f"The mark {view.mark:.10g} has reached the stop at {stop:.10g}. Wait until it has filled."
    return ""


def _floor(case: Case) -> tuple[float, str]:
    """Return the smallest wallet that may be left, and which rule says so."""
    view, limits = case.view, case.limits
    by_venue = view.position.isolated_wallet - spare_at_venue(view, limits)
    floor, why = by_venue, "the exchange keeps the rest of the margin for the leverage that is set"
    if (by_anchor := anchor_floor(view, limits)) > floor:
        floor, why = by_anchor, f"liquidation must stay behind the stop at {view.stop_price:.10g}"
    if case.band_low > 0.0 and (by_band := target_wallet(view, case.band_low)) > floor:
        floor = by_band
        why = f"the policy keeps liquidation {case.band_low:.2%} away and would add again at once"
    return floor, why


def _most(room: float, done: str) -> str:
    most = math.floor(room / _CENT) * _CENT if math.isfinite(room) else 0.0
    if most > 0.0:
        return f"At most {most:,.2f} can be {done} now."
    return f"Nothing can be {done} now. Reducing or closing a position frees margin."


def _is_past_liquidation(view: MarginView) -> bool:
    return view.position.side * (view.mark - _liquidation(view)) <= 0.0


def _liquidation(view: MarginView) -> float:
    return float(liquidation_price(view.position, view.rules))


def _value(view: MarginView, quantity: float) -> float:
    return float(notional(view.position._replace(quantity=quantity), view.mark, view.rules))


def _with_quantity(position: Position, quantity: float) -> Position:
    """A reduction pays out its share of the wallet; liquidation stays about where it was."""
    wallet = position.isolated_wallet * quantity / position.quantity
    return position._replace(quantity=quantity, isolated_wallet=wallet)
