"""What the live view shows: plain values, built by whoever holds the engine's state. Nothing is computed
here but words. All money is in the account's quote currency, all prices in quote per base."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bot.cli.screen.figures import money, pair, price_text, signed_percent, span
from bot.risk.view import Rung

_NOT_ADDED: Final = ("stop", "liquidation")

Mode = Literal["paper", "testnet", "live"]


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One open position.

    `distance`: side * (mark - liquidation) / mark. `hour_moves`: distance in typical 1-hour moves, see
    `hour_moves`. `liquidation_price`, `distance`, `hour_moves` and `probability_24h` (0 to 1) are None
    when there is no liquidation price or no volatility estimate yet. `isolated_wallet_quote` already
    holds `margin_added_quote` (added minus released; negative after releases). `next_action`: see
    `next_action_words`.
    """

    symbol: str
    side: int
    quantity: float
    notional_quote: float
    leverage: float
    mark: float
    mark_age_ms: int
    entry_price: float
    price_decimals: int
    liquidation_price: float | None
    distance: float | None
    hour_moves: float | None
    probability_24h: float | None
    isolated_wallet_quote: float
    margin_added_quote: float
    unrealised_pnl_quote: float
    rungs: tuple[Rung, ...]
    next_action: str


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One completed margin move: `amount_quote` > 0 added, < 0 released; liquidation None: none."""

    ts_ms: int
    symbol: str
    amount_quote: float
    reason: str
    distance_before: float | None
    distance_after: float | None
    liquidation_before: float | None
    liquidation_after: float | None
    price_decimals: int


@dataclass(frozen=True, slots=True)
class Counters:
    """What happened since the run began (restarts included). Amounts in quote, both >= 0."""

    trades: int
    liquidations: int
    margin_adds: int
    margin_releases: int
    margin_added_quote: float
    margin_released_quote: float


@dataclass(frozen=True, slots=True)
class Board:
    """One picture of the bot.

    `feed`: whose prices. `speed`: "1x", "60x", "max"; "" where the market is not ours. `data_age_ms`: age of
    the newest mark of the most outdated symbol. A mark older than `stale_after_ms` greys its row. `moves`:
    newest first. `note`: what the bot waits for, shown while no position is open, see `waiting_words`.
    """

    mode: Mode
    feed: str
    strategy: str
    policy: str
    quote: str
    market_ts_ms: int
    speed: str
    data_age_ms: int
    stale_after_ms: int
    equity_quote: float
    free_quote: float
    margin_committed_quote: float
    day_pnl_quote: float
    is_entries_halted: bool
    halt_cause: str
    positions: tuple[BoardRow, ...]
    moves: tuple[MoveRow, ...]
    counters: Counters
    note: str


def worst_first(rows: Sequence[BoardRow]) -> tuple[BoardRow, ...]:
    """Return the positions by distance to liquidation, nearest first; those without one come last."""
    return tuple(sorted(rows, key=lambda row: (row.distance is None, row.distance or 0.0, row.symbol)))


def hour_moves(distance: float, sigma_day: float) -> float | None:
    """Return `distance` in typical 1-hour moves, distance / (sigma_day / sqrt(24)); None without sigma."""
    return distance * 24.0**0.5 / sigma_day if sigma_day > 0.0 else None


def next_action_words(
    side: int, mark: float, rungs: Sequence[Rung], price_decimals: int, add_left_quote: float | None
) -> str:
    """Return what happens next on either side of the mark, the danger side first, in plain words.

    `add_left_quote` is what may still be added to this position (None: not limited, not said; an add
    rung's amount is cut to it, and at 0 there is no add).
    Example: "adds 35.20 if mark falls to 61,240 (-1.4 %), 64.80 left; releases 12.00 at 64,100".
    Without an add rung the danger side is the stop, without a stop the liquidation.
    """
    drawable = (rung for rung in rungs if rung.price > 0.0 and math.isfinite(rung.price))
    reachable = sorted(drawable, key=lambda rung: abs(rung.price - mark))
    kinds = ("add", "stop", "liquidation") if add_left_quote is None or add_left_quote > 0.0 else _NOT_ADDED
    danger = _first_of(kinds, reachable)
    ahead = [rung for rung in reachable if side * (rung.price - mark) > 0.0]
    favourable = [rung for rung in ahead if rung.kind in ("release", "trail", "take_profit")]
    sentences: list[str] = []
    if danger is not None:
        sentences.append(_danger_words(danger, side, mark, price_decimals, add_left_quote))
    if favourable:
        sentences.append(_favourable_words(favourable[0], price_decimals))
    return "; ".join(sentences) or "no rung is set: nothing is due"


def stale_words(mark_age_ms: int) -> str:
    """Return what the bot does while the mark of a position is stale."""
    return f"holds: no fresh mark for {span(mark_age_ms)}; the stop rests on the venue"


def waiting_words(timeframe: str, closes_in_ms: int, symbols: Sequence[str], strategy: str) -> str:
    """Return what the bot waits for when it could enter: the next candle close and who looks at it."""
    pairs = ", ".join(pair(symbol) for symbol in symbols)
    return f"Next {timeframe} candle closes in {span(closes_in_ms)}; then {strategy} looks at {pairs}."


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
