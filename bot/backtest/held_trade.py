"""One trade and the account behind it, bar by bar: what the venue does, and what a decision moves.

Within a bar the price moves against the position first: funding at the open, then the exchange's switch,
liquidation and the stop at the adverse extreme, then the target at the other.
"""

from typing import Final, NamedTuple

from bot.backtest.bars import Bar
from bot.calc.autoadd import added_by_exchange
from bot.core.compiled import compiled
from bot.core.margin import distance, liquidation_price, unrealised_pnl
from bot.core.position import Position
from bot.core.profile import MarginRules

OPEN: Final = 0
HORIZON: Final = 1
STOP: Final = 2
TARGET: Final = 3
LIQUIDATION: Final = 4
DERISKED: Final = 5
ENDINGS: Final = ("open", "horizon", "stop", "target", "liquidation", "derisked")


class Terms(NamedTuple):
    """What every trade is opened with; money in quote, fractions of price, 0.0 for no stop or no target.

    `gap_share`: the part of the way from a stop to the extreme of its candle in which nothing fills.
    `is_rescued`: the exchange's switch is on. `is_derisking`: the de-risk ladder may cut and close.
    """

    symbol: str
    account_quote: float
    notional_quote: float
    margin_quote: float
    leverage: float
    stop_fraction: float
    target_fraction: float
    horizon_bars: int
    fee_rate: float
    slippage: float
    gap_share: float
    liquidation_fee_rate: float
    is_rescued: bool
    is_derisking: bool


class Brackets(NamedTuple):
    """What is fixed at the entry of a trade; 0.0: no such price."""

    stop_price: float
    target_price: float
    entry_distance: float


class Held(NamedTuple):
    """The account of one trade; `rescued` is what the exchange's switch added in the last bar."""

    position: Position
    free: float
    ending: int
    rescued: float


class Moves(NamedTuple):
    """The margin moves and cuts of a trade so far; times 0 when it never happened.

    `cuts` are for volatility, `derisk_cuts` those of the ladder; `last_derisk_ms` is of its adds too.
    """

    adds: int
    added: float
    releases: int
    released: float
    last_add_ms: int
    last_release_ms: int
    cuts: int
    last_cut_ms: int
    derisk_cuts: int
    last_derisk_ms: int


class Decided(NamedTuple):
    """Quote to add or to release, or a share of the quantity to close; the others are 0.0.

    `derisk`: the share that the ladder closes, 1.0 for all. `is_derisk`: the ladder decided.
    """

    add: float
    release: float
    cut: float
    derisk: float
    is_derisk: bool


@compiled
def entered(bar: Bar, side: int, terms: Terms) -> Held:
    """Return a position at the close of a bar; its fee is paid from the free balance."""
    quantity = terms.notional_quote / bar.close
    position = Position(
        terms.symbol, side, quantity, bar.close, terms.margin_quote, terms.leverage, bar.close_ms
    )
    fee = terms.notional_quote * terms.fee_rate
    return Held(position, terms.account_quote - terms.margin_quote - fee, OPEN, 0.0)


@compiled
def bracketed(position: Position, terms: Terms, rules: MarginRules) -> Brackets:
    """Return stop, target and the liquidation distance of a position just entered."""
    entry, side = position.entry_price, position.side
    stop = entry * (1.0 - side * terms.stop_fraction) if terms.stop_fraction > 0.0 else 0.0
    target = entry * (1.0 + side * terms.target_fraction) if terms.target_fraction > 0.0 else 0.0
    return Brackets(stop, target, distance(side, entry, liquidation_price(position, rules)))


@compiled
def counted(moves: Moves, decided: Decided, ts_ms: int) -> Moves:
    """Return the history with what was just decided."""
    is_add, is_release, is_cut = decided.add > 0.0, decided.release > 0.0, decided.cut > 0.0
    return Moves(
        moves.adds + (1 if is_add else 0),
        moves.added + decided.add,
        moves.releases + (1 if is_release else 0),
        moves.released + decided.release,
        ts_ms if is_add else moves.last_add_ms,
        ts_ms if is_release else moves.last_release_ms,
        moves.cuts + (1 if is_cut else 0),
        ts_ms if is_cut else moves.last_cut_ms,
        moves.derisk_cuts + (1 if decided.derisk > 0.0 else 0),
        ts_ms if decided.is_derisk else moves.last_derisk_ms,
    )


