"""How near a held position comes to its liquidation while its candles pass: looked at as the engine looks.

The engine measures it at every close, and at the marks beyond the nearest one so far. So do these looks, by
the engine's own functions; bars whose marks the evidence does not wait for are passed over.
"""

from collections.abc import Sequence

from bot.backtest.lanes import Lane
from bot.core.event import MarkPrice
from bot.engine import shadows
from bot.engine.desk import Desk
from bot.engine.state import Market
from bot.sim.replay import ReplayMarket


class Nearing:
    """Shows the evidence of held markets the marks that it would want to see."""

    def __init__(self, desk: Desk, market: ReplayMarket, lanes: Sequence[Lane], stops: Sequence[int]) -> None:
        """`stops`: the bars between which candles pass, the end of the range included."""
        self._desk, self._market, self._stops = desk, market, stops
        self._lanes = {lane.symbol: lane for lane in lanes}

    def follow(self, market: Market, stop: int) -> None:
        """Look at the close of a stop, where time stands, and at the marks of the bars up to the next one."""
        now_ms = self._desk.state.now_ms
        shadows.look(self._desk, market)
        evidence = market.evidence
        lane, until = self._lanes[market.instrument.symbol], self._stops[stop + 1]
        bar = lane.marks_stay(self._stops[stop], until, evidence.watch_low, evidence.watch_high)
        while bar < until:
            for tick in self._ticks(market, bar):
                if not evidence.watch_low < tick.mark < evidence.watch_high:
                    self._look(market, tick)
            bar = lane.marks_stay(bar + 1, until, evidence.watch_low, evidence.watch_high)
        self._desk.state.now_ms = now_ms

    def _look(self, market: Market, tick: MarkPrice) -> None:
        market.mark, market.last, market.mark_ms = tick.mark, tick.last, tick.ts_ms
        self._desk.state.now_ms = tick.ts_ms
        shadows.look(self._desk, market)

    def _ticks(self, market: Market, bar: int) -> list[MarkPrice]:
        symbol, markets = market.instrument.symbol, self._desk.state.markets
        held = (markets[lane].holding for lane in self._lanes)
        sides = tuple(0 if each is None else each.position.side for each in held)
        ticks = self._market.prices(bar, sides)
        return [tick for tick in ticks if type(tick) is MarkPrice and tick.symbol == symbol]
