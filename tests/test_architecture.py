"""The house rules that a machine can check: sizes, names, docstrings, clocks, prints, hosts, paths."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BOT = sorted((ROOT / "bot").rglob("*.py"))
STRATEGIES = sorted((ROOT / "strategies").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
# numba compiles a function anew into each that calls it: the kernel's loop calls everything from one place.
FLAT_FOR_THE_COMPILER = {"bot/backtest/kernel/loop.py": {"play"}}
NAMES_THAT_SAY_NOTHING = {"base", "common", "helper", "helpers", "misc", "tools", "util", "utils"}

# The engine asks a strategy, and alerts a service: somebody else's code, which may raise anything.
MAY_CATCH_EVERYTHING = {"bot/engine/beliefs.py", "bot/alerts/sinks.py"}
# The doctor examines the clock itself; the liveness check compares it with a file's time.
MAY_READ_THE_CLOCK = {"bot/clock.py", "bot/logs.py", "bot/cli/diagnosis.py", "bot/liveness.py"}
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}
STRATEGY_IMPORTS = {"bot.strategy", "bot.core", "numpy", "talib"}


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def every(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=short)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=short(path))


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def tracked_files() -> list[Path]:
    """Return the files git knows, or every file outside dot folders when this is no git checkout."""
    try:
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        found = (path for path in ROOT.rglob("*") if not _is_hidden(path))
        return [path for path in found if path.is_file()]
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def _is_hidden(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return "__pycache__" in parts or any(part.startswith(".") and part != ".ci" for part in parts)


@every(BOT + STRATEGIES + TESTS)
def test_files_and_functions_stay_small(path: Path) -> None:
    """A file that wants to be bigger hides a noun. A signature does not count: commands have many flags."""
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_FILE_LINES, f"{short(path)} has {lines} lines"
    long = {
        node.name: length
        for node in functions(tree(path))
        if (length := (node.end_lineno or 0) - node.body[0].lineno + 1) > MAX_FUNCTION_LINES
        and node.name not in FLAT_FOR_THE_COMPILER.get(short(path), ())
    }
    assert not long, f"{short(path)}: functions over {MAX_FUNCTION_LINES} lines: {long}"


# What Alembic calls in a migration has names and meanings of its own.
@every([path for path in BOT if path.parent.name != "versions"])
def test_every_public_name_says_what_it_is(path: Path) -> None:
    """Modules and what they offer to other modules have a docstring; nested functions need none."""
    module = tree(path)
    assert ast.get_docstring(module) or not module.body, f"{short(path)} has no docstring"
    missing = [
        node.name
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not missing, f"{short(path)}: public functions without a docstring: {missing}"


@every(BOT + STRATEGIES)
def test_module_names_say_something(path: Path) -> None:
    assert path.stem not in NAMES_THAT_SAY_NOTHING
    assert path.parent.name not in NAMES_THAT_SAY_NOTHING
    assert not re.search(r"\d$|manager_|_manager", path.stem), f"{short(path)} is a name for nothing"


@every(BOT + STRATEGIES)
def test_nothing_swallows_every_error(path: Path) -> None:
    """Catching Exception is allowed only to say it better: with a raise inside."""
    if short(path) in MAY_CATCH_EVERYTHING:
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            assert raises, f"{short(path)}:{node.lineno} catches everything and goes on"


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in names)


@every([path for path in BOT + STRATEGIES if not short(path).startswith("bot/cli/")])
def test_only_the_command_line_prints(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"{short(path)}:{node.lineno} prints"


@every([path for path in BOT + STRATEGIES if short(path) not in MAY_READ_THE_CLOCK])
def test_only_the_clock_reads_the_clock(path: Path) -> None:
    """Time is the event's or the injected clock's, or a replay could not give the same result."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else None
            owner = node.value.id if isinstance(node.value, ast.Name) else owner
            assert (owner, node.attr) not in CLOCKS, f"{short(path)}:{node.lineno} reads the clock"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            taken = {alias.name for alias in node.names} & {"time", "time_ns"}
            assert not taken, f"{short(path)}:{node.lineno} reads the clock"


@every(STRATEGIES)
def test_strategies_import_only_what_an_author_may(path: Path) -> None:
    for name in imported(tree(path)):
        allowed = any(name == root or name.startswith(root + ".") for root in STRATEGY_IMPORTS)
        assert allowed, f"{short(path)} imports {name}"


def imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@every(sorted((ROOT / "requirements").glob("*.lock")))
def test_lock_files_are_hashed_and_name_no_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.search(r"https?://|--(extra-)?index|--find-links|--trusted-host|file:", text)
    assert named is None, f"{short(path)} names {named and named.group()}"
    pinned = re.findall(r"^[A-Za-z0-9][\w.-]*==\S+.*\\$", text, flags=re.MULTILINE)
    entries = re.findall(r"^[A-Za-z0-9].*$", text, flags=re.MULTILINE)
    assert pinned == entries, f"{short(path)} holds an entry without a version or a hash"


def test_base_and_build_locks_are_part_of_the_dev_lock() -> None:
    """Otherwise the tests would run with other versions than users do."""

    def entries(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^[A-Za-z0-9][\w.-]*==[^\s;\\]+", text, flags=re.MULTILINE))

    assert entries("base.lock")
    assert entries("base.lock") | entries("build.lock") <= entries("dev.lock")
    assert entries("base.lock") < entries("assistants.lock") <= entries("dev.lock")


# Spelled apart, or this file would accuse itself.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:ro" + "ot|wo" + "rk|ho" + r"me)/[\w.]")


def test_no_tracked_file_holds_a_path_of_a_machine() -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{short(path)}: {hit.group()}" for hit in MACHINE_PATH.finditer(text)]
    assert not found
