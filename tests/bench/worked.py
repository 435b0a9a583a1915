"""One worked position for the benches of single calls: 0.1 BTC at 60,000 with a stop 2 % away."""

from bot.core.instrument import margin_rules
from bot.core.margin import liquidation_distance
from bot.core.position import Position
from bot.core.profile import BINANCE_USDM, MarginRules
from bot.risk.view import MarginBook, MarginView
from bot.sim.embedded import instrument_for

SYMBOL = "BTC/USDT:USDT"
NOW_MS = 1_738_549_245_000
_ENTRY = 60_000.0


def rules() -> MarginRules:
    """Return the embedded BTC market with all its tiers."""
    return margin_rules(instrument_for(SYMBOL), BINANCE_USDM)


def position(side: int) -> Position:
    return Position(SYMBOL, side, 0.1, _ENTRY, 220.0, 20.0, NOW_MS)


def view() -> MarginView:
    """Return a long within the bands of every policy, its stop resting."""
    held, market_rules = position(1), rules()
    entry_distance = liquidation_distance(held, _ENTRY, market_rules)
    return MarginView(NOW_MS, 60_100.0, 0, held, market_rules, 0.98 * _ENTRY, 0.03, 0.0001, entry_distance)


def book() -> MarginBook:
    return MarginBook(220.0, 0.0, 0.0, 0, 0, 0, 660.0, 9_000.0, 9_220.0, 0.01)
