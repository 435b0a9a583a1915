"""What a worker that runs hundreds of worlds keeps of them."""

import gc
import weakref

from tests.simulation.scenario import Case, played, run_in
from tests.simulation.world import World

CASE = Case(1, "binance", (), 15)


def test_a_world_that_has_ended_is_released_before_the_next_begins() -> None:
    """What is still there when the collector is told to look past it stays for ever: 2 MB a world."""
    ended: list[weakref.ref[World]] = []

    def play(world: World) -> dict[str, int]:
        assert [each for each in ended if each() is not None] == []
        ended.append(weakref.ref(world))
        return played(world, [])

    try:
        for _ in range(2):
            run_in(CASE, ("BTC/USDT:USDT",), CASE.seconds, play, None)
    finally:
        gc.unfreeze()
    assert len(ended) == 2
