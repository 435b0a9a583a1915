"""A short story of one position, as the commits that the engine would make of it."""

from bot.core.event import (
    ForecastResolved,
    FundingSettled,
    MarginAdjusted,
    MarginMoved,
    OrderAccepted,
    OrderFilled,
    PositionClosed,
    PositionOpened,
    PositionRisk,
    SignalSeen,
    TradeEvidence,
)
from bot.core.intent import AddMargin, Intent, OpenPosition, PlaceStop
from bot.core.position import Position
from bot.ports import Checkpoint, Commit, Resolution
from bot.store.database import Binding
from bot.store.journal import Run, SqliteJournal

BTC = "BTC/USDT:USDT"
BINDING = Binding("simulated", "paper", "default")
RUN = Run(1, "paper", 7, "abc", "{}", "0.1.0", "ema_cross", "stop_anchor", "synthetic")
DEPOSIT = 1000.0
BEFORE = PositionRisk(98.0, 10.0, 0.5, 91.0, 0.0714)
AFTER = PositionRisk(98.0, 12.5, 0.4, 88.5, 0.0969)


def held(isolated_wallet: float) -> Position:
    return Position(BTC, 1, 1.0, 100.0, isolated_wallet, 10.0, 10)


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint({"step": step}, {"cursor": step}, {"wallet": 1000.0 - step})


def add_margin(seq: int, ts_ms: int = 30) -> Intent:
    return Intent(seq, f"p{seq}M", ts_ms, AddMargin(BTC, 12.5), "touched_add", {"mark": 98.0})


def entry() -> list[Commit]:
    """Intents of an entry and its stop, then what the venue said to them. Fee 0.05, margin 10."""
    intents = (
        Intent(1, "p1E", 10, OpenPosition(BTC, 1, 1.0), "signal", {"strength": 0.5}),
        Intent(2, "p2S", 10, PlaceStop(BTC, 1, 95.0), "protect", {}),
    )
    fill = OrderFilled(10, BTC, "p1E", 501, "entry", 1, 100.0, 1.0, 0.0, 0.05, False, 0.0, held(10.0), 989.95)
    notes = (
        SignalSeen(10, BTC, "ema_cross", 1, True, 0.5, True, (), {}),
        PositionOpened(10, BTC, 1, 1, 1.0, 100.0, 10.0, 10.0, 95.0, 6.0),
    )
    done = (Resolution(1, "done", ""), Resolution(2, "done", ""))
    return [
        Commit(10, intents=intents, checkpoint=checkpoint(1)),
        Commit(10, (fill, OrderAccepted(10, BTC, "p2S", "stop")), (), done, notes, checkpoint(2)),
    ]


def funding_and_margin() -> list[Commit]:
    """Funding of -0.01 is paid, then 2.51 is added because the add rung was touched."""
    funding = FundingSettled(20, BTC, 0.0001, 100.0, -0.01, held(9.99), 989.95)
    adjusted = MarginAdjusted(30, BTC, "p3M", 2.51, held(12.5), 987.44)
    moved = MarginMoved(30, BTC, 1, "p3M", 2.51, "distance_band", "touched_add", BEFORE, AFTER)
    return [
        Commit(20, (funding,), checkpoint=checkpoint(3)),
        Commit(30, intents=(add_margin(3),), checkpoint=checkpoint(4)),
        Commit(30, (adjusted,), (), (Resolution(3, "done", ""),), (moved,), checkpoint(5)),
    ]


def stop_hit() -> list[Commit]:
    """The stop closes the position at 94.9: PnL -5.1, fee 0.05; everything returns to the wallet."""
    fill = OrderFilled(40, BTC, "p2S", 502, "stop", -1, 94.9, 1.0, 0.0, 0.05, False, -5.1, None, 994.79)
    closed = PositionClosed(40, BTC, 1, 1, "stop", 94.9, -5.1, 0.1, -0.01, 2.51, 0.0)
    return [Commit(40, (fill,), notes=(closed,), checkpoint=checkpoint(6))]


def whole_life() -> list[Commit]:
    return [*entry(), *funding_and_margin(), *stop_hit()]


def write(journal: SqliteJournal, commits: list[Commit]) -> None:
    for commit in commits:
        journal.commit(commit)


def evidence(position_id: int, symbol: str = BTC, closed_ms: int = 40) -> TradeEvidence:
    """Return the evidence of a position that was rescued: it lost 5.21, its shadow its wallet of 10."""
    return TradeEvidence(
        ts_ms=closed_ms + 5,
        symbol=symbol,
        position_id=position_id,
        side=1,
        policy="distance_band",
        opened_ms=10,
        closed_ms=closed_ms,
        closed_by="stop",
        pnl_quote=-5.21,
        liquidated=False,
        shadow_closed_ms=closed_ms + 5,
        shadow_closed_by="liquidation",
        shadow_pnl_quote=-10.05,
        shadow_liquidated=True,
        added_quote=2.51,
        added_lost_quote=0.0,
        adds_without_reentry=1,
        margin_quote_hours=0.1,
        shadow_margin_quote_hours=0.09,
        released_redeployed_quote_hours=0.0,
        least_distance=0.0714,
        least_distance_sigma_hours=None,
        near_miss_ms=3,
        stop_beyond_liquidation_ms=0,
        loss_beyond_stop_fraction=0.001,
        moves=1,
        moves_refused=0,
        stale_holds=2,
    )


def forecast(forecast_ms: int, symbol: str = BTC) -> ForecastResolved:
    """Return a forecast of 1 % that came true."""
    return ForecastResolved(forecast_ms + 7, symbol, 1, forecast_ms, 86_400_000, 0.01, 91.1, True)
