"""`ringfence proposals`: listed, confirmed by a person at a terminal or declined, and carried out once."""

import asyncio
import json
import os
import shutil
import sqlite3
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bot.clock import WallClock
from bot.liveness import beat
from bot.outlook import last_state
from bot.proposals.drafting import Draft, propose
from bot.proposals.standing import LIFE_MS
from bot.store.commands import CommandFiles
from bot.store.lock import DatabaseLock
from bot.store.proposals import Proposal, ProposalFiles
from tests.unit.cli.conftest import assert_one_paragraph
from tests.unit.cli.test_cli_ordering import Terminal, events_of, trading


@pytest.fixture
def path(workplace: Path, paper_session: Any) -> Path:
    """Copy the database of the real session, which has two open positions, to var/paper.db."""
    (workplace / "var").mkdir()
    shutil.copy(paper_session.path, workplace / "var" / "paper.db")
    os.utime(workplace / "var" / "paper.db")
    return workplace / "var" / "paper.db"


@pytest.fixture
def symbol(paper_session: Any) -> str:
    return paper_session.state.positions()[0].symbol


def proposed(path: Path, verb: Any = "halt", symbol: str = "", **given: Any) -> Proposal:
    """Leave a proposal of this instant."""
    level = "NO_ENTRY" if verb == "halt" else ""
    draft = Draft(verb, "assistant x", "it [bold]rains[/bold]", symbol, level=level, **given)
    return propose(path, draft, WallClock().now_ms()).proposal


def answered(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(text))


