"""An account with one position that random marks lead through decide and execute."""

from typing import Any, NamedTuple

import numpy as np

from bot.core.margin import liquidation_distance, liquidation_price
from bot.risk.adjust import decide_margin, reserved_band
from bot.risk.band import Band
from bot.risk.limits import MarginLimits
from bot.risk.policies import Policy
from bot.risk.view import MarginBook, MarginDecision, MarginView
from tests.property.risk.worlds import RULES, book_of, position_of, view_of


class Step(NamedTuple):
    """One decision, what it was taken on, and the account after it was executed."""

    view: MarginView
    band: Band
    before: MarginBook
    decision: MarginDecision
    after: MarginBook
    wallet: float


def random_limits(chance: np.random.Generator) -> MarginLimits:
    return MarginLimits(
        min_step_quote=float(chance.choice([0.0, 1.0, 10.0])),
        min_step_fraction=float(chance.choice([0.0, 0.05])),
        add_cooldown_ms=int(chance.choice([0, 60_000])),
        release_cooldown_ms=int(chance.choice([0, 3_600_000])),
        max_adds=int(chance.integers(0, 8)),
        max_added_fraction=float(chance.uniform(0.0, 4.0)),
        position_cap_fraction=float(chance.uniform(0.05, 0.9)),
        reserve_fraction=float(chance.uniform(0.0, 0.5)),
        funding_payments_ahead=int(chance.integers(0, 4)),
    )


def random_start(chance: np.random.Generator) -> tuple[MarginView, MarginBook]:
    """A fresh position with or without a stop, in a market of its own volatility."""
    side, leverage = int(chance.choice([1, -1])), float(chance.choice([3, 10, 25]))
    value = float(chance.choice([600.0, 6_000.0, 60_000.0]))
    wallet = value / leverage
    position = position_of(side, value / 60_000.0, 60_000.0, wallet, leverage)
    liquidation = liquidation_price(position, RULES)
    stop = 60_000.0 + chance.uniform(0.2, 0.8) * (liquidation - 60_000.0) if chance.random() < 0.4 else 0.0
    view = view_of(position, stop=float(stop), sigma=float(chance.uniform(0.01, 0.08)))
    view = view._replace(
        funding_rate=float(chance.normal(0.0, 3e-4)),
        atr=60_000.0 * view.sigma_day * 0.3,
        sigma_parkinson=view.sigma_day,
        sigma_yang_zhang=view.sigma_day,
        trend_score=float(chance.normal()),
        regime=int(chance.integers(0, 4)),
    )
    equity = wallet * float(chance.uniform(1.5, 15.0))
    agreed = wallet * float(chance.uniform(1.0, 5.0))
    return view, book_of(initial=wallet, agreed=agreed, free=equity - wallet, equity=equity)


def lived(
    chance: np.random.Generator, policy: Policy, params: Any, limits: MarginLimits, steps: int
) -> list[Step]:
    """Every decision of one position until its marks end or reach liquidation."""
    view, book = random_start(chance)
    volatility = view.sigma_day * float(chance.choice([0.05, 0.3, 1.0]))
    marks = 60_000.0 * np.exp(np.cumsum(chance.standard_t(4, steps) * volatility))
    made = []
    for mark in marks:
        view = view._replace(mark=float(mark), ts_ms=view.ts_ms + int(chance.integers(1_000, 7_200_000)))
        if liquidation_distance(view.position, view.mark, RULES) <= 0.0:
            break
        band = policy.band(view, params)
        allowed = policy.permissions(view, params)
        decision = decide_margin(view, band, book, limits, allowed)
        after = executed(view, book, decision)
        wallet = decision.target_wallet_quote
        reserved = reserved_band(view, band, limits.funding_payments_ahead)
        made.append(Step(view, reserved, book, decision, after, wallet))
        view, book = view._replace(position=view.position._replace(isolated_wallet=wallet)), after
    return made


def executed(view: MarginView, book: MarginBook, decision: MarginDecision) -> MarginBook:
    amount = decision.amount_quote
    if decision.action == "add":
        return book._replace(
            free_quote=book.free_quote - amount,
            added_quote=book.added_quote + amount,
            adds=book.adds + 1,
            last_add_ms=view.ts_ms,
        )
    if decision.action == "release":
        return book._replace(
            free_quote=book.free_quote + amount,
            released_quote=book.released_quote + amount,
            last_release_ms=view.ts_ms,
        )
    return book
