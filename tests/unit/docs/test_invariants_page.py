"""bot/INVARIANTS.md lists every invariant with what it halts, and names tests that exist."""

import re
from typing import Final

from bot.engine.breach import LEVELS
from tests.unit.docs.reading import ROOT, text_of

_ROW: Final = re.compile(r"^\| (I\d+) \| .+? \| .+? \| (\w+) \| .+? \| (.+) \|$", re.MULTILINE)
_ALL: Final = [f"I{number}" for number in range(1, 25)]
_FROM_OUTSIDE: Final = {"I18", "I19", "I22", "I23"}


def rows() -> dict[str, tuple[str, str]]:
    return {name: (level, tests) for name, level, tests in _ROW.findall(text_of("bot/INVARIANTS.md"))}


def test_every_invariant_has_a_row_with_the_level_that_it_halts_at() -> None:
    assert list(rows()) == _ALL
    assert {name for name, (level, _) in rows().items() if level == "nothing"} == _FROM_OUTSIDE
    assert {name: level for name, (level, _) in rows().items() if level != "nothing"} == LEVELS


def test_every_invariant_is_seen_to_fail_by_a_test_that_exists() -> None:
    for name, (_, tests) in rows().items():
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", tests)
        assert named, name
        assert [test for file, test in named if f"\ndef {test}(" not in text_of(file)] == []
    assert (ROOT / "bot" / "INVARIANTS.md").is_file()
