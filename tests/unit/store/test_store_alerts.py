"""Alerts in the database: whole pages, each once, found again by the next process."""

from pathlib import Path

import pytest

from bot.core.alert import Alert, Delivery, Outcome
from bot.core.event import AlertRaised
from bot.errors import RingfenceError, UserError
from bot.ports import Commit
from bot.store.acknowledgements import AcknowledgementFiles
from bot.store.alerts import Page, Remembered, Waiting, open_count, told_alerts
from bot.store.journal import SqliteJournal
from bot.store.queries import journal as entries

ALERT = Alert("00000001", "stop 1", 5, "stop", "stop_missing", "BTC", 1, "critical", "title", "body")
DELIVERY = Delivery("00000001-phone", ALERT.alert_id, "phone", "alert", "critical", "title", "body", 7)
EMPTY = Page(10, (), (), (), (), (), {})
FULL = EMPTY._replace(alerts=(ALERT,), deliveries=(DELIVERY,), memory={"told": 1})
RAISED = AlertRaised(5, "BTC", 1, "critical", "stop_missing", "why", {})


def test_a_page_is_found_again(journal: SqliteJournal) -> None:
    book = journal.alert_book()
    assert book.recall() is None
    journal.commit(Commit(5, notes=(RAISED,)))
    book.write(FULL)
    assert book.recall() == Remembered(1, {"told": 1})
    assert book.waiting() == (Waiting(DELIVERY, 0),)
    assert (book.key_of(ALERT.alert_id), book.key_of("ffffffff")) == (ALERT.key, None)


def test_the_same_alert_and_message_are_written_once(journal: SqliteJournal) -> None:
    book = journal.alert_book()
    book.write(FULL)
    sent = Outcome(DELIVERY.delivery_id, "delivered", 1, 9, "")
    book.write(EMPTY._replace(outcomes=(sent,)))
    book.write(FULL._replace(now_ms=99))
    assert book.waiting() == ()
    with journal.read() as reader:
        (told,) = told_alerts(reader)
    assert told.raised_ms == 10
    assert [(each["route"], each["status"], each["attempts"]) for each in told.told] == [
        ("phone", "delivered", 1)
    ]


def test_only_what_the_journal_said_after_the_last_page_is_read_again(journal: SqliteJournal) -> None:
    book = journal.alert_book()
    journal.commit(Commit(5, notes=(RAISED,)))
    book.write(EMPTY)
    later = RAISED._replace(ts_ms=6)
    journal.commit(Commit(6, notes=(later,)))
    known = book.recall()
    assert known is not None
    assert list(book.events_after(known.event_id, (AlertRaised,))) == [later]
    assert list(book.events_after(0, (Commit,))) == []


def test_what_is_over_or_acknowledged_is_open_no_more(journal: SqliteJournal) -> None:
    book = journal.alert_book()
    others = [ALERT._replace(alert_id=f"0000000{n}", key=f"k{n}") for n in (2, 3)]
    book.write(FULL._replace(alerts=(ALERT, *others, ALERT._replace(alert_id="00000009", grade="info"))))

    def open_ids() -> list[str]:
        with journal.read() as reader:
            found = told_alerts(reader, only_open=True)
            assert open_count(reader) == len(found)
            assert all(each.is_open for each in found)
            return [each.alert_id for each in found]

    assert open_ids() == ["00000001", "00000002", "00000003"]
    book.write(EMPTY._replace(over=("k2",)))
    assert open_ids() == ["00000001", "00000003"]
    book.write(EMPTY._replace(acknowledged=(ALERT.key,)))
    assert open_ids() == ["00000003"]
    book.write(EMPTY._replace(acknowledged=("",)))
    assert open_ids() == []


def test_a_page_that_cannot_be_written_whole_is_not_written(journal: SqliteJournal) -> None:
    book = journal.alert_book()
    wrong = DELIVERY._replace(created_ms="soon")  # type: ignore[arg-type]
    with pytest.raises(RingfenceError, match="Alerts could not be written"):
        book.write(FULL._replace(deliveries=(wrong,)))
    assert book.recall() is None
    with journal.read() as reader:
        assert told_alerts(reader) == []


def test_the_oldest_beyond_what_is_kept_are_forgotten_and_nothing_that_waits(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.alerts._KEPT", 2)
    book = journal.alert_book()
    for number in range(5):
        alert = ALERT._replace(alert_id=f"0000000{number}")
        delivery = DELIVERY._replace(delivery_id=f"{number}", alert_id=alert.alert_id, created_ms=number)
        book.write(Page(number, (alert,), (delivery,), (), (), (), {}))
    book.write(Page(5, (), (), (Outcome("1", "delivered", 1, 5, ""),), (), (), {}))
    book.forget_oldest()
    with journal.read() as reader:
        assert [each.alert_id for each in told_alerts(reader)] == ["00000004", "00000003", "00000002"]
    assert [each.delivery.delivery_id for each in book.waiting()] == ["0", "2", "3", "4"]


def test_alerts_are_no_part_of_the_journal(journal: SqliteJournal) -> None:
    """Its rows are those of the session, whatever was delivered."""
    journal.commit(Commit(5, notes=(RAISED,)))
    journal.alert_book().write(FULL)
    journal.commit(Commit(6, notes=(RAISED,)))
    with journal.read() as reader:
        assert [entry.kind for entry in entries(reader)] == ["AlertRaised", "AlertRaised"]


def test_acknowledgements_are_files_that_are_removed_when_they_are_done(path: Path) -> None:
    files = AcknowledgementFiles(path)
    files.leave("0000000a")
    files.leave("0000000a")
    AcknowledgementFiles(path.with_name("other.db")).leave("0000000b")
    path.with_name(f"{path.name}.nonsense.acknowledged").touch()
    assert files.waiting() == ("0000000a",)
    files.done("0000000a")
    files.done("0000000a")
    assert files.waiting() == ()


def test_an_acknowledgement_that_cannot_be_left_is_refused_in_one_paragraph(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Nothing was acknowledged"):
        AcknowledgementFiles(tmp_path / "absent" / "paper.db").leave("0000000a")
