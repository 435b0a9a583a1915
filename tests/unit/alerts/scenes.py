"""A position on a desk, and the words of journal and live view, for the tests of alerts."""

from typing import Any, Final

from bot.alerts.router import Over, Raised
from bot.alerts.texts import Setting
from bot.alerts.thresholds import distance_thresholds, loss_thresholds
from bot.alerts.watch import Levels, Watch
from bot.core.alert import Alert
from bot.risk.limits import BracketLimits, MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from tests.unit.engine.desk_builder import Bench

NARROW: Final = DistanceBandParams(low=0.9, high=1.1)
NO_TRAIL: Final = BracketLimits(trail_activate_r=0.0, first_take_profit_r=3.0, second_take_profit_r=6.0)
WALL_MS: Final = 1_763_884_800_000  # 08:00 UTC


PAPER: Final = Setting("paper", "USDT")


def held_bench(**margin: Any) -> Bench:
    """A long at 100 with liquidation 5.67 % below; adds are due below 99.35."""
    bench = Bench(policy="distance_band", params=NARROW, margin=MarginLimits(**margin), bracket=NO_TRAIL)
    bench.enter()
    bench.tick(100.0)
    return bench


def watch_of(bench: Bench, *, memory: Any = None, summary_minute: int | None = None) -> Watch:
    """A watch that tells distances of 5 and 3 %, four fifths of the budget, losses of 10 and 20 %."""
    levels = Levels(
        distance_thresholds((0.05, 0.03), 0.25),
        loss_thresholds((0.8,), 0.25),
        loss_thresholds((0.1, 0.2), 0.25),
        summary_minute,
    )
    return Watch(bench.engine.desk, levels, PAPER, memory or {})


def alerts(found: Any) -> list[Alert]:
    return [each.alert for each in found if isinstance(each, Raised)]


def overs(found: Any) -> list[Over]:
    return [each for each in found if isinstance(each, Over)]
