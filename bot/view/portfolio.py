"""The whole book: exposure and margin against their caps, as the allocator sees it, and under stress."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.calc import Leg, what_if
from bot.engine.desk import Desk
from bot.engine.entries import portfolio
from bot.errors import RingfenceError
from bot.risk.stress import assumed_correlation, stress
from bot.risk.stress_caps import StressCaps
from bot.view.figures import signed_percent
from bot.view.risk_board import SideName
from bot.view.risk_maker import side_word

_SHOCKS: Final = (-0.3, -0.2, -0.1, -0.05, -0.02, 0.02, 0.05, 0.1, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Exposed:
    """One leg: a position at its mark, or an entry that is on its way."""

    symbol: str
    side: SideName
    notional_quote: float
    margin_quote: float
    sigma_day: float
    is_open: bool


@dataclass(frozen=True, slots=True)
class Cap:
    """`value_quote` against `limit_quote`; `largest`: the symbol that adds most to it."""

    cap: str
    value_quote: float
    limit_quote: float
    is_breached: bool
    largest: str


@dataclass(frozen=True, slots=True)
class AllocatorRow:
    """One position as the allocator may move it; None: it cannot be moved now."""

    symbol: str
    wallet_quote: float
    low_quote: float | None
    high_quote: float | None
    may_add: bool
    may_release: bool


@dataclass(frozen=True, slots=True)
class Allocator:
    """`is_on`: one budget is split over all positions; else each position's policy moves its own margin."""

    is_on: bool
    budget_quote: float
    split_ms: int
    held_reason: str
    rows: tuple[AllocatorRow, ...]


@dataclass(frozen=True, slots=True)
class StressWay:
    """One way of holding the same positions: "isolated", "cross", "exchange_auto_add"."""

    way: str
    liquidations: int
    pnl_quote: float
    left_quote: float


@dataclass(frozen=True, slots=True)
class StressRow:
    """Every mark moved by `shock` at once, without anything being done meanwhile."""

    shock: float
    words: str
    ways: tuple[StressWay, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """The whole account. `committed_fraction`: margin as a fraction of equity."""

    as_of_ms: int
    equity_quote: float
    free_quote: float
    margin_committed_quote: float
    committed_fraction: float
    long_quote: float
    short_quote: float
    exposures: tuple[Exposed, ...]
    caps: tuple[Cap, ...]
    allocator: Allocator
    stress: tuple[StressRow, ...]
    notes: tuple[str, ...]


def book_of(desk: Desk, now_ms: int) -> Book:
    """Return the book as it is now."""
    account, state = portfolio(desk), desk.state
    held = {position.symbol for position in account.positions}
    exposures = tuple(
        Exposed(
            leg.symbol,
            side_word(leg.side),
            leg.notional_quote,
            leg.margin_quote,
            leg.sigma_day,
            leg.symbol in held,
        )
        for leg in account.exposures
    )
    committed = account.equity_quote - account.free_quote
    rows, notes = _stress(desk)
    return Book(
        as_of_ms=now_ms,
        equity_quote=account.equity_quote,
        free_quote=account.free_quote,
        margin_committed_quote=committed,
        committed_fraction=committed / account.equity_quote if account.equity_quote > 0.0 else 0.0,
        long_quote=sum(each.notional_quote for each in exposures if each.side == "long"),
        short_quote=sum(each.notional_quote for each in exposures if each.side == "short"),
        exposures=exposures,
        caps=_caps(desk),
        allocator=Allocator(
            desk.risk.is_allocating,
            desk.risk.allocation.budget_fraction * account.equity_quote,
            state.rebalance.solved_ms,
            state.rebalance.held_reason,
            tuple(_rooms(desk)),
        ),
        stress=rows,
        notes=notes,
    )


def _caps(desk: Desk) -> tuple[Cap, ...]:
    account, entry = portfolio(desk), desk.risk.entry_limits
    legs = [leg for leg in account.exposures if leg.sigma_day > 0.0 and leg.notional_quote > 0.0]
    if not legs or not account.equity_quote > 0.0:
        return ()
    caps = StressCaps(entry.portfolio_cap_fraction, entry.risk_cap_fraction, entry.cascade_cap_fraction)
    found = stress(legs, assumed_correlation(legs), account.equity_quote, caps)
    return tuple(Cap(each.cap, each.value, each.limit, each.is_breached, each.largest) for each in found)


def _rooms(desk: Desk) -> Iterator[AllocatorRow]:
    for market in desk.state.markets.values():
        holding = market.holding
        if holding is None:
            continue
        view, book = desk.view(market, holding), desk.book(market, holding)
        wallet, symbol = holding.position.isolated_wallet, holding.position.symbol
        if desk.is_blind(market) or desk.risk.fault_of(view, book):
            yield AllocatorRow(symbol, wallet, None, None, False, False)
            continue
        leg = desk.risk.book_leg(view, book, market.liquidation_price(holding.position))
        low, high = leg.leg.min_extra, leg.leg.max_extra
        yield AllocatorRow(symbol, wallet, _finite(low), _finite(high), leg.may_add, leg.may_release)


def _stress(desk: Desk) -> tuple[tuple[StressRow, ...], tuple[str, ...]]:
    markets = [market for market in desk.state.markets.values() if market.holding is not None]
    legs = [Leg(market.holding.position, market.mark, market.rules) for market in markets if market.holding]
    if not legs:
        return (), ("No position is open: there is nothing to stress.",)
    try:
        rows = [what_if(legs, max(desk.state.free_quote, 0.0), [shock] * len(legs)) for shock in _SHOCKS]
    except (ValueError, RingfenceError) as error:
        return (), (f"The book cannot be stressed now: {error}.",)
    found = [
        StressRow(
            shock,
            f"every mark {signed_percent(shock)}",
            tuple(StressWay(way.way, way.liquidations, way.pnl, way.left) for way in ways),
        )
        for shock, ways in zip(_SHOCKS, rows, strict=True)
    ]
    return tuple(found), ("Stops, exits and the policy's own moves are not counted: a gap leaves no time.",)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
