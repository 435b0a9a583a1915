"""A position's ladder with what each rung does: how much is moved, and where liquidation is then."""

import math
from collections.abc import Iterator

from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.engine.state import Holding, Market
from bot.risk.view import Rung
from bot.view.figures import money, pair, quantity_text
from bot.view.next_action import due_rung
from bot.view.risk_board import LadderRung, NextAction, RungKind

_MARGIN = {"add": 1.0, "release": -1.0}


def ladder_rungs(market: Market, holding: Holding, left_quote: float) -> tuple[LadderRung, ...]:
    """Return every rung that has a price, mark and entry among them, ascending by price.

    `left_quote`: what may still be added; the amount of an add is cut to it.
    """
    own = (
        LadderRung("mark", market.mark, None, None, ""),
        LadderRung("entry", holding.position.entry_price, None, None, "where it was opened"),
    )
    found = [*own, *_rungs(market, holding, left_quote)]
    return tuple(sorted(found, key=lambda rung: rung.price))


def next_action(text: str, market: Market, holding: Holding, left_quote: float, adds_most: int) -> NextAction:
    """Return what is due on the side of danger; `text` says it in words."""
    used = holding.adds
    rung = due_rung(market.mark, holding.rungs, left_quote)
    if rung is None:
        return NextAction(text, "none", None, None, left_quote, used, adds_most)
    kind = "add" if rung.kind == "add" else "stop" if rung.kind == "stop" else "liquidation"
    amount = min(rung.amount, left_quote) if kind == "add" else None
    return NextAction(text, kind, rung.price, amount, left_quote, used, adds_most)


def liquidation_with(position: Position, market: Market, amount_quote: float) -> float | None:
    """Return the liquidation price after adding (> 0) or releasing (< 0) so much; None: no price does it."""
    moved = position._replace(isolated_wallet=position.isolated_wallet + amount_quote)
    price = float(liquidation_price(moved, market.rules))
    return price if 0.0 < price < math.inf else None


def _rungs(market: Market, holding: Holding, left_quote: float) -> Iterator[LadderRung]:
    for rung in holding.rungs:
        if not (rung.price > 0.0 and math.isfinite(rung.price)):
            continue
        sign = _MARGIN.get(rung.kind)
        amount = None if sign is None else min(rung.amount, left_quote) if sign > 0.0 else rung.amount
        after = None
        if sign is not None and amount is not None:
            after = liquidation_with(holding.position, market, sign * amount)
        yield LadderRung(_kind(rung), rung.price, amount, after, _note(rung, amount, holding))


def _kind(rung: Rung) -> RungKind:
    kinds: dict[str, RungKind] = {
        "liquidation": "liquidation",
        "stop": "stop",
        "add": "add",
        "release": "release",
        "trail": "trail",
        "take_profit": "take_profit",
    }
    return kinds[rung.kind]


def _note(rung: Rung, amount: float | None, holding: Holding) -> str:
    if rung.kind in _MARGIN:
        verb = "adds" if rung.kind == "add" else "releases"
        return f"{verb} {money(amount)}" if amount else f"{verb} margin"
    coin = pair(holding.position.symbol).partition("/")[0]
    closed = min(rung.amount, holding.position.quantity)
    words = {
        "liquidation": "the venue liquidates it",
        "trail": "the stop is moved up behind the price"
        if holding.position.side > 0
        else "the stop is moved down",
        "stop": "the stop closes it",
        "take_profit": f"takes profit on {quantity_text(closed)} {coin}" if closed else "takes profit",
    }
    return words[rung.kind]
