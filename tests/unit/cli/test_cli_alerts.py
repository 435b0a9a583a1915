"""`ringfence alerts`: the list, acknowledging with and without a bot, and every route tried."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.alerts.state import NOTHING, Standing, to_json
from bot.core.alert import Alert, Delivery, Outcome
from bot.core.event import AlertRaised
from bot.ports import Commit
from bot.store.acknowledgements import AcknowledgementFiles
from bot.store.alerts import Page
from bot.store.database import Binding, open_journal
from bot.store.lock import DatabaseLock
from tests.unit.alerts.receivers import WebService
from tests.unit.cli.conftest import Outcome as Left
from tests.unit.cli.conftest import assert_one_paragraph

Ringfence = Callable[..., Left]
STOP = Alert("0a000001", "stop 1", 5, "stop", "stop_missing", "BTC", 1, "critical", "CRITICAL stop", "body")
FEED = Alert("0b000002", "stale 1", 6, "feed", "stale", "BTC", 1, "warning", "WARNING stale", "body")
BINDING = Binding("simulated", "paper", "test")
ROUTE = "RINGFENCE__ALERTS__ROUTES__{}__APPRISE_URL"

# Apprise imports a module of Python's that goes in 3.13, for its mail.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two open alerts, one of them delivered to a phone and waiting for a mail."""
    path = tmp_path / "paper.db"
    journal = open_journal(path, BINDING)
    standing = {each.key: Standing(each, 1) for each in (STOP, FEED)}
    sent = [
        Delivery(f"d{route}", STOP.alert_id, route, "alert", "critical", "t", "b", 7)
        for route in ("mail", "phone")
    ]
    outcomes = (
        Outcome("dphone", "delivered", 1, 8, ""),
        Outcome("dmail", "waiting", 3, 8, "no such host"),
    )
    memory = {"router": to_json(NOTHING._replace(standing=standing)), "watch": {}}
    book = journal.alert_book()
    book.write(Page(1_763_884_800_000, (STOP,), tuple(sent), outcomes, (), (), memory))
    book.write(Page(1_763_884_860_000, (FEED,), (), (), (), (), memory))
    journal.close()
    return path


def test_the_newest_stands_first_with_where_it_was_told(ringfence: Ringfence, database: Path) -> None:
    lines = ringfence("alerts", "--db", database).out.splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["0b000002", "0a000001"]
    assert "mail waiting, phone delivered" in lines[2]
    assert "open" in lines[1]


def test_as_json_it_holds_every_try(ringfence: Ringfence, database: Path) -> None:
    rows = json.loads(ringfence("alerts", "--db", database, "--json").out)
    assert rows[1]["told"][0]["detail"] == "no such host"
    assert (rows[1]["alert_id"], rows[1]["state"]) == ("0a000001", "open")


def test_a_database_without_alerts_says_so(ringfence: Ringfence, tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    open_journal(path, BINDING).close()
    assert ringfence("alerts", "--db", path).out == "Nothing was worth telling yet.\n"
    assert ringfence("alerts", "--open", "--db", path).out == "No alert is open.\n"
    assert ringfence("alerts", "ack", "--db", path) == (0, "No alert is open.\n", "")


def test_without_a_bot_an_acknowledgement_is_in_the_database_and_in_the_routers_memory(
    ringfence: Ringfence, database: Path
) -> None:
    journal = open_journal(database, BINDING)
    journal.commit(Commit(9, notes=(AlertRaised(9, "", 0, "warning", "backup_failed", "why", {}),)))
    journal.close()
    done = ringfence("alerts", "ack", "0a", "--db", database)
    assert (done.code, done.out.partition(".")[0]) == (0, "Acknowledged: alert 0a000001")
    open_now = json.loads(ringfence("alerts", "--open", "--json", "--db", database).out)
    assert [row["alert_id"] for row in open_now] == ["0b000002"]
    journal = open_journal(database, BINDING)
    known = journal.alert_book().recall()
    journal.close()
    assert known is not None
    told = {key: each[3] for key, each in known.memory["router"]["standing"].items()}
    assert told == {"stop 1": True, "stale 1": False}
    assert known.event_id == 0, "what was committed and not looked at is still to be told"


def test_all_that_is_open_is_acknowledged_at_once(ringfence: Ringfence, database: Path) -> None:
    assert "2 alerts" in ringfence("alerts", "ack", "--db", database).out
    assert ringfence("alerts", "--open", "--db", database).out == "No alert is open.\n"


@pytest.mark.parametrize(("begin", "said"), [("0", "2 alerts of"), ("ff", "No alert of")])
def test_an_id_that_is_none_or_of_two_is_refused(
    ringfence: Ringfence, database: Path, begin: str, said: str
) -> None:
    refused = ringfence("alerts", "ack", begin, "--db", database)
    assert refused.code == 2
    assert_one_paragraph(refused)
    assert said in refused.err
    assert "Nothing was acknowledged" in refused.err


def test_with_a_bot_it_is_left_for_it_and_exit_code_1_says_that_it_waits(
    ringfence: Ringfence, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.alerts._WAIT_SECONDS", 0.0)
    with DatabaseLock(database):
        left = ringfence("alerts", "ack", "0a", "--db", database)
    assert (left.code, left.out.partition(".")[0]) == (1, "Left for the bot: alert 0a000001")
    assert AcknowledgementFiles(database).waiting() == ("0a000001",)


async def test_every_route_is_tried_and_one_that_fails_is_exit_code_1(
    ringfence: Ringfence, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with WebService().serving() as good, WebService(403).serving() as bad:
        monkeypatch.setenv(ROUTE.format("GOOD"), f"json://127.0.0.1:{good.port}/CanaryPath")
        done = await asyncio.to_thread(ringfence, "alerts", "test")
        assert (done.code, done.out) == (0, "good: delivered; look whether it has arrived\n")
        monkeypatch.setenv(ROUTE.format("BAD"), f"json://127.0.0.1:{bad.port}/CanaryPath")
        done = await asyncio.to_thread(ringfence, "alerts", "test")
        as_json = await asyncio.to_thread(ringfence, "alerts", "test", "--json")
    assert done.code == as_json.code == 1
    assert done.out.startswith("bad: NOT delivered: ")
    assert "403" in done.out
    assert [(row["route"], bool(row["reason"])) for row in json.loads(as_json.out)] == [
        ("bad", True),
        ("good", False),
    ]
    assert len(good.got) == 3
    assert "Nothing has happened" in good.got[0]["message"]
    assert "Canary" not in done.out + done.err + as_json.out


def test_without_a_route_there_is_nothing_to_try(ringfence: Ringfence) -> None:
    refused = ringfence("alerts", "test")
    assert refused.code == 2
    assert_one_paragraph(refused)
    assert "RINGFENCE__ALERTS__ROUTES__PHONE__APPRISE_URL" in refused.err


@pytest.mark.parametrize("verb", [("trade",), ("check-config",), ("alerts", "test")])
def test_a_url_of_no_service_is_refused_before_anything_is_written(
    ringfence: Ringfence, workplace: Path, monkeypatch: pytest.MonkeyPatch, verb: tuple[str, ...]
) -> None:
    monkeypatch.setenv(ROUTE.format("PHONE"), "nfty://host/CanaryPath")
    refused = ringfence(*verb)
    assert refused.code == 2
    assert_one_paragraph(refused)
    assert 'did you mean "ntfy"?' in refused.err
    assert "Canary" not in refused.err
    assert list(workplace.iterdir()) == []
