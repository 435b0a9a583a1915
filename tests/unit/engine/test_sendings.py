"""A request is sent once, after its commit, under no halt, and ends with evidence; else it is kept back."""

from typing import Final

from bot.core.event import InvariantBroken
from bot.core.halt import NO_ENTRY
from bot.core.intent import Action, CancelOrder, OpenPosition
from bot.engine import halts
from bot.engine.sendings import Sendings
from bot.ports import Commit, Resolution
from tests.unit.engine.desk_builder import A, Bench

_CANCEL: Final = CancelOrder(A, "T1")


class Line:
    """One desk, its sendings and an intent."""

    def __init__(self, action: Action = _CANCEL) -> None:
        self.desk = Bench().engine.desk
        self.sendings = Sendings(self.desk)
        self.intent = self.desk.outbox.intend(action, "planted")

    def write(self) -> None:
        self.sendings.hear(Commit(0, intents=(self.intent,)))

    def leaves(self, *, is_absent: bool = False) -> bool:
        return self.sendings.may_leave(self.intent, is_absent=is_absent)

    def broken(self) -> list[str]:
        notes = self.desk.outbox.take().notes
        return [note.invariant for note in notes if isinstance(note, InvariantBroken)]


def test_what_was_not_committed_is_kept_back() -> None:
    line = Line()
    assert not line.leaves()
    assert line.broken() == ["I5"]
    line.write()
    assert line.leaves()
    assert line.broken() == []


def test_what_was_sent_is_sent_again_only_when_it_provably_never_arrived() -> None:
    line = Line()
    line.write()
    assert line.leaves()
    line.sendings.hear(Commit(0, resolutions=(Resolution(line.intent.seq, "unknown", ""),)))
    assert not line.leaves()
    assert line.broken() == ["I6"]
    assert line.leaves(is_absent=True)
    assert line.broken() == []


def test_what_an_earlier_process_may_have_sent_counts_as_sent() -> None:
    line = Line()
    line.sendings.inherit((line.intent,))
    assert not line.leaves()
    assert line.broken() == ["I6"]
    assert line.leaves(is_absent=True)


def test_what_has_ended_is_not_sent_again() -> None:
    line = Line()
    line.write()
    assert line.leaves()
    line.sendings.hear(Commit(0, resolutions=(Resolution(line.intent.seq, "done", ""),)))
    assert not line.leaves(is_absent=True)
    assert line.broken() == ["I5"]


def test_a_request_in_doubt_ends_only_after_the_venue_was_asked() -> None:
    line = Line()
    line.sendings.ends(line.intent, was_asked_for=True, is_in_doubt=True)
    line.sendings.ends(line.intent, was_asked_for=False, is_in_doubt=False)
    assert line.broken() == []
    line.sendings.ends(line.intent, was_asked_for=False, is_in_doubt=True)
    assert line.broken() == ["I7"]


def test_what_a_halt_forbids_is_kept_back_even_behind_the_gate() -> None:
    line = Line(OpenPosition(A, 1, 1.0))
    line.write()
    halts.latch(line.desk, NO_ENTRY, "planted", "planted")
    assert not line.leaves()
    assert line.broken() == ["I17"]
