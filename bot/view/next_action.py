"""What happens next to a position, and why not, in plain words."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from bot.risk.view import Rung
from bot.view.figures import money, pair, price_text, signed_percent, span

_NOT_ADDED: Final = ("stop", "liquidation")


def next_action_words(
    side: int, mark: float, rungs: Sequence[Rung], price_decimals: int, add_left_quote: float | None
) -> str:
    """Return what happens next on either side of the mark, the danger side first, in plain words.

    `add_left_quote` is what may still be added to this position (None: not limited, not said; an add
    rung's amount is cut to it, and at 0 there is no add).
    Example: "adds 35.20 if mark falls to 61,240 (-1.4 %), 64.80 left; releases 12.00 at 64,100".
    Without an add rung the danger side is the stop, without a stop the liquidation.
    """
    reachable = _nearest_first(mark, rungs)
    danger = due_rung(mark, rungs, add_left_quote)
    ahead = [rung for rung in reachable if side * (rung.price - mark) > 0.0]
    favourable = [rung for rung in ahead if rung.kind in ("release", "trail", "take_profit")]
    sentences: list[str] = []
    if danger is not None:
        sentences.append(_danger_words(danger, side, mark, price_decimals, add_left_quote))
    if favourable:
        sentences.append(_favourable_words(favourable[0], price_decimals))
    return "; ".join(sentences) or "no rung is set: nothing is due"


def due_rung(mark: float, rungs: Sequence[Rung], add_left_quote: float | None) -> Rung | None:
    """Return the rung that is due on the side of danger: an add, else the stop, else liquidation."""
    kinds = ("add", "stop", "liquidation") if add_left_quote is None or add_left_quote > 0.0 else _NOT_ADDED
    return _first_of(kinds, _nearest_first(mark, rungs))


def stale_words(mark_age_ms: int) -> str:
    """Return what the bot does while the mark of a position is stale."""
    return f"holds: no fresh mark for {span(mark_age_ms)}; the stop rests on the venue"


def waiting_words(timeframe: str, closes_in_ms: int, symbols: Sequence[str], strategy: str) -> str:
    """Return what the bot waits for when it could enter: the next candle close and who looks at it."""
    pairs = ", ".join(pair(symbol) for symbol in symbols)
    return f"Next {timeframe} candle closes in {span(closes_in_ms)}; then {strategy} looks at {pairs}."


def _nearest_first(mark: float, rungs: Sequence[Rung]) -> list[Rung]:
    drawable = (rung for rung in rungs if rung.price > 0.0 and math.isfinite(rung.price))
    return sorted(drawable, key=lambda rung: abs(rung.price - mark))


def _first_of(kinds: Sequence[str], nearest_first: Sequence[Rung]) -> Rung | None:
    for kind in kinds:
        for rung in nearest_first:
            if rung.kind == kind:
                return rung
    return None


def _danger_words(
    rung: Rung, side: int, mark: float, price_decimals: int, add_left_quote: float | None
) -> str:
    where = price_text(rung.price, price_decimals)
    verb = "falls" if side > 0 else "rises"
    when = f"if mark {verb} to {where} ({signed_percent(rung.price / mark - 1.0)})"
    if side * (mark - rung.price) <= 0.0:
        when = f"now, mark is past {where}"
    if rung.kind == "add":
        left = math.inf if add_left_quote is None else add_left_quote
        words = "" if add_left_quote is None else f", {money(left)} left"
        return f"adds {_amount(min(rung.amount, left))} {when}{words}"
    return f"the stop closes it {when}" if rung.kind == "stop" else f"liquidated {when}: no stop is set"


def alert_words(causes: Iterable[str]) -> str:
    """Return what a person should look at, to stand before the next action; empty for no cause."""
    told = ", ".join(cause.replace("_", " ") for cause in causes)
    return f"ALERT {told}: see the journal; " if told else ""


def held_words(reason: str) -> str:
    """Return why a margin move that is due is not made; empty for no reason."""
    return f"; a margin move is due but held: {reason.replace('_', ' ')}" if reason else ""


def _favourable_words(rung: Rung, price_decimals: int) -> str:
    where = f"at {price_text(rung.price, price_decimals)}"
    if rung.kind == "release":
        return f"releases {_amount(rung.amount)} {where}"
    return f"stop trails {where}" if rung.kind == "trail" else f"takes profit {where}"


def _amount(amount: float) -> str:
    return money(amount) if amount > 0.0 else "margin"
