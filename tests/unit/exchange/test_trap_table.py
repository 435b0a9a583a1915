"""The table of traps is true: each line names a fix and tests that exist, and no id stands twice."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
TABLE = ROOT / "bot" / "exchange" / "README.md"
HEAD = ["id", "venue", "what goes wrong", "fixed in", "test"]
VENUES = {"all", "Binance", "Bybit", "OKX", "Bitget", "Gate", "KuCoin", "Hyperliquid"}


class Trap(NamedTuple):
    trap_id: str
    venues: list[str]
    wrong: str
    fixes: list[str]
    tests: list[str]


def rows() -> list[list[str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def traps() -> list[Trap]:
    kept = [row for row in rows() if row != HEAD and set("".join(row)) != {"-"}]
    return [Trap(row[0], row[1].split(", "), row[2], row[3].split(), row[4].split()) for row in kept]


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return every class, function, method ("Class.method" too) and module constant of a file."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{each.name}"
                for each in node.body
                if isinstance(each, ast.AsyncFunctionDef | ast.FunctionDef)
            }
    for node in tree.body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        found |= {each.id for each in targets if isinstance(each, ast.Name)}
    return frozenset(found)


def test_every_row_has_five_filled_cells() -> None:
    assert [row for row in rows() if len(row) != len(HEAD) or not all(row)] == []


def test_no_id_is_doubled_and_each_names_a_venue() -> None:
    ids = [trap.trap_id for trap in traps()]
    assert sorted({each for each in ids if ids.count(each) > 1}) == []
    assert [each for each in ids if not re.fullmatch(r"[A-Z]-\d+", each)] == []
    assert {venue for trap in traps() for venue in trap.venues} <= VENUES
    assert len(ids) > 90


@pytest.mark.parametrize("trap", traps(), ids=lambda trap: trap.trap_id)
def test_every_fix_of_a_trap_exists(trap: Trap) -> None:
    for fix in trap.fixes:
        file, _, name = fix.partition(":")
        path = ROOT / "bot" / file
        assert path.is_file(), fix
        assert not name or name in names_in(path), fix


@pytest.mark.parametrize("trap", traps(), ids=lambda trap: trap.trap_id)
def test_every_test_of_a_trap_exists(trap: Trap) -> None:
    for node in trap.tests:
        file, _, name = node.partition("::")
        assert name.startswith("test_"), node
        assert (ROOT / "tests" / file).is_file(), node
        assert name in names_in(ROOT / "tests" / file), node