@compiled
def rescued(moves: Moves, amount: float, ts_ms: int) -> Moves:
    """Return the history with what the exchange's switch added."""
    return counted(moves, Decided(amount, 0.0, 0.0, 0.0, False), ts_ms) if amount > 0.0 else moves


@compiled
def moved(held: Held, decided: Decided, price: float, terms: Terms, rules: MarginRules) -> Held:
    """Return the account after the decision; a cut pays out its share of wallet and PnL as the venue does."""
    position = held.position
    if decided.derisk >= 1.0:
        return closed(held, price * (1.0 - position.side * terms.slippage), DERISKED, terms, rules)
    if decided.derisk > 0.0:
        return _derisked(held, decided.derisk, price * (1.0 - position.side * terms.slippage), terms, rules)
    if decided.cut == 0.0:
        amount = decided.add - decided.release
        return Held(_resized(position, 1.0, position.isolated_wallet + amount), held.free - amount, OPEN, 0.0)
    part = decided.cut * (unrealised_pnl(position, price, rules) - _fee(position, price, terms))
    share = decided.cut * position.isolated_wallet
    paid = max(share + part, 0.0)
    wallet = position.isolated_wallet + part - paid
    return Held(_resized(position, 1.0 - decided.cut, wallet), held.free + paid, OPEN, 0.0)


@compiled
def _derisked(held: Held, share: float, price: float, terms: Terms, rules: MarginRules) -> Held:
    """The account after a cut of the ladder: the wallet stays, less what was lost (margin-science 3.11)."""
    position = held.position
    part = share * (unrealised_pnl(position, price, rules) - _fee(position, price, terms))
    wallet = position.isolated_wallet + min(part, 0.0)
    return Held(_resized(position, 1.0 - share, wallet), held.free + max(part, 0.0), OPEN, 0.0)


@compiled
def after_bar(held: Held, brackets: Brackets, bar: Bar, terms: Terms, rules: MarginRules) -> Held:
    """Return the account after a bar, the adverse extreme before the favourable one.

    A stop that the open jumps over fills at the open; where its fill lies past liquidation, it came too late.
    """
    side, stop, target = held.position.side, brackets.stop_price, brackets.target_price
    funding = side * bar.paid_rate * held.position.quantity * bar.open
    position = _resized(held.position, 1.0, held.position.isolated_wallet - funding)
    extreme = bar.low if side > 0 else bar.high
    is_stopped = stop > 0.0 and side * (extreme - stop) <= 0.0
    worst = extreme
    if is_stopped:
        reached = min(side * bar.open, side * stop) * side
        worst = reached + terms.gap_share * (extreme - reached)
    added = added_by_exchange(position, worst, held.free, rules) if terms.is_rescued else 0.0
    held = Held(_resized(position, 1.0, position.isolated_wallet + added), held.free - added, OPEN, added)
    if side * (worst - liquidation_price(held.position, rules)) <= 0.0:
        return Held(held.position, held.free, LIQUIDATION, added)
    if is_stopped:
        return closed(held, worst * (1.0 - side * terms.slippage), STOP, terms, rules)
    best = bar.high if side > 0 else bar.low
    if target > 0.0 and side * (best - target) >= 0.0:
        return closed(held, target, TARGET, terms, rules)
    return held


@compiled
def closed(held: Held, price: float, ending: int, terms: Terms, rules: MarginRules) -> Held:
    """Return the account after closing everything at `price`; the wallet bounds the loss."""
    position = held.position
    paid = position.isolated_wallet + unrealised_pnl(position, price, rules) - _fee(position, price, terms)
    return Held(position, held.free + max(paid, 0.0), ending, held.rescued)


@compiled
def _fee(position: Position, price: float, terms: Terms) -> float:
    return position.quantity * price * terms.fee_rate


@compiled
def _resized(position: Position, share: float, wallet: float) -> Position:
    return Position(
        position.symbol,
        position.side,
        position.quantity * share,
        position.entry_price,
        wallet,
        position.leverage,
        position.opened_ms,
    )
