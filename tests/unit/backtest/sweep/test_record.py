"""A record survives a kill at any byte, and is nobody else's."""

import json
import math
from pathlib import Path

import pytest

from bot.backtest.sweep.record import Record
from bot.backtest.sweep.search import Tried
from bot.errors import UserError

PRINT = {"sampler": "tpe", "seed": 1}
ROWS = [
    Tried(
        number,
        (number, 0.5),
        {"sharpe": math.nan if number == 3 else 1.5},
        "no" if number == 2 else "",
        {"a": "b"},
    )
    for number in range(6)
]


def same(one: list[Tried], other: list[Tried]) -> bool:
    return repr(one) == repr(other)


def test_whole_batches_come_back_whatever_was_half_written(tmp_path: Path) -> None:
    path = tmp_path / "below" / "sweep.jsonl"
    record = Record(path, PRINT, 2)
    assert record.read() == []
    for first in (0, 2, 4):
        record.append(ROWS[first : first + 2])
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    assert same(record.read(), ROWS)
    for size in range(head, len(whole)):
        path.write_bytes(whole[:size])
        kept = record.read()
        assert same(kept, ROWS[: len(kept)])
        assert len(kept) % 2 == 0
        record.append(ROWS[len(kept) :])
        assert same(record.read(), ROWS)


def test_another_sweeps_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    Record(path, PRINT, 2).append(ROWS[:2])
    with pytest.raises(UserError, match="another sweep: seed differs"):
        Record(path, {**PRINT, "seed": 2}, 2).read()
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(lines[0]), "form": 9}), *lines[1:], ""]))
    with pytest.raises(UserError, match="written by another version"):
        Record(path, PRINT, 2).read()
    path.write_text("what?\n")
    with pytest.raises(UserError, match="is no record of a sweep"):
        Record(path, PRINT, 2).read()


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    record = Record(path, PRINT, 1)
    record.append(ROWS[:1])
    record.append(ROWS[1:2])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:5], lines[2], ""]))
    with pytest.raises(UserError, match="line 2, is damaged"):
        record.read()
