"""Where the pages are is said before trading begins; what they lack never keeps trading back."""

import asyncio
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.cli.calculators.forms import CalculatorForms
from bot.settings import Flag, load
from bot.web.service import WebService
from bot.web.vault import Vault
from tests.unit.web.conftest import Unheard

TESTNET = {"run.mode": "testnet", "exchange.name": "okx"}


class Said(Unheard):
    """Remembers the errors that were logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def error(self, event: str, **facts: object) -> None:
        self.lines.append(f"{event} {facts}")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Any]:
    """Return a maker of services on a database of a folder, each under its flags."""
    services = []

    def make(**flags: Any) -> WebService:
        given = {"web.port": 0, **{name.replace("__", "."): value for name, value in flags.items()}}
        settings = load(None, tuple(Flag(key, key, value) for key, value in given.items()))
        watched: Any = SimpleNamespace(path=tmp_path / "bot.db")
        services.append(WebService(watched, settings, CalculatorForms(), Said()))
        return services[-1]

    yield make
    for service in services:
        asyncio.run(service.close())


def test_the_address_is_known_before_anything_is_served(made: Any) -> None:
    service = made()
    said = service.listen(may_show_secret=True)
    assert re.fullmatch(r"Risk board: http://127\.0\.0\.1:\d+", said)
    assert service.url in said


def test_a_first_start_with_other_money_shows_a_password_once(made: Any, tmp_path: Path) -> None:
    said = made(**TESTNET).listen(may_show_secret=True)
    password = said.rpartition(" ")[2]
    assert Vault(tmp_path / "bot.db").is_password(password)
    assert "password" not in made(**TESTNET).listen(may_show_secret=True)


def test_where_nobody_looks_no_password_is_made(made: Any, tmp_path: Path) -> None:
    said = made(**TESTNET).listen(may_show_secret=False)
    assert "Nobody is let in until" in said
    assert not Vault(tmp_path / "bot.db").has_password


def test_a_port_that_is_taken_is_said_and_trading_goes_on(made: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        service = made(**TESTNET, **{"web.port": busy.getsockname()[1]})
        said = service.listen(may_show_secret=False)
    assert said.startswith("No pages are served, and trading goes on")
    assert service.url == ""


def test_switched_off_nothing_is_opened_or_said(made: Any) -> None:
    service = made(**{"web.enabled": False})
    assert service.listen(may_show_secret=True) == ""
    assert service.url == ""


async def test_a_failure_of_the_pages_is_logged_and_raises_nothing(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.service.import_module", lambda _name: SimpleNamespace())
    service = made()
    service.listen(may_show_secret=False)
    service.begin(lambda: True)
    while not service._logger.lines:
        await asyncio.sleep(0.001)
    assert "Trading goes on" in service._logger.lines[0]
    await service.close()
