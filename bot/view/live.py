"""From the engine's state to the picture of it: what the live view and the browser draw."""

from collections import deque

from bot.core.event import MarginMoved
from bot.core.margin import distance, liquidation_price, unrealised_pnl
from bot.core.probability import liquidation_probability
from bot.engine.alerts import alerts_of
from bot.engine.entries import portfolio
from bot.engine.state import Holding, Market
from bot.view.board import Board, BoardRow, Counters, MoveRow, hour_moves
from bot.view.figures import step_decimals
from bot.view.halt_words import board_words
from bot.view.next_action import alert_words, held_words, next_action_words, stale_words, waiting_words
from bot.view.place_words import market_speed, source_words
from bot.view.watched import Watched

MOVES_SHOWN = 8


class BoardMaker:
    """Keeps the last margin moves of a session and builds boards of its present state."""

    def __init__(self, application: Watched, recent: tuple[MarginMoved, ...], pages: str = "") -> None:
        """`pages`: where the same is shown to a browser, "" for nowhere."""
        self._application, self._pages = application, pages
        self.moves: deque[MarginMoved] = deque(recent, maxlen=MOVES_SHOWN)

    def board(self) -> Board:
        """Return the picture of this moment."""
        app, state = self._application, self._application.engine.state
        account = portfolio(app.engine.desk)
        marks = [market.mark_ms for market in state.markets.values() if market.mark_ms > 0]
        halts = board_words(state.halts)
        return Board(
            mode=app.settings.run.mode,
            feed=source_words(app.settings),
            strategy=app.strategy_name,
            policy=app.engine.desk.risk.policy,
            quote="USDT",
            market_ts_ms=state.now_ms,
            speed=market_speed(app.settings),
            data_age_ms=state.now_ms - min(marks) + self._silent_ms() if marks else 0,
            stale_after_ms=app.engine.desk.max_mark_age_ms,
            equity_quote=account.equity_quote,
            free_quote=account.free_quote,
            margin_committed_quote=account.equity_quote - account.free_quote,
            day_pnl_quote=account.day_pnl_quote,
            is_entries_halted=bool(halts),
            halt_cause=halts,
            positions=tuple(
                self.row(market, market.holding)
                for market in state.markets.values()
                if market.holding is not None
            ),
            moves=tuple(self._move(moved) for moved in reversed(self.moves)),
            counters=self._counters(),
            note=self._note(),
            pages=self._pages,
        )

    def row(self, market: Market, holding: Holding) -> BoardRow:
        """Return one open position as it is now."""
        position, now_ms = holding.position, self._application.engine.state.now_ms
        liquidation = liquidation_price(position, market.rules)
        is_reachable = 0.0 < liquidation < float("inf")
        away = distance(position.side, market.mark, liquidation)
        decimals = step_decimals(market.instrument.tick_size)
        age_ms = now_ms - market.mark_ms + self._silent_ms()
        left = max(holding.agreed_loss_quote - position.isolated_wallet, 0.0)
        words = next_action_words(position.side, market.mark, holding.rungs, decimals, left)
        words += held_words(holding.last_hold_reason)
        words = alert_words(alerts_of(market, holding)) + words
        is_stale = age_ms > self._application.engine.desk.max_mark_age_ms
        day = liquidation_probability(market.mark, liquidation, market.sigma_day, 1.0)
        return BoardRow(
            symbol=position.symbol,
            side=position.side,
            quantity=position.quantity,
            notional_quote=position.quantity * market.mark,
            leverage=position.leverage,
            mark=market.mark,
            mark_age_ms=age_ms,
            entry_price=position.entry_price,
            price_decimals=decimals,
            liquidation_price=liquidation if is_reachable else None,
            distance=away if is_reachable else None,
            hour_moves=hour_moves(away, market.sigma_day) if is_reachable else None,
            probability_24h=day if is_reachable and market.sigma_day > 0.0 else None,
            isolated_wallet_quote=position.isolated_wallet,
            margin_added_quote=holding.added_quote - holding.released_quote,
            unrealised_pnl_quote=unrealised_pnl(position, market.mark, market.rules),
            rungs=holding.rungs,
            next_action=stale_words(age_ms) if is_stale else words,
        )

    def _silent_ms(self) -> int:
        """Market time stands still while nothing is heard at all: what then passes is the wall's."""
        outage = self._application.session.outage
        return outage.silent_ms if outage is not None and outage.words else 0

    def _move(self, moved: MarginMoved) -> MoveRow:
        market = self._application.engine.state.markets[moved.symbol]
        return MoveRow(
            ts_ms=moved.ts_ms,
            symbol=moved.symbol,
            amount_quote=moved.amount_quote,
            reason=moved.reason,
            distance_before=moved.before.distance,
            distance_after=moved.after.distance,
            liquidation_before=moved.before.liquidation_price,
            liquidation_after=moved.after.liquidation_price,
            price_decimals=step_decimals(market.instrument.tick_size),
        )

    def _counters(self) -> Counters:
        tally = self._application.engine.state.tally
        return Counters(
            tally.trades,
            tally.liquidations,
            tally.margin_adds,
            tally.margin_releases,
            tally.margin_added,
            tally.margin_released,
        )

    def _note(self) -> str:
        app = self._application
        timeframe_ms = app.engine.desk.timeframe_ms
        closes_in_ms = timeframe_ms - app.engine.state.now_ms % timeframe_ms
        return waiting_words(
            app.timeframe_name, closes_in_ms, tuple(app.engine.state.markets), app.strategy_name
        )
