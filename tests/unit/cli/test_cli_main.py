"""The command line as a whole: start-up, exit codes, errors."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import Fatal, OutcomeUnknown, UserError
from bot.summary import write_summary
from tests.unit.cli.conftest import assert_one_paragraph, files_in

_VERBS = (
    "trade",
    "status",
    "positions",
    "trades",
    "margin",
    "journal",
    "list-strategies",
    "list-policies",
    "list-presets",
    "show-config",
    "check-config",
    "calc",
    "doctor",
    "db",
)
_HEAVY = {
    "fastapi",
    "uvicorn",
    "ccxt",
    "numpy",
    "polars",
    "sqlmodel",
    "sqlalchemy",
    "numba",
    "rich",
    "pydantic_settings",
    "structlog",
}
_LOADED_BY = """
import json, sys
from bot.cli.main import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def _loaded_by(root, *arguments: str) -> tuple[int, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED_BY, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["trade", "--help"], ["--version"], ["margin", "history", "--help"]]
)
def test_help_loads_nothing_that_is_slow(root, arguments):
    """Start-up time is a feature: commands import in their bodies."""
    code, modules = _loaded_by(root, *arguments)
    assert code == 0
    assert not modules & _HEAVY


def test_the_first_help_does_not_load_pydantic(root):
    """Typer loads it for the flags of one command; the list of commands has none."""
    assert "pydantic" not in _loaded_by(root, "--help")[1]


def test_the_health_check_loads_the_standard_library_and_typer_only(root):
    code, modules = _loaded_by(root, "doctor", "--live")
    assert code == 1
    assert not modules & (_HEAVY | {"pydantic", "filelock", "orjson"})


def test_the_module_and_the_command_are_the_same_program(root):
    done = subprocess.run(
        [sys.executable, "-m", "bot", "--version"], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("ringfence ")


def test_help_names_every_verb_and_every_exit_code(ringfence):
    outcome = ringfence("--help")
    assert outcome.code == 0
    assert all(f"  {verb} " in outcome.out for verb in _VERBS)
    assert "Exit codes: 0 ok; 1 fatal" in outcome.out
    assert "2 bad input" in outcome.out


@pytest.mark.parametrize("verb", [[], ["margin"], ["db"], ["calc"]])
def test_a_group_without_a_verb_shows_its_help_as_bad_input(ringfence, verb):
    outcome = ringfence(*verb)
    assert outcome.code == 2
    assert "Commands:" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["trad"], "trad"),
        (["trade", "--sped", "3"], "--speed"),
        (["trade", "--seed", "many"], "--seed"),
        (["trades", "--limit", "0"], "--limit"),
        (["db", "backup"], "FILE"),
        (["margin", "histry"], "histry"),
    ],
)
def test_a_wrong_command_line_is_one_paragraph_and_exit_2(ringfence, workplace, arguments, says):
    outcome = ringfence(*arguments)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err
    assert "--help" in outcome.err
    assert files_in(workplace) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(UserError("A fact.\n  A cause."), 2), (Fatal("Gone."), 1), (OutcomeUnknown("Lost."), 1)],
)
def test_an_error_of_ours_is_one_paragraph_with_its_exit_code(ringfence, application, error, code):
    def fail(_settings):
        raise error

    application.work = fail
    outcome = ringfence("trade", "--headless", "--db", "x.db")
    assert outcome.code == code
    assert outcome.err.splitlines()[-1].startswith("ringfence: ")
    assert "Traceback" not in outcome.err


def test_an_interrupt_ends_cleanly(ringfence, application):
    def interrupt(_settings):
        raise KeyboardInterrupt

    application.work = interrupt
    outcome = ringfence("trade", "--headless", "--db", "x.db")
    assert outcome.code == 130
    assert "Traceback" not in outcome.err


def test_a_summary_that_cannot_be_written_is_one_paragraph_and_leaves_nothing(tmp_path, monkeypatch):
    def no_space(path, *_given, **_more):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", no_space)
    with pytest.raises(UserError, match=r"cannot be written: No space left.*whole in its database"):
        write_summary(tmp_path / "out.json", {"trades": 1})
    assert list(tmp_path.iterdir()) == []
