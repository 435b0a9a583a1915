"""SECURITY.md is true: every requirement has one line, and the tests that hold it exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
HEAD = ["id", "requirement", "met", "how", "tests"]


def lines() -> list[list[str]]:
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in PAGE.splitlines()
        if row.startswith(("| S", "| id"))
    ]
    assert rows[0] == HEAD
    return rows[1:]


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_each_of_the_eighteen_requirements_has_one_whole_line() -> None:
    assert [row[0] for row in lines()] == [f"S{number}" for number in range(1, 19)]
    assert [row[0] for row in lines() if len(row) != len(HEAD) or not all(row)] == []
    assert {row[2] for row in lines()} <= {"yes", "in part", "no surface", "no"}


@pytest.mark.parametrize("row", lines(), ids=lambda row: row[0])
def test_every_test_of_a_requirement_exists(row: list[str]) -> None:
    assert row[4].split()
    for node in row[4].split():
        file, _, name = node.partition("::")
        assert (ROOT / "tests" / file).is_file(), node
        assert name.startswith("test_"), node
        assert name in names_in(file), node


def test_what_is_met_in_part_says_what_is_missing() -> None:
    for row in lines():
        if row[2] == "in part":
            assert re.search(r"\b([Nn]o|[Nn]ot)\b", row[3]), row[0]


def test_the_page_says_what_a_thief_would_ask_for_and_where_weaknesses_go() -> None:
    for words in ("will ever ask for a key", "Privately", "A strategy is a program", "Not protected"):
        assert words in PAGE


def test_a_report_goes_somewhere_private_and_is_published_in_time() -> None:
    policy = PAGE.split("## Report a weakness")[1].split("\n## ")[0]
    fields = dict(re.findall(r"^([A-Z][A-Za-z-]+): (.+)$", policy, re.MULTILINE))
    assert list(fields) == ["Contact", "Preferred-Languages", "Policy", "Acknowledgments"]
    for words in (
        "(private)",
        "90 days after the report at the latest",
        "never in a public issue",
    ):
        assert words in policy
    for thing in ("a key", "a secret", "a database", "remote access", "write to you first"):
        assert thing in policy.partition("will ever ask for")[2]


def test_the_page_invents_no_address() -> None:
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+|https?://(?!HOST:PORT)", PAGE)
