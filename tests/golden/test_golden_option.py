"""What --golden-dir promises: every case by its id, malformed rows by id and field, no empty pass."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_GOLDEN = Path(__file__).parent
_ROOT = _GOLDEN.parents[1]
_POSITION = json.loads((_GOLDEN / "examples" / "positions.json").read_text(encoding="utf-8"))[0]
_MARGIN = json.loads((_GOLDEN / "examples" / "margin_cases.json").read_text(encoding="utf-8"))


def _golden_run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    chosen = arguments or (str(_GOLDEN), "--golden-dir", str(directory))
    command = [sys.executable, "-m", "pytest", *chosen]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    return subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def _changed(row: dict[str, Any], case_id: str, **fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(row), "id": case_id, **fields}


@pytest.mark.parametrize("is_there", [True, False])
def test_a_directory_without_a_case_fails(tmp_path: Path, is_there: bool) -> None:
    directory = tmp_path / "golden"
    if is_there:
        _write(directory / "other.json", {"schema": "of something else"})
    result = _golden_run(directory)
    assert result.returncode == 1
    assert "no golden case" in result.stdout


def test_malformed_rows_fail_alone_with_their_id_and_field(tmp_path: Path) -> None:
    without_leverage = _changed(_POSITION, "no-leverage")
    del without_leverage["leverage"]
    rows = [
        _changed(_POSITION, "sound"),
        without_leverage,
        _changed(_POSITION, "text-entry", entry_price="high"),
        _changed(_POSITION, "not-a-number", isolated_margin=float("nan")),
        _changed(_POSITION, "unknown-venue", exchange="nowhere"),
        _changed(_POSITION, "sideways", side="up"),
        _changed(_POSITION, "rate-above-one", mm_rate=1.5),
        _changed(_POSITION, "wrong-price", liquidation_price=72289.3),
        "not a row",
        _changed(_POSITION, ""),
    ]
    _write(tmp_path / "deep" / "positions.json", rows)
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    case = _MARGIN["cases"][0]
    student = next(row for row in _MARGIN["cases"] if row["kind"] == "first_passage_student")
    cases = [
        _changed(case, "unknown-kind", kind="position_snapshots"),
        _changed(case, "no-tiers", inputs={**case["inputs"], "tiers": "NOWHERE"}),
        _changed(case, "more-expected", expected={**case["expected"], "colour": 1.0}),
        _changed(case, "null-expected", expected={**case["expected"], "equity": None}),
        _changed(student, "other-law", inputs={**student["inputs"], "dof": 5.0}),
    ]
    _write(tmp_path / "cases.json", {**_MARGIN, "cases": cases})
    result = _golden_run(tmp_path)
    assert result.returncode == 1
    assert "passed  sound" in result.stdout
    assert "skipped other-law" in result.stdout
    assert "golden cases: 1 passed, 14 failed, 1 skipped" in result.stdout
    for case_id, field in (
        ("no-leverage", "'leverage' is missing"),
        ("text-entry", "'entry_price' is 'high'"),
        ("not-a-number", "'isolated_margin' is nan"),
        ("unknown-venue", "'exchange' is 'nowhere'"),
        ("sideways", "'side' is 'up'"),
        ("rate-above-one", "'mm_rate' is 1.5"),
        ("deep/positions.json[9]", "field 'id' is ''"),
        ("deep/positions.json[8]", "a case must be an object"),
        ("broken.json", "not readable JSON"),
        ("unknown-kind", "'kind' is 'position_snapshots'"),
        ("no-tiers", "'tiers' is 'NOWHERE'"),
        ("more-expected", "'colour' is 1.0"),
        ("null-expected", "equity: the expected value None"),
    ):
        assert any(case_id in line and field in line for line in result.stdout.splitlines()), (case_id, field)
    assert "wrong-price: liquidation_price 72289.15662650602, the venue reported 72289.3" in result.stdout


def test_a_number_that_no_formula_uses_must_still_be_one(tmp_path: Path) -> None:
    without_mark = _changed(_POSITION, "without-mark")
    del without_mark["mark_price"]
    rows = [
        _changed(_POSITION, "null-mark", mark_price=None),
        _changed(_POSITION, "nan-mark", mark_price=float("nan")),
        _changed(_POSITION, "infinite-mark", mark_price=float("inf")),
        _changed(_POSITION, "text-mark", mark_price="high"),
        _changed(_POSITION, "nan-maintenance", maintenance_margin=float("nan")),
        _changed(_POSITION, "nan-bankruptcy", bankruptcy_price=float("nan")),
        _changed(_POSITION, "nan-check", check={"rel_error_rounded": float("nan")}),
        without_mark,
    ]
    _write(tmp_path / "positions.json", rows)
    result = _golden_run(tmp_path)
    assert "passed  null-mark" in result.stdout
    assert "golden cases: 1 passed, 7 failed, 0 skipped" in result.stdout
    for case_id, field in (
        ("nan-mark", "'mark_price' is nan"),
        ("infinite-mark", "'mark_price' is inf"),
        ("text-mark", "'mark_price' is 'high'"),
        ("nan-maintenance", "'maintenance_margin' is nan"),
        ("nan-bankruptcy", "'bankruptcy_price' is nan"),
        ("nan-check", "'check.rel_error_rounded' is nan"),
        ("without-mark", "'mark_price' is missing"),
    ):
        assert any(case_id in line and field in line for line in result.stdout.splitlines()), (case_id, field)


def test_cases_that_share_an_id_fail_with_the_files_they_stand_in(tmp_path: Path) -> None:
    _write(tmp_path / "a.json", [_changed(_POSITION, "twice"), _changed(_POSITION, "once")])
    _write(tmp_path / "b.json", [_changed(_POSITION, "twice")])
    result = _golden_run(tmp_path)
    assert result.returncode == 1
    assert "golden cases: 1 passed, 2 failed, 0 skipped" in result.stdout
    assert "twice: field 'id' stands 2 times, in a.json, b.json" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("tests/golden", "--golden-dir", "{}"),
        ("--golden-dir", "{}", "tests/golden"),
        ("--golden-dir={}", "tests/golden"),
        ("--golden-dir={}",),
    ],
)
def test_the_option_may_stand_anywhere(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    _write(tmp_path / "positions.json", [_changed(_POSITION, "sound")])
    result = _golden_run(tmp_path, *(text.format(tmp_path) for text in arguments))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "passed  sound" in result.stdout
    assert "golden cases: 1 passed, 0 failed, 0 skipped" in result.stdout
