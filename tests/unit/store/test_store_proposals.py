"""Proposals and decisions as files beside the database: written once, whole, and never trusted when read."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.store.proposals import Decision, Proposal, ProposalFiles

FIRST_ID = "000001700000000-100001"
SECOND_ID = "000001700000001-100000"


def proposal(proposal_id: str = FIRST_ID, **changed: Any) -> Proposal:
    made = Proposal(
        *(proposal_id, 1_700_000_000, "an assistant", "add", "", "BTC/USDT:USDT"),
        *(12.5, 0.0, 7, "Add 12.50", "It looks near."),
    )
    return made._replace(**changed)


@pytest.fixture
def files(tmp_path: Path) -> ProposalFiles:
    return ProposalFiles(tmp_path / "paper.db")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "paper.db.proposals"


def test_proposals_are_read_as_they_were_left_the_newest_first(files: ProposalFiles) -> None:
    files.leave(proposal())
    files.leave(proposal(SECOND_ID))
    assert files.newest(10) == [proposal(SECOND_ID), proposal()]
    assert files.newest(1) == [proposal(SECOND_ID)]
    assert files.proposal(FIRST_ID) == proposal()
    assert files.proposal("000001700000000-100009") is None


def test_without_a_folder_nothing_was_proposed(files: ProposalFiles, folder: Path) -> None:
    assert files.newest(10) == []
    assert files.decision(FIRST_ID) is None
    assert not folder.exists()


def test_only_the_owner_may_read_them(files: ProposalFiles, folder: Path) -> None:
    files.leave(proposal())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_proposal_is_never_written_over(files: ProposalFiles) -> None:
    files.leave(proposal())
    with pytest.raises(UserError, match="There is a proposal"):
        files.leave(proposal(amount_quote=99.0))
    assert files.proposal(FIRST_ID) == proposal()


def test_of_many_who_decide_at_once_one_has_decided(files: ProposalFiles, folder: Path) -> None:
    files.leave(proposal())
    given = [
        Decision(FIRST_ID, 1_700_000_000 + k, f"person {k}", "confirmed" if k % 2 else "declined")
        for k in range(24)
    ]
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(files.decide, given))
    assert done.count(True) == 1
    assert files.decision(FIRST_ID) == given[done.index(True)]
    assert files.is_decided(FIRST_ID)
    assert {file.suffix for file in folder.iterdir()} == {".proposed", ".decided"}


@pytest.mark.parametrize(
    "changed",
    [
        {"verb": "resume"},
        {"verb": "flatten"},
        {"verb": ["add"]},
        {"amount_quote": "much"},
        {"amount_quote": 1e999},
        {"fraction": None},
        {"position_id": 1e999},
        {"proposed_ms": {}},
    ],
)
def test_what_is_none_of_ours_is_left_out(
    files: ProposalFiles, folder: Path, changed: dict[str, Any]
) -> None:
    files.leave(proposal())
    body = proposal(SECOND_ID)._asdict() | changed
    (folder / f"{SECOND_ID}.proposed").write_text(json.dumps(body))
    assert files.newest(10) == [proposal()]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", '{"verb": "add"}', "[" * 50_000])
def test_a_file_that_is_no_proposal_is_left_out(files: ProposalFiles, folder: Path, text: str) -> None:
    files.leave(proposal())
    (folder / f"{SECOND_ID}.proposed").write_text(text)
    (folder / f"{FIRST_ID}.decided").write_text(text)
    (folder / "notes.proposed").write_text(json.dumps(proposal()._asdict()))
    assert files.newest(10) == [proposal()]
    assert files.decision(FIRST_ID) is None
    assert files.is_decided(FIRST_ID), "whatever stands there, nobody decides it again"
    assert not files.decide(Decision(FIRST_ID, 1_700_000_000, "a person", "confirmed"))


def test_texts_are_made_plain_when_they_are_read(files: ProposalFiles, folder: Path) -> None:
    folder.mkdir()
    body = proposal()._asdict() | {"reason": "a\x1b[2Jb\nc" + "x" * 5_000, "proposed_by": "\u202eme\u0000"}
    (folder / f"{FIRST_ID}.proposed").write_text(json.dumps(body))
    found = files.proposal(FIRST_ID)
    assert found is not None
    assert found.reason.startswith("a [2Jb cxxx")
    assert len(found.reason) == 300
    assert found.proposed_by == "me"


@pytest.mark.parametrize(
    "proposal_id", ["../paper", "/etc/passwd", "", "1-1", FIRST_ID + "/..", FIRST_ID + "\n"]
)
def test_an_id_is_no_path(files: ProposalFiles, proposal_id: str) -> None:
    assert files.proposal(proposal_id) is None
    assert files.decision(proposal_id) is None


def test_a_folder_that_cannot_be_written_is_told_with_the_next_step(
    files: ProposalFiles, folder: Path
) -> None:
    folder.write_text("in the way")
    with pytest.raises(UserError, match="cannot be written: File exists"):
        files.leave(proposal())
    assert list(folder.parent.iterdir()) == [folder]
