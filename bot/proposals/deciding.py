"""A person's decision about a proposal: once, in time, and by the figures of now."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from bot.core.plain_text import plain_text
from bot.errors import UserError
from bot.ports import Command
from bot.proposals.standing import LIFE_MS, has_expired
from bot.store.proposals import LONGEST_NAME, Choice, Decision, Proposal, ProposalFiles

_LATELY: Final = 1_000


def open_proposal(path: Path, number: str, now_ms: int) -> Proposal:
    """Return the proposal that is meant by its id, or by the digits behind the dash.

    UserError: there is none, somebody has decided it, or it has expired.
    """
    files = ProposalFiles(path)
    found = [each for each in files.newest(_LATELY) if number in _names(each)]
    undecided = [each for each in found if not files.is_decided(each.proposal_id)]
    if not found:
        raise UserError(f'There is no proposal "{plain_text(number, 40)}". `ringfence proposals` lists them.')
    if not undecided:
        raise UserError(f"The proposal {number} was decided before: {_said(files, found[0])}. {_NOTHING}")
    fresh = [each for each in undecided if not has_expired(each, now_ms)]
    if not fresh:
        minutes = LIFE_MS // 60_000
        raise UserError(f"The proposal {number} has expired: it stood for {minutes} minutes. {_NOTHING}")
    return fresh[0]


def decide(path: Path, proposal: Proposal, choice: Choice, by: str, now_ms: int) -> None:
    """Write a person's decision down. UserError: somebody was first, or it cannot be written."""
    decision = Decision(proposal.proposal_id, now_ms, plain_text(by, LONGEST_NAME), choice)
    files = ProposalFiles(path)
    if not files.decide(decision):
        raise UserError(f"Somebody was faster: {_said(files, proposal)}. {_NOTHING}")


def confirm(path: Path, proposal: Proposal, by: str, now_ms: int, give: Callable[[Command], object]) -> None:
    """Write down that a person confirmed it, then have it ordered by `give`.

    In this order: should the process die in between, nothing was ordered, and never is. UserError: somebody
    was first, or it cannot be written.
    """
    decide(path, proposal, "confirmed", by, now_ms)
    give(command_of(proposal, by))


def command_of(proposal: Proposal, by: str) -> Command:
    """Return the order that a proposal becomes, under its id; that of a halt says whose it was."""
    about = (proposal.symbol, proposal.amount_quote, proposal.fraction, proposal.position_id)
    message = ""
    if proposal.verb == "halt":
        why = f"{proposal.reason} " if proposal.reason else ""
        by = plain_text(by, LONGEST_NAME)
        message = f"{why}(proposed by {proposal.proposed_by}, confirmed by {by})"
    return Command(proposal.proposal_id, proposal.verb, proposal.level, message, *about)


_NOTHING: Final = "Nothing was ordered."


def _names(proposal: Proposal) -> tuple[str, str]:
    return proposal.proposal_id, proposal.proposal_id.rpartition("-")[2]


def _said(files: ProposalFiles, proposal: Proposal) -> str:
    decision = files.decision(proposal.proposal_id)
    return "decided" if decision is None else f"{decision.choice} by {decision.decided_by}"
