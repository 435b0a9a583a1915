"""Real money is traded only after a word that nobody types by accident."""

import asyncio
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest

from bot.cli.confirmation import confirm
from bot.errors import UserError
from bot.ports import Account
from bot.settings import Flag, load

ACCOUNT = Account(0, 900.0, 1_000.0, (), (), {})


class Terminal(StringIO):
    """Standard input with a person, or none, behind it."""

    def __init__(self, text: str, *, is_person: bool) -> None:
        super().__init__(text)
        self._is_person = is_person

    def isatty(self) -> bool:
        return self._is_person


def application(mode: str) -> Any:
    flags = {"run.mode": mode, "exchange.name": "okx", "exchange.allow_live": True}
    settings = load(None, tuple(Flag(key, key, value) for key, value in flags.items()))

    async def account() -> Account:
        return ACCOUNT

    exchange = SimpleNamespace(account=account)
    return SimpleNamespace(settings=settings, edges=SimpleNamespace(exchange=exchange))


def asked(monkeypatch: pytest.MonkeyPatch, mode: str, answer: str, *, yes: bool, is_person: bool) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer, is_person=is_person))
    asyncio.run(confirm(application(mode), is_confirmed=yes))


def test_a_test_account_is_not_asked_about(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    asked(monkeypatch, "testnet", "", yes=False, is_person=False)
    assert capsys.readouterr().err == ""


def test_the_stakes_are_said_and_the_word_is_waited_for(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    asked(monkeypatch, "live", "trade live\n", yes=False, is_person=True)
    said = capsys.readouterr().err
    for words in ("REAL MONEY on okx", "wallet 1,000.00, free 900.00", "leverage at most 25x", "600.00"):
        assert words in said


@pytest.mark.parametrize("answer", ["", "yes\n", "y\n", "trade\n"])
def test_any_other_answer_starts_nothing(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    with pytest.raises(UserError, match="not confirmed"):
        asked(monkeypatch, "live", answer, yes=False, is_person=True)


def test_where_nobody_can_answer_only_yes_will_do(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with pytest.raises(UserError, match="--yes"):
        asked(monkeypatch, "live", "trade live\n", yes=False, is_person=False)
    asked(monkeypatch, "live", "", yes=True, is_person=False)
    assert "REAL MONEY" in capsys.readouterr().err
