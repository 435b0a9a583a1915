"""Writes down what an exact backtest does, as the rows of its result; nothing is kept that no row needs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.backtest.result import (
    UNKNOWN,
    Account,
    Moves,
    Names,
    Shadows,
    Trades,
    table_of,
)
from bot.core.event import (
    EntriesHalted,
    EquityMarked,
    MarginMoved,
    Note,
    OrderFilled,
    PositionClosed,
    PositionOpened,
    TradeEvidence,
    VenueEvent,
)
from bot.core.position import Position
from bot.engine.state import Market

_HOUR_MS: Final = 3_600_000.0
_NAN: Final = math.nan
STILL_OPEN: Final = "open"


@dataclass(slots=True)
class OpenRow:
    """What is known of a position while it is open. `wallet_quote` is locked since `seen_ms`."""

    opened: PositionOpened
    position: Position
    seen_ms: int
    max_quantity: float
    max_wallet_quote: float
    margin_quote_ms: float = 0.0
    adds: int = 0
    releases: int = 0
    cuts: int = 0

    def accrue(self, ts_ms: int) -> None:
        """Let time pass: add up the margin locked since the last change of the wallet."""
        self.margin_quote_ms += self.position.isolated_wallet * max(ts_ms - self.seen_ms, 0)
        self.seen_ms = max(ts_ms, self.seen_ms)

    def follow(self, position: Position) -> None:
        """Take over what is held now."""
        self.max_quantity = max(self.max_quantity, position.quantity)
        self.max_wallet_quote = max(self.max_wallet_quote, position.isolated_wallet)
        self.position = position


class Recorder:
    """Hears every venue event and every note of one run, in their order."""

    def __init__(self, symbols: tuple[str, ...], distance: Callable[[], float]) -> None:
        """`distance` tells how near to its liquidation the nearest open position is, NaN while flat."""
        self._symbols = {symbol: index for index, symbol in enumerate(symbols)}
        self._distance = distance
        self.causes, self.reasons = Names(), Names()
        self.halts: list[EntriesHalted] = []
        self.open: dict[str, OpenRow] = {}
        self._trades: list[tuple[Any, ...]] = []
        self._moves: list[tuple[Any, ...]] = []
        self._account: list[tuple[Any, ...]] = []
        self._shadows: dict[int, TradeEvidence] = {}
        self._notes: dict[type, Callable[[Any], None]] = {
            PositionOpened: self._on_opened,
            PositionClosed: self._on_closed,
            MarginMoved: self._on_moved,
            EquityMarked: self._on_marked,
            TradeEvidence: self._on_evidence,
            EntriesHalted: self.halts.append,
        }

    def hear(self, event: VenueEvent) -> None:
        """Follow what an event did to an open position."""
        row = self.open.get(event.symbol)
        if row is None or not hasattr(event, "position"):
            return
        row.accrue(event.ts_ms)
        position: Position | None = getattr(event, "position", None)
        if position is not None:
            row.cuts += _is_cut(event, row.position)
            row.follow(position)

    def note(self, note: Note) -> None:
        """Write down a note, if a row is made of it."""
        handler = self._notes.get(type(note))
        if handler is not None:
            handler(note)

    def mark(self, ts_ms: int, wallet_quote: float, unrealised: float, committed: float) -> None:
        """Write down the account now."""
        self._account.append((ts_ms, wallet_quote, unrealised, committed, self._distance()))

    def trades(self) -> Trades:
        """Return the positions that ended."""
        return table_of(Trades, self._trades)

    def moves(self) -> Moves:
        """Return the margin moves."""
        return table_of(Moves, self._moves)

    def account(self) -> Account:
        """Return the account over time."""
        return table_of(Account, self._account)

    def shadows(self) -> Shadows:
        """Return the shadow of each position that ended."""
        return shadows_of([self._shadows.get(row[0]) for row in self._trades], self.causes.__getitem__)

    def still_open(self, ts_ms: int, markets: Mapping[str, Market]) -> Trades:
        """Return the positions that did not end, valued at the newest marks."""
        rows = []
        for symbol, row in self.open.items():
            market = markets[symbol]
            holding = market.holding
            if holding is None:
                continue
            row.accrue(ts_ms)
            held, mark = holding.position, market.mark
            pnl = holding.realised_pnl_quote + held.side * held.quantity * (mark - held.entry_price)
            earned = (pnl, holding.fees_quote, holding.funding_quote)
            moved = (holding.added_quote, holding.released_quote)
            rows.append(self._row(row, ts_ms, STILL_OPEN, mark, (*earned, *moved)))
        return table_of(Trades, rows)

    def _on_opened(self, note: PositionOpened) -> None:
        position = Position(
            note.symbol, note.side, note.quantity, note.entry_price, note.isolated_wallet, note.leverage
        )
        self.open[note.symbol] = OpenRow(note, position, note.ts_ms, note.quantity, note.isolated_wallet)

    def _on_closed(self, note: PositionClosed) -> None:
        row = self.open.pop(note.symbol)
        row.accrue(note.ts_ms)
        money = note[6:]
        self._trades.append(self._row(row, note.ts_ms, note.cause, note.exit_price, money))

    def _row(
        self, row: OpenRow, closed_ms: int, cause: str, exit_price: float, money: tuple[float, ...]
    ) -> tuple[Any, ...]:
        opened, pnl_to_funding, moved = row.opened, money[:3], money[3:]
        return (
            opened.position_id,
            self._symbols[opened.symbol],
            opened.side,
            opened.ts_ms,
            closed_ms,
            self.causes[cause],
            row.position.entry_price,
            exit_price,
            row.max_quantity,
            row.position.leverage,
            opened.stop_price,
            opened.agreed_loss_quote,
            opened.isolated_wallet,
            row.max_wallet_quote,
            *pnl_to_funding,
            *moved,
            row.adds,
            row.releases,
            row.cuts,
            row.margin_quote_ms / _HOUR_MS,
        )

    def _on_moved(self, note: MarginMoved) -> None:
        row, before, after = self.open[note.symbol], note.before, note.after
        row.adds += note.amount_quote > 0.0
        row.releases += note.amount_quote < 0.0
        self._moves.append(
            (
                note.ts_ms,
                self._symbols[note.symbol],
                note.position_id,
                self.reasons[note.reason],
                note.amount_quote,
                after.mark,
                before.isolated_wallet,
                after.isolated_wallet,
                before.margin_ratio,
                after.margin_ratio,
                before.liquidation_price,
                after.liquidation_price,
                before.distance,
                after.distance,
                _number(before.liquidation_probability),
                _number(after.liquidation_probability),
            )
        )

    def _on_marked(self, note: EquityMarked) -> None:
        self.mark(note.ts_ms, note.equity_quote, note.unrealised_pnl_quote, note.margin_committed_quote)

    def _on_evidence(self, note: TradeEvidence) -> None:
        self._shadows[note.position_id] = note


def shadows_of(evidence: Sequence[TradeEvidence | None], number_of: Callable[[str], int]) -> Shadows:
    """Return the shadow of each trade, None where it has not ended; `number_of`: of a cause."""
    return table_of(Shadows, [_shadow_row(known, number_of) for known in evidence])


def _shadow_row(known: TradeEvidence | None, number_of: Callable[[str], int]) -> tuple[Any, ...]:
    if known is None:
        return tuple(_unknown(name) for name in Shadows._fields)
    return (
        known.shadow_closed_ms,
        number_of(known.shadow_closed_by),
        int(known.shadow_liquidated),
        known.shadow_pnl_quote,
        known.shadow_margin_quote_hours,
        known.added_lost_quote,
        known.adds_without_reentry,
        known.released_redeployed_quote_hours,
        _number(known.least_distance),
        _number(known.least_distance_sigma_hours),
        known.near_miss_ms,
        known.stop_beyond_liquidation_ms,
        known.loss_beyond_stop_fraction,
        known.moves_refused,
        known.stale_holds,
    )


def _is_cut(event: VenueEvent, held: Position) -> bool:
    """Whether a fill made the position smaller by the bot's own order, and not a resting one."""
    if not isinstance(event, OrderFilled) or event.leg != "exit":
        return False
    return event.remaining_quantity <= 0.0 and event.quantity < held.quantity


def _unknown(name: str) -> float:
    return UNKNOWN if name in _WHOLE_SHADOWS else _NAN


def _number(value: float | None) -> float:
    return _NAN if value is None else value


_WHOLE_SHADOWS: Final = frozenset(
    {
        "closed_ms",
        "cause",
        "is_liquidated",
        "adds_without_reentry",
        "near_miss_ms",
        "stop_beyond_liquidation_ms",
        "moves_refused",
        "stale_holds",
    }
)
