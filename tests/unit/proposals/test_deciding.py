"""A person's decision: once, in time, about the position that was meant, and told afterwards."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.halting import hand_over as hand_over_halt
from bot.ordering import hand_over
from bot.outlook import last_state
from bot.ports import Command
from bot.proposals.deciding import command_of, confirm, decide, open_proposal
from bot.proposals.drafting import Draft, propose
from bot.proposals.ground import ground_of, seen_again
from bot.proposals.standing import LIFE_MS, Standing, standings
from bot.store.commands import CommandFiles
from bot.store.proposals import Proposal, ProposalFiles


@pytest.fixture
def proposal(running: Path, symbol: str, now_ms: int) -> Proposal:
    return propose(running, Draft("add", "assistant x", "near", symbol, 5.0), now_ms).proposal


@pytest.fixture
def halt(path: Path, now_ms: int) -> Proposal:
    return propose(path, Draft("halt", "assistant x", "it rains", level="NO_ENTRY"), now_ms).proposal


def standing_of(path: Path, now_ms: int) -> Standing:
    (found,) = standings(path, last_state(path), now_ms, 10)
    return found


def test_a_confirmed_proposal_is_the_same_order_under_its_id(
    running: Path, proposal: Proposal, now_ms: int, symbol: str
) -> None:
    confirm(running, proposal, "ann", now_ms + 1, lambda command: hand_over(running, command))
    (order,) = CommandFiles(running).waiting()
    assert order == Command(proposal.proposal_id, "add", "", "", symbol, 5.0, 0.0, proposal.position_id)
    found = standing_of(running, now_ms + 2)
    assert (found.state, found.decided_by, found.decided_ms, found.outcome) == (
        "confirmed",
        "ann",
        now_ms + 1,
        "waiting",
    )


def test_a_confirmed_halt_says_who_proposed_and_who_confirmed(
    path: Path, halt: Proposal, now_ms: int
) -> None:
    confirm(path, halt, "ann", now_ms, lambda command: hand_over_halt(path, command))
    (stands,) = [each for each in last_state(path).halts.values() if each.is_latched]
    assert stands.message == "a person ordered it: it rains (proposed by assistant x, confirmed by ann)"
    assert standing_of(path, now_ms).outcome == "done"


def test_it_is_decided_once(running: Path, proposal: Proposal, now_ms: int) -> None:
    given: list[Command] = []
    confirm(running, proposal, "ann", now_ms, given.append)
    with pytest.raises(UserError, match="Somebody was faster: confirmed by ann"):
        confirm(running, proposal, "bob", now_ms, given.append)
    with pytest.raises(UserError, match="Somebody was faster: confirmed by ann"):
        decide(running, proposal, "declined", "bob", now_ms)
    with pytest.raises(UserError, match="was decided before: confirmed by ann"):
        open_proposal(running, proposal.proposal_id, now_ms)
    assert len(given) == 1


def test_of_many_who_confirm_at_once_one_orders(running: Path, proposal: Proposal, now_ms: int) -> None:
    given: list[Command] = []

    def try_it(k: int) -> bool:
        try:
            confirm(running, proposal, f"person {k}", now_ms, given.append)
        except UserError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(try_it, range(24))).count(True) == 1
    assert len(given) == 1


def test_a_declined_proposal_stays_declined(running: Path, proposal: Proposal, now_ms: int) -> None:
    decide(running, proposal, "declined", "ann", now_ms)
    with pytest.raises(UserError, match="declined by ann"):
        open_proposal(running, proposal.proposal_id, now_ms)
    assert (standing_of(running, now_ms).state, standing_of(running, now_ms).outcome) == ("declined", "")


@pytest.mark.parametrize("later_ms", [LIFE_MS, LIFE_MS * 10, -1])
def test_it_expires_and_is_not_of_the_future(
    running: Path, proposal: Proposal, now_ms: int, later_ms: int
) -> None:
    with pytest.raises(UserError, match="has expired"):
        open_proposal(running, proposal.proposal_id, now_ms + later_ms)
    assert standing_of(running, now_ms + later_ms).state == "expired"
    assert open_proposal(running, proposal.proposal_id, now_ms + LIFE_MS - 1) == proposal


def test_the_digits_behind_the_dash_will_do(running: Path, proposal: Proposal, now_ms: int) -> None:
    assert open_proposal(running, proposal.proposal_id[-6:], now_ms) == proposal
    for number in ("", "1", "../paper", proposal.proposal_id[:-1], "999999999"):
        with pytest.raises(UserError, match="There is no proposal"):
            open_proposal(running, number, now_ms)


def test_another_position_of_the_symbol_is_not_meant(running: Path, proposal: Proposal, now_ms: int) -> None:
    ground = ground_of(running, now_ms)
    assert seen_again(ground, proposal).position_id == proposal.position_id
    with pytest.raises(UserError, match="It was proposed for position 9999, and "):
        seen_again(ground, proposal._replace(position_id=9999))


def test_it_is_judged_by_the_figures_of_the_confirmation(
    running: Path, proposal: Proposal, now_ms: int
) -> None:
    ground: Any = ground_of(running, now_ms)
    ground.state.free_quote = 1.0
    with pytest.raises(UserError, match="stays in reserve"):
        seen_again(ground, proposal)


def test_an_order_that_could_not_be_given_is_never_given(
    running: Path, proposal: Proposal, now_ms: int
) -> None:
    """Deciding comes first: whoever sees an error knows that nothing was ordered, and nothing will be."""

    def fail(_: Command) -> None:
        raise UserError("The disk is full.")

    with pytest.raises(UserError, match="disk is full"):
        confirm(running, proposal, "ann", now_ms, fail)
    assert CommandFiles(running).waiting() == ()
    assert standing_of(running, now_ms).outcome == "unknown"


def test_the_name_of_whoever_confirms_is_plain(halt: Proposal) -> None:
    assert "\n" not in command_of(halt, "ann\nroot").message


def test_a_decision_that_cannot_be_read_leaves_it_undecidable(
    running: Path, proposal: Proposal, now_ms: int
) -> None:
    (running.parent / "paper.db.proposals" / f"{proposal.proposal_id}.decided").write_text("{")
    with pytest.raises(UserError, match="was decided before"):
        open_proposal(running, proposal.proposal_id, now_ms)
    assert standing_of(running, now_ms).state == "expired"
    assert ProposalFiles(running).decision(proposal.proposal_id) is None
