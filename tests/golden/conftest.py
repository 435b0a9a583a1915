"""Finds golden cases in JSON files and gives each to the test of its schema, by its own id.

Schemas: a list of reported positions, or {version, cases}. Without --golden-dir: the project's own
examples, and the shared golden folder where there is one.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest

_HERE = Path(__file__).parent
_EXAMPLES = _HERE / "examples"
_CHECKOUT = Path(__file__).parents[2]
_POSITION_FIELDS = {"entry_price", "liquidation_price", "contracts", "isolated_margin"}
_CASE_ID = "golden_case"


class Fields(NamedTuple):
    """One JSON object with checked access: a missing or wrong field fails with the case's id and its name."""

    owner: str
    values: dict[str, Any]

    def reject(self, name: str, wanted: str) -> NoReturn:
        found = repr(self.values[name]) if name in self.values else "missing"
        pytest.fail(f"{self.owner}: field {name!r} is {found}; it must be {wanted}", pytrace=False)

    def number(self, name: str) -> float:
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.reject(name, "a finite number")
        return float(value)

    def positive(self, name: str) -> float:
        value = self.number(name)
        return value if value > 0.0 else self.reject(name, "above 0")

    def not_negative(self, name: str) -> float:
        value = self.number(name)
        return value if value >= 0.0 else self.reject(name, "0 or above")

    def positive_or_null(self, name: str) -> float | None:
        is_null = name in self.values and self.values[name] is None
        return None if is_null else self.positive(name)

    def refuse_not_finite(self) -> None:
        """Fail for the first number, at any depth, that is NaN or infinite, also where nothing reads it."""
        for name, value in _numbers_below(self.values, ""):
            if not math.isfinite(value):
                pytest.fail(f"{self.owner}: field {name!r} is {value!r}; it must be finite", pytrace=False)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return value if isinstance(value, str) and value else self.reject(name, "a text")

    def boolean(self, name: str) -> bool:
        value = self.values.get(name)
        return value if isinstance(value, bool) else self.reject(name, "true or false")

    def side(self) -> int:
        name = self.text("side")
        return (
            {"long": 1, "short": -1}[name]
            if name in ("long", "short")
            else self.reject("side", "long or short")
        )

    def item(self, name: str) -> "Fields":
        value = self.values.get(name)
        return Fields(self.owner, value) if isinstance(value, dict) else self.reject(name, "an object")

    def items(self, name: str) -> "list[Fields]":
        value = self.values.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
            self.reject(name, "a list of objects")
        return [Fields(f"{self.owner}: {name}[{index}]", entry) for index, entry in enumerate(value)]

    def numbers(self, name: str) -> list[float]:
        value = self.values.get(name)
        if not isinstance(value, list) or not value:
            self.reject(name, "a list of numbers")
        return [
            Fields(f"{self.owner}: {name}", {str(i): entry}).number(str(i)) for i, entry in enumerate(value)
        ]


