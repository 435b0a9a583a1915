"""What is said of halts, in the journal and on the board: the level, the cause, who, and what to do next."""

from typing import Any, get_args

import pytest

from bot.core.codec import to_json
from bot.core.event import EntriesHalted, EntriesResumed, Note, Refused, VenueDiffers, VenueEvent
from bot.core.halt import NO_ENTRY, REDUCE_ONLY, Halt
from bot.view.event_words import _PRICED, _WORDS, event_words
from bot.view.halt_words import board_words, closed_words, halt_facts, lifted_words, order_words

S = "BTC/USDT:USDT"
LATCHED = Halt(REDUCE_ONLY, "301 requests within a minute", 0, True)
PASSING = Halt(NO_ENTRY, "no market data since noon", 0, False)


def test_every_event_of_the_journal_has_words() -> None:
    assert {*get_args(VenueEvent), *get_args(Note)} == {*_WORDS, *_PRICED}


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (VenueDiffers(0, S, "clock", 7_000.0, 0.0), "this machine's clock is +7000 ms from the venue's"),
        (
            VenueDiffers(0, S, "liquidation_price", 95.04, 96.1),
            "the venue's liquidation price is 96.1, ours 95.0",
        ),
        (
            EntriesHalted(0, "", "drawdown", "lost", NO_ENTRY, True),
            "NO_ENTRY, until a person resumes, drawdown: lost",
        ),
        (
            EntriesHalted(0, "", "person", "rain", REDUCE_ONLY, True, "person"),
            "REDUCE_ONLY ordered by a person, until a person resumes, person: rain",
        ),
        (EntriesHalted(0, "", "feed_gap", "no data"), "entries halted, feed gap: no data"),
        (EntriesResumed(0, "", "drawdown", "person"), "entries resumed after drawdown, by a person"),
        (Refused(0, S, "X1E", "halted", "not sent: NO_ENTRY stands"), "X1E not sent: NO_ENTRY stands"),
    ],
)
def test_the_line_of_the_journal(event: Any, words: str) -> None:
    assert event_words(to_json(event), 0.1) == words


def test_without_a_halt_nothing_is_said() -> None:
    assert (halt_facts({}), board_words({})) == ({}, "")


def test_the_board_names_the_level_and_who_lifts_it() -> None:
    halts = {"message_rate": LATCHED, "feed_silent": PASSING}
    assert board_words(halts) == "REDUCE_ONLY, message rate, feed silent; ringfence resume lifts it"
    assert "resume" not in board_words({"feed_silent": PASSING})


def test_what_ends_by_itself_asks_nothing_of_a_person() -> None:
    assert halt_facts({"feed_silent": PASSING})["next"] == "nothing: it ends when its cause has passed"
    assert "ringfence resume" in halt_facts({"message_rate": LATCHED})["next"]


def test_what_a_person_ordered_is_not_to_be_looked_into() -> None:
    halts = {"person": Halt(NO_ENTRY, "a person ordered it: rain", 0, True)}
    assert halt_facts(halts)["because"] == "a person ordered it: rain (NO_ENTRY until a person resumes)"
    assert halt_facts(halts)["next"] == "ringfence resume lifts it"
    assert "look into" in halt_facts({**halts, "message_rate": LATCHED})["next"]


def test_a_resume_says_what_it_lifted_and_that_there_was_nothing() -> None:
    halts = {"message_rate": LATCHED, "feed_silent": PASSING}
    assert lifted_words(halts, {"feed_silent": PASSING}) == "Lifted: message rate."
    assert "nothing was lifted" in lifted_words({"feed_silent": PASSING}, {"feed_silent": PASSING})


def test_a_flatten_of_a_stopped_bot_says_that_nothing_was_sent_only_where_something_is_open() -> None:
    said = [order_words("flatten", is_running=False, is_taken=True, is_flat=flat) for flat in (False, True)]
    assert ["nothing was sent" in words for words in said] == [True, False]


def test_a_flatten_says_what_is_still_open() -> None:
    assert closed_words([]) == "No position is open."
    assert closed_words([S]).startswith(f"Still open: {S}.")
