"""A person's orders as files beside the database: whole or absent, in order, gone when done."""

from pathlib import Path

import pytest

from bot.errors import UserError
from bot.ports import Command
from bot.store.commands import CommandFiles

FIRST = Command("000000000000001-9", "halt", "NO_ENTRY", "rain")
SECOND = Command("000000000000002-1", "resume", "", "")
ABOUT_ONE = Command("000000000000003-1", "release", "", "rain", "BTC/USDT:USDT", 12.5, 0.0, 7)


@pytest.fixture
def files(tmp_path: Path) -> CommandFiles:
    return CommandFiles(tmp_path / "paper.db")


def test_orders_are_read_as_they_were_sent_the_oldest_first(files: CommandFiles) -> None:
    files.send(SECOND)
    files.send(FIRST)
    assert files.waiting() == (FIRST, SECOND)


def test_an_order_waits_until_it_is_done(files: CommandFiles, tmp_path: Path) -> None:
    files.send(FIRST)
    assert files.is_waiting(FIRST.command_id)
    assert files.waiting() == files.waiting() == (FIRST,)
    files.done(FIRST.command_id)
    files.done(FIRST.command_id)
    assert not files.is_waiting(FIRST.command_id)
    assert list(tmp_path.iterdir()) == []


def test_an_order_about_a_position_is_read_as_it_was_sent(files: CommandFiles) -> None:
    files.send(ABOUT_ONE)
    assert files.waiting() == (ABOUT_ONE,)


def test_a_halt_is_written_as_before_there_were_orders_about_a_position(
    files: CommandFiles, tmp_path: Path
) -> None:
    files.send(FIRST)
    (file,) = tmp_path.iterdir()
    assert file.read_text() == '{"verb": "halt", "level": "NO_ENTRY", "message": "rain"}'


def test_orders_to_another_database_are_not_taken(files: CommandFiles, tmp_path: Path) -> None:
    CommandFiles(tmp_path / "other.db").send(FIRST)
    CommandFiles(tmp_path / "paper.db.copy.db").send(FIRST)
    assert files.waiting() == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"verb": "halt"}',
        "\x00",
        '{"verb": "add", "level": "", "message": "", "amount_quote": "much"}',
        '{"verb": "add", "level": "", "message": "", "amount_quote": null}',
        '{"verb": "add", "level": "", "message": "", "position_id": 1e999}',
        '{"verb": "add", "level": "", "message": "", "symbol": "\\ud800"}',
        '{"verb": "halt", "level": "NO_ENTRY", "message": "\\udfff"}',
    ],
)
def test_a_file_that_is_no_order_is_left_alone(files: CommandFiles, tmp_path: Path, text: str) -> None:
    (tmp_path / "paper.db.000000000000001-9.command").write_text(text)
    files.send(SECOND)
    assert files.waiting() == (SECOND,)


def test_a_half_written_order_is_not_read(files: CommandFiles, tmp_path: Path) -> None:
    (tmp_path / "paper.db.000000000000001-9.command.draft").write_text('{"verb": "resume"')
    assert files.waiting() == ()


def test_an_order_that_cannot_be_written_is_refused_in_one_paragraph(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Nothing was ordered"):
        CommandFiles(tmp_path / "absent" / "paper.db").send(FIRST)
