"""The kernel's books: every array that changes, the rules that do not, and views made of them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.kernel import columns as c
from bot.core.compiled import compiled
from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.risk.derisk import DeriskLimits
from bot.risk.limits import AllocationLimits, BracketLimits, EntryLimits, MarginLimits
from bot.risk.stress_caps import StressCaps
from bot.risk.view import MarginBook, MarginView

# Compiled code would count references to a text.
_NAMELESS: Any = 0

Floats = NDArray[np.float64]
Wholes = NDArray[np.int64]


class Books(NamedTuple):
    """`f`, `n`: rows by symbol; `a`, `m`: the account. `tiers`: by symbol the five columns of Tiers.

    Orders, intents and events have floats and whole numbers apart. `times`: when requests, orders and
    refusals were made. `latencies`: how long the next orders take. `trades`, `moves` and `accounts` are rows
    of the result that wait to be taken out. `tick_...`: the ticks of the bar at hand, by symbol; `cursors`:
    how many of them are played, and how many there are. All of it lies in one record: one pointer.
    """

    f: Floats
    n: Wholes
    a: Floats
    m: Wholes
    tiers: Floats
    orders: Wholes
    order_floats: Floats
    intents: Wholes
    intent_floats: Floats
    events: Wholes
    event_floats: Floats
    times: Wholes
    latencies: Wholes
    move_after: Floats
    trades: Floats
    moves: Floats
    accounts: Floats
    story: Floats
    cursors: Wholes
    tick_ms: Wholes
    tick_marks: Floats
    tick_lasts: Floats
    rules: tuple[MarginRules, ...]


class Tables(NamedTuple):
    """The rows of the result, as many as there is room for, and how long every order takes to arrive.

    `story`: what shadows are followed by, see story.py; empty where none are.
    """

    trades: Floats
    moves: Floats
    accounts: Floats
    story: Floats
    latencies: Wholes


class Limits(NamedTuple):
    """What may be done. `policy` is a code of policy_codes.py, `params` the policy's numbers."""

    policy: int
    params: Floats
    margin: MarginLimits
    entry: EntryLimits
    bracket: BracketLimits
    derisk: DeriskLimits
    caps: StressCaps
    allocation: AllocationLimits


def lent(rules: MarginRules) -> MarginRules:
    """Return the rules as they are; in machine code their address, see lending.py."""
    return rules


@compiled
def rules_of(b: Books, s: int) -> MarginRules:
    """Return the margin rules of a symbol."""
    return lent(b.rules[s])


@compiled
def position_of(b: Books, s: int) -> Position:
    """Return the position of a symbol that has one."""
    return Position(
        _NAMELESS,
        b.n[s, c.SIDE],
        b.f[s, c.QUANTITY],
        b.f[s, c.ENTRY_PRICE],
        b.f[s, c.WALLET],
        b.f[s, c.LEVERAGE],
        b.n[s, c.OPENED_MS],
    )


@compiled
def liquidation_of(b: Books, s: int) -> float:
    """Return the position's liquidation price; it is kept until the position changes."""
    if b.n[s, c.IS_LIQUIDATION_KNOWN] == 0:
        b.f[s, c.LIQUIDATION] = liquidation_price(position_of(b, s), rules_of(b, s))
        b.n[s, c.IS_LIQUIDATION_KNOWN] = 1
    return b.f[s, c.LIQUIDATION]


@compiled
def equity_of(b: Books) -> float:
    """Return free balance plus isolated wallets, as the engine counts them."""
    wallets = 0.0
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0:
            wallets += b.f[s, c.WALLET]
    return b.a[c.FREE] + wallets


@compiled
def unrealised_of(b: Books) -> float:
    """Return the unrealised PnL of every position at its newest mark."""
    total = 0.0
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0:
            total += b.n[s, c.HOLD_SIDE] * b.f[s, c.QUANTITY] * (b.f[s, c.MARK] - b.f[s, c.ENTRY_PRICE])
    return total


@compiled
def is_blind(b: Books, s: int) -> bool:
    """Return whether the symbol's prices are missing or too old to enter or to move margin."""
    now = b.m[c.NOW]
    return now < b.n[s, c.GAP_UNTIL_MS] or now - b.n[s, c.MARK_MS] > b.m[c.MAX_AGE_MS]


@compiled
def view_of(b: Books, s: int) -> MarginView:
    """Return what the margin engine may know of a held symbol now."""
    known = b.f[s]
    return MarginView(
        b.m[c.NOW],
        known[c.MARK],
        max(b.m[c.NOW] - b.n[s, c.MARK_MS], 0),
        position_of(b, s),
        rules_of(b, s),
        known[c.STOP_PRICE] if b.n[s, c.STOP_ID] != 0 else 0.0,
        known[c.SIGMA_DAY],
        known[c.FUNDING_RATE],
        known[c.ENTRY_DISTANCE],
        known[c.ESTIMATES + 3],
        known[c.ESTIMATES + 6],
        known[c.ESTIMATES + 7],
        known[c.ESTIMATES + 1],
        known[c.ESTIMATES + 2],
        known[c.ESTIMATES + 4],
        known[c.ESTIMATES + 5] > 0.0,
        b.n[s, c.REGIME],
        b.n[s, c.CUTS],
        b.n[s, c.LAST_CUT_MS],
    )


@compiled
def book_of(b: Books, s: int) -> MarginBook:
    """Return what was done to a held symbol's margin so far, and what the account can spare."""
    known = b.f[s]
    return MarginBook(
        known[c.INITIAL_WALLET],
        known[c.ADDED] - known[c.RESTORED],
        known[c.RELEASED],
        b.n[s, c.ADDS],
        b.n[s, c.LAST_ADD_MS],
        b.n[s, c.LAST_RELEASE_MS],
        max(known[c.AGREED_LOSS] + min(known[c.REALISED], 0.0), 0.0),
        b.a[c.FREE],
        equity_of(b),
        known[c.MARGIN_STEP],
    )


@compiled
def wake(b: Books, s: int) -> None:
    """Forget the sleep bounds, so that the next mark is looked at."""
    b.f[s, c.SLEEP_LOW] = 0.0
    b.f[s, c.SLEEP_HIGH] = 0.0
