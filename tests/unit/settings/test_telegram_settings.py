"""The Telegram bot is off unless its token and its chats are set, and its token is shown nowhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.redaction import without_secrets
from bot.settings import Flag, Settings, effective, load

TOKEN = "123456789:CanaryTokenOfTelegram0123456789abcd"
CHAT = {"bot_token": TOKEN, "allowed_chats": "11,-1001234567890"}


def settings(**given: Any) -> Settings:
    return load(None, tuple(Flag(f"telegram.{key}", key, value) for key, value in given.items()))


def test_it_is_off_without_a_word() -> None:
    assert not settings().telegram.is_on
    assert not settings(**CHAT).telegram.is_on
    assert not settings(allowed_chats="11").telegram.is_on
    assert settings(**CHAT, enabled=True).telegram.is_on


def test_chats_are_whole_numbers_in_a_text_or_a_list() -> None:
    assert settings(**CHAT, enabled=True).telegram.chats == {11, -1001234567890}
    assert settings(bot_token=TOKEN, allowed_chats=[11]).telegram.allowed_chats == (11,)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_token_without_chats_is_refused_before_anything_starts(enabled: bool) -> None:
    with pytest.raises(UserError, match="allowed_chats names no chat") as refused:
        settings(bot_token=TOKEN, enabled=enabled)
    assert TOKEN not in str(refused.value)


def test_without_a_token_it_cannot_be_enabled() -> None:
    with pytest.raises(UserError, match="telegram__bot_token"):
        settings(enabled=True, allowed_chats="11")


@pytest.mark.parametrize("chats", ["0", "11,11", "a", "1.5", [True]])
def test_what_is_no_list_of_chats_is_refused(chats: Any) -> None:
    with pytest.raises(UserError, match="allowed_chats"):
        settings(bot_token=TOKEN, allowed_chats=chats)


@pytest.mark.parametrize("token", ["x", "123:short", f"{TOKEN}/../x", f"{TOKEN} {TOKEN}"])
def test_what_is_no_token_is_refused_without_its_text(token: str) -> None:
    with pytest.raises(UserError, match="BotFather") as refused:
        settings(bot_token=token, allowed_chats="11")
    assert token not in str(refused.value).replace('"x"', "")
    assert "not shown" in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.telegram.org",
        "ftp://127.0.0.1",
        "https://a@b",
        "https://a/x",
        "https://",
        "https://[",
        "x",
    ],
)
def test_the_token_is_sent_encrypted_or_to_this_machine_only(url: str) -> None:
    with pytest.raises(UserError, match="only https://NAME"):
        settings(base_url=url)


@pytest.mark.parametrize("url", ["https://bots.example:8443", "http://127.0.0.1:8081", "http://[::1]:8081"])
def test_a_bot_api_of_ones_own_is_accepted(url: str) -> None:
    assert settings(base_url=f"{url}/").telegram.base_url == url


def test_a_token_in_a_file_is_refused_without_its_text(tmp_path: Path) -> None:
    file = tmp_path / "bot.toml"
    file.write_text(f'[telegram]\nallowed_chats = [11]\nbot_token = "{TOKEN}"\n', encoding="utf-8")
    with pytest.raises(UserError, match="Secrets do not belong") as refused:
        load(file)
    assert TOKEN not in str(refused.value)


def test_the_token_is_shown_nowhere_and_known_in_every_form() -> None:
    found = settings(**CHAT)
    assert TOKEN not in json.dumps(effective(found)) + repr(found)
    secret = TOKEN.partition(":")[2]
    shown = without_secrets(f"{TOKEN} bot123456789%3A{secret}/getMe {secret}")
    assert secret not in shown
