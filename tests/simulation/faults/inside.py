"""F69 and F70: a strategy that misbehaves."""

from typing import TYPE_CHECKING

from tests.simulation.faults.acts import dice

if TYPE_CHECKING:
    from tests.simulation.world import World


def strange_values(world: "World") -> None:
    """F69, before the world is built: values that are none."""
    world.settings["strategy.params.every_minute.mischief"] = dice(world).randint(1, 3)


def strategy_raises(world: "World") -> None:
    """F70, before the world is built: exceptions at some candles."""
    world.settings["strategy.params.every_minute.mischief"] = 4
