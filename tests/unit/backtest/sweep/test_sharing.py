"""What is laid out is picked up as it was, from pages that all processes hold together."""

import mmap
from pathlib import Path

import numpy as np
import pytest

from bot.backtest.plan import plan_of
from bot.backtest.sweep import trial
from bot.backtest.sweep.axes import axes_of
from bot.backtest.sweep.crew import Alone, crew_of
from bot.backtest.sweep.objectives import OBJECTIVES
from bot.backtest.sweep.search import Search
from bot.backtest.sweep.sharing import lay_out, picked_up
from bot.backtest.sweep.splits import walk_forward
from bot.backtest.sweep.sweep import sweep
from bot.backtest.sweep.trial import Base, ground_of
from bot.core.timerange import TimeRange
from tests.unit.backtest.sweep.small_market import SYMBOL, settings_in, write_market

PARAMS = ("fast=2:8:2", "slow=4:20:8")


@pytest.fixture
def base(tmp_path: Path) -> Base:
    write_market(tmp_path)
    settings = settings_in(tmp_path)
    return Base("shared", settings, axes_of(PARAMS, settings, plan_of(settings).strategy))


def range_of(base: Base) -> TimeRange:
    timerange = base.settings.feed.timerange
    assert timerange is not None
    return timerange


def is_mapped(array: np.ndarray) -> bool:
    """Whether an array lies in a file's pages."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return isinstance(array.base, memoryview) and isinstance(array.base.obj, mmap.mmap)


def test_what_is_picked_up_is_what_was_laid_out(tmp_path: Path) -> None:
    odd, wide = np.arange(7, dtype=np.uint8), np.linspace(0.0, 1.0, 24).reshape(2, 3, 4)
    laid = lay_out({"odd": odd, "wide": [wide, wide], "text": "kept"}, tmp_path)
    for _ in range(2):
        found = picked_up(laid)
        assert found["text"] == "kept"
        assert found["wide"][0] is found["wide"][1]
        for name, array in (("odd", odd), ("wide", wide)):
            mine = found[name] if name == "odd" else found[name][0]
            assert is_mapped(mine)
            assert mine.flags.aligned
            assert mine.flags.writeable  # as compiled code knows the array it was made for
            assert mine.tobytes() == array.tobytes()
            mine[...] = 0  # stays with whoever wrote it


def test_a_range_is_loaded_once_and_its_arrays_are_mapped(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = ground_of(base, tmp_path, range_of(base))
    assert ground is not None
    loaded = trial._loaded(base, range_of(base), base.engine)
    monkeypatch.setattr(trial, "plan_of", None)
    taken = trial._loaded(base._replace(token="mapped", grounds=(ground,)), range_of(base), base.engine)
    assert repr(taken.plan) == repr(loaded.plan)
    one, other = (each.stage.told(each.plan)[SYMBOL] for each in (loaded, taken))
    assert repr(one) == repr(other)
    assert is_mapped(other.candles.close)
    assert not is_mapped(one.candles.close)


def test_without_room_for_it_everybody_loads_for_himself(base: Base, tmp_path: Path) -> None:
    assert ground_of(base, tmp_path / "gone", range_of(base)) is None


class AloneInAFolder(Alone):
    """Works in this process, on what it laid out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def test_on_common_ground_the_same_is_found(base: Base, tmp_path: Path) -> None:
    search = Search("grid", base.axes, (OBJECTIVES["return"],), 5, 4)
    split = walk_forward(range_of(base), 1, 0)[0]
    folder = tmp_path / "ground"
    folder.mkdir()

    def found(token: str, crew: Alone) -> object:
        chosen = sweep(base._replace(token=token), search, split, 3, crew, None, lambda _done: None)
        return [(each.values, each.figures) for each in chosen.tried], chosen.judged

    assert found("laid out", AloneInAFolder(folder)) == found("loaded", Alone())
    assert len(list(folder.iterdir())) == 2  # what is chosen on, and what is judged on


def test_the_ground_goes_with_the_crew() -> None:
    with crew_of(2, "") as crew:
        folder = crew.folder
        assert folder is not None
        assert folder.exists()
    assert not folder.exists()
