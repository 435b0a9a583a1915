"""House rules of the pages' own files: small, documented, fetched at once, safe under the policy."""

import re
from pathlib import Path
from typing import Final

import pytest

STATIC: Final = Path(__file__).resolve().parents[2] / "bot/web/static"
SCRIPTS: Final = sorted((STATIC / "js").rglob("*.js"))
STYLES: Final = sorted((STATIC / "style").glob("*.css"))
MOST_LINES: Final = 400
MOST_COLUMNS: Final = 110
# What would need a looser policy, or would let a text of the bot become markup.
FORBIDDEN: Final = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|style=\""
)


def names(path: Path) -> str:
    """Return a file's path below the static folder."""
    return path.relative_to(STATIC).as_posix()


def imported(script: Path) -> set[Path]:
    """Return the files that a script imports when it is loaded."""
    found = re.findall(
        r"""^(?:import|export)[^;]*?from "(\.[^"]+)";""", script.read_text("utf-8"), re.M | re.S
    )
    return {(script.parent / each).resolve() for each in found}


@pytest.mark.parametrize("path", [*SCRIPTS, *STYLES], ids=names)
def test_files_of_the_pages_stay_small_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    assert [line for line in text.splitlines() if len(line) > MOST_COLUMNS] == []
    assert text.startswith("/*")
    assert FORBIDDEN.search(text) is None


def test_everything_the_board_needs_is_fetched_at_once() -> None:
    """Without it a browser would learn of each module only from the one before."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    wanted, waiting = set[Path](), [(STATIC / "js/main.js").resolve()]
    while waiting:
        script = waiting.pop()
        if script not in wanted:
            wanted.add(script)
            waiting.extend(imported(script))
    preloaded = set(re.findall(r'<link rel="modulepreload" href="([^"]+)">', page))
    assert preloaded == {names(path) for path in wanted} - {"js/main.js"}


def test_what_is_loaded_later_exists() -> None:
    main = (STATIC / "js/main.js").read_text(encoding="utf-8")
    later = re.findall(r'import\("\./([^"]+)"\)', main)
    assert len(later) >= 10
    assert [name for name in later if not (STATIC / "js" / name).is_file()] == []
