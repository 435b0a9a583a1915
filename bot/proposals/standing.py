"""How far proposals are: open, expired, or decided, and what became of those that were confirmed."""

from pathlib import Path
from typing import Final, Literal, NamedTuple

from bot.engine.state import State
from bot.store.commands import CommandFiles
from bot.store.proposals import Decision, Proposal, ProposalFiles

LIFE_MS: Final = 600_000

StandingState = Literal["open", "expired", "confirmed", "declined"]
Outcome = Literal["", "waiting", "done", "refused", "unknown"]


class Standing(NamedTuple):
    """One proposal. `decided_by` "": nobody has. `outcome` "": nothing was ordered. Times: wall, UTC."""

    proposal: Proposal
    state: StandingState
    expires_ms: int
    decided_by: str
    decided_ms: int | None
    outcome: Outcome
    message: str


def standings(path: Path, state: State, now_ms: int, limit: int) -> list[Standing]:
    """Return the last proposals, newest first. `path`: made absolute; `now_ms`: wall time."""
    files, commands = ProposalFiles(path), CommandFiles(path)
    return [_standing(files, commands, state, each, now_ms) for each in files.newest(limit)]


def has_expired(proposal: Proposal, now_ms: int) -> bool:
    """Return whether it is too old, or of a time that has not come: a clock was put back then."""
    return not 0 <= now_ms - proposal.proposed_ms < LIFE_MS


def _standing(
    files: ProposalFiles, commands: CommandFiles, state: State, proposal: Proposal, now_ms: int
) -> Standing:
    expires_ms = proposal.proposed_ms + LIFE_MS
    decision = files.decision(proposal.proposal_id)
    if decision is None:
        is_over = has_expired(proposal, now_ms) or files.is_decided(proposal.proposal_id)
        return Standing(proposal, "expired" if is_over else "open", expires_ms, "", None, "", "")
    outcome, message = _outcome(commands, state, decision)
    decided = (decision.choice, expires_ms, decision.decided_by, decision.decided_ms)
    return Standing(proposal, *decided, outcome, message)


def _outcome(commands: CommandFiles, state: State, decision: Decision) -> tuple[Outcome, str]:
    if decision.choice == "declined":
        return "", ""
    command_id = decision.proposal_id
    errand = next((each for each in state.errands if each.command_id == command_id), None)
    if errand is not None:
        outcomes: dict[str, Outcome] = {"waiting": "waiting", "done": "done", "refused": "refused"}
        return outcomes[errand.state], errand.message
    if command_id in state.commands:
        return "done", "The bot has taken it."
    if commands.is_waiting(command_id):
        return "waiting", "The bot has not taken it yet."
    return "unknown", "The bot has not taken it, or did so long ago: the journal keeps what it did."
