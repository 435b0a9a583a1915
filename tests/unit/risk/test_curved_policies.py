"""Rungs of policies whose band bends with the mark, as policies to come may do."""

import math

import pytest

from bot.core.margin import distance
from bot.risk.band import Band
from bot.risk.triggers import NONE, margin_rungs
from bot.risk.view import MarginView
from tests.property.risk.worlds import view_of


def growing(view: MarginView, steepness: float) -> Band:
    """A band that widens as the mark falls, faster than any line."""
    wanted = 0.05 * math.exp(steepness * (1.0 - view.mark / 60_000.0))
    return Band(0.8 * wanted, wanted, 1.5 * wanted)


def stepped(view: MarginView, threshold: float) -> Band:
    """A band that jumps at a mark, so that no slope points at the crossing."""
    wanted = 0.05 if view.mark > threshold else 0.5
    return Band(0.8 * wanted, wanted, 1.0)


def proportional(view: MarginView, excess: float) -> Band:
    """A band that stays a constant price short of the distance: it is never crossed."""
    away = distance(1, view.mark, 54_216.86746987952)
    return Band(away - excess / view.mark, away, away + excess / view.mark)


@pytest.mark.parametrize("steepness", [0.5, 3.0, 10.0, 30.0])
def test_a_curved_band_is_met_exactly(steepness: float) -> None:
    rungs = margin_rungs(view_of(), growing, steepness, 0)
    for mark, field in ((rungs.add.mark, "low"), (rungs.release.mark, "high")):
        wanted = getattr(growing(view_of(mark=mark), steepness), field)
        assert distance(1, mark, rungs.liquidation) == pytest.approx(wanted, rel=1e-9)


def test_a_jump_of_the_band_is_found_by_bisection() -> None:
    rungs = margin_rungs(view_of(), stepped, 58_500.0, 0)
    assert rungs.add.mark == pytest.approx(58_500.0, rel=1e-9)
    assert rungs.add.quiet_low == rungs.add.mark
    assert rungs.release.mark == NONE


@pytest.mark.parametrize(("excess", "quiet"), [(10.0, (0.0, math.inf)), (-10.0, (math.inf, 0.0))])
def test_a_band_that_never_crosses_is_due_nowhere_or_everywhere(
    excess: float, quiet: tuple[float, float]
) -> None:
    rungs = margin_rungs(view_of(mark=58_000.0), proportional, excess, 0)
    assert (rungs.release.quiet_low, rungs.release.quiet_high) == quiet
