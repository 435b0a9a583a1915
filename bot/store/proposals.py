"""Proposals to a person, and what the person decided: two small files each in a folder beside the database.

Not rows of the database, which has one writer. A file is written once and never changed: a decision is linked
to its name, which the operating system does for one of any number of processes. So a proposal is decided at
most once, also over a crash.
"""

import json
import math
import os
import re
import secrets
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

from bot.core.plain_text import plain_text
from bot.errors import UserError

Verb = Literal["add", "release", "reduce", "close", "halt"]
Choice = Literal["confirmed", "declined"]

ID: Final = re.compile(r"\d{15}-\d{6}")  # also that of the order it becomes (store/commands.py)
LONGEST_NAME: Final = 60
LONGEST_REASON: Final = 300
_LONGEST_SYMBOL: Final = 64
_LONGEST_WORDS: Final = 400
_MOST_BYTES: Final = 20_000
_PROPOSED: Final = ".proposed"
_DECIDED: Final = ".decided"


class Proposal(NamedTuple):
    """What somebody who may not order anything would have done. Every text is plain and short.

    `proposed_ms`: wall time, UTC. `level`: of a halt. `amount_quote`: of an add or a release, `fraction` of
    the quantity: of a reduction. `words`: what it would do, by this program; `reason`: by whoever proposed.
    """

    proposal_id: str
    proposed_ms: int
    proposed_by: str
    verb: Verb
    level: str
    symbol: str
    amount_quote: float
    fraction: float
    position_id: int
    words: str
    reason: str


class Decision(NamedTuple):
    """What a person decided at `decided_ms` (wall time, UTC)."""

    proposal_id: str
    decided_ms: int
    decided_by: str
    choice: Choice


class ProposalFiles:
    """The proposals of the database at `path`, in the folder of its name and `.proposals`."""

    def __init__(self, path: Path) -> None:
        self._folder = path.with_name(path.name + ".proposals")

    def newest(self, limit: int) -> list[Proposal]:
        """Return the last proposals, newest first; what is none of ours is left out."""
        names = sorted(
            (file.name for file in self._folder.glob(f"*{_PROPOSED}")), reverse=True
        )  # an id begins with its time
        ids = [name.removesuffix(_PROPOSED) for name in names if ID.fullmatch(name.removesuffix(_PROPOSED))]
        found = (self.proposal(proposal_id) for proposal_id in ids[:limit])
        return [each for each in found if each is not None]

    def proposal(self, proposal_id: str) -> Proposal | None:
        """Return one proposal, None where there is none."""
        body = self._read(proposal_id, _PROPOSED)
        return None if body is None else _proposal(proposal_id, body)

    def decision(self, proposal_id: str) -> Decision | None:
        """Return what was decided, None where nothing was."""
        body = self._read(proposal_id, _DECIDED)
        return None if body is None else _decision(proposal_id, body)

    def is_decided(self, proposal_id: str) -> bool:
        """Return whether a decision stands, whatever can be read of it."""
        return self._file(proposal_id, _DECIDED).exists()

    def leave(self, proposal: Proposal) -> None:
        """Leave a proposal for a person. UserError: it cannot be written."""
        if not self._write_once(proposal, _PROPOSED):
            raise UserError(f"There is a proposal {proposal.proposal_id} already. Propose it again.")

    def decide(self, decision: Decision) -> bool:
        """Write a decision down, and return True; False: there is one. UserError: it cannot be written."""
        return self._write_once(decision, _DECIDED)

    def _write_once(self, row: Proposal | Decision, suffix: str) -> bool:
        file = self._file(row.proposal_id, suffix)
        draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}.draft")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            _write_through(draft, json.dumps(row._asdict()))
            try:
                os.link(draft, file)
            except FileExistsError:
                return False
            finally:
                draft.unlink(missing_ok=True)
            _sync(self._folder)
        except OSError as error:
            raise UserError(
                f"The folder {self._folder} cannot be written: {error.strerror}. Nothing was proposed or "
                "decided. Give write access to it and to the folder of the database."
            ) from error
        return True

    def _read(self, proposal_id: str, suffix: str) -> dict[str, Any] | None:
        if not ID.fullmatch(proposal_id):
            return None
        try:
            text = self._file(proposal_id, suffix).read_bytes()[:_MOST_BYTES].decode("utf-8")
            body = json.loads(text)
        except (OSError, ValueError, RecursionError):
            return None
        return body if isinstance(body, dict) else None

    def _file(self, proposal_id: str, suffix: str) -> Path:
        return self._folder / f"{proposal_id}{suffix}"


def _proposal(proposal_id: str, body: dict[str, Any]) -> Proposal | None:
    """Texts are made plain here too: whoever writes to the folder is not only this program."""
    try:
        amounts = float(body["amount_quote"]), float(body["fraction"])
        made = Proposal(
            proposal_id,
            int(body["proposed_ms"]),
            plain_text(str(body["proposed_by"]), LONGEST_NAME),
            body["verb"],
            plain_text(str(body["level"]), LONGEST_NAME),
            plain_text(str(body["symbol"]), _LONGEST_SYMBOL),
            *amounts,
            int(body["position_id"]),
            plain_text(str(body["words"]), _LONGEST_WORDS),
            plain_text(str(body["reason"]), LONGEST_REASON),
        )
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return made if made.verb in get_args(Verb) and all(map(math.isfinite, amounts)) else None


def _decision(proposal_id: str, body: dict[str, Any]) -> Decision | None:
    try:
        decided_ms, by = int(body["decided_ms"]), plain_text(str(body["decided_by"]), LONGEST_NAME)
        choice = body["choice"]
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return Decision(proposal_id, decided_ms, by, choice) if choice in get_args(Choice) else None


def _write_through(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    """Let the name of a new file outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
