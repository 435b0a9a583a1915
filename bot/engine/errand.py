"""A person's order about one open position, and how far it is; part of the checkpoint."""

from typing import Final, NamedTuple

WAITING: Final = "waiting"
DONE: Final = "done"
REFUSED: Final = "refused"


class Errand(NamedTuple):
    """`state` "waiting": not decided yet (`client_id` ""), or sent and without an outcome.

    `taken_ms`, `ended_ms`: market time. `position_id`: of the position that the person saw, 0 for any.
    `message`: what became of it, "" while it waits.
    """

    command_id: str
    verb: str
    symbol: str
    amount_quote: float
    fraction: float
    position_id: int
    taken_ms: int
    client_id: str = ""
    state: str = WAITING
    message: str = ""
    ended_ms: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it has no outcome yet."""
        return self.state == WAITING
