"""From the engine's state to the risk board of a browser."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from bot.core.event import MarginMoved
from bot.core.halt import Halt
from bot.core.margin import equity, margin_ratio
from bot.engine.alerts import alerts_of
from bot.engine.state import Holding, Market
from bot.view.board import BoardRow
from bot.view.halt_words import board_words
from bot.view.level import level_of
from bot.view.live import BoardMaker
from bot.view.risk_board import (
    Funding,
    Guard,
    HaltCause,
    Move,
    PastMove,
    Reserve,
    RiskBoard,
    RiskPosition,
    SideName,
    Stop,
    Worst,
)
from bot.view.risk_rungs import ladder_rungs, next_action
from bot.view.watched import Watched

MOVES_KEPT: Final = 500
MOVES_ON_THE_BOARD: Final = 30


class RiskBoardMaker:
    """Builds risk boards of a session's present state.

    Whoever holds it keeps `moves`, the last margin moves, oldest first, and `alerts_open`, how many alerts
    are neither over nor acknowledged.
    """

    def __init__(self, watched: Watched, now_ms: Callable[[], int], lag_ms: Callable[[], float]) -> None:
        """`now_ms`: wall time; `lag_ms`: how late the event loop runs."""
        self._watched, self._now_ms, self._lag_ms = watched, now_ms, lag_ms
        self._base = BoardMaker(watched, ())
        self.moves: deque[MarginMoved] = deque(maxlen=MOVES_KEPT)
        self.alerts_open = 0

    def board(self) -> RiskBoard:
        """Return the picture of this moment."""
        base, state, wall_ms = self._base.board(), self._watched.engine.state, self._now_ms()
        positions = self.positions()
        recent = list(self.moves)[-MOVES_ON_THE_BOARD:]
        return RiskBoard(
            as_of_ms=wall_ms,
            mode=base.mode,
            feed=base.feed,
            strategy=base.strategy,
            policy=base.policy,
            quote=base.quote,
            market_ts_ms=base.market_ts_ms,
            wall_ts_ms=wall_ms,
            speed=base.speed,
            data_age_ms=base.data_age_ms,
            stale_after_ms=base.stale_after_ms,
            loop_lag_ms=round(self._lag_ms(), 1),
            equity_quote=base.equity_quote,
            free_quote=base.free_quote,
            reserve=self._reserve(),
            margin_committed_quote=base.margin_committed_quote,
            day_pnl_quote=base.day_pnl_quote,
            guard=guard(state.halts, state.halt_level()),
            worst=_worst(positions),
            positions=positions,
            moves=tuple(move(moved) for moved in reversed(recent)),
            counters=base.counters,
            note=base.note,
            alerts_open=self.alerts_open,
        )

    def positions(self) -> tuple[RiskPosition, ...]:
        """Return the open positions, nearest to liquidation first, those without such a price last."""
        markets = self._watched.engine.state.markets.values()
        held = [self.position(each, each.holding) for each in markets if each.holding is not None]
        return tuple(sorted(held, key=lambda row: (row.distance is None, row.distance or 0.0, row.symbol)))

    def position(self, market: Market, holding: Holding) -> RiskPosition:
        """Return one open position as it is now."""
        row, desk = self._base.row(market, holding), self._watched.engine.desk
        left = max(holding.agreed_loss_quote - holding.position.isolated_wallet, 0.0)
        ratio = float(margin_ratio(holding.position, market.mark, market.rules))
        return RiskPosition(
            symbol=row.symbol,
            side=side_word(row.side),
            quantity=row.quantity,
            notional_quote=row.notional_quote,
            leverage=row.leverage,
            policy=desk.risk.policy,
            mark=row.mark,
            mark_age_ms=row.mark_age_ms,
            is_stale=row.mark_age_ms > desk.max_mark_age_ms,
            level=level_of(row),
            entry_price=row.entry_price,
            price_decimals=row.price_decimals,
            liquidation_price=row.liquidation_price,
            distance=row.distance,
            hour_moves=row.hour_moves,
            probability_24h=row.probability_24h,
            margin_ratio=ratio if math.isfinite(ratio) else None,
            isolated_wallet_quote=row.isolated_wallet_quote,
            margin_added_quote=row.margin_added_quote,
            equity_quote=float(equity(holding.position, market.mark, market.rules)),
            unrealised_pnl_quote=row.unrealised_pnl_quote,
            funding=self._funding(market, row),
            stop=self._stop(market, holding),
            rungs=ladder_rungs(market, holding, left),
            past_moves=self._past_moves(row.symbol, holding),
            next_action=next_action(row.next_action, market, holding, left, desk.risk.margin_limits.max_adds),
            alerts=alerts_of(market, holding),
            opened_ms=holding.opened_ms,
        )

    def moves_of(self, symbol: str) -> tuple[Move, ...]:
        """Return the last margin moves of a symbol, newest first."""
        return tuple(move(moved) for moved in reversed(self.moves) if moved.symbol == symbol)

    def _reserve(self) -> Reserve:
        desk = self._watched.engine.desk
        equity_quote = desk.state.equity_quote()
        kept = desk.risk.reserve_quote(equity_quote)
        return Reserve(max(desk.state.free_quote - kept, 0.0), max(equity_quote - kept, 0.0))

    def _funding(self, market: Market, row: BoardRow) -> Funding | None:
        every_ms = market.instrument.funding_interval_ms
        if not every_ms:
            return None
        now_ms = self._watched.engine.state.now_ms
        due = row.side * row.notional_quote * market.funding_rate
        return Funding(due, market.funding_rate, now_ms - now_ms % every_ms + every_ms)

    def _stop(self, market: Market, holding: Holding) -> Stop | None:
        if holding.stop is None:
            return None
        shown = self._watched.edges.covered_ms  # None: the venue lives in this process
        confirmed = market.mark_ms if shown is None else shown(market.instrument.symbol) or None
        return Stop(holding.stop.trigger_price, confirmed)

    def _past_moves(self, symbol: str, holding: Holding) -> tuple[PastMove, ...]:
        return tuple(
            PastMove(moved.before.mark, moved.amount_quote, moved.ts_ms)
            for moved in self.moves
            if moved.symbol == symbol and moved.position_id == holding.position_id
        )


def move(moved: MarginMoved) -> Move:
    """Return a margin move as screens show it."""
    return Move(
        ts_ms=moved.ts_ms,
        symbol=moved.symbol,
        amount_quote=moved.amount_quote,
        reason=moved.reason,
        reason_text=moved.reason.replace("_", " "),
        distance_before=_finite(moved.before.distance),
        distance_after=_finite(moved.after.distance),
        liquidation_before=_finite(moved.before.liquidation_price),
        liquidation_after=_finite(moved.after.liquidation_price),
        mark=moved.before.mark,
        policy=moved.policy,
    )


def guard(halts: dict[str, Halt], level: str) -> Guard:
    """Return whether the bot acts, and every cause for which it does not."""
    causes = tuple(
        HaltCause(cause, halt.level, halt.message, halt.since_ms, halt.is_latched)
        for cause, halt in halts.items()
    )
    return Guard("halted" if causes else "armed", level, causes, board_words(halts))


def side_word(side: int) -> SideName:
    """Return "long" for +1 and "short" for -1."""
    return "long" if side > 0 else "short"


def _worst(positions: Iterable[RiskPosition]) -> Worst | None:
    for each in positions:
        return None if each.distance is None else Worst(each.symbol, each.side, each.distance)
    return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
