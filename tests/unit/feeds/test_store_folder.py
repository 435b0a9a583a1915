"""A store keeps venues apart, says whose prices it holds, and refuses what a newer version wrote."""

import json
from pathlib import Path

import pytest

from bot.backtest.history import load_history
from bot.backtest.store_folder import FORM, NOTE, folder_to_fill, folder_to_read
from bot.errors import UserError
from tests.unit.feeds.recorded import MINUTE_MS, RANGE, candle_frame

BTC = "BTC/USDT:USDT"


def test_each_venue_has_a_folder_and_a_note(tmp_path: Path) -> None:
    folder = folder_to_fill(tmp_path / "candles", "okx", holds_files=False)
    assert folder == tmp_path / "candles" / "okx"
    assert json.loads((folder / NOTE).read_text()) == {"form": FORM, "venue": "okx"}
    assert folder_to_fill(tmp_path / "candles", "okx", holds_files=False) == folder
    assert folder_to_fill(folder, "okx", holds_files=True) == folder


def test_the_only_venue_of_a_store_is_meant_and_of_two_one_must_be_named(tmp_path: Path) -> None:
    folder = folder_to_fill(tmp_path, "okx", holds_files=False)
    candle_frame().write_parquet(folder / "BTCUSDT_1m.parquet")
    history = load_history(tmp_path, [BTC], RANGE, MINUTE_MS)
    assert history.series[0].candles.close.size
    folder_to_fill(tmp_path, "bybit", holds_files=False)
    with pytest.raises(UserError, match=r"several exchanges.*bybit, .*okx"):
        load_history(tmp_path, [BTC], RANGE, MINUTE_MS)
    assert load_history(folder, [BTC], RANGE, MINUTE_MS).played == history.played


def test_a_folder_from_elsewhere_is_read_and_filled_as_it_is(tmp_path: Path) -> None:
    assert folder_to_read(tmp_path, holds_files=True) == tmp_path
    assert folder_to_read(tmp_path, holds_files=False) == tmp_path
    assert folder_to_fill(tmp_path, "bybit", holds_files=True) == tmp_path
    with pytest.raises(UserError, match="holds the prices of bybit, not of okx"):
        folder_to_fill(tmp_path, "okx", holds_files=True)


@pytest.mark.parametrize("said", [{"form": FORM + 1, "venue": "okx"}, {"venue": "okx"}, [], "x"])
def test_a_note_of_a_newer_version_or_none_is_refused(tmp_path: Path, said: object) -> None:
    folder = folder_to_fill(tmp_path, "okx", holds_files=False)
    (folder / NOTE).write_text(json.dumps(said))
    words = "written by a newer version" if said == {"form": FORM + 1, "venue": "okx"} else "is not the note"
    for read in (tmp_path, folder):
        with pytest.raises(UserError, match=words):
            folder_to_read(read, holds_files=False)
    with pytest.raises(UserError, match=words):
        folder_to_fill(tmp_path, "okx", holds_files=False)
