"""Of which kind an alert is, by the cause that the journal names, and which causes end by themselves."""

from types import MappingProxyType
from typing import Final

from bot.core.alert import Kind
from bot.engine import alerts, deleverage, foreign, halts, ours, outage, proof, storage, tripwires

# What stands in the engine's state while it lasts: raised once, gone when it is no longer there.
OF_A_MARKET: Final = frozenset(
    {
        alerts.ADD_FORBIDDEN,
        alerts.ADD_REFUSED,
        alerts.AUTO_ADD,
        alerts.BAD_CANDLE,
        alerts.BAD_PRICE,
        alerts.CUT_REFUSED,
        alerts.LEVERAGE_ABOVE_TIER,
        alerts.LIQUIDATION_MOVED,
        alerts.PAST_LIQUIDATION,
        alerts.STALE,
        alerts.STOP_MISSING,
        alerts.STRATEGY_FAILED,
        alerts.UNUSABLE,
    }
)
OF_THE_SESSION: Final = frozenset(
    {outage.FEED_SILENT, proof.STOP_UNREAD, storage.DISK_LOW, storage.DATABASE_DAMAGED}
)

_KINDS: Final[dict[str, Kind]] = {
    alerts.ADD_FORBIDDEN: "add_refused",
    alerts.ADD_REFUSED: "add_refused",
    alerts.CUT_REFUSED: "add_refused",
    deleverage.DERISK_CUT: "add_refused",
    deleverage.DERISK_CLOSE: "add_refused",
    deleverage.DERISK_ADD: "add_refused",
    deleverage.VOLATILITY_CUT: "add_refused",
    alerts.PAST_LIQUIDATION: "liquidation_distance",
    alerts.STOP_MISSING: "stop",
    proof.STOP_UNREAD: "stop",
    alerts.AUTO_ADD: "venue",
    alerts.LIQUIDATION_MOVED: "venue",
    alerts.LEVERAGE_ABOVE_TIER: "venue",
    tripwires.CLOCK_SKEW: "venue",
    tripwires.LIQUIDATION_PRICE: "venue",
    tripwires.REPEATED_REJECTION: "venue",
    foreign.FOREIGN_POSITION: "venue",
    foreign.ADOPTED: "venue",
    ours.OWN_POSITION: "venue",
    ours.ANOTHER_BOT: "venue",
    alerts.STALE: "feed",
    alerts.BAD_PRICE: "feed",
    alerts.BAD_CANDLE: "feed",
    alerts.UNUSABLE: "feed",
    outage.FEED_SILENT: "feed",
    outage.LASTING: "feed",
    tripwires.STALE_DATA: "feed",
    tripwires.DAILY_LOSS: "drawdown",
    tripwires.DRAWDOWN: "drawdown",
    alerts.STRATEGY_FAILED: "strategy",
    halts.STRATEGY_HUNG: "strategy",
    halts.RESUMED: "halt",
}
KINDS: Final = MappingProxyType(_KINDS)
