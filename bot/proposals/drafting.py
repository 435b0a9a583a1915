"""Making a proposal: checked at once against what may be done, then left for a person."""

import math
import secrets
from pathlib import Path
from typing import Final, NamedTuple

from bot.core.halt import MEANINGS
from bot.core.plain_text import plain_text
from bot.core.position import side_name
from bot.errors import UserError
from bot.ordering import Seen
from bot.proposals.ground import check_bot, ground_of, seen
from bot.proposals.standing import LIFE_MS
from bot.risk.by_hand import Wish
from bot.store.location import existing_file
from bot.store.proposals import LONGEST_NAME, LONGEST_REASON, Proposal, ProposalFiles, Verb
from bot.view.figures import money

LEVELS: Final = ("NO_ENTRY", "REDUCE_ONLY")
MOST_OPEN: Final = 20
MOST_A_DAY: Final = 200
_DAY_MS: Final = 86_400_000
_NUMBERS: Final = 900_000
_FIRST_NUMBER: Final = 100_000


class Draft(NamedTuple):
    """What is to be proposed. `name`: a symbol, or the coin of an open position; `by`: who proposes."""

    verb: Verb
    by: str
    reason: str = ""
    name: str = ""
    amount_quote: float = 0.0
    fraction: float = 0.0
    level: str = ""


class Proposed(NamedTuple):
    """A proposal that waits for a person; `seen`: what it would come to, None for a halt."""

    proposal: Proposal
    seen: Seen | None


def propose(path: Path, draft: Draft, now_ms: int) -> Proposed:
    """Leave a proposal and return it. `now_ms`: wall time.

    UserError: it is outside the limits, no bot runs, too many wait, or it cannot be written.
    """
    full = existing_file(path)
    files = ProposalFiles(full)
    _check_number(files, now_ms)
    found = _halt(draft) if draft.verb == "halt" else _of_position(full, draft, now_ms)
    number = _FIRST_NUMBER + secrets.randbelow(_NUMBERS)
    proposal = Proposal(
        f"{now_ms:015d}-{number}",
        now_ms,
        plain_text(draft.by, LONGEST_NAME) or "an assistant",
        draft.verb,
        draft.level,
        "" if found is None else found.symbol,
        draft.amount_quote,
        draft.fraction,
        0 if found is None else found.position_id,
        _halt_words(draft.level) if found is None else _words(draft, found),
        plain_text(draft.reason, LONGEST_REASON),
    )
    files.leave(proposal)
    return Proposed(proposal, found)


def _of_position(path: Path, draft: Draft, now_ms: int) -> Seen:
    numbers = (draft.amount_quote, draft.fraction)
    if not all(map(math.isfinite, numbers)):
        raise UserError(f"{numbers[0]!r} and {numbers[1]!r} must be finite numbers. Nothing was proposed.")
    check_bot(path)
    name = plain_text(draft.name, LONGEST_NAME)
    return seen(ground_of(path, now_ms), name, Wish(draft.verb, draft.amount_quote, draft.fraction))


def _halt(draft: Draft) -> None:
    if draft.level not in LEVELS:
        shown = plain_text(draft.level, LONGEST_NAME)
        raise UserError(f'"{shown}" cannot be proposed as a level. Give one of {", ".join(LEVELS)}.')


def _check_number(files: ProposalFiles, now_ms: int) -> None:
    """Nobody reads hundreds of them: a person is not to be worn out until they confirm."""
    made = files.newest(MOST_A_DAY)
    today = [each for each in made if now_ms - each.proposed_ms < _DAY_MS]
    waiting = [each for each in today if now_ms - each.proposed_ms < LIFE_MS]
    if len(waiting) >= MOST_OPEN:
        raise UserError(
            f"{MOST_OPEN} proposals were made within {LIFE_MS // 60_000} minutes: a person can weigh "
            "no more of them. Wait until they have expired."
        )
    if len(today) >= MOST_A_DAY:
        raise UserError(f"{MOST_A_DAY} proposals were made within a day. A person may order without one.")


def _words(draft: Draft, found: Seen) -> str:
    name = f"{side_name(found.side)} {found.quantity:.10g} {found.symbol} (position {found.position_id})"
    return {
        "add": f"Add {money(found.preview.amount_quote)} to the margin of {name}",
        "release": f"Release {money(found.preview.amount_quote)} of the margin of {name}",
        "reduce": f"Close {found.preview.quantity:.10g} of {name} at market",
        "close": f"Close {name} at market",
    }[draft.verb]


def _halt_words(level: str) -> str:
    return f"Halt ({level}: {MEANINGS[level]}) until a person resumes"
