"""After the venue has taken a position by force, nothing is entered there for a while."""

from collections.abc import Callable

import pytest

from bot.core.event import OrderFilled, PositionClosed, SignalSeen
from bot.engine.state import restore
from bot.risk.limits import EntryLimits
from tests.unit.engine.desk_builder import MINUTE_MS, A, B, Bench, kinds

HOUR_MS = 3_600_000


def liquidated(bench: Bench) -> None:
    bench.enter()
    for order in tuple(bench.venue._state.orders.of(A)):
        bench.venue._state.orders.remove(order)
    bench.tick(80.0)
    bench.tick(100.0)


def deleveraged(bench: Bench) -> None:
    bench.enter()
    quantity = bench.holding().position.quantity
    taken = OrderFilled(
        bench.ts_ms, A, "adl_autoclose", 77, "exit", -1, 100.0, quantity, 0.0, 0.0, False, 0.0, None, 9_990.0
    )
    bench.hear(taken)
    bench.venue._state.positions.pop(A)


@pytest.mark.parametrize(
    ("force", "cause"), [(liquidated, "liquidation"), (deleveraged, "deleveraged")], ids=["liq", "adl"]
)
def test_nothing_is_entered_for_an_hour_where_the_venue_took_a_position(
    force: Callable[[Bench], None], cause: str
) -> None:
    bench, heir = Bench(), Bench()
    force(bench)
    assert [note.cause for note in bench.told(PositionClosed)] == [cause]
    began_ms = bench.ts_ms
    assert kinds(bench.enter()) == []
    assert "no entry until" in bench.told(SignalSeen)[-1].checks[0]
    assert "OpenPosition" in kinds(bench.enter(symbol=B))
    restore(heir.engine.state, bench.engine.snapshot())
    assert heir.market().cool_until_ms == bench.market().cool_until_ms
    bench.ts_ms = began_ms + HOUR_MS + MINUTE_MS
    assert "OpenPosition" in kinds(bench.enter())


def test_a_cool_down_of_zero_is_none() -> None:
    bench = Bench(entry=EntryLimits(forced_cooldown_ms=0))
    liquidated(bench)
    assert "OpenPosition" in kinds(bench.enter())


@pytest.mark.parametrize(
    "name", ["autoclose-1", "liquidation-1", "BustTrade-1", "CreateByLiquidate-1", "adl-1"]
)
def test_a_part_that_the_venue_took_begins_a_cool_down_as_well(name: str) -> None:
    bench = Bench()
    bench.enter()
    held = bench.holding().position
    left = held._replace(quantity=0.5 * held.quantity)
    fill = OrderFilled(
        bench.ts_ms, A, name, 77, "exit", -1, 100.0, left.quantity, 0.0, 0.0, False, 0.0, left, 9_990.0
    )
    bench.hear(fill)
    assert bench.market().cool_until_ms == bench.ts_ms + HOUR_MS
