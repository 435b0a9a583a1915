"""`ringfence margin add|release`, `reduce`, `close`: shown, asked, carried out by a running bot, told."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bot.app import Application
from bot.core.halt import REDUCE_ONLY
from bot.engine import halts
from bot.errors import UserError
from bot.halting import give as give_halt
from bot.halting import hand_over as hand_over_halt
from bot.ordering import hand_over
from bot.outlook import last_state
from bot.ports import Command
from bot.settings import Flag, load
from bot.store.commands import CommandFiles
from bot.store.lock import DatabaseLock
from tests.unit.cli.conftest import assert_one_paragraph


class Terminal(StringIO):
    """Standard input with a person behind it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def path(workplace: Path, paper_session: Any) -> Path:
    """Copy the database of the real session, which has two open positions, to var/paper.db."""
    (workplace / "var").mkdir()
    shutil.copy(paper_session.path, workplace / "var" / "paper.db")
    return workplace / "var" / "paper.db"


@pytest.fixture
def held(paper_session: Any) -> list[Any]:
    return list(paper_session.state.positions())


@asynccontextmanager
async def trading(path: Path, paper_session: Any, root: Path) -> AsyncIterator[Application]:
    """Let the bot go on from the database."""
    flags = {"run.db": path, "run.speed": "1x", "strategy.directory": root / "strategies"}
    flags |= {"run.seed": paper_session.settings.run.seed}
    application = Application(load(None, tuple(Flag(key, key, value) for key, value in flags.items())), print)
    application._observe = lambda _commit: None
    await application.meet()
    await application.open()
    running = asyncio.create_task(application.run())
    try:
        while not application.is_running:
            await asyncio.sleep(0.01)
        yield application
    finally:
        application.stop()
        await running
        await application.leave()