async def test_a_running_bot_does_what_was_confirmed_once(
    ringfence: Any, path: Path, paper_session: Any, root: Path, symbol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trading(path, paper_session, root):
        beat(path)
        made = await asyncio.to_thread(proposed, path, "add", symbol, amount_quote=5.0)
        answered(monkeypatch, "y\n")
        done = await asyncio.to_thread(ringfence, "proposals", "confirm", made.proposal_id[-6:])
        again = await asyncio.to_thread(ringfence, "proposals", "confirm", made.proposal_id)
        late = await asyncio.to_thread(ringfence, "proposals", "decline", made.proposal_id)
    assert (done.code, "5.00 was added to" in done.out) == (0, True), done
    assert "Proposed by assistant x: Add 5.00 to the margin of " in done.err
    assert "Its reason, in its own words: it [bold]rains[/bold]" in done.err
    assert "liquidated in 24 h" in done.err
    assert (again.code, late.code) == (2, 2)
    assert "was decided before: confirmed by " in again.err
    assert "was decided before: confirmed by " in late.err
    (row,) = events_of(path, "CommandDone")
    assert (row["command_id"], row["verb"], row["state"]) == (made.proposal_id, "add", "done")
    (told,) = json.loads(ringfence("proposals", "--json").out)
    assert (told["state"], told["outcome"], told["proposal_id"]) == ("confirmed", "done", made.proposal_id)
    assert told["proposed_by"] == "assistant x"
    assert told["decided_by"].endswith("at a terminal")
    assert ringfence("db", "check").code == 0


def test_proposals_are_listed_with_what_became_of_them(ringfence: Any, path: Path) -> None:
    assert ringfence("proposals").out == "Nothing was proposed yet.\n"
    first, second = proposed(path), proposed(path)
    assert ringfence("proposals", "decline", first.proposal_id).out.startswith("Declined: Halt (NO_ENTRY")
    shown = ringfence("proposals").out
    assert "declined" in shown
    assert "[bold]rains[/bold]" in shown, "what an assistant wrote is no markup"
    only = ringfence("proposals", "--open").out
    assert (second.proposal_id[-6:] in only, first.proposal_id[-6:] in only) == (True, False)


def test_a_halt_that_was_proposed_holds_without_a_bot_too(
    ringfence: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = proposed(path)
    answered(monkeypatch, "yes\n")
    told = json.loads(ringfence("proposals", "confirm", made.proposal_id, "--json").out)
    assert (told["state"], told["outcome"]) == ("confirmed", "done")
    (halt,) = [each for each in last_state(path).halts.values() if each.is_latched]
    assert "(proposed by assistant x, confirmed by " in halt.message


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "confirm\n"])
def test_without_a_yes_nothing_is_ordered_and_it_stays_open(
    ringfence: Any, path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    made = proposed(path)
    answered(monkeypatch, answer)
    outcome = ringfence("proposals", "confirm", made.proposal_id)
    assert (outcome.code, "It was not confirmed. Nothing was ordered." in outcome.err) == (2, True)
    assert not ProposalFiles(path).is_decided(made.proposal_id)


def test_a_program_confirms_nothing(ringfence: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = proposed(path)
    monkeypatch.setattr("sys.stdin", StringIO("y\ny\nconfirm\n"))
    outcome = ringfence("proposals", "confirm", made.proposal_id)
    assert (outcome.code, "standard input is no terminal" in outcome.err) == (2, True)
    assert ringfence("proposals", "confirm", made.proposal_id, "--yes").code == 2
    assert not ProposalFiles(path).is_decided(made.proposal_id)


@pytest.mark.parametrize(("answer", "is_done"), [("y\nconfirm\n", True), ("y\ny\n", False), ("y\n", False)])
def test_with_real_money_it_is_asked_twice(
    ringfence: Any, path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, is_done: bool
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE account SET mode = 'live'")
    made = proposed(path)
    answered(monkeypatch, answer)
    outcome = ringfence("proposals", "confirm", made.proposal_id)
    assert (outcome.code, "REAL MONEY" in outcome.err) == (0 if is_done else 2, True)
    assert ProposalFiles(path).is_decided(made.proposal_id) == is_done


def test_what_has_expired_or_never_was_is_refused(
    ringfence: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = Draft("halt", "x", level="NO_ENTRY")
    old = propose(path, draft, WallClock().now_ms() - LIFE_MS).proposal
    answered(monkeypatch, "y\n")
    for number, said in ((old.proposal_id, "has expired"), ("123456", "There is no proposal")):
        for verb in ("confirm", "decline"):
            outcome = ringfence("proposals", verb, number)
            assert (outcome.code, said in outcome.err) == (2, True)
            assert_one_paragraph(outcome)


def test_what_expires_while_a_person_reads_is_refused(
    ringfence: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = propose(
        path, Draft("halt", "x", level="NO_ENTRY"), WallClock().now_ms() - LIFE_MS + 5_000
    ).proposal

    def read(*_: Any) -> None:
        late_ms = WallClock().now_ms() + LIFE_MS
        monkeypatch.setattr("bot.clock.WallClock.now_ms", lambda _: late_ms)

    monkeypatch.setattr("bot.cli.proposals._ask", read)
    outcome = ringfence("proposals", "confirm", made.proposal_id)
    assert (outcome.code, "has expired" in outcome.err) == (2, True)
    assert not ProposalFiles(path).is_decided(made.proposal_id)


def test_what_the_limits_forbid_meanwhile_is_refused_and_stays_open(
    ringfence: Any, path: Path, symbol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, "y\n")
    with DatabaseLock(path):
        beat(path)
        made = proposed(path, "close", symbol)
        for file in path.parent.glob("paper.db*"):
            os.utime(file, (1, 1))
        beat(path)
        outcome = ringfence("proposals", "confirm", made.proposal_id)
    assert (outcome.code, "they are stale" in outcome.err) == (2, True)
    assert not ProposalFiles(path).is_decided(made.proposal_id)
    assert CommandFiles(path).waiting() == ()


def test_a_missing_database_is_told(ringfence: Any, workplace: Path) -> None:
    for words in (("proposals",), ("proposals", "confirm", "123456"), ("proposals", "decline", "123456")):
        outcome = ringfence(*words, "--db", "none.db")
        assert outcome.code == 2
        assert_one_paragraph(outcome)
