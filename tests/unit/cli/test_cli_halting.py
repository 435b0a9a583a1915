"""`ringfence halt`, `flatten`, `resume` on a database whose bot does not run: entered, shown, lifted."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.app import Application
from bot.ports import Command
from bot.risk.limits import HaltLimits
from bot.settings import Flag, load
from bot.store.commands import CommandFiles
from bot.store.lock import DatabaseLock
from tests.unit.cli.conftest import _live, assert_one_paragraph

_COMMAND = Command("000000000000001-9", "halt", "REDUCE_ONLY", "rain")


@pytest.fixture
def path(workplace: Path, paper_session: Any) -> Path:
    """Copy the database of the real session to var/paper.db."""
    (workplace / "var").mkdir()
    shutil.copy(paper_session.path, workplace / "var" / "paper.db")
    return workplace / "var" / "paper.db"


def halts_of(ringfence: Any) -> dict[str, Any]:
    return json.loads(ringfence("status", "--json").out)["halts"]


def levels_of(ringfence: Any) -> dict[str, str]:
    return {cause: halt["level"] for cause, halt in halts_of(ringfence).items()}


def events_of(path: Path, *names: str) -> list[dict[str, Any]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT kind, body FROM event ORDER BY id").fetchall()
    return [json.loads(body) for kind, body in rows if kind in names]


def mode_becomes_live(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE account SET mode = 'live'")


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ((), "NO_ENTRY"),
        (("--level", "no-entry"), "NO_ENTRY"),
        (("--level", "REDUCE_ONLY"), "REDUCE_ONLY"),
        (("--level", "disconnected"), "DISCONNECTED"),
    ],
)
def test_halt_latches_its_level_in_the_database(
    ringfence: Any, path: Path, flags: tuple[str, ...], level: str
) -> None:
    outcome = ringfence("halt", *flags, "--reason", "rain")
    assert (outcome.code, outcome.err) == (0, "")
    assert "No bot is running" in outcome.out
    (halt,) = halts_of(ringfence).values()
    assert (halt["level"], halt["is_latched"]) == (level, True)
    assert "rain" in halt["message"]


def test_status_says_level_cause_and_next_step(ringfence: Any, path: Path) -> None:
    ringfence("halt", "--reason", "rain")
    out = ringfence("status").out
    assert "NO_ENTRY: nothing is entered" in out
    assert "a person ordered it: rain" in out
    assert "ringfence resume lifts it" in out


def test_every_change_is_journalled_and_alerted(ringfence: Any, path: Path) -> None:
    before = len(events_of(path, "AlertRaised"))
    ringfence("halt")
    ringfence("flatten")
    ringfence("resume", "--reason", "sun")
    raised = events_of(path, "EntriesHalted")[-2:]
    assert [(row["level"], row["by"]) for row in raised] == [("NO_ENTRY", "person"), ("FLATTEN", "person")]
    assert [row["by"] for row in events_of(path, "EntriesResumed")[-2:]] == ["person", "person"]
    causes = [row["cause"] for row in events_of(path, "AlertRaised")[before:]]
    assert causes == ["halted", "halted", "resumed"]
    assert "by a person" in ringfence("journal").out


def test_resume_lifts_what_waits_for_a_person_and_nothing_else(ringfence: Any, path: Path) -> None:
    ringfence("halt", "--level", "reduce-only")
    with sqlite3.connect(path) as connection:
        engine = json.loads(connection.execute("SELECT engine FROM checkpoint").fetchone()[0])
        engine["halts"]["strategy_error"] = ["NO_ENTRY", "it fails", 0, False]
        connection.execute("UPDATE checkpoint SET engine = ?", (json.dumps(engine),))
    outcome = ringfence("resume")
    assert (outcome.code, "Lifted: person." in outcome.out) == (0, True)
    assert levels_of(ringfence) == {"strategy_error": "NO_ENTRY"}
    assert "nothing was lifted" in ringfence("resume").out


def test_a_halt_never_lowers_what_stands(ringfence: Any, path: Path) -> None:
    ringfence("flatten")
    ringfence("halt")
    assert levels_of(ringfence) == {"person_flatten": "FLATTEN", "person": "NO_ENTRY"}


def test_flatten_without_a_bot_says_that_nothing_was_sent_and_what_to_do(ringfence: Any, path: Path) -> None:
    outcome = ringfence("flatten")
    assert "nothing was sent" in outcome.out
    assert "Start the bot" in outcome.out


async def test_the_next_start_flattens_before_anything_else(
    ringfence: Any, path: Path, paper_session: Any, root: Path
) -> None:
    assert len(paper_session.state.positions()) == 2
    ringfence("flatten")
    flags = {"run.db": path, "run.speed": "max", "strategy.directory": root / "strategies"}
    flags |= {"halts.max_refusals": 7, "run.seed": paper_session.settings.run.seed}
    settings = load(None, tuple(Flag(key, key, value) for key, value in flags.items()))
    sent: list[str] = []

    def observe(commit: Any) -> None:
        sent.extend(type(intent.action).__name__ for intent in commit.intents)
        if len(sent) >= 2 and not application.engine.state.positions():
            application.stop()

    application = Application(settings, observe)
    with capture_logs() as lines:
        await _live(application)
    told = [line for line in lines if line["event"] == "halt.stands"]
    assert [(line["halt_level"], list(line["because"])) for line in told] == [("FLATTEN", ["person_flatten"])]
    assert application.engine.desk.limits == HaltLimits(max_refusals=7)
    assert sent[:2] == ["ReducePosition", "ReducePosition"]
    assert "OpenPosition" not in sent
    assert application.engine.state.halt_level() == "FLATTEN"
    assert levels_of(ringfence) == {"person_flatten": "FLATTEN"}


def test_orders_that_a_dead_bot_left_untaken_are_entered_first(ringfence: Any, path: Path) -> None:
    CommandFiles(path).send(_COMMAND)
    ringfence("flatten")
    assert levels_of(ringfence) == {"person": "REDUCE_ONLY", "person_flatten": "FLATTEN"}
    assert CommandFiles(path).waiting() == ()


def test_an_order_to_a_process_that_does_not_take_it_stays_and_says_so(
    ringfence: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.halting._WAIT_SECONDS", 0.0)
    with DatabaseLock(path):
        outcome = ringfence("halt")
        answer = ringfence("halt", "--json")
        shown, told = ringfence("status").out, json.loads(ringfence("status", "--json").out)
    assert (outcome.code, answer.code) == (1, 1)
    assert not json.loads(answer.out)["is_taken"]
    assert "The order is written and waits" in outcome.out
    assert "NO_ENTRY since" in shown
    assert "the bot has not taken it yet" in shown
    assert [(each["verb"], each["level"]) for each in told["orders"]] == [("halt", "NO_ENTRY")] * 2
    assert told["halts"] == {}
    CommandFiles(path).done(told["orders"][1]["command_id"])
    (waiting,) = CommandFiles(path).waiting()
    assert (waiting.verb, waiting.level) == ("halt", "NO_ENTRY")


def test_flatten_waits_for_a_running_bot_and_names_what_is_still_open(
    ringfence: Any, path: Path, paper_session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.halting._WAIT_SECONDS", 0.0)
    monkeypatch.setattr(CommandFiles, "is_waiting", lambda *_: False)  # taken, and nothing is closed yet
    with DatabaseLock(path):
        outcome = ringfence("flatten")
        answer = json.loads(ringfence("flatten", "--json").out)
    held = [position.symbol for position in paper_session.state.positions()]
    assert f"Still open: {', '.join(held)}." in outcome.out
    assert answer["open"] == held


def test_the_answer_in_json_says_what_stands(ringfence: Any, path: Path) -> None:
    answer = json.loads(ringfence("halt", "--json").out)
    assert (answer["is_running"], answer["is_taken"]) == (False, True)
    assert answer["halts"]["person"]["level"] == "NO_ENTRY"


def test_an_unknown_level_is_refused_and_flatten_is_named(ringfence: Any, path: Path) -> None:
    outcome = ringfence("halt", "--level", "everything")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert "ringfence flatten" in outcome.err
    assert halts_of(ringfence) == {}


@pytest.mark.parametrize("verb", ["halt", "flatten", "resume"])
def test_a_missing_database_is_refused(ringfence: Any, workplace: Path, verb: str) -> None:
    outcome = ringfence(verb, "--db", "absent.db")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert list(workplace.iterdir()) == []


def test_with_real_money_resume_asks_and_without_a_terminal_refuses(ringfence: Any, path: Path) -> None:
    ringfence("halt")
    mode_becomes_live(path)
    outcome = ringfence("resume")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert levels_of(ringfence) == {"person": "NO_ENTRY"}
    assert ringfence("resume", "--yes").code == 0
    assert levels_of(ringfence) == {}


def test_with_real_money_halting_never_asks(ringfence: Any, path: Path) -> None:
    mode_becomes_live(path)
    assert ringfence("halt").code == 0
    assert ringfence("flatten").code == 0