def _numbers_below(value: Any, name: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield name, value
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in below:
        yield from _numbers_below(inner, f"{name}.{key}" if name else str(key))


class GoldenCase(NamedTuple):
    """`schema`: "position" or "margin". `problem` is set when the case cannot even be read."""

    case_id: str
    schema: str
    fields: Fields
    tiers: dict[str, Any]
    problem: str


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, schema in (("position_case", "position"), ("margin_case", "margin")):
        if name in metafunc.fixturenames:
            found = [case for case in _all_cases(metafunc.config) if case.schema == schema]
            metafunc.parametrize(name, found, ids=[case.case_id for case in found], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop the placeholder that pytest makes for a schema of which there is no case.

    With --golden-dir also drop every test of the project itself: the directory is what is asked.
    """
    is_asked = config.getoption("--golden-dir") is not None
    items[:] = [item for item in items if _stays(item, is_asked)]


def _stays(item: pytest.Item, is_asked: bool) -> bool:
    if not item.path.is_relative_to(_HERE):
        return not is_asked
    fixtures = set(getattr(item, "fixturenames", ()))
    if {"position_case", "margin_case"} & fixtures:
        return _case_of(item) is not None
    return not is_asked or "golden_directories" in fixtures


@pytest.fixture
def position_case(request: pytest.FixtureRequest) -> GoldenCase:
    return _readable(request.param)


@pytest.fixture
def margin_case(request: pytest.FixtureRequest) -> GoldenCase:
    return _readable(request.param)


def _readable(case: GoldenCase) -> GoldenCase:
    if case.problem:
        pytest.fail(f"{case.case_id}: {case.problem}", pytrace=False)
    return case


def _case_of(item: pytest.Item) -> GoldenCase | None:
    values = getattr(getattr(item, "callspec", None), "params", {}).values()
    return next((value for value in values if isinstance(value, GoldenCase)), None)


@pytest.fixture
def golden_directories(request: pytest.FixtureRequest) -> dict[Path, int]:
    """The directories that are read, and how many cases each holds."""
    return {path: len(_cases_in(path)) for path in _directories(request.config)}


def _directories(config: pytest.Config) -> list[Path]:
    chosen = config.getoption("--golden-dir")
    if chosen is not None:
        return [Path(chosen)]
    shared = Path(os.environ.get("RINGFENCE_SHARED", _CHECKOUT.parent / "shared")) / "golden"
    return [_EXAMPLES, shared] if shared.is_dir() else [_EXAMPLES]


def _all_cases(config: pytest.Config) -> list[GoldenCase]:
    return [case for directory in _directories(config) for case in _cases_in(directory)]


def _cases_in(directory: Path) -> list[GoldenCase]:
    """Return the directory's cases; those that share an id all fail, as none could be told from another."""
    found: list[tuple[str, GoldenCase]] = []
    for path in sorted(directory.rglob("*.json")):
        name = path.relative_to(directory).as_posix()
        found += [(name, case) for case in _cases_of(name, path)]
    files: dict[str, list[str]] = {}
    for name, case in found:
        files.setdefault(case.case_id, []).append(name)
    return [_unique(case, files[case.case_id]) for _, case in found]


def _unique(case: GoldenCase, files: list[str]) -> GoldenCase:
    if len(files) == 1:
        return case
    return case._replace(problem=f"field 'id' stands {len(files)} times, in {', '.join(files)}")


def _cases_of(name: str, path: Path) -> Iterator[GoldenCase]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield _unreadable(name, "margin", f"the file is not readable JSON: {error}")
        return
    if isinstance(content, list) and any(_looks_like_position(row) for row in content):
        for index, row in enumerate(content):
            yield _case(f"{name}[{index}]", "position", row, {})
    if isinstance(content, dict) and "cases" in content:
        yield from _margin_cases(name, content)


def _margin_cases(name: str, content: dict[str, Any]) -> Iterator[GoldenCase]:
    cases, tiers = content["cases"], content.get("tiers", {})
    if not isinstance(cases, list):
        yield _unreadable(f"{name}: cases", "margin", "field 'cases' must be a list")
        return
    for index, row in enumerate(cases):
        yield _case(f"{name}: cases[{index}]", "margin", row, tiers if isinstance(tiers, dict) else {})


def _case(place: str, schema: str, row: Any, tiers: dict[str, Any]) -> GoldenCase:
    if not isinstance(row, dict):
        return _unreadable(place, schema, f"a case must be an object, not {row!r}")
    case_id = row.get("id")
    if not isinstance(case_id, str) or not case_id:
        return _unreadable(place, schema, f"field 'id' is {case_id!r}; it must be a text")
    return GoldenCase(case_id, schema, Fields(case_id, row), tiers, "")


def _unreadable(place: str, schema: str, problem: str) -> GoldenCase:
    return GoldenCase(place, schema, Fields(place, {}), {}, problem)


def _looks_like_position(row: Any) -> bool:
    return isinstance(row, dict) and bool(_POSITION_FIELDS & row.keys())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    case = _case_of(item)
    if case is not None:
        report.user_properties.append((_CASE_ID, case.case_id))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count the golden cases by outcome; with --golden-dir also name each."""
    outcomes = [
        ("failed" if kind == "error" else kind, case_id)
        for kind in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.stats.get(kind, [])
        for case_id in _case_ids(report)
    ]
    if not outcomes:
        return
    if config.getoption("--golden-dir") is not None:
        for kind, case_id in outcomes:
            terminalreporter.write_line(f"{kind:7} {case_id}")
    counts = Counter(kind for kind, _ in outcomes)
    told = ", ".join(f"{counts[kind]} {kind}" for kind in ("passed", "failed", "skipped"))
    terminalreporter.write_line(f"golden cases: {told}")


def _case_ids(report: Any) -> list[str]:
    properties = getattr(report, "user_properties", [])
    return [value for name, value in properties if name == _CASE_ID]