def events_of(path: Path, name: str) -> list[dict[str, Any]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT body FROM event WHERE kind = ? ORDER BY id", (name,)).fetchall()
    return [json.loads(body) for (body,) in rows]


async def test_the_running_bot_carries_out_what_is_ordered_and_the_outcome_is_told(
    ringfence: Any, path: Path, paper_session: Any, root: Path, held: list[Any]
) -> None:
    symbol, other = (position.symbol for position in held)
    async with trading(path, paper_session, root):
        added = await asyncio.to_thread(ringfence, "margin", "add", symbol, "20", "--yes", "--json")
        reduced = await asyncio.to_thread(ringfence, "reduce", symbol.partition("/")[0], "0.5", "--yes")
        closed = await asyncio.to_thread(ringfence, "close", other.lower(), "--yes")
        late = await asyncio.to_thread(ringfence, "close", other, "--yes")
    told = json.loads(added.out)
    assert (added.code, told["state"], told["verb"], told["symbol"]) == (0, "done", "add", symbol)
    assert told["after"]["isolated_wallet"] == pytest.approx(told["before"]["isolated_wallet"] + 20.0)
    assert "20.00 was added to" in told["message"]
    assert (reduced.code, reduced.out.startswith("Done: ")) == (0, True)
    assert (closed.code, "was closed at" in closed.out) == (0, True)
    assert "liquidated in 24 h" in closed.err
    assert late.code == 2
    assert "is no open position of this bot" in late.err
    done = events_of(path, "CommandDone")
    assert [(row["verb"], row["state"]) for row in done] == [
        ("add", "done"),
        ("reduce", "done"),
        ("close", "done"),
    ]
    assert done[0]["command_id"] == told["command_id"]
    assert "a person's order to close, done" in ringfence("journal").out
    assert "by hand" in ringfence("margin", "history").out
    assert ringfence("db", "check").code == 0


async def test_what_the_bot_refuses_is_told_with_the_exit_code_of_an_order_not_taken(
    ringfence: Any,
    path: Path,
    paper_session: Any,
    root: Path,
    held: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody halts the bot while the person still reads what a release would change."""
    symbol = held[0].symbol
    async with trading(path, paper_session, root) as application:
        await asyncio.to_thread(ringfence, "margin", "add", symbol, "200", "--yes")
        desk = application.engine.desk

        def halt(*_: Any, **__: Any) -> None:
            halts.latch(desk, REDUCE_ONLY, "test", "it rains")

        monkeypatch.setattr("bot.cli.ordering._confirm", halt)
        refused = await asyncio.to_thread(ringfence, "margin", "release", symbol, "10")
    assert refused.code == 1
    assert refused.out.startswith("Refused: REDUCE_ONLY stands (it rains): no margin is released.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("margin", "add", "BTC", "1e12"), "stays in reserve"),
        (("margin", "add", "BTC", "-5"), "No such option"),
        (("margin", "add", "BTC", "nan"), "must be a number above 0"),
        (("margin", "add", "BTC", "much"), "a valid number"),
        (("margin", "release", "BTC", "1e12"), "can be released now"),
        (("reduce", "BTC", "1.5"), "above 0 and below 1"),
        (("close", "DOGE"), '"DOGE" is no open position of this bot. Open are: '),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_ordered(
    ringfence: Any, path: Path, held: list[Any], words: tuple[str, ...], said: str
) -> None:
    coin = held[0].symbol.partition("/")[0]
    outcome = ringfence(*(coin if word == "BTC" else word for word in words), "--yes")
    assert outcome.code == 2
    assert said in outcome.err
    assert_one_paragraph(outcome)
    assert CommandFiles(path).waiting() == ()


def test_without_a_bot_nothing_is_ordered(ringfence: Any, path: Path, held: list[Any]) -> None:
    outcome = ringfence("margin", "add", held[0].symbol, "5", "--yes")
    assert outcome.code == 2
    assert "No bot is running" in outcome.err
    assert "Start the bot" in outcome.err
    assert CommandFiles(path).waiting() == ()


def test_an_order_that_nobody_takes_is_withdrawn(
    ringfence: Any, path: Path, held: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.ordering._WAIT_SECONDS", 0.0)
    with DatabaseLock(path):
        outcome = ringfence("close", held[0].symbol, "--yes")
        told = json.loads(ringfence("close", held[0].symbol, "--yes", "--json").out)
    assert outcome.code == 1
    assert "it was withdrawn: nothing was moved" in outcome.out
    assert told["state"] == "withdrawn"
    assert CommandFiles(path).waiting() == ()


@pytest.mark.parametrize(
    ("mode", "flags", "answer", "is_given"),
    [
        ("paper", (), "y\n", True),
        ("paper", (), "\n", False),
        ("paper", (), "n\n", False),
        ("paper", ("--yes",), "", True),
        ("live", (), "y\nclose\n", True),
        ("live", (), "y\ny\n", False),
        ("live", (), "y\n", False),
        ("live", (), "close\n", False),
        ("live", ("--yes",), "close\n", True),
        ("live", ("--yes",), "y\n", False),
        ("live", ("--yes",), "", False),
    ],
)
def test_a_person_is_asked_once_and_with_real_money_twice(
    ringfence: Any,
    path: Path,
    held: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    flags: tuple[str, ...],
    answer: str,
    is_given: bool,
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE account SET mode = ?", (mode,))
    given = ordered(monkeypatch)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    outcome = ringfence("close", held[0].symbol, *flags)
    assert given == ([held[0].symbol] if is_given else [])
    assert ("not confirmed" in outcome.err) == (not is_given)
    assert ("REAL MONEY" in outcome.err) == (mode == "live" and bool(flags or answer.startswith("y")))


@pytest.mark.parametrize("kept", [None, False, True])
def test_a_script_moves_real_money_only_where_the_running_bots_settings_say_so(
    ringfence: Any, path: Path, held: list[Any], monkeypatch: pytest.MonkeyPatch, kept: bool | None
) -> None:
    """None: the run is of a version that did not know the setting."""
    place = "'$.exchange.allow_unattended_orders'"
    changed = f"json_remove(config, {place})" if kept is None else f"json_set(config, {place}, json(:kept))"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE account SET mode = 'live'")
        connection.execute(f"UPDATE run SET config = {changed}", {"kept": json.dumps(kept)})
    given = ordered(monkeypatch)
    monkeypatch.setattr("sys.stdin", StringIO(""))
    refused = ringfence("close", held[0].symbol)
    assert given == [], "without --yes nothing is unattended"
    assert (refused.code, "standard input is no terminal" in refused.err) == (2, True)
    outcome = ringfence("close", held[0].symbol, "--yes")
    assert given == ([held[0].symbol] if kept else [])
    assert ("--yes is not enough" in outcome.err) == (not kept)


def ordered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let orders reach nobody, and return the symbols of those that were given."""
    given: list[str] = []
    monkeypatch.setattr("bot.ordering.give", lambda _path, symbol, *_: given.append(symbol) or "1")
    monkeypatch.setattr("bot.cli.ordering.ended", lambda *_: None)
    return given


def test_without_a_terminal_only_yes_confirms(
    ringfence: Any, path: Path, held: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("y\n"))
    outcome = ringfence("close", held[0].symbol)
    assert (outcome.code, "Add --yes" in outcome.err) == (2, True)
    assert CommandFiles(path).waiting() == ()


def test_an_order_about_a_position_that_a_dead_bot_left_is_not_entered_by_a_halt(path: Path) -> None:
    left = Command("000000000000001-9", "add", "", "", "BTC/USDT:USDT", 5.0)
    CommandFiles(path).send(left)
    give_halt(path, "halt", "NO_ENTRY", "")
    assert CommandFiles(path).waiting() == (left,)
    assert events_of(path, "CommandDone") == []


def test_an_order_that_has_its_id_already_is_given_once(path: Path) -> None:
    """Whoever gives it twice after a crash gives the same order: bots know what they took by its id."""
    order = Command("000000000000001-100001", "add", "", "", "BTC/USDT:USDT", 5.0, 0.0, 1)
    with pytest.raises(UserError, match="No bot is running"):
        hand_over(path, order)
    assert CommandFiles(path).waiting() == ()
    with DatabaseLock(path):
        hand_over(path, order)
        hand_over(path, order)
    assert CommandFiles(path).waiting() == (order,)


def test_a_halt_that_has_its_id_already_is_entered_once(path: Path) -> None:
    order = Command("000000000000001-100001", "halt", "NO_ENTRY", "rain")
    assert hand_over_halt(path, order)
    assert hand_over_halt(path, order)
    halted = events_of(path, "EntriesHalted")
    assert [row["message"] for row in halted if row["cause"] == "person"] == ["a person ordered it: rain"]
    assert order.command_id in last_state(path).commands
